/// A change of TAI-UTC still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeapEvent {
    /// Unix time of the first second with the new offset (the midnight after the leap).
    pub at_unix_s: i64,
    /// TAI-UTC from then on, seconds.
    pub tai_utc_s: i32,
    /// Seconds inserted before it (+1) or deleted (-1).
    pub change_s: i32,
}

/// Every known change of TAI-UTC, and until when the knowledge holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeapTable {
    /// (Unix time of the change, TAI-UTC from then on in seconds), strictly rising.
    entries: Vec<(i64, i32)>,
    expires_unix_s: i64,
}

impl LeapTable {
    /// From rows in strictly rising order of time, at least one; `None` otherwise.
    pub fn new(entries: Vec<(i64, i32)>, expires_unix_s: i64) -> Option<Self> {
        let rising = entries.windows(2).all(|pair| pair[0].0 < pair[1].0);
        (rising && !entries.is_empty()).then_some(Self {
            entries,
            expires_unix_s,
        })
    }

    /// Unix time after which the table no longer claims to be complete.
    pub fn expires_unix_s(&self) -> i64 {
        self.expires_unix_s
    }

    /// Unix time of the newest change, past or to come.
    pub fn last_change_unix_s(&self) -> i64 {
        self.entries.last().map_or(0, |entry| entry.0)
    }

    /// TAI-UTC in seconds at a Unix time; `None` before the first row.
    pub fn tai_utc_s(&self, unix_s: i64) -> Option<i32> {
        let after = self.entries.partition_point(|entry| entry.0 <= unix_s);
        after.checked_sub(1).map(|index| self.entries[index].1)
    }

    /// The first change after a Unix time.
    pub fn next_after(&self, unix_s: i64) -> Option<LeapEvent> {
        let index = self.entries.partition_point(|entry| entry.0 <= unix_s);
        let (at_unix_s, tai_utc_s) = *self.entries.get(index)?;
        let before = index.checked_sub(1).map(|before| self.entries[before].1)?;
        Some(LeapEvent {
            at_unix_s,
            tai_utc_s,
            change_s: tai_utc_s - before,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_up_past_and_next() {
        let table = LeapTable::new(vec![(100, 10), (200, 11), (300, 10)], 400).expect("rising");
        assert_eq!(table.tai_utc_s(99), None);
        assert_eq!(table.tai_utc_s(100), Some(10));
        assert_eq!(table.tai_utc_s(299), Some(11));
        let next = table.next_after(200).expect("one more");
        assert_eq!((next.at_unix_s, next.change_s), (300, -1));
        assert_eq!(table.next_after(300), None);
        assert_eq!(LeapTable::new(vec![(2, 1), (2, 2)], 0), None);
    }
}
