//! The hand on the clock: carries adjustments out, and notices when another hand moves it.
use core::time::Duration;
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
    /// How long the machine had slept when the clocks were last seen to part, or first read.
    slept: Option<Duration>,
}

/// Why the system clock moved beyond the passing of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moved {
    /// Somebody else stepped it by this much; the kernel too, for a leap second.
    Stepped(NtpDuration),
    /// The machine slept for this long, and the monotonic clock with it.
    Slept(NtpDuration),
}

/// Where a suspicion is checked.
trait Clocks {
    fn now(&self) -> Now;
    /// How long the machine has slept since it started, if that can be known.
    fn suspended(&self) -> Option<Duration>;
}

/// This machine's.
struct SystemClocks;

impl Clocks for SystemClocks {
    fn now(&self) -> Now {
        clock::now()
    }

    fn suspended(&self) -> Option<Duration> {
        clock::suspended()
    }
}

impl ClockHand {
    pub(crate) const fn new(may_adjust: bool) -> Self {
        Self {
            may_adjust,
            slews_by_frequency: false,
            last: None,
            slept: None,
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

    /// Whether somebody else has moved the clock since this was last asked.
    pub(crate) fn moved_by_others(&mut self, now: Now) -> Option<Moved> {
        self.moved(now, &SystemClocks)
    }

    fn moved(&mut self, now: Now, clocks: &impl Clocks) -> Option<Moved> {
        if self.last.is_none() {
            self.slept = clocks.suspended();
        }
        let mut least = self.apart(now)?;
        let mut reading = now;
        for _ in 0..CONFIRMATIONS {
            let again = clocks.now();
            // What is within tolerance is remembered: the suspicion came of a bad reading, which
            // must not be what the next ones are measured by.
            let moved = self.apart(again)?;
            // A pause between the two clocks only ever makes the system clock seem later.
            if moved < least {
                (least, reading) = (moved, again);
            }
        }
        self.last = Some((reading.mono, origin(reading)));
        let before = core::mem::replace(&mut self.slept, clocks.suspended());
        let slept = match (before, self.slept) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => Duration::ZERO,
        };
        let slept = NtpDuration::from_seconds(slept.as_secs_f64());
        let rest = least - slept;
        Some(if rest.abs().to_seconds() > TOLERANCE_S {
            Moved::Stepped(rest)
        } else {
            Moved::Slept(slept)
        })
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
    use core::cell::{Cell, RefCell};

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

    /// Readings made up beforehand; the last stands for all after it.
    struct Made {
        readings: RefCell<Vec<Now>>,
        suspended: Cell<Duration>,
    }

    impl Made {
        fn new(readings: &[Now]) -> Self {
            Self {
                readings: RefCell::new(readings.iter().rev().copied().collect()),
                suspended: Cell::new(Duration::from_secs(100)),
            }
        }
    }

    impl Clocks for Made {
        fn now(&self) -> Now {
            let mut readings = self.readings.borrow_mut();
            if readings.len() > 1 {
                readings.pop().unwrap()
            } else {
                readings[0]
            }
        }

        fn suspended(&self) -> Option<Duration> {
            Some(self.suspended.get())
        }
    }

    fn stepped(moved: Option<Moved>) -> f64 {
        match moved {
            Some(Moved::Stepped(by)) => by.to_seconds(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_step_is_told_once_and_by_its_truest_reading() {
        let mut hand = ClockHand::new(false);
        let clocks = Made::new(&[at(1, -3.9), at(1, -4.0), at(1, -3.7)]);
        assert_eq!(hand.moved(at(0, 0.0), &clocks), None);
        let by = stepped(hand.moved(at(1, -3.8), &clocks));
        assert!((by + 5.0).abs() < 1e-6, "{by}");
        assert_eq!(hand.moved(at(2, -3.0), &clocks), None);
    }

    /// The thread was held up between the two clocks, once; the next reading is good again, and
    /// so is every one after it.
    #[test]
    fn a_glimpse_is_no_step_nor_the_end_of_it_one_back() {
        let mut hand = ClockHand::new(false);
        let clocks = Made::new(&[at(1, 1.0), at(2, 2.0)]);
        assert_eq!(hand.moved(at(0, 0.0), &clocks), None);
        assert_eq!(hand.moved(at(1, 1.2), &clocks), None);
        assert_eq!(hand.moved(at(2, 2.0), &clocks), None);
        assert_eq!(hand.last, Some((at(2, 2.0).mono, origin(at(2, 2.0)))));
    }

    #[test]
    fn sleep_is_not_taken_for_a_step() {
        let mut hand = ClockHand::new(false);
        let clocks = Made::new(&[at(1, 3601.001)]);
        assert_eq!(hand.moved(at(0, 0.0), &clocks), None);
        clocks.suspended.set(Duration::from_secs(3700));
        let hour = NtpDuration::from_seconds(3600.0);
        let moved = hand.moved(at(1, 3601.0), &clocks);
        assert_eq!(moved, Some(Moved::Slept(hour)));
        // The sleep is spent, and somebody who sets the clock on top of one is seen.
        clocks.readings.replace(vec![at(2, 3604.0)]);
        let by = stepped(hand.moved(at(2, 3604.0), &clocks));
        assert!((by - 2.0).abs() < 1e-3, "{by}");
        clocks.readings.replace(vec![at(3, 3672.0)]);
        clocks.suspended.set(Duration::from_secs(3760));
        let by = stepped(hand.moved(at(3, 3672.0), &clocks));
        assert!((by - 7.0).abs() < 1e-3, "{by}");
    }
}
