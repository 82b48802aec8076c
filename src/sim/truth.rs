use truechimer_time::{NtpDuration, NtpTimestamp};

/// True time: the world's seconds, and what a perfect UTC clock would read.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    start_unix_s: i64,
    /// (Unix time of the first second after the leap, seconds inserted).
    leaps: Vec<(i64, i32)>,
}

impl Truth {
    pub(crate) const fn new(start_unix_s: i64) -> Self {
        Self {
            start_unix_s,
            leaps: Vec::new(),
        }
    }

    /// Leaps must come in order.
    pub(crate) fn add_leap(&mut self, at_unix_s: i64, change_s: i32) {
        self.leaps.push((at_unix_s, change_s));
    }

    /// Unix time, the whole seconds of it.
    pub(crate) fn unix_s(&self, true_ns: u64) -> i64 {
        let elapsed_s = i64::try_from(true_ns / 1_000_000_000).unwrap_or(i64::MAX);
        let inserted_s = self.inserted_ns(true_ns) / 1_000_000_000;
        self.start_unix_s.saturating_add(elapsed_s - inserted_s)
    }

    /// What a perfect clock reads; a second that is inserted is a second read twice.
    pub(crate) fn wall(&self, true_ns: u64) -> NtpTimestamp {
        let elapsed_ns = i64::try_from(true_ns).unwrap_or(i64::MAX);
        NtpTimestamp::from_unix(self.start_unix_s, 0).plus(NtpDuration::from_nanoseconds(
            elapsed_ns - self.inserted_ns(true_ns),
        ))
    }

    /// The leap second to come within `ahead_s`, seconds inserted.
    pub(crate) fn leap_within(&self, true_ns: u64, ahead_s: i64) -> Option<i32> {
        let now_s = self.unix_s(true_ns);
        let next = self.leaps.iter().find(|leap| leap.0 > now_s)?;
        (next.0 - now_s <= ahead_s).then_some(next.1)
    }

    fn inserted_ns(&self, true_ns: u64) -> i64 {
        let elapsed_ns = i128::from(true_ns);
        let mut inserted_s = 0;
        for (at_unix_s, change_s) in &self.leaps {
            let change_s = i64::from(*change_s);
            let from_s = at_unix_s - self.start_unix_s + inserted_s + change_s.min(0);
            if elapsed_ns < i128::from(from_s) * 1_000_000_000 {
                break;
            }
            inserted_s += change_s;
        }
        inserted_s * 1_000_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserted_second_is_read_twice_and_deleted_one_never() {
        let second = |truth: &Truth, at_s: u64| truth.unix_s(at_s * 1_000_000_000);
        let mut truth = Truth::new(1000);
        truth.add_leap(1010, 1);
        truth.add_leap(1020, -1);
        let read: Vec<_> = (8..13).map(|at| second(&truth, at)).collect();
        assert_eq!(read, [1008, 1009, 1009, 1010, 1011]);
        let read: Vec<_> = (18..23).map(|at| second(&truth, at)).collect();
        assert_eq!(read, [1017, 1018, 1020, 1021, 1022]);
        assert_eq!(truth.leap_within(0, 5), None);
        assert_eq!(truth.leap_within(0, 10), Some(1));
        assert_eq!(truth.leap_within(12_000_000_000, 10), Some(-1));
    }
}
