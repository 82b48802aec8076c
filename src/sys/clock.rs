//! The system's clocks: reading them, how finely they read, steering them.
//!
//! Steering is `clock_adjtime` and nothing else but `clock_settime` where that cannot step; the
//! tick length is never touched.
mod adjust;
mod local;
mod permission;
mod precision;
mod slew;

pub use adjust::{Change, KernelClock, KernelPulses, apply, read_kernel_clock};
pub use local::{LocalTime, local_time};
pub use permission::may_adjust;
pub use precision::{measure_precision, precision_of};
pub use slew::slew;

use core::time::Duration;
use std::io;
use truechimer_time::{Instant, Now, NtpTimestamp};

/// Both clocks, one read right after the other: CLOCK_MONOTONIC, then CLOCK_REALTIME.
pub fn now() -> Now {
    let mono = monotonic();
    Now { mono, wall: wall() }
}

/// CLOCK_MONOTONIC.
pub fn monotonic() -> Instant {
    Instant::from_nanoseconds(nanoseconds(
        read(libc::CLOCK_MONOTONIC).unwrap_or(UNREADABLE),
    ))
}

/// CLOCK_REALTIME.
pub fn wall() -> NtpTimestamp {
    timestamp(read(libc::CLOCK_REALTIME).unwrap_or(UNREADABLE))
}

/// How long the machine has been suspended since it started: CLOCK_BOOTTIME less
/// CLOCK_MONOTONIC. `None` where the former cannot be read.
pub fn suspended() -> Option<Duration> {
    let awake = monotonic();
    let boot = Instant::from_nanoseconds(nanoseconds(read(libc::CLOCK_BOOTTIME).ok()?));
    Some(boot.since(awake))
}

/// The two clocks above exist on every Linux; this stands in for an error that cannot happen.
const UNREADABLE: libc::timespec = libc::timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

fn read(clock: libc::clockid_t) -> io::Result<libc::timespec> {
    let mut reading = UNREADABLE;
    // SAFETY: `reading` is ours and outlives the call, which writes only to it.
    crate::checked(unsafe { libc::clock_gettime(clock, &raw mut reading) })?;
    Ok(reading)
}

/// Unix time as the kernel gives it, to an NTP timestamp.
pub(crate) fn timestamp(moment: libc::timespec) -> NtpTimestamp {
    let nanoseconds = u32::try_from(moment.tv_nsec).unwrap_or(0);
    NtpTimestamp::from_unix(moment.tv_sec, nanoseconds)
}

fn nanoseconds(span: libc::timespec) -> u64 {
    let seconds = u64::try_from(span.tv_sec).unwrap_or(0);
    let rest = u64::try_from(span.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    #[test]
    fn agrees_with_the_standard_library() {
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let read = wall();
        let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seconds = i64::try_from(before.as_secs()).unwrap();
        let from = NtpTimestamp::from_unix(seconds, before.subsec_nanos());
        let to_seconds = i64::try_from(after.as_secs()).unwrap();
        let to = NtpTimestamp::from_unix(to_seconds, after.subsec_nanos());
        assert!(read.since(from).to_nanoseconds() >= -1);
        assert!(to.since(read).to_nanoseconds() >= -1);
    }

    #[test]
    fn monotonic_moves_on() {
        let first = now();
        std::thread::sleep(Duration::from_millis(5));
        let second = now();
        assert!(second.mono.since(first.mono) >= Duration::from_millis(5));
        assert!(second.wall.since(first.wall).to_seconds() > 0.004);
    }

    #[test]
    fn suspension_does_not_shrink() {
        if let (Some(first), Some(second)) = (suspended(), suspended()) {
            assert!(second + Duration::from_micros(50) >= first);
        }
    }
}
