use super::{read, timestamp};
use std::io;
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapIndicator;

/// Kernel frequencies are ppm with 16 fraction bits.
const SCALE_PPM: f64 = 65_536.0;
/// Greatest frequency correction the kernel takes.
const FREQ_LIMIT_PPM: f64 = 500.0;
/// Greatest offset the kernel's loop takes, nanoseconds (MAXPHASE).
const PHASE_LIMIT_NS: i64 = 500_000_000;
/// Greatest error bound the kernel keeps, microseconds; at it the clock counts as unset.
const ERROR_LIMIT_US: i64 = 16_000_000;
/// What makes the kernel steer by itself.
const LOOPS: i32 = libc::STA_PLL | libc::STA_FLL | libc::STA_PPSFREQ | libc::STA_PPSTIME;
const LEAPS: i32 = libc::STA_INS | libc::STA_DEL;

/// A change to CLOCK_REALTIME.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Add this to the clock at once.
    Step(NtpDuration),
    /// Run at this correction, ppm, within +-500; the kernel's own loops are switched off.
    Frequency {
        /// Positive is faster.
        freq_ppm: f64,
    },
    /// Give the kernel's phase-locked loop an offset, cut to +-0.5 s.
    Phase {
        /// To be added, little by little.
        offset: NtpDuration,
        /// Time constant, a poll exponent.
        time_constant: u8,
    },
    /// What the kernel tells others about the clock.
    Status {
        /// Whether anything disciplines it.
        synchronized: bool,
        /// Leap second at the end of this UTC day.
        leap: LeapIndicator,
        /// Bound on the error.
        max_error: NtpDuration,
        /// Estimate of the error.
        estimated_error: NtpDuration,
        /// TAI-UTC, seconds; `None` leaves it as it is.
        tai_utc_s: Option<i32>,
    },
}

/// The kernel's account of CLOCK_REALTIME.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KernelClock {
    /// Frequency correction, ppm.
    pub freq_ppm: f64,
    /// Offset its loop has yet to take out.
    pub offset: NtpDuration,
    /// Time constant of its loop.
    pub time_constant: u8,
    /// STA_* bits.
    pub status: u32,
    /// Bound on the error.
    pub max_error: NtpDuration,
    /// Estimate of the error.
    pub estimated_error: NtpDuration,
    /// TAI-UTC, seconds.
    pub tai_utc_s: i32,
    /// Resolution of its readings, microseconds.
    pub precision_us: u32,
    /// Most its frequency may be off, ppm.
    pub tolerance_ppm: f64,
    /// What it knows of pulses.
    pub pulses: KernelPulses,
}

/// The kernel's account of a pulse a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KernelPulses {
    /// Frequency by them, ppm.
    pub freq_ppm: f64,
    /// Wander of that, ppm.
    pub stability_ppm: f64,
    /// Jitter.
    pub jitter: NtpDuration,
    /// Calibration interval, log2 seconds; 0 without pulses.
    pub interval_log2_s: u32,
    /// Calibrations.
    pub calibrations: u64,
    /// Of these, failed.
    pub errors: u64,
    /// Times the jitter was too great.
    pub jitter_exceeded: u64,
    /// Times the wander was too great.
    pub stability_exceeded: u64,
}

/// Reads the kernel's account; needs no privilege.
///
/// # Errors
/// The kernel's, as where a filter forbids the call.
pub fn read_kernel_clock() -> io::Result<KernelClock> {
    let mut timex = empty();
    call(&mut timex)?;
    Ok(account(&timex))
}

/// Makes a change and returns the kernel's account after it.
///
/// # Errors
/// EPERM without CAP_SYS_TIME; otherwise the kernel's. A refused change changed nothing, except
/// that `Status` may fail at TAI after the rest was taken.
pub fn apply(change: &Change) -> io::Result<KernelClock> {
    match *change {
        Change::Step(by) => step(by),
        Change::Frequency { freq_ppm } => set_frequency(freq_ppm),
        Change::Phase {
            offset,
            time_constant,
        } => set_phase(offset, time_constant),
        Change::Status {
            synchronized,
            leap,
            max_error,
            estimated_error,
            tai_utc_s,
        } => {
            let account = set_status(synchronized, leap, max_error, estimated_error)?;
            tai_utc_s.map_or(Ok(account), set_tai)
        }
    }
}

fn step(by: NtpDuration) -> io::Result<KernelClock> {
    let nanoseconds = by.to_nanoseconds();
    let mut timex = empty();
    timex.modes = libc::ADJ_SETOFFSET | libc::ADJ_NANO;
    timex.time.tv_sec = nanoseconds.div_euclid(1_000_000_000);
    timex.time.tv_usec = nanoseconds.rem_euclid(1_000_000_000);
    match call(&mut timex) {
        Ok(()) => Ok(account(&timex)),
        Err(refused) if refused.raw_os_error() == Some(libc::EPERM) => Err(refused),
        Err(_) => {
            set_time(nanoseconds)?;
            read_kernel_clock()
        }
    }
}

/// For kernels that do not know ADJ_SETOFFSET; loses the time between the two calls.
fn set_time(by_ns: i64) -> io::Result<()> {
    let mut moment = read(libc::CLOCK_REALTIME)?;
    let nanoseconds = moment.tv_nsec + by_ns.rem_euclid(1_000_000_000);
    moment.tv_sec += by_ns.div_euclid(1_000_000_000) + nanoseconds / 1_000_000_000;
    moment.tv_nsec = nanoseconds % 1_000_000_000;
    debug_assert!(!timestamp(moment).is_zero());
    // SAFETY: the kernel only reads `moment`, which is ours and outlives the call.
    crate::checked(unsafe { libc::clock_settime(libc::CLOCK_REALTIME, &raw const moment) })?;
    Ok(())
}

fn set_frequency(freq_ppm: f64) -> io::Result<KernelClock> {
    let mut timex = empty();
    timex.modes = libc::ADJ_FREQUENCY;
    timex.freq = scaled(freq_ppm);
    call(&mut timex)?;
    if timex.status & LOOPS != 0 {
        stop_loops(timex.status)?;
        timex = empty();
        timex.modes = libc::ADJ_FREQUENCY;
        timex.freq = scaled(freq_ppm);
        call(&mut timex)?;
    }
    Ok(account(&timex))
}

/// The kernel goes on working off an offset after its loop was switched off, so the offset is
/// taken away while the loop still listens.
fn stop_loops(status: i32) -> io::Result<()> {
    let mut timex = empty();
    if status & libc::STA_PLL != 0 {
        timex.modes = libc::ADJ_OFFSET | libc::ADJ_NANO;
        call(&mut timex)?;
    }
    timex = empty();
    timex.modes = libc::ADJ_STATUS;
    timex.status = status & !LOOPS;
    call(&mut timex)
}

fn set_phase(offset: NtpDuration, time_constant: u8) -> io::Result<KernelClock> {
    let mut timex = empty();
    call(&mut timex)?;
    let status = (timex.status & !LOOPS) | libc::STA_PLL;
    timex = empty();
    timex.modes = libc::ADJ_OFFSET | libc::ADJ_NANO | libc::ADJ_TIMECONST | libc::ADJ_STATUS;
    timex.status = status;
    timex.constant = i64::from(time_constant);
    timex.offset = offset
        .to_nanoseconds()
        .clamp(-PHASE_LIMIT_NS, PHASE_LIMIT_NS);
    call(&mut timex)?;
    Ok(account(&timex))
}

fn set_status(
    synchronized: bool,
    leap: LeapIndicator,
    max_error: NtpDuration,
    estimated_error: NtpDuration,
) -> io::Result<KernelClock> {
    let mut timex = empty();
    call(&mut timex)?;
    let mut status = timex.status & !(libc::STA_UNSYNC | LEAPS);
    if !synchronized {
        status |= libc::STA_UNSYNC;
    }
    status |= match leap {
        LeapIndicator::AddSecond => libc::STA_INS,
        LeapIndicator::DeleteSecond => libc::STA_DEL,
        LeapIndicator::NoWarning | LeapIndicator::NotSynchronized => 0,
    };
    timex = empty();
    timex.modes = libc::ADJ_STATUS | libc::ADJ_MAXERROR | libc::ADJ_ESTERROR;
    timex.status = status;
    timex.maxerror = microseconds(max_error);
    timex.esterror = microseconds(estimated_error);
    call(&mut timex)?;
    Ok(account(&timex))
}

fn set_tai(tai_utc_s: i32) -> io::Result<KernelClock> {
    let mut timex = empty();
    timex.modes = libc::ADJ_TAI;
    timex.constant = i64::from(tai_utc_s);
    call(&mut timex)?;
    Ok(account(&timex))
}

fn account(timex: &libc::timex) -> KernelClock {
    let nano = timex.status & libc::STA_NANO != 0;
    let span = |units: i64| {
        NtpDuration::from_nanoseconds(if nano {
            units
        } else {
            units.saturating_mul(1000)
        })
    };
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    KernelClock {
        freq_ppm: in_ppm(timex.freq),
        offset: span(timex.offset),
        time_constant: u8::try_from(timex.constant).unwrap_or(u8::MAX),
        status: timex.status.cast_unsigned(),
        max_error: NtpDuration::from_nanoseconds(timex.maxerror.saturating_mul(1000)),
        estimated_error: NtpDuration::from_nanoseconds(timex.esterror.saturating_mul(1000)),
        tai_utc_s: timex.tai,
        precision_us: u32::try_from(timex.precision).unwrap_or(u32::MAX),
        tolerance_ppm: in_ppm(timex.tolerance),
        pulses: KernelPulses {
            freq_ppm: in_ppm(timex.ppsfreq),
            stability_ppm: in_ppm(timex.stabil),
            jitter: span(timex.jitter),
            interval_log2_s: u32::try_from(timex.shift).unwrap_or(0),
            calibrations: count(timex.calcnt),
            errors: count(timex.errcnt),
            jitter_exceeded: count(timex.jitcnt),
            stability_exceeded: count(timex.stbcnt),
        },
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to 500 ppm first, and a cast of NaN is zero"
)]
fn scaled(freq_ppm: f64) -> i64 {
    (freq_ppm.clamp(-FREQ_LIMIT_PPM, FREQ_LIMIT_PPM) * SCALE_PPM).round() as i64
}

#[expect(clippy::cast_precision_loss, reason = "within +-500 * 2^16")]
fn in_ppm(scaled: i64) -> f64 {
    scaled as f64 / SCALE_PPM
}

fn microseconds(span: NtpDuration) -> i64 {
    (span.to_nanoseconds() / 1000).clamp(0, ERROR_LIMIT_US)
}

/// A question that changes nothing.
pub(super) fn empty() -> libc::timex {
    // SAFETY: `timex` is integers and padding only, for which all zeros is a value.
    unsafe { core::mem::zeroed() }
}

/// Asks the kernel, which answers in the same structure.
pub(super) fn call(timex: &mut libc::timex) -> io::Result<()> {
    // SAFETY: the kernel reads and writes `timex`, which is exclusively ours during the call.
    crate::checked(unsafe { libc::clock_adjtime(libc::CLOCK_REALTIME, timex) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Capability, has_effective, keep_only};

    #[test]
    fn reading_needs_no_privilege() {
        let clock = read_kernel_clock().unwrap();
        assert!(clock.freq_ppm.abs() <= FREQ_LIMIT_PPM);
        assert!(clock.max_error.to_seconds() >= 0.0);
    }

    /// Nothing may steer the machine the tests run on, so the thread first gives the capability
    /// up; steering itself is shown under the simulator.
    #[test]
    fn refused_without_the_capability() {
        std::thread::spawn(|| {
            keep_only(&[]).unwrap();
            assert!(!has_effective(Capability::SysTime));
            let span = NtpDuration::from_seconds(0.001);
            for change in [
                Change::Step(span),
                Change::Frequency { freq_ppm: 0.0 },
                Change::Phase {
                    offset: span,
                    time_constant: 6,
                },
                Change::Status {
                    synchronized: false,
                    leap: LeapIndicator::NoWarning,
                    max_error: span,
                    estimated_error: span,
                    tai_utc_s: None,
                },
            ] {
                let refused = apply(&change).unwrap_err();
                assert_eq!(refused.raw_os_error(), Some(libc::EPERM), "{change:?}");
            }
        })
        .join()
        .unwrap();
    }

    #[test]
    fn units() {
        assert_eq!(scaled(1.0), 65_536);
        assert_eq!(scaled(-0.5), -32_768);
        assert_eq!(scaled(9e9), 500 << 16);
        assert_eq!(scaled(f64::NAN), 0);
        assert_eq!(microseconds(NtpDuration::from_seconds(1.5)), 1_500_000);
        assert_eq!(
            microseconds(NtpDuration::from_seconds(99.0)),
            ERROR_LIMIT_US
        );
        assert_eq!(microseconds(NtpDuration::from_seconds(-1.0)), 0);
        let mut timex = empty();
        timex.offset = 5;
        timex.freq = -65_536;
        assert_eq!(account(&timex).offset, NtpDuration::from_nanoseconds(5000));
        assert!((account(&timex).freq_ppm + 1.0).abs() < 1e-12);
        timex.status = libc::STA_NANO;
        assert_eq!(account(&timex).offset, NtpDuration::from_nanoseconds(5));
    }
}
