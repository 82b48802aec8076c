//! A virtual clock: an oscillator with its faults under a model of Linux's timekeeping.

mod kernel;

use crate::random::Random;
use crate::truth::Truth;
use kernel::Kernel;
use truechimer_proto::host::{Adjustment, Applied};
use truechimer_time::{Instant, Now, NtpDuration, NtpTimestamp};

const SECOND_NS: u64 = 1_000_000_000;
/// A node's monotonic clock at the world's start: not zero, for nothing may count on that.
const MONO_AT_START_NS: u64 = 1_000_000_000_000;

/// How a node's clock is wrong when nobody steers it.
#[derive(Clone, Copy, Debug)]
pub struct ClockConfig {
    /// Our clock minus true time at the start.
    pub offset: NtpDuration,
    /// How fast it runs, ppm; positive gains.
    pub frequency_ppm: f64,
    /// Random walk of the frequency, ppm per square root of a second.
    pub wander_ppm: f64,
    /// White noise of every stamp taken, seconds.
    pub stamp_noise_s: f64,
}

impl ClockConfig {
    /// A clock wrong by this much in seconds and ppm, otherwise steady.
    pub fn wrong_by(offset_s: f64, frequency_ppm: f64) -> Self {
        Self {
            offset: NtpDuration::from_seconds(offset_s),
            frequency_ppm,
            wander_ppm: 0.0,
            stamp_noise_s: 0.0,
        }
    }

    /// The same with a wandering frequency, ppm per square root of a second.
    #[must_use]
    pub const fn wandering(mut self, wander_ppm: f64) -> Self {
        self.wander_ppm = wander_ppm;
        self
    }
}

/// Phase is kept as a difference from true time, where a float resolves it to far below 1 ns
/// however long the world runs.
pub(crate) struct Clock {
    config: ClockConfig,
    random: Random,
    kernel: Kernel,
    /// When the phase was last brought up to date, nanoseconds of true time.
    true_ns: u64,
    /// Oscillator's own frequency error, s/s.
    natural: f64,
    /// Monotonic clock minus true time.
    phase_s: f64,
    /// Sum of all steps, the initial offset included.
    stepped: NtpDuration,
    /// True time as it was at the start plus elapsed seconds: leap seconds are steps to a clock.
    start_wall: NtpTimestamp,
    /// Whether leap seconds come by themselves, as to a clock set by a receiver.
    keeps_utc: bool,
}

impl Clock {
    pub(crate) fn new(config: ClockConfig, truth: &Truth, random: Random, keeps_utc: bool) -> Self {
        Self {
            config,
            random,
            kernel: Kernel::default(),
            true_ns: 0,
            natural: config.frequency_ppm * 1e-6,
            phase_s: 0.0,
            stepped: config.offset,
            start_wall: truth.wall(0),
            keeps_utc,
        }
    }

    /// Both clocks at a moment of true time, which never goes back.
    pub(crate) fn now(&mut self, true_ns: u64, truth: &Truth) -> Now {
        self.advance(true_ns, truth);
        Now {
            mono: Instant::from_nanoseconds(self.mono_ns()),
            wall: self.wall(truth),
        }
    }

    /// A stamp as taken now: the wall clock and the noise of whoever takes it.
    pub(crate) fn stamp(&mut self, now: Now) -> NtpTimestamp {
        if self.config.stamp_noise_s <= 0.0 {
            return now.wall;
        }
        let noise_s = self.config.stamp_noise_s * self.random.normal();
        now.wall.plus(NtpDuration::from_seconds(noise_s))
    }

    /// True time at which the monotonic clock will read this if nothing changes. Never too far
    /// ahead while the kernel slews, for then the rate changes every second.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "spans of a timer, clamped to be positive"
    )]
    pub(crate) fn true_ns_of(&self, mono: Instant) -> u64 {
        let wait_ns = mono.to_nanoseconds().saturating_sub(self.mono_ns()) as f64;
        let mut true_wait_ns = (wait_ns / (1.0 + self.rate())).ceil() as u64;
        if self.kernel.is_slewing() {
            true_wait_ns = true_wait_ns.min(4 * SECOND_NS);
        }
        self.true_ns.saturating_add(true_wait_ns)
    }

    /// Does what a kernel would and reports as it would.
    pub(crate) fn apply(&mut self, adjustment: Adjustment) -> Applied {
        if let Adjustment::Step(offset) = adjustment {
            self.step(offset);
        }
        let outcome = Ok(self.kernel.apply(adjustment, self.true_ns));
        Applied {
            adjustment,
            outcome,
        }
    }

    /// Somebody sets the clock.
    pub(crate) fn step(&mut self, offset: NtpDuration) {
        self.stepped = self.stepped + offset;
    }

    /// How fast the steered clock runs against true time, ppm.
    pub(crate) fn frequency_error_ppm(&self) -> f64 {
        self.rate() * 1e6
    }

    fn rate(&self) -> f64 {
        (1.0 + self.natural) * (1.0 + self.kernel.rate()) - 1.0
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a phase of 292 years saturates"
    )]
    fn mono_ns(&self) -> u64 {
        (self.true_ns + MONO_AT_START_NS).saturating_add_signed((self.phase_s * 1e9) as i64)
    }

    fn wall(&self, truth: &Truth) -> NtpTimestamp {
        let elapsed_ns = i64::try_from(self.true_ns).unwrap_or(i64::MAX);
        let right = if self.keeps_utc {
            truth.wall(self.true_ns)
        } else {
            self.start_wall
                .plus(NtpDuration::from_nanoseconds(elapsed_ns))
        };
        right
            .plus(NtpDuration::from_seconds(self.phase_s))
            .plus(self.stepped)
    }

    #[expect(clippy::cast_precision_loss, reason = "at most a second")]
    fn advance(&mut self, true_ns: u64, truth: &Truth) {
        while self.true_ns < true_ns {
            let next_second_ns = (self.true_ns / SECOND_NS + 1) * SECOND_NS;
            let until_ns = next_second_ns.min(true_ns);
            self.phase_s += self.rate() * ((until_ns - self.true_ns) as f64 * 1e-9);
            self.true_ns = until_ns;
            if until_ns == next_second_ns {
                self.natural += self.config.wander_ppm * 1e-6 * self.noise();
                self.kernel.second();
            }
            if self.kernel.leap_is_armed() {
                let (unix_s, _) = self.wall(truth).to_unix(truth.unix_s(until_ns));
                self.stepped = self.stepped + self.kernel.leap(unix_s);
            }
        }
    }

    fn noise(&mut self) -> f64 {
        if self.config.wander_ppm > 0.0 {
            self.random.normal()
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests;
