//! Giving up what is not needed: user, capabilities, files, system calls. All before any thread
//! starts, and all but the change of user by best effort: a kernel that cannot lock us in is no
//! reason not to keep time.

pub mod files;
pub mod system_calls;
pub mod user;

use files::Needed;
use user::{DropError, Plan};

/// Locks this process in, and logs in one line how far that went. With `sandbox` off only a user
/// named on the command line is become: nothing else may touch prctl(2) or capset(2) then.
///
/// # Errors
/// When the user cannot be changed.
pub fn give_up(plan: &Plan, sandbox: bool, needed: &Needed) -> Result<(), DropError> {
    if !sandbox {
        plan.carry_out()?;
        log::info!("sandbox off");
        return Ok(());
    }
    if nix::unistd::geteuid().is_root() {
        user::shrink_bounding_set();
    }
    plan.carry_out()?;
    if *plan == Plan::Stay {
        // Without privileges there is nothing to give up, and nothing to be told.
        let _ = user::keep_little();
    }
    let landlock =
        files::close(needed).map_or_else(|error| format!("off ({error})"), str::to_owned);
    let seccomp =
        system_calls::filter().map_or_else(|error| format!("off ({error})"), |()| "on".to_owned());
    log::info!(
        "running as {plan}; capabilities {}; landlock {landlock}; seccomp {seccomp}",
        user::left()
    );
    Ok(())
}
