//! The hand on the clock: carries adjustments out, and notices when another hand moves it.
use std::io;
use truechimer_proto::host::{AdjustRefused, Adjustment, Applied, KernelClock};
use truechimer_sys::clock::{self, Change};
use truechimer_time::{Instant, Now, NtpDuration, NtpTimestamp};

/// A change of the clock below this is not taken for somebody's step, seconds.
const TOLERANCE_S: f64 = 0.05;
/// How fast the two clocks may part without anybody stepping one. On Linux they never do; a
/// simulated monotonic clock may not be slewed along with the other.
const TOLERANCE_S_PER_S: f64 = 600e-6;
/// Readings before a step is believed: a thread that is put to sleep between reading one clock
/// and the other sees one that did not happen.
const CONFIRMATIONS: usize = 3;

#[derive(Debug)]
pub(crate) struct ClockHand {
    may_adjust: bool,
    /// Whether what we did last leaves a frequency behind that is not the base frequency.
    slews_by_frequency: bool,
    last: Option<(Instant, NtpTimestamp)>,
}

impl ClockHand {
    pub(crate) const fn new(may_adjust: bool) -> Self {
        Self {
            may_adjust,
            slews_by_frequency: false,
            last: None,
        }
    }

    /// Makes an adjustment and tells what became of it.
    pub(crate) fn apply(&mut self, adjustment: Adjustment) -> Applied {
        let outcome = if self.may_adjust {
            clock::apply(&change(&adjustment))
                .map(account)
                .map_err(|error| refused(&error))
        } else {
            Err(AdjustRefused::NotPermitted)
        };
        if outcome.is_ok() {
            match adjustment {
                Adjustment::Step(_) => self.last = None,
                Adjustment::Frequency { .. } => self.slews_by_frequency = true,
                Adjustment::KernelPhase { .. } => self.slews_by_frequency = false,
                Adjustment::Status { .. } => {}
            }
        }
        Applied {
            adjustment,
            outcome,
        }
    }

    /// By how much somebody else has stepped the clock since this was last asked, if so; the
    /// kernel too, for a leap second.
    pub(crate) fn foreign_step(&mut self, now: Now) -> Option<NtpDuration> {
        let step = self.apart(now)?;
        let confirmed = (0..CONFIRMATIONS)
            .map(|_| clock::now())
            .all(|again| self.apart(again).is_some());
        self.last = Some((now.mono, origin(now)));
        confirmed.then_some(step)
    }

    /// How far the clock has moved beyond the passing of time, if that is beyond tolerance;
    /// remembers this reading if it is not.
    fn apart(&mut self, now: Now) -> Option<NtpDuration> {
        let (since, before) = *self.last.get_or_insert((now.mono, origin(now)));
        let moved = origin(now).since(before);
        let elapsed_s = now.mono.seconds_since(since);
        if moved.abs().to_seconds() > TOLERANCE_S + TOLERANCE_S_PER_S * elapsed_s {
            return Some(moved);
        }
        self.last = Some((now.mono, origin(now)));
        None
    }

    /// Leaves the clock at its base frequency, without what was added to slew it.
    pub(crate) fn release(&mut self, base_freq_ppm: f64) -> io::Result<()> {
        if !self.slews_by_frequency {
            return Ok(());
        }
        self.slews_by_frequency = false;
        clock::apply(&Change::Frequency {
            freq_ppm: base_freq_ppm,
        })
        .map(drop)
    }
}

/// What the system clock would have read when the monotonic clock started.
fn origin(now: Now) -> NtpTimestamp {
    now.wall_at(Instant::from_nanoseconds(0))
}

const fn change(adjustment: &Adjustment) -> Change {
    match *adjustment {
        Adjustment::Step(by) => Change::Step(by),
        Adjustment::Frequency { freq_ppm } => Change::Frequency { freq_ppm },
        Adjustment::KernelPhase {
            offset,
            time_constant,
        } => Change::Phase {
            offset,
            time_constant,
        },
        Adjustment::Status {
            synchronized,
            leap,
            max_error,
            estimated_error,
            tai_utc_s,
        } => Change::Status {
            synchronized,
            leap,
            max_error,
            estimated_error,
            tai_utc_s,
        },
    }
}

const fn account(clock: clock::KernelClock) -> KernelClock {
    KernelClock {
        freq_ppm: clock.freq_ppm,
        offset: clock.offset,
        time_constant: clock.time_constant,
        status: clock.status,
        max_error: clock.max_error,
        estimated_error: clock.estimated_error,
        tai_utc_s: clock.tai_utc_s,
    }
}

fn refused(error: &io::Error) -> AdjustRefused {
    if error.kind() == io::ErrorKind::PermissionDenied {
        AdjustRefused::NotPermitted
    } else {
        AdjustRefused::Other(error.raw_os_error().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(mono_s: u64, wall_s: f64) -> Now {
        let wall = NtpTimestamp::from_unix(1_700_000_000, 0);
        Now {
            mono: Instant::from_nanoseconds(mono_s * 1_000_000_000),
            wall: wall.plus(NtpDuration::from_seconds(wall_s)),
        }
    }

    #[test]
    fn refuses_without_asking_the_kernel() {
        let mut hand = ClockHand::new(false);
        let adjustment = Adjustment::Step(NtpDuration::from_seconds(1.0));
        let applied = hand.apply(adjustment);
        assert_eq!(applied.outcome, Err(AdjustRefused::NotPermitted));
        assert_eq!(applied.adjustment, adjustment);
        assert!(hand.release(0.0).is_ok());
    }

    #[test]
    fn small_and_slow_changes_are_no_steps() {
        let mut hand = ClockHand::new(false);
        assert!(hand.apart(at(0, 0.0)).is_none());
        assert!(hand.apart(at(10, 10.04)).is_none());
        assert!(hand.apart(at(1000, 1000.5)).is_none());
        let step = hand.apart(at(1001, 1003.5)).unwrap();
        assert!((step.to_seconds() - 2.0).abs() < 1e-6);
    }

    /// The readings that should confirm the step come from this machine's clock, far from the
    /// invented one, so any step counts as confirmed.
    #[test]
    fn a_step_is_told_once() {
        let mut hand = ClockHand::new(false);
        assert!(hand.foreign_step(at(0, 0.0)).is_none());
        let step = hand.foreign_step(at(1, -4.0)).unwrap();
        assert!((step.to_seconds() + 5.0).abs() < 1e-6);
        assert!(hand.foreign_step(at(2, -3.0)).is_none());
    }

    #[test]
    fn a_glimpse_is_no_step() {
        let mut hand = ClockHand::new(false);
        let before = clock::now();
        assert!(hand.foreign_step(before).is_none());
        let delayed = Now {
            mono: before.mono,
            wall: before.wall.plus(NtpDuration::from_seconds(0.2)),
        };
        assert!(hand.foreign_step(delayed).is_none());
    }
}
