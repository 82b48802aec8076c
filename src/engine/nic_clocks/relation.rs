//! Where an interface's clock stands beside the system's.
use core::time::Duration;
use truechimer_sys::hardware::Comparison;
use truechimer_time::{Instant, NtpDuration, NtpTimestamp};

/// A comparison older than this is made anew before a stamp is brought over: the system clock is steered
/// meanwhile, and the other is not.
const AGE_MAX: Duration = Duration::from_millis(10);
/// Comparisons this far apart, at least, tell how the rates differ.
const SPAN_MIN: Duration = Duration::from_millis(500);
/// Rates that differ more are none: a clock was stepped meanwhile.
const RATE_MAX: f64 = 1e-3;
/// How far from the last comparison a stamp is still brought over.
const REACH_NS: u64 = 4_000_000_000;
/// A stamp that is this far from the kernel's is another packet's, or the clock was set meanwhile.
const APART_MAX_S: f64 = 0.1;

/// Whether a stamp can be of what the kernel stamped then.
pub(super) fn is_plausible(hardware: NtpTimestamp, kernel: NtpTimestamp) -> bool {
    hardware.since(kernel).abs().to_seconds() <= APART_MAX_S
}

#[derive(Debug, Default)]
pub(super) struct Relation {
    last: Option<(Instant, Comparison)>,
    /// From which the rate is taken.
    base: Option<(Instant, Comparison)>,
    /// System seconds for each second of the other clock, less 1.
    rate: f64,
}

impl Relation {
    pub(super) fn is_old(&self, now: Instant) -> bool {
        self.last.is_none_or(|(at, _)| now.since(at) > AGE_MAX)
    }

    /// Takes in a comparison made at `now`.
    pub(super) fn note(&mut self, now: Instant, compared: Comparison) {
        self.last = Some((now, compared));
        let (at, base) = *self.base.get_or_insert((now, compared));
        if now.since(at) < SPAN_MIN {
            return;
        }
        self.base = Some((now, compared));
        let other_ns = compared.phc_ns.wrapping_sub(base.phc_ns);
        let other_s = NtpDuration::from_nanoseconds(other_ns).to_seconds();
        let rate = compared.system.since(base.system).to_seconds() / other_s - 1.0;
        if rate.abs() < RATE_MAX {
            self.rate = rate;
        }
    }

    /// The system's moment for one of the other clock.
    pub(super) fn to_system(&self, ns: i64) -> Option<NtpTimestamp> {
        let (_, last) = self.last?;
        let apart_ns = ns.checked_sub(last.phc_ns)?;
        if apart_ns.unsigned_abs() > REACH_NS {
            return None;
        }
        let apart = NtpDuration::from_nanoseconds(apart_ns);
        let drift = NtpDuration::from_seconds(apart.to_seconds() * self.rate);
        Some(last.system.plus(apart).plus(drift))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock that runs 20 ppm slow against the system's, which began a thousand seconds later.
    fn compared(system_ns: i64) -> (Instant, Comparison) {
        let ns = u64::try_from(system_ns).unwrap();
        let comparison = Comparison {
            phc_ns: system_ns - system_ns / 50_000 - 1_000_000_000_000,
            system: NtpTimestamp::from_unix(1_700_000_000, 0)
                .plus(NtpDuration::from_nanoseconds(system_ns)),
            window: Duration::from_nanos(100),
        };
        (Instant::from_nanoseconds(ns), comparison)
    }

    #[test]
    fn stamps_are_brought_over_by_the_rate() {
        let mut relation = Relation::default();
        assert_eq!(relation.to_system(0), None);
        for second in [0, 1, 2] {
            let (now, comparison) = compared(second * 1_000_000_000);
            relation.note(now, comparison);
        }
        let (_, then) = compared(1_500_000_000);
        let error = relation.to_system(then.phc_ns).unwrap().since(then.system);
        assert!(error.to_nanoseconds().abs() <= 1, "{error:?}");
        let (_, far) = compared(8_000_000_000);
        assert_eq!(relation.to_system(far.phc_ns), None);
        assert_eq!(relation.to_system(i64::MIN), None);
        assert!(!relation.is_old(Instant::from_nanoseconds(2_009_000_000)));
        assert!(relation.is_old(Instant::from_nanoseconds(2_011_000_000)));
    }

    #[test]
    fn a_step_is_no_rate() {
        let mut relation = Relation::default();
        let (now, comparison) = compared(0);
        relation.note(now, comparison);
        let (now, mut comparison) = compared(1_000_000_000);
        comparison.system = comparison.system.plus(NtpDuration::from_seconds(100.0));
        relation.note(now, comparison);
        let then = relation.to_system(comparison.phc_ns - 1_000_000).unwrap();
        let apart = comparison.system.since(then).to_nanoseconds();
        assert!((apart - 1_000_000).abs() <= 1, "{apart}");
    }

    #[test]
    fn what_is_far_from_the_kernels_stamp_is_not_believed() {
        let kernel = NtpTimestamp::from_unix(1_700_000_000, 0);
        let at = |ns| kernel.plus(NtpDuration::from_nanoseconds(ns));
        assert!(is_plausible(at(-50_000_000), kernel));
        assert!(!is_plausible(at(-200_000_000), kernel));
        assert!(!is_plausible(at(200_000_000), kernel));
    }
}
