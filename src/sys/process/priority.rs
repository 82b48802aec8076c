//! Going before others, or behind them.
use std::io;

/// Of SCHED_FIFO, by sched(7).
const HIGHEST: i32 = 99;
/// Of ordinary threads, by setpriority(2).
const NICEST: i32 = 19;

/// Lets the calling thread run before all threads of ordinary priority (SCHED_FIFO), at `priority`
/// (1 to 99) or at the highest. Threads and processes it starts are ordinary again: a flood of
/// requests must not take a whole machine from its owner.
///
/// # Errors
/// The kernel's: EPERM without CAP_SYS_NICE or a limit RLIMIT_RTPRIO that allows it.
pub fn run_at_real_time(priority: Option<i32>) -> io::Result<()> {
    let wanted = libc::sched_param {
        sched_priority: priority.unwrap_or(HIGHEST).clamp(1, HIGHEST),
    };
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the kernel reads one structure, ours during the call.
    crate::checked(unsafe { libc::sched_setscheduler(0, policy, &raw const wanted) })?;
    Ok(())
}

/// Has the calling thread run after all others, yet now and then even while they are busy: what it
/// holds it gives back in bounded time, which a thread of SCHED_IDLE might not.
///
/// # Errors
/// The kernel's.
pub fn run_behind_others() -> io::Result<()> {
    let wanted = libc::sched_param { sched_priority: 0 };
    // SAFETY: the kernel reads one structure, ours during the call.
    crate::checked(unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const wanted) })?;
    // SAFETY: no memory is passed; 0 is the calling thread.
    crate::checked(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICEST) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> i32 {
        // SAFETY: no memory is passed.
        unsafe { libc::sched_getscheduler(0) }
    }

    #[test]
    fn a_thread_may_go_behind_all_others() {
        std::thread::spawn(|| {
            run_behind_others().unwrap();
            assert_eq!(policy(), libc::SCHED_BATCH);
            // SAFETY: no memory is passed.
            assert_eq!(unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }, NICEST);
        })
        .join()
        .unwrap();
    }

    #[test]
    fn threads_it_starts_are_ordinary() {
        std::thread::spawn(|| match run_at_real_time(None) {
            Ok(()) => {
                assert_eq!(policy() & !libc::SCHED_RESET_ON_FORK, libc::SCHED_FIFO);
                let started = std::thread::spawn(policy).join().unwrap();
                assert_eq!(started, libc::SCHED_OTHER);
            }
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
        })
        .join()
        .unwrap();
    }
}
