//! `discard`: how often one address may ask.

/// Packets a quiet client may send at once, in units of the average.
const BURST: u32 = 8;
/// What each packet within the limits is forgiven, seconds.
const GRACE_S: u32 = 2;
/// Greatest `average`, log2 seconds: what `maxpoll` can be at most.
const AVERAGE_MAX: u8 = 17;

/// The limits of `discard`, with which the reference's leaky bucket is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// `average`: least mean distance of packets, log2 seconds.
    average: u8,
    /// `minimum`: least distance of two packets, seconds, of which one is grace.
    minimum_s: u32,
}

impl Default for Rates {
    /// The reference's: 8 s on the average, 2 s at least.
    fn default() -> Self {
        Self::new(3, 2)
    }
}

/// What a packet does to its sender's bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Poured {
    /// It is within both limits.
    Within,
    /// It is over a limit, and the bucket was not full before.
    Spilled,
    /// It is over a limit, as others before it.
    Overflowing,
}

impl Rates {
    /// From `average`, log2 seconds, at most 17, and `minimum`, seconds.
    pub fn new(average: u8, minimum_s: u32) -> Self {
        Self {
            average: average.min(AVERAGE_MAX),
            minimum_s,
        }
    }

    /// Least mean distance of packets, log2 seconds.
    pub const fn average(&self) -> u8 {
        self.average
    }

    /// Least distance of two packets, seconds.
    pub const fn minimum_s(&self) -> u32 {
        self.minimum_s
    }

    /// What is in the bucket, seconds, after a packet that came `interval_s` after the one before
    /// (ntpd 4.2.8's rule: each packet within the limits adds the average less two seconds, time
    /// takes away, eight averages overflow it, and an overflow costs one average more).
    pub(super) fn pour(&self, leak_s: u32, interval_s: u32) -> (u32, Poured) {
        let head = 1_u32 << self.average;
        let limit = BURST * head;
        let drained = leak_s.saturating_sub(interval_s);
        let filled = drained.saturating_add(head);
        if interval_s.saturating_add(1) >= self.minimum_s && filled < limit {
            (filled.saturating_sub(GRACE_S), Poured::Within)
        } else if drained < limit {
            (limit + head, Poured::Spilled)
        } else {
            (drained, Poured::Overflowing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rates: Rates, intervals_s: impl IntoIterator<Item = u32>) -> Vec<Poured> {
        let mut leak_s = 0;
        let pour = |interval_s| {
            let poured;
            (leak_s, poured) = rates.pour(leak_s, interval_s);
            poured
        };
        intervals_s.into_iter().map(pour).collect()
    }

    #[test]
    fn two_packets_at_once_are_one_too_many() {
        let all = run(Rates::default(), [0, 0, 1, 9, 64]);
        assert_eq!(all[0], Poured::Spilled);
        assert_eq!(all[1..3], [Poured::Overflowing; 2]);
        assert_eq!(all[3], Poured::Spilled, "62 s left: over, but not full");
        assert_eq!(all[4], Poured::Within);
    }

    #[test]
    fn a_burst_of_eight_every_minute_is_welcome() {
        let burst = [64, 2, 2, 2, 2, 2, 2, 2];
        let week = core::iter::repeat_n(burst, 1000).flatten();
        assert!(
            run(Rates::default(), week)
                .iter()
                .all(|it| *it == Poured::Within)
        );
    }

    #[test]
    fn a_client_slower_than_the_average_is_never_limited() {
        for average in 0..=AVERAGE_MAX {
            let rates = Rates::new(average, 2);
            let steady = core::iter::repeat_n(1 << average, 5000);
            assert!(run(rates, steady).iter().all(|it| *it == Poured::Within));
        }
    }

    #[test]
    fn a_client_faster_than_the_average_is_limited_in_the_end() {
        let every_second = core::iter::repeat_n(1, 100);
        let all = run(Rates::default(), every_second);
        let first = all.iter().position(|it| *it == Poured::Spilled);
        assert_eq!(first, Some(12), "6 s, 5 s more each, and 64 are too many");
        assert!(all[13..20].iter().all(|it| *it == Poured::Overflowing));
    }

    #[test]
    fn numbers_beyond_all_reason() {
        assert_eq!(Rates::new(255, 2).average(), AVERAGE_MAX);
        let rates = Rates::new(255, u32::MAX);
        let (leak_s, poured) = rates.pour(u32::MAX, 0);
        assert_eq!((leak_s, poured), (u32::MAX, Poured::Overflowing));
        assert_eq!(rates.pour(0, u32::MAX).1, Poured::Within);
    }
}
