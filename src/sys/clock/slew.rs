//! Running a little fast or slow until an offset is gone.
use std::io;
use truechimer_time::NtpDuration;

/// Lets the kernel take an offset out at 500 ppm, as adjtime(3) does; nobody need stay to watch.
///
/// # Errors
/// EPERM without CAP_SYS_TIME, EINVAL for more than about half an hour.
pub fn slew(by: NtpDuration) -> io::Result<()> {
    let microseconds = by.to_nanoseconds() / 1000;
    let delta = libc::timeval {
        tv_sec: microseconds.div_euclid(1_000_000),
        tv_usec: microseconds.rem_euclid(1_000_000),
    };
    // SAFETY: the call reads `delta`, which outlives it; the old value is not asked for.
    crate::checked(unsafe { libc::adjtime(&raw const delta, core::ptr::null_mut()) })?;
    Ok(())
}
