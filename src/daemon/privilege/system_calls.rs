//! Seccomp: system calls a daemon that keeps time has no use for fail with EPERM, and the kernel logs
//! them. Never a kill:
//! a library's new habit must cost a feature at most, not the clock.
use core::error::Error;
use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use std::collections::BTreeMap;
use truechimer_sys::process::{FilterInstruction, filter_system_calls};

/// Memory, threads and signals, as allocator, C library and Rust's threads use them.
const PROCESS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_get_robust_list,
    libc::SYS_getcpu,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getresgid,
    libc::SYS_getresuid,
    libc::SYS_getrlimit,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_kill,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mlockall,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_prctl,
    libc::SYS_prlimit64,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_getattr,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_tgkill,
    libc::SYS_uname,
    libc::SYS_wait4,
    libc::SYS_capget,
];
/// The purpose of it all.
const CLOCKS: &[i64] = &[
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_settime,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_settimeofday,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_gettime,
    libc::SYS_timerfd_settime,
];
/// Sockets, of the service and of the resolver.
const NETWORK: &[i64] = &[
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_listen,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_socket,
    libc::SYS_socketpair,
];
/// Files and waiting.
const FILES: &[i64] = &[
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_getrandom,
    libc::SYS_ioctl,
    libc::SYS_linkat,
    libc::SYS_lseek,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pselect6,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_umask,
    libc::SYS_unlinkat,
    libc::SYS_write,
    libc::SYS_writev,
];
/// Older forms that one architecture still has and its C library still calls.
#[cfg(target_arch = "x86_64")]
const OLDER: &[i64] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_chmod,
    libc::SYS_dup2,
    libc::SYS_epoll_wait,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_open,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_select,
    libc::SYS_stat,
    libc::SYS_time,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[i64] = &[];

/// Use of rings that are there, which can do little (ADR 0040). None can be had afterwards: what goes
/// through one is not seen by this filter.
const RINGS: &[i64] = &[libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// Filters the system calls of this thread and those it starts; with `rings` those there are may be
/// used.
///
/// `true` if the kernel logs what it refuses.
///
/// # Errors
/// Why there is no filter: the architecture, or the kernel.
pub fn filter(rings: bool) -> Result<bool, Box<dyn Error>> {
    // seccompiler's own installer asks for no log.
    let program: Vec<FilterInstruction> = program(rings)?
        .iter()
        .map(|one| FilterInstruction {
            code: one.code,
            if_true: one.jt,
            if_false: one.jf,
            operand: one.k,
        })
        .collect();
    Ok(filter_system_calls(&program)?)
}

fn program(rings: bool) -> Result<BpfProgram, seccompiler::Error> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let allowed: BTreeMap<i64, Vec<seccompiler::SeccompRule>> = [
        PROCESS,
        CLOCKS,
        NETWORK,
        FILES,
        OLDER,
        if rings { RINGS } else { &[] },
    ]
    .into_iter()
    .flatten()
    .map(|number| (*number, Vec::new()))
    .collect();
    let errno = u32::try_from(libc::EPERM).unwrap_or(1);
    let filter = SeccompFilter::new(
        allowed,
        SeccompAction::Errno(errno),
        SeccompAction::Allow,
        architecture,
    )?;
    Ok(filter.try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, thread};

    #[test]
    fn work_goes_on_and_the_rest_is_refused() {
        let outcome = thread::spawn(|| {
            let logs = filter(false).expect("a kernel with seccomp");
            assert!(logs, "kernels since 4.14 log what they refuse");
            let file = fs::metadata("/proc/self/status");
            let worker = thread::spawn(|| 7).join();
            let name = nix::unistd::sethostname("never").expect_err("not on the list");
            let program = std::process::Command::new("/bin/true").status();
            (file, worker, name, program)
        })
        .join()
        .expect("no panic");
        assert!(outcome.0.is_ok());
        assert!(matches!(outcome.1, Ok(7)));
        assert_eq!(outcome.2, nix::errno::Errno::EPERM);
        assert!(outcome.3.is_err());
    }

    /// What a ring could do the filter does not see.
    #[test]
    fn a_ring_that_is_there_may_be_used_and_none_be_opened() {
        use truechimer_sys::ring::{IdleRing, RingSize};
        use truechimer_sys::wake::Wake;
        let open = || {
            IdleRing::open(RingSize {
                buffers: 8,
                octets_each: 64,
                sockets: 8,
                portion: 8,
            })
        };
        for rings in [true, false] {
            let Ok(idle) = open() else {
                return;
            };
            let outcome = thread::spawn(move || {
                let wake = Wake::new().expect("a descriptor");
                filter(rings).expect("a kernel with seccomp");
                let started = idle.start(wake.into()).map(drop);
                (started, open().map(drop))
            })
            .join()
            .expect("no panic");
            assert_eq!(outcome.0.is_ok(), rings);
            assert!(outcome.1.is_err());
        }
    }
}
