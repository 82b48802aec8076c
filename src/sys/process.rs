//! The process and its threads: whom they run as, what they may do, where they run.
mod affinity;
mod background;
mod capabilities;
mod descriptors;
mod identity;
mod priority;

pub use affinity::{Core, cores, pin_thread};
pub use background::{Side, Startup, TIMED_OUT, go_to_background};
pub use capabilities::{Capability, has_effective, keep_only};
pub use descriptors::raise_descriptor_limit;
pub use identity::{Identity, become_user, keep_capabilities_over_user_change, look_up};
pub use priority::run_at_real_time;

use std::io;

/// From now on no program this process executes gains privileges; a filter of system calls needs
/// it.
///
/// # Errors
/// The kernel's.
pub fn forbid_new_privileges() -> io::Result<()> {
    let (yes, none): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: no memory is passed.
    crate::checked(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, yes, none, none, none) })?;
    Ok(())
}

/// Keeps all memory, present and future, from being swapped out. Costs resident memory; not on
/// by default.
///
/// # Errors
/// The kernel's: EPERM or ENOMEM past RLIMIT_MEMLOCK.
pub fn lock_memory() -> io::Result<()> {
    // SAFETY: no memory is passed, and locking moves none.
    crate::checked(unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) })?;
    Ok(())
}
