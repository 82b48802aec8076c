//! How the clock was steered, so that measurements of different age can be compared.
use truechimer_time::Instant;

/// The sum of all that was done to the clock since the start, steps aside: whoever keeps what is
/// measured across a step has to forget it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Steered {
    pub(super) at: Instant,
    /// Phase slewed, seconds.
    pub(super) phase_s: f64,
    /// What the frequency correction has added, seconds.
    pub(super) drift_s: f64,
    /// The frequency correction now.
    pub(super) freq_s_per_s: f64,
}

impl Steered {
    pub(crate) const NONE: Self = Self {
        at: Instant::from_nanoseconds(0),
        phase_s: 0.0,
        drift_s: 0.0,
        freq_s_per_s: 0.0,
    };

    /// By how much an offset that was measured at `then` is less now, seconds: by what was slewed
    /// since, and by what the frequency correction of today would have kept away.
    pub(crate) fn since(&self, then: &Self) -> f64 {
        let drifted_s = self.drift_s - then.drift_s;
        let expected_s = self.freq_s_per_s * self.at.seconds_since(then.at);
        self.phase_s - then.phase_s + drifted_s - expected_s
    }

    /// How much later this was, seconds; negative if it was earlier.
    pub(crate) fn seconds_after(&self, then: &Self) -> f64 {
        self.at.seconds_since(then.at) - then.at.seconds_since(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slew_and_a_better_frequency_are_taken_off() {
        let then = Steered {
            at: Instant::default().plus_seconds(100.0),
            phase_s: 0.001,
            drift_s: 0.01,
            freq_s_per_s: 1e-6,
        };
        let now = Steered {
            at: Instant::default().plus_seconds(200.0),
            phase_s: 0.003,
            drift_s: 0.010_1,
            freq_s_per_s: 3e-6,
        };
        // 2 ms slewed; 2e-6 more for 100 s would have run 0.2 ms further.
        assert!((now.since(&then) - 0.001_8).abs() < 1e-12);
    }
}
