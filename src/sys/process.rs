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
pub use priority::{run_at_real_time, run_behind_others, run_promptly};

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

/// One instruction of a filter of system calls (classic BPF, linux/filter.h).
#[derive(Clone, Copy, Debug)]
pub struct FilterInstruction {
    /// What to do.
    pub code: u16,
    /// Instructions to skip if a comparison holds.
    pub if_true: u8,
    /// And if it does not.
    pub if_false: u8,
    /// Operand.
    pub operand: u32,
}

/// Filters the system calls of this thread and those it starts, and has the kernel log what it
/// refuses; `false` if this kernel (before 4.14) filters without a log.
///
/// By the system call's number, for the C library has no name for it: not for a process under a
/// preload simulator.
///
/// # Errors
/// The kernel's; EINVAL for a program it does not accept.
pub fn filter_system_calls(program: &[FilterInstruction]) -> io::Result<bool> {
    forbid_new_privileges()?;
    let mut instructions: Vec<libc::sock_filter> = program
        .iter()
        .map(|one| libc::sock_filter {
            code: one.code,
            jt: one.if_true,
            jf: one.if_false,
            k: one.operand,
        })
        .collect();
    let program = libc::sock_fprog {
        len: u16::try_from(instructions.len())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        filter: instructions.as_mut_ptr(),
    };
    let install = |flags: libc::c_ulong| {
        let mode = libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER);
        // SAFETY: the kernel copies the program, which lives until after the call.
        let outcome = unsafe { libc::syscall(libc::SYS_seccomp, mode, flags, &raw const program) };
        crate::checked(if outcome < 0 { -1 } else { 0 })
    };
    match install(libc::SECCOMP_FILTER_FLAG_LOG) {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => install(0).map(|_| false),
        Err(error) => Err(error),
    }
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
