//! Giving up what is not needed: user, capabilities, files, system calls. All before any thread
//! starts, and all but the change of user by best effort: a kernel that cannot lock us in is no
//! reason not to keep time.

pub mod files;
pub mod system_calls;
pub mod user;

use core::fmt::Display;
use files::Needed;
use user::{DropError, Plan};

/// What this process may be locked in by.
#[derive(Clone, Copy, Debug)]
pub struct Locks {
    /// Everything but the change of user.
    pub sandbox: bool,
    /// Capabilities that are not needed are given up.
    pub drop_caps: bool,
    /// There are rings, opened before, whose use stays allowed.
    pub rings: bool,
}

/// Locks this process in, and logs in one line how far that went. With `sandbox` off only a user
/// named on the command line is become: nothing else may touch prctl(2) or capset(2) then.
///
/// # Errors
/// When the user cannot be changed.
pub fn give_up(
    plan: &Plan,
    Locks {
        sandbox,
        drop_caps,
        rings,
    }: Locks,
    needed: &Needed,
) -> Result<(), DropError> {
    if !drop_caps {
        log::warn!("--no-drop-caps: capabilities stay as they were given");
    }
    if !sandbox {
        plan.carry_out(drop_caps)?;
        log::info!("sandbox off");
        return Ok(());
    }
    if drop_caps && nix::unistd::geteuid().is_root() {
        user::shrink_bounding_set();
    }
    plan.carry_out(drop_caps)?;
    if drop_caps && *plan == Plan::Stay {
        // Without privileges there is nothing to give up, and nothing to be told.
        let _ = user::keep_little();
    }
    if let Some(warning) = warning_of_root(nix::unistd::geteuid().is_root(), plan) {
        log::warn!("{warning}");
    }
    let landlock = files::close(needed).map_or_else(|error| off("landlock", &error), str::to_owned);
    let seccomp = match system_calls::filter(rings) {
        Ok(true) => "on, refusals are logged by the kernel".to_owned(),
        Ok(false) => "on".to_owned(),
        Err(error) => off("seccomp", error.as_ref()),
    };
    log::info!(
        "running as {plan}; capabilities {}; landlock {landlock}; seccomp {seccomp}",
        user::left()
    );
    Ok(())
}

/// Best effort is no secret: who counts on the lock hears that it is open.
fn off(what: &str, error: &dyn Display) -> String {
    log::warn!("{what} is off, this process is not locked in by it: {error}");
    format!("off ({error})")
}

/// Root may write every file: a fault in a parser would then be worth the machine.
fn warning_of_root(is_root: bool, plan: &Plan) -> Option<&'static str> {
    (is_root && *plan == Plan::Stay).then_some(
        "running as ROOT: there is no user ntp to become; make one (useradd --system ntp) or name \
         another with -u",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_that_stays_root_is_warned_of() {
        let other = Plan::Become {
            name: "ntp".to_owned(),
            identity: truechimer_sys::process::Identity {
                uid: 1,
                gid: 1,
                groups: Vec::new(),
            },
        };
        assert!(warning_of_root(true, &Plan::Stay).is_some());
        assert_eq!(warning_of_root(true, &other), None);
        assert_eq!(warning_of_root(false, &Plan::Stay), None);
    }
}
