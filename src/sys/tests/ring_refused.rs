//! Where io_uring is refused the reason is told. A process of its own, for limits are of the process.
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use truechimer_sys::process::{self, FilterInstruction};
use truechimer_sys::ring::{IdleRing, Refused, RingSize};

fn open() -> Result<IdleRing, Refused> {
    IdleRing::open(RingSize {
        buffers: 64,
        octets_each: 2048,
        sockets: 16,
        portion: 8,
    })
}

/// A filter of one system call, as container engines have it.
fn refuse_setup_with(error: libc::c_int) {
    let plain = |code, operand| FilterInstruction {
        code,
        if_true: 0,
        if_false: 0,
        operand,
    };
    let is_setup = FilterInstruction {
        if_false: 1,
        ..plain(
            0x15,
            u32::try_from(libc::SYS_io_uring_setup).expect("small"),
        )
    };
    let refusal = libc::SECCOMP_RET_ERRNO | u32::try_from(error).expect("small");
    process::filter_system_calls(&[
        // The number of the call.
        plain(0x20, 0),
        is_setup,
        plain(0x06, refusal),
        plain(0x06, libc::SECCOMP_RET_ALLOW),
    ])
    .expect("a filter");
}

fn refused_with(error: libc::c_int) -> String {
    let refused = std::thread::spawn(move || {
        refuse_setup_with(error);
        open().map(drop).expect_err("refused").to_string()
    });
    refused.join().expect("no panic")
}

#[test]
fn a_filter_of_system_calls() {
    let text = refused_with(libc::EPERM);
    assert!(
        text.contains("forbidden") || text.contains("switched off"),
        "{text}"
    );
    let text = refused_with(libc::ENOSYS);
    assert!(text.contains("no io_uring"), "{text}");
}

/// Kernels before 6.14 do not count a ring's memory; then there is one all the same.
#[test]
fn no_locked_memory() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap();
    std::thread::spawn(move || {
        // Whoever may lock memory has no limit.
        process::keep_only(&[]).unwrap();
        setrlimit(Resource::RLIMIT_MEMLOCK, 0, hard).unwrap();
        let outcome = open().map(drop);
        setrlimit(Resource::RLIMIT_MEMLOCK, soft, hard).unwrap();
        if let Err(refused) = outcome {
            assert!(refused.to_string().contains("ulimit -l"), "{refused}");
        }
    })
    .join()
    .unwrap();
}
