//! Going before others, or behind them.
use std::io;

/// Of SCHED_FIFO, by sched(7).
const HIGHEST: i32 = 99;
/// Of ordinary threads, by nice(2).
const NICEST: i32 = 19;
/// The kernel takes turns of 0.1 to 100 ms.
const SHORTEST_TURN_NS: u64 = 100_000;
/// Octets of what it is told.
const SCHEDULE_LEN: u32 = 48;

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
    set_schedule(&libc::sched_attr {
        sched_policy: libc::SCHED_BATCH.unsigned_abs(),
        sched_nice: NICEST,
        ..NO_SCHEDULE
    })
}

/// Has the calling thread run as soon as it wakes up. A kernel since 6.12 lets whoever is at work, however
/// nice, end a share of its turn before it looks at anybody, unless one with shorter turns wakes up; so
/// these are the shortest. It gets no more time than others. Older kernels than 6.12 know no turns of
/// a thread's own, and a thread of another policy than the ordinary one keeps what it has.
///
/// # Errors
/// The kernel's.
pub fn run_promptly() -> io::Result<()> {
    let now = schedule()?;
    if now.sched_policy != libc::SCHED_OTHER.unsigned_abs() {
        return Ok(());
    }
    set_schedule(&libc::sched_attr {
        sched_nice: now.sched_nice,
        sched_runtime: SHORTEST_TURN_NS,
        ..NO_SCHEDULE
    })
}

const NO_SCHEDULE: libc::sched_attr = libc::sched_attr {
    size: SCHEDULE_LEN,
    sched_policy: 0,
    sched_flags: 0,
    sched_nice: 0,
    sched_priority: 0,
    sched_runtime: 0,
    sched_deadline: 0,
    sched_period: 0,
};

/// How the calling thread is scheduled.
fn schedule() -> io::Result<libc::sched_attr> {
    let mut now = NO_SCHEDULE;
    // SAFETY: the kernel writes at most SCHEDULE_LEN octets into one structure, ours during the call,
    // which is as long and all integers.
    let done = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut now, SCHEDULE_LEN, 0) };
    crate::checked(if done < 0 { -1 } else { 0 })?;
    Ok(now)
}

fn set_schedule(wanted: &libc::sched_attr) -> io::Result<()> {
    // SAFETY: the kernel reads one structure, ours during the call, as long as its field `size` says.
    let done = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const *wanted, 0) };
    crate::checked(if done < 0 { -1 } else { 0 })?;
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
            let now = schedule().unwrap();
            assert_eq!(policy(), libc::SCHED_BATCH);
            assert_eq!(now.sched_nice, NICEST);
            run_promptly().unwrap();
            assert_eq!(policy(), libc::SCHED_BATCH, "not what it was not before");
        })
        .join()
        .unwrap();
    }

    #[test]
    fn a_thread_may_be_prompt_and_gets_no_more_time() {
        std::thread::spawn(|| {
            let before = schedule().unwrap();
            run_promptly().unwrap();
            let now = schedule().unwrap();
            assert_eq!(policy(), libc::SCHED_OTHER);
            assert_eq!(now.sched_nice, before.sched_nice);
            // Kernels before 6.12 tell nothing of turns.
            assert!(
                [0, SHORTEST_TURN_NS].contains(&now.sched_runtime),
                "{now:?}"
            );
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
