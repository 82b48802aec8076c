//! Proof that a request is not a copy of an earlier one.
//!
//! The reference takes whatever was stamped within ten seconds of its arrival; whoever saw a change
//! can have it made again that long. Here a stamp is good once.
use core::time::Duration;
use std::collections::VecDeque;
use truechimer_time::{Instant, Now, NtpTimestamp};

/// How far a stamp may be from its arrival, seconds, as in the reference.
const SKEW_MAX_S: f64 = 10.0;
/// How long no stamp is forgotten: until it would be too old however early it came.
const REMEMBERED_FOR: Duration = Duration::from_secs(20);
/// Stamps that are remembered, for as long as there is room, as a clock that is stepped back makes
/// old ones fresh again; who sends more in that time is refused.
const REMEMBERED: usize = 256;

/// The stamps that were taken.
#[derive(Debug)]
pub(crate) struct Freshness {
    started: Now,
    seen: VecDeque<(NtpTimestamp, Instant)>,
}

impl Freshness {
    /// Nothing was taken yet; what was stamped before `started` may have been taken by the run before.
    pub(crate) const fn new(started: Now) -> Self {
        Self {
            started,
            seen: VecDeque::new(),
        }
    }

    /// Whether a stamp is near enough to the moment its request arrived, and new. It is not new again.
    pub(crate) fn admits(&mut self, now: Now, stamp: NtpTimestamp, arrived: NtpTimestamp) -> bool {
        let skew_s = stamp.since(arrived).to_seconds();
        if skew_s.abs() > SKEW_MAX_S {
            return false;
        }
        let is_early = now.mono.since(self.started.mono) < REMEMBERED_FOR;
        if is_early && stamp.since(self.started.wall).to_seconds() < 0.0 {
            return false;
        }
        if self.seen.iter().any(|(known, _)| *known == stamp) {
            return false;
        }
        if self.seen.len() >= REMEMBERED {
            let oldest = self.seen.front();
            if oldest.is_some_and(|(_, at)| now.mono.since(*at) <= REMEMBERED_FOR) {
                return false;
            }
            self.seen.pop_front();
        }
        self.seen.push_back((stamp, now.mono));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Now {
        let start = NtpTimestamp::from_bits(0xEEB5_0000_0000_0000);
        let span = truechimer_time::NtpDuration::from_seconds(seconds);
        Now {
            mono: Instant::from_nanoseconds(1 << 40).plus_seconds(seconds),
            wall: start.plus(span),
        }
    }

    #[test]
    fn once_and_near_its_arrival() {
        let mut freshness = Freshness::new(at(0.0));
        let now = at(100.0);
        let stamp = at(91.0).wall;
        assert!(freshness.admits(now, stamp, now.wall));
        assert!(!freshness.admits(now, stamp, now.wall), "a copy");
        assert!(!freshness.admits(now, at(89.9).wall, now.wall), "old");
        assert!(!freshness.admits(now, at(110.1).wall, now.wall), "ahead");
        let ahead = at(109.9).wall;
        assert!(freshness.admits(now, ahead, now.wall));
        let later = at(119.5);
        assert!(!freshness.admits(later, ahead, later.wall), "still fresh");
    }

    #[test]
    fn a_clock_that_is_stepped_back_makes_no_copy_fresh() {
        let mut freshness = Freshness::new(at(0.0));
        let stamp = at(100.0).wall;
        assert!(freshness.admits(at(100.0), stamp, stamp));
        let stepped = Now {
            wall: at(101.0).wall,
            ..at(3600.0)
        };
        assert!(!freshness.admits(stepped, stamp, stepped.wall));
        let next = at(101.5).wall;
        assert!(freshness.admits(stepped, next, stepped.wall));
    }

    #[test]
    fn the_run_before_may_have_taken_it() {
        let mut freshness = Freshness::new(at(100.0));
        let now = at(101.0);
        assert!(!freshness.admits(now, at(99.0).wall, now.wall));
        assert!(freshness.admits(now, at(100.5).wall, now.wall));
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let mut freshness = Freshness::new(at(0.0));
        let taken = (0..1000_u32).filter(|turn| {
            let now = at(100.0 + f64::from(*turn) / 1000.0);
            freshness.admits(now, now.wall, now.wall)
        });
        assert_eq!(taken.count(), REMEMBERED);
        let later = at(122.0);
        assert!(freshness.admits(later, later.wall, later.wall));
        assert!(freshness.seen.len() <= REMEMBERED);
    }
}
