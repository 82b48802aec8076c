//! Clock discipline (RFC 5905 §11.3, §12): an estimate of the offset in, adjustments out.
//!
//! Nothing else crosses this seam, so another estimator can take this one's place: it learns of
//! sources only what `Estimate` says, and of the clock only what the host `Applied`.
mod actuator;
mod alarm;
mod estimate;
mod keeping;
mod pll_fll;
mod state;
mod steered;
#[cfg(test)]
mod tests;
mod update;

pub use estimate::{Estimate, Verdict};
pub(crate) use steered::Steered;

use crate::config::{Steering, Tinker};
use crate::event::SystemEvent;
use crate::host::{AdjustRefused, Adjustment, Applied};
use actuator::Actuator;
use alarm::Alarm;
use keeping::Keeping;
use pll_fll::LoopFilter;
use state::{Decision, State, Thresholds};
use std::collections::VecDeque;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now};
use update::or_worst;

/// Greatest frequency correction, ppm (RFC 5905 §12, MAXFREQ; also the limit of Linux).
pub(crate) const MAX_FREQ_PPM: f64 = 500.0;
/// How long after the first synchronisation the frequency is left alone, seconds: the transient
/// of the first offset must not be taken for frequency.
const HOLDOFF_S: f64 = 300.0;
/// Events nobody fetched; the host fetches after every call, so this is never met in practice.
const EVENTS_AT_MOST: usize = 32;
/// Stands in for an error bound that is no number, seconds (MAXDISP).
const WORST_ERROR_S: f64 = 16.0;

/// The clock discipline: RFC 5905's state machine around its hybrid phase and frequency lock loop.
#[derive(Debug)]
pub struct Discipline {
    steering: Steering,
    thresholds: Thresholds,
    state: State,
    dispersion_s_per_s: f64,
    filter: LoopFilter,
    actuator: Actuator,
    /// When the state was last entered or an offset last accepted.
    epoch: Instant,
    /// How old the samples were that the frequency is measured from, seconds.
    measured_from_age_s: f64,
    holdoff_s: f64,
    settled: Instant,
    status_due: Option<Instant>,
    /// Until then the kernel may call its clock synchronized.
    status_until: Option<Instant>,
    /// A step asked for and not yet answered.
    stepping: Option<Stepping>,
    told: Told,
    limit_reported: bool,
    /// Last refusal told, so that it is told once.
    refusal: Option<i32>,
    keeping: Keeping,
    alarm: Alarm,
    events: VecDeque<SystemEvent>,
}

/// A step under way, and what to go back to if the kernel refuses it.
#[derive(Clone, Copy, Debug)]
struct Stepping {
    offset_s: f64,
    before: State,
    /// It took the one pass over the panic threshold.
    took_pass: bool,
}

/// What the kernel is to be told beside the time.
#[derive(Clone, Copy, Debug)]
struct Told {
    leap: LeapIndicator,
    tai_utc_s: Option<i32>,
    /// As of `since`; it grows from there.
    max_error_s: f64,
    since: Instant,
}

impl Discipline {
    /// Starts from the configured or stored frequency, or without one. `precision` is log2 seconds.
    pub fn new(now: Now, steering: Steering, tinker: Tinker, precision: i8) -> Self {
        let known_ppm = [tinker.freq_ppm, steering.stored_freq_ppm]
            .into_iter()
            .flatten()
            .find(|freq_ppm| freq_ppm.is_finite())
            .map(|freq_ppm| freq_ppm.clamp(-MAX_FREQ_PPM, MAX_FREQ_PPM));
        let mut this = Self {
            steering,
            thresholds: Thresholds::new(&tinker),
            state: State::Unset,
            dispersion_s_per_s: tinker.dispersion_s_per_s,
            filter: LoopFilter::new(tinker.allan_s, precision),
            actuator: Actuator::new(known_ppm.unwrap_or(0.0)),
            epoch: now.mono,
            measured_from_age_s: 0.0,
            holdoff_s: HOLDOFF_S,
            settled: now.mono,
            status_due: None,
            status_until: None,
            stepping: None,
            told: Told {
                leap: LeapIndicator::NoWarning,
                tai_utc_s: None,
                max_error_s: WORST_ERROR_S,
                since: now.mono,
            },
            limit_reported: false,
            refusal: None,
            keeping: Keeping::new(now.mono, known_ppm),
            alarm: Alarm::default(),
            events: VecDeque::new(),
        };
        if let Some(freq_ppm) = known_ppm {
            this.state = State::FrequencySet;
            this.report(SystemEvent::FrequencySet(freq_ppm));
        } else {
            this.report(SystemEvent::FrequencyNotSet);
        }
        if this.adjusts() && !steering.one_shot {
            // Whoever steered before us may have left a frequency behind.
            this.actuator.set_frequency();
        }
        this
    }

    /// Takes new steering and thresholds; state, frequency and phase go on.
    pub fn reconfigure(&mut self, now: Now, steering: Steering, tinker: Tinker) {
        self.settle(now);
        let before = core::mem::replace(&mut self.steering, steering);
        self.steering.allow_panic_once &= before.allow_panic_once;
        self.steering.force_step_once &= before.force_step_once;
        self.dispersion_s_per_s = tinker.dispersion_s_per_s;
        self.thresholds = Thresholds::new(&tinker);
        self.filter.set_allan(tinker.allan_s);
        if steering.enabled && !before.enabled && !steering.one_shot {
            // Whoever steered meanwhile left the clock at a frequency we do not know.
            self.actuator.take_back();
            self.alarm.forget();
            self.steer(now);
        }
        if self.adjusts() && !self.kernel_loop_allowed() && self.actuator.kernel_leads() {
            self.actuator.take_back();
            self.steer(now);
        }
    }

    /// Takes an offset (RFC 5905 §11.3, `local_clock()`).
    pub fn update(&mut self, now: Now, estimate: &Estimate) -> Verdict {
        let offset_s = estimate.offset_s;
        if !offset_s.is_finite() {
            return Verdict::Ignored;
        }
        self.settle(now);
        self.told = Told {
            leap: estimate.leap,
            tai_utc_s: estimate.tai_utc_s,
            max_error_s: or_worst(estimate.root_delay_s / 2.0 + estimate.root_dispersion_s),
            since: now.mono,
        };
        if !self.steering.enabled {
            return self.watch(offset_s, estimate);
        }
        if self.thresholds.panics(offset_s) && !self.steering.allow_panic_once {
            self.report(SystemEvent::PanicStop(offset_s));
            return Verdict::Panic { offset_s };
        }
        self.steering.allow_panic_once = false;
        let forced = core::mem::take(&mut self.steering.force_step_once);
        if self.steering.one_shot {
            return self.set_once(offset_s, forced);
        }
        self.filter.bound_poll(estimate.minpoll, estimate.maxpoll);
        let outlier = self.thresholds.steps(offset_s) || forced;
        if !outlier {
            self.filter.note_offset(offset_s);
        }
        let since_s = now.mono.seconds_since(self.epoch);
        match state::decide(self.state, outlier, since_s, self.thresholds.stepout_s) {
            Decision::Wait => Verdict::Ignored,
            Decision::Spike => {
                self.enter(State::Spike, offset_s);
                self.steer(now);
                Verdict::Ignored
            }
            Decision::Step { measured, next } => {
                if measured {
                    self.set_measured_frequency(estimate, since_s);
                }
                self.measured_from_age_s = estimate.age_s;
                self.step(now, offset_s, next, estimate)
            }
            Decision::Slew { measured, next } => {
                if measured {
                    self.set_measured_frequency(estimate, since_s);
                }
                self.measured_from_age_s = estimate.age_s;
                self.slew(now, offset_s, since_s, next, estimate);
                Verdict::Slewed
            }
        }
    }

    /// Takes out a second's worth of phase, and renews the kernel's error bound when due
    /// (`clock_adjust()` of RFC 5905 §12). `root_distance_s` is the bound on our error now.
    pub fn tick(&mut self, now: Now, root_distance_s: f64) {
        self.settle(now);
        if !self.adjusts() || self.steering.one_shot {
            self.status_due = None;
            return;
        }
        if self.actuator.due().is_some_and(|due| due <= now.mono) {
            self.steer(now);
        }
        if self.status_due.is_some_and(|due| due <= now.mono) {
            self.told.max_error_s = or_worst(root_distance_s);
            self.told.since = now.mono;
            self.tell_kernel(now);
        }
    }

    /// When `tick` is next needed; `None` while nothing is to be done.
    pub fn next_tick(&self) -> Option<Instant> {
        if !self.adjusts() || self.steering.one_shot {
            return None;
        }
        self.actuator.due().into_iter().chain(self.status_due).min()
    }

    /// Tells the kernel of a leap second of today, or that there is none after all, and of TAI-UTC.
    pub fn announce(&mut self, now: Now, leap: LeapIndicator, tai_utc_s: Option<i32>) {
        if (self.told.leap, self.told.tai_utc_s) == (leap, tai_utc_s) {
            return;
        }
        self.told.leap = leap;
        self.told.tai_utc_s = tai_utc_s;
        if self.adjusts() && self.state.clock_was_set() {
            self.tell_kernel(now);
        }
    }

    /// Learns what the kernel made of an adjustment.
    pub fn handle_applied(&mut self, now: Now, applied: &Applied) {
        self.settle(now);
        if matches!(applied.adjustment, Adjustment::Step(_)) {
            self.end_step(now, applied.outcome.is_ok());
        }
        match applied.outcome {
            Ok(clock) => {
                self.refusal = None;
                if let Some(change_ppm) = self.actuator.learn(&applied.adjustment, &clock) {
                    self.filter.note_frequency_change(change_ppm);
                    self.check_limit();
                }
            }
            Err(AdjustRefused::NotPermitted) => {
                if self.steering.enabled {
                    self.steering.enabled = false;
                    let text = "clock adjustment not permitted: serving without steering";
                    self.report(SystemEvent::Kernel(text.to_owned()));
                }
            }
            Err(AdjustRefused::Other(errno)) => self.handle_refused(now, applied, errno),
        }
    }

    /// Somebody else set the clock: what was left to slew means nothing now, nor does a frequency
    /// half measured. The first offset after it is not to be taken for a spike.
    pub fn handle_foreign_step(&mut self, now: Now) {
        self.settle(now);
        self.epoch = now.mono;
        self.state = match self.state {
            State::Unset | State::Measure => State::Unset,
            State::FrequencySet | State::Spike | State::Sync => State::FrequencySet,
        };
        self.stepping = None;
        self.actuator.forget_phase();
        self.filter.restart();
        if self.adjusts() && !self.steering.one_shot {
            self.steer(now);
        }
    }

    /// The next adjustment to make.
    pub fn poll_adjustment(&mut self) -> Option<Adjustment> {
        let adjustment = self.actuator.poll();
        adjustment.filter(|_| self.steering.enabled)
    }

    /// The next thing to tell the operator.
    pub fn poll_event(&mut self) -> Option<SystemEvent> {
        self.events.pop_front()
    }

    /// The frequency worth keeping for the next start, ppm: asked at any time, offered at most once
    /// an hour and only when it moved further than the hours of calm before it allow.
    pub fn frequency_to_store(&mut self, now: Now) -> Option<f64> {
        let freq_ppm = self.frequency_at_exit();
        self.keeping.consider(now.mono, freq_ppm)
    }

    /// The frequency to keep when the daemon ends, ppm; `None` if none was ever set or measured.
    pub fn frequency_at_exit(&self) -> Option<f64> {
        let known = !matches!(self.state, State::Unset | State::Measure);
        (known && self.steering.enabled && !self.steering.one_shot)
            .then_some(self.actuator.base_ppm())
    }

    /// Time constant, a poll exponent (log2 seconds).
    pub const fn time_constant(&self) -> i8 {
        self.filter.time_constant()
    }

    /// Frequency correction without what is added to slew, ppm.
    pub const fn frequency_ppm(&self) -> f64 {
        self.actuator.base_ppm()
    }

    /// Wander of the frequency, ppm.
    pub const fn wander_ppm(&self) -> f64 {
        self.filter.wander_ppm()
    }

    /// Jitter of the offsets taken, seconds.
    pub const fn jitter_s(&self) -> f64 {
        self.filter.jitter_s()
    }

    /// Offset that was accepted and is not yet slewed out, seconds.
    pub const fn residual_s(&self) -> f64 {
        self.actuator.residual_s()
    }

    /// What was done to the clock until now.
    pub(crate) fn steered(&mut self, now: Now) -> Steered {
        self.settle(now);
        self.actuator.steered(now.mono)
    }

    /// For people: `unset`, `freq_set`, `freq_measure`, `spike`, `sync`.
    pub const fn state_name(&self) -> &'static str {
        self.state.name()
    }

    /// Whether the first offset is still being taken out; till then the newest sample of a source
    /// counts, as the one with the least delay would be from before.
    pub fn settling(&self) -> bool {
        self.steering.enabled && self.holdoff_s > 0.0
    }

    /// Whether the clock is steered at all.
    pub const fn steering(&self) -> bool {
        self.steering.enabled
    }

    /// Whether one offset past the panic threshold would still be taken (`-g`).
    pub const fn panic_allowed(&self) -> bool {
        self.steering.allow_panic_once
    }
}
