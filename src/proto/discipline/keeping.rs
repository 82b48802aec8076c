//! When a frequency is worth writing down for the next start.
use core::time::Duration;
use truechimer_time::Instant;

/// How often the frequency is offered for keeping.
const STORE_EVERY: Duration = Duration::from_secs(3600);
/// A change of frequency below this is not worth a write, ppm; halved every hour it is not met.
const STORE_THRESHOLD_PPM: f64 = 0.1;

/// When and what was last kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keeping {
    due: Instant,
    last_ppm: Option<f64>,
    threshold_ppm: f64,
}

impl Keeping {
    /// `last_ppm`: what the last start left behind.
    pub(super) fn new(now: Instant, last_ppm: Option<f64>) -> Self {
        Self {
            due: now.plus(STORE_EVERY),
            last_ppm,
            threshold_ppm: STORE_THRESHOLD_PPM,
        }
    }

    /// The frequency back if it is to be written now. The longer it stays near what was written,
    /// the smaller a change counts, so that flash is spared and the file still converges.
    pub(super) fn consider(&mut self, now: Instant, freq_ppm: Option<f64>) -> Option<f64> {
        if now < self.due {
            return None;
        }
        self.due = now.plus(STORE_EVERY);
        let freq_ppm = freq_ppm?;
        let moved = |last_ppm: f64| (freq_ppm - last_ppm).abs() >= self.threshold_ppm;
        if self.last_ppm.is_none_or(moved) {
            self.last_ppm = Some(freq_ppm);
            self.threshold_ppm = STORE_THRESHOLD_PPM;
            return Some(freq_ppm);
        }
        self.threshold_ppm *= 0.5;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hourly_and_only_when_moved() {
        let hour = |hours: u64| Instant::from_nanoseconds(hours * 3_600_000_000_000);
        let mut keeping = Keeping::new(hour(0), Some(10.0));
        assert_eq!(keeping.consider(hour(0), Some(99.0)), None, "too early");
        assert_eq!(keeping.consider(hour(1), None), None);
        assert_eq!(keeping.consider(hour(2), Some(10.2)), Some(10.2));
        assert_eq!(keeping.consider(hour(3), Some(10.26)), None);
        assert_eq!(
            keeping.consider(hour(4), Some(10.26)),
            Some(10.26),
            "halved"
        );
        assert_eq!(keeping.consider(hour(5), Some(10.32)), None, "whole again");
    }
}
