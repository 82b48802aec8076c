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
    /// True time as last told, nanoseconds.
    true_ns: u64,
    /// When the rate last changed: the start of a second or an adjustment. Whatever is read in
    /// between is reckoned from here, so that reading a clock never changes it by a rounding.
    anchor_ns: u64,
    /// Monotonic clock minus true time at the anchor.
    anchor_phase_s: f64,
    /// Oscillator's own frequency error, s/s.
    natural: f64,
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
            anchor_ns: 0,
            anchor_phase_s: 0.0,
            natural: config.frequency_ppm * 1e-6,
            stepped: config.offset,
            start_wall: truth.wall(0),
            keeps_utc,
        }
    }

    /// Both clocks at a moment of true time, which never goes back.
    pub(crate) fn now(&mut self, true_ns: u64, truth: &Truth) -> Now {
        self.advance(true_ns, truth);
        Now {
            mono: Instant::from_nanoseconds(mono_ns(self.true_ns, self.phase_s())),
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

    /// True time at which the monotonic clock will read this, if the rate stays as it is or that is
    /// within the second under way; otherwise the end of the second, for then the rate may change.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "spans of a timer, clamped to be positive"
    )]
    pub(crate) fn true_ns_of(&self, mono: Instant) -> u64 {
        let anchor_ns = mono_ns(self.anchor_ns, self.anchor_phase_s);
        let wait_ns = mono.to_nanoseconds().saturating_sub(anchor_ns) as f64;
        let true_wait_ns = (wait_ns / (1.0 + self.rate())).ceil() as u64;
        let at_ns = self.anchor_ns.saturating_add(true_wait_ns);
        if self.kernel.is_steady() && self.config.wander_ppm == 0.0 {
            at_ns
        } else {
            at_ns.min(next_second(self.true_ns))
        }
    }

    /// Does what a kernel would and reports as it would.
    pub(crate) fn apply(&mut self, adjustment: Adjustment) -> Applied {
        if let Adjustment::Step(offset) = adjustment {
            self.step(offset);
        }
        self.anchor();
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

    /// The oscillator runs otherwise from now on.
    pub(crate) fn jolt(&mut self, change_ppm: f64) {
        self.anchor();
        self.natural += change_ppm * 1e-6;
    }

    /// How fast the steered clock runs against true time, ppm.
    pub(crate) fn frequency_error_ppm(&self) -> f64 {
        self.rate() * 1e6
    }

    fn rate(&self) -> f64 {
        (1.0 + self.natural) * (1.0 + self.kernel.rate()) - 1.0
    }

    /// Monotonic clock minus true time now.
    #[expect(clippy::cast_precision_loss, reason = "at most a second")]
    fn phase_s(&self) -> f64 {
        self.anchor_phase_s + self.rate() * ((self.true_ns - self.anchor_ns) as f64 * 1e-9)
    }

    fn anchor(&mut self) {
        self.anchor_phase_s = self.phase_s();
        self.anchor_ns = self.true_ns;
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
            .plus(NtpDuration::from_seconds(self.phase_s()))
            .plus(self.stepped)
    }

    fn advance(&mut self, true_ns: u64, truth: &Truth) {
        while self.true_ns < true_ns {
            let second_ns = next_second(self.true_ns);
            self.true_ns = second_ns.min(true_ns);
            if self.true_ns == second_ns {
                self.anchor();
                self.natural += self.config.wander_ppm * 1e-6 * self.noise();
                self.kernel.second();
            }
            if self.kernel.leap_is_armed() {
                let (unix_s, _) = self.wall(truth).to_unix(truth.unix_s(self.true_ns));
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

/// What the monotonic clock reads at a true time while it is this far ahead of it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a phase of 292 years saturates"
)]
const fn mono_ns(true_ns: u64, phase_s: f64) -> u64 {
    (true_ns + MONO_AT_START_NS).saturating_add_signed((phase_s * 1e9) as i64)
}

const fn next_second(true_ns: u64) -> u64 {
    (true_ns / SECOND_NS + 1) * SECOND_NS
}

#[cfg(test)]
mod tests;
