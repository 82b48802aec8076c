//! The hybrid phase and frequency lock loop (RFC 5905 §12), and how its time constant adapts.

/// PLL gain: the phase is taken out over this many poll intervals (CLOCK_PLL).
pub(super) const PLL_GAIN: f64 = 16.0;
/// FLL gain (CLOCK_FLL).
const FLL_GAIN: f64 = 0.25;
/// Weight of the past in the running averages (CLOCK_AVG).
const AVERAGE: f64 = 8.0;
/// Hysteresis of the time constant (CLOCK_LIMIT).
const JIGGLE_LIMIT: i32 = 30;
/// Offsets below this many jitters lengthen the time constant (CLOCK_PGATE).
const POLL_GATE: f64 = 4.0;
/// Time constant before any source has had a say, log2 seconds (the reference's NTP_MINPOLL).
const FIRST_POLL: i8 = 3;

/// Turns accepted offsets into changes of frequency and of the time constant.
#[derive(Clone, Debug)]
pub(super) struct LoopFilter {
    allan_s: f64,
    precision_s: f64,
    time_constant: i8,
    jiggle: i32,
    jitter_s: f64,
    wander_ppm: f64,
    last_offset_s: f64,
}

impl LoopFilter {
    pub(super) fn new(allan_s: f64, precision: i8) -> Self {
        let precision_s = f64::from(precision).exp2();
        Self {
            allan_s,
            precision_s,
            time_constant: FIRST_POLL,
            jiggle: 0,
            jitter_s: precision_s,
            wander_ppm: 0.0,
            last_offset_s: 0.0,
        }
    }

    pub(super) const fn set_allan(&mut self, allan_s: f64) {
        self.allan_s = allan_s;
    }

    /// After a step: offsets taken before it say nothing of jitter.
    pub(super) const fn restart(&mut self) {
        self.jiggle = 0;
        self.jitter_s = self.precision_s;
        self.last_offset_s = 0.0;
    }

    /// Jitter: root mean square of the differences of offsets, exponentially weighted.
    pub(super) fn note_offset(&mut self, offset_s: f64) {
        let change_s = (offset_s - self.last_offset_s).abs().max(self.precision_s);
        self.jitter_s = average(self.jitter_s, change_s);
    }

    pub(super) const fn accept(&mut self, offset_s: f64) {
        self.last_offset_s = offset_s;
    }

    /// Wander: root mean square of the changes of frequency, exponentially weighted.
    pub(super) fn note_frequency_change(&mut self, change_ppm: f64) {
        self.wander_ppm = average(self.wander_ppm, change_ppm);
    }

    /// Above the Allan intercept the oscillator wanders more than the network jitters, so there the
    /// frequency is taken from what the offset did beyond the `residual_s` we knew of; the phase
    /// part loses its weight as the interval `since_s` grows past the intercept.
    pub(super) fn frequency_change_ppm(&self, offset_s: f64, residual_s: f64, since_s: f64) -> f64 {
        let poll_s = self.poll_s();
        let mut change = 0.0;
        if poll_s >= self.allan_s {
            change += (offset_s - residual_s) / poll_s.max(since_s) * FLL_GAIN;
        }
        let divisor_s = 4.0 * PLL_GAIN * poll_s;
        change += offset_s * since_s.min(self.allan_s) / (divisor_s * divisor_s);
        change * 1e6
    }

    pub(super) fn bound_poll(&mut self, minpoll: i8, maxpoll: i8) {
        self.time_constant = self.time_constant.max(minpoll).min(maxpoll);
    }

    pub(super) const fn hold_poll(&mut self) {
        self.jiggle = 0;
    }

    /// Offsets that drown in jitter want a longer time constant, others a shorter one.
    pub(super) fn adapt(&mut self, offset_s: f64, minpoll: i8, maxpoll: i8) {
        let poll = i32::from(self.time_constant);
        if offset_s.abs() < POLL_GATE * self.jitter_s {
            self.jiggle += poll;
            if self.jiggle > JIGGLE_LIMIT {
                self.jiggle = JIGGLE_LIMIT;
                if self.time_constant < maxpoll {
                    self.jiggle = 0;
                    self.time_constant += 1;
                }
            }
        } else {
            self.jiggle -= poll * 2;
            if self.jiggle < -JIGGLE_LIMIT {
                self.jiggle = -JIGGLE_LIMIT;
                if self.time_constant > minpoll {
                    self.jiggle = 0;
                    self.time_constant -= 1;
                }
            }
        }
    }

    fn poll_s(&self) -> f64 {
        f64::from(self.time_constant).exp2()
    }

    pub(super) const fn time_constant(&self) -> i8 {
        self.time_constant
    }

    pub(super) const fn jitter_s(&self) -> f64 {
        self.jitter_s
    }

    pub(super) const fn wander_ppm(&self) -> f64 {
        self.wander_ppm
    }
}

fn average(mean: f64, value: f64) -> f64 {
    (mean * mean + (value * value - mean * mean) / AVERAGE).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_by_hand() {
        let mut filter = LoopFilter::new(2048.0, -20);
        filter.bound_poll(6, 17);
        // PLL alone: 1 ms over 64 s at a time constant of 64 s is 1e-3 * 64 / 4096^2 s/s.
        let change_ppm = filter.frequency_change_ppm(1e-3, 0.0, 64.0);
        assert!((change_ppm - 1e6 * 1e-3 * 64.0 / (4096.0 * 4096.0)).abs() < 1e-12);
        filter.time_constant = 11;
        let change_ppm = filter.frequency_change_ppm(1e-3, 4e-4, 4096.0);
        let by_fll = 6e-4 / 4096.0 * 0.25;
        let by_pll = 1e-3 * 2048.0 / (64.0 * 2048.0_f64).powi(2);
        assert!((change_ppm - 1e6 * (by_fll + by_pll)).abs() < 1e-12);
    }

    #[test]
    fn time_constant_follows_the_offset() {
        let mut filter = LoopFilter::new(2048.0, -20);
        filter.bound_poll(6, 10);
        filter.jitter_s = 1e-4;
        for _ in 0..6 {
            filter.adapt(0.0, 6, 10);
        }
        assert_eq!(filter.time_constant(), 7, "6 * 6 > 30");
        for _ in 0..100 {
            filter.adapt(0.0, 6, 10);
        }
        assert_eq!(filter.time_constant(), 10);
        for _ in 0..100 {
            filter.adapt(1.0, 6, 10);
        }
        assert_eq!(filter.time_constant(), 6);
    }

    #[test]
    fn a_jump_in_offset_shows_in_jitter() {
        let mut filter = LoopFilter::new(2048.0, -20);
        filter.note_offset(0.008);
        assert!((filter.jitter_s() - (0.008_f64.powi(2) / 8.0).sqrt()).abs() < 1e-6);
    }
}
