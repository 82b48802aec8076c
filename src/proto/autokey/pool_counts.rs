//! What became of the jobs of a pool.
use core::fmt;

/// Of both classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Of this host's own.
    pub own: ClassCounts,
    /// Of those who asked.
    pub asked: ClassCounts,
}

/// Of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Done.
    pub done: u64,
    /// Tried in vain: mostly that what was sent to us is not right.
    pub failed: u64,
    /// Turned away because the queue was full.
    pub refused: u64,
    /// Not begun any more, since whoever asked waits no longer.
    pub late: u64,
    /// In the queue now.
    pub waiting: u64,
    /// In the queue at once, at most so far.
    pub most_waiting: u64,
}

/// As `12 own_done, 3 asked_refused`, or `none`.
impl fmt::Display for PoolCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for (class, counts) in [("own", &self.own), ("asked", &self.asked)] {
            for (name, count) in [
                ("done", counts.done),
                ("failed", counts.failed),
                ("refused", counts.refused),
                ("late", counts.late),
                ("waiting", counts.waiting),
                ("most_waiting", counts.most_waiting),
            ] {
                if count > 0 {
                    write!(f, "{between}{count} {class}_{name}")?;
                    between = ", ";
                }
            }
        }
        if between.is_empty() {
            f.write_str("none")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_was_is_told_by_class_and_name() {
        let mut counts = PoolCounts::default();
        assert_eq!(counts.to_string(), "none");
        (counts.own.done, counts.asked.late) = (2, 7);
        assert_eq!(counts.to_string(), "2 own_done, 7 asked_late");
    }
}
