//! So many a second, and no more.
use truechimer_time::Instant;

/// A bucket that fills within a second.
#[derive(Debug)]
pub(super) struct Budget {
    most: u32,
    left: f64,
    filled: Instant,
}

impl Budget {
    /// Full.
    pub(super) fn new(most: u32) -> Self {
        Self {
            most,
            left: most.into(),
            filled: Instant::default(),
        }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let most = f64::from(self.most);
        let more = most * now.seconds_since(self.filled);
        self.filled = now;
        self.left = (self.left + more).min(most);
        let is_enough = self.left >= 1.0;
        if is_enough {
            self.left -= 1.0;
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_said() {
        let mut budget = Budget::new(16);
        let taken = (0..1_000_000_u64)
            .map(|n| Instant::from_nanoseconds(1_000_000_000 + n * 10_000))
            .filter(|now| budget.take(*now))
            .count();
        assert!(
            (175..=177).contains(&taken),
            "16 and ten seconds of 16: {taken}"
        );
    }
}
