//! Clock discipline (RFC 5905 §11.3, §12): an estimate of the offset in, adjustments out.
//!
//! Nothing else crosses this seam, so another estimator can take this one's place: it learns of
//! sources only what `Estimate` says, and of the clock only what the host `Applied`.
mod actuator;
mod pll_fll;
mod state;
#[cfg(test)]
mod tests;

use crate::config::{Steering, Tinker};
use crate::event::SystemEvent;
use crate::host::{AdjustRefused, Adjustment, Applied};
use actuator::{Actuator, PhaseLaw};
use core::time::Duration;
use pll_fll::LoopFilter;
use state::{Decision, State, Thresholds};
use std::collections::VecDeque;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration};

/// Greatest frequency correction, ppm (RFC 5905 §12, MAXFREQ; also the limit of Linux).
pub(crate) const MAX_FREQ_PPM: f64 = 500.0;
/// How long after the first synchronisation the frequency is left alone, seconds: the transient
/// of the first offset must not be taken for frequency.
const HOLDOFF_S: f64 = 300.0;
/// An offset this small ends the holdoff early, seconds (CLOCK_FLOOR).
const HOLDOFF_FLOOR_S: f64 = 0.000_5;
/// Unasked, Linux lets its error bound grow by 500 ppm and calls the clock unsynchronized at 16 s,
/// which a long poll interval would reach; so it is told anew this often.
const STATUS_EVERY: Duration = Duration::from_secs(1024);
/// How often the frequency is offered for keeping.
const STORE_EVERY: Duration = Duration::from_secs(3600);
/// A change of frequency below this is not worth a write, ppm; halved every hour it is not met.
const STORE_THRESHOLD_PPM: f64 = 0.1;
/// Events nobody fetched; the host fetches after every call, so this is never met in practice.
const EVENTS_AT_MOST: usize = 32;
/// Stands in for an error bound that is no number, seconds (MAXDISP).
const WORST_ERROR_S: f64 = 16.0;

/// The system estimate: the only thing the discipline knows of sources.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Combined offset, sources minus us, seconds.
    pub offset_s: f64,
    /// Combined jitter, seconds.
    pub jitter_s: f64,
    /// Round trip to the primary source, seconds.
    pub root_delay_s: f64,
    /// Dispersion to the primary source, seconds.
    pub root_dispersion_s: f64,
    /// Least poll exponent the leading source allows, log2 seconds.
    pub minpoll: i8,
    /// Greatest poll exponent the leading source allows, log2 seconds.
    pub maxpoll: i8,
    /// Leap second to tell the kernel of: only in the last day before it.
    pub leap: LeapIndicator,
    /// TAI-UTC where known, seconds.
    pub tai_utc_s: Option<i32>,
}

/// What became of an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// The clock was left alone: a spike, the frequency is being measured, or we do not steer.
    Ignored,
    /// The clock is being slewed, or is good enough where we do not steer.
    Slewed,
    /// The clock is being stepped: every sample taken before is void.
    Stepped {
        /// By this, seconds.
        offset_s: f64,
    },
    /// Past the panic threshold: the daemon must end.
    Panic {
        /// The offset, seconds.
        offset_s: f64,
    },
    /// `-q`: the clock was set once, and that was all.
    OneShot {
        /// By this, seconds.
        offset_s: f64,
        /// Stepped, or handed to the kernel to slew.
        stepped: bool,
    },
}

/// The clock discipline: RFC 5905's state machine around its hybrid phase and frequency lock loop.
#[derive(Debug)]
pub struct Discipline {
    steering: Steering,
    thresholds: Thresholds,
    state: State,
    filter: LoopFilter,
    actuator: Actuator,
    /// When the state was last entered or an offset last accepted.
    epoch: Instant,
    holdoff_s: f64,
    settled: Instant,
    status_due: Option<Instant>,
    status_until: Instant,
    told: Told,
    limit_reported: bool,
    /// Last refusal told, so that it is told once.
    refusal: Option<i32>,
    store: Store,
    events: VecDeque<SystemEvent>,
}

/// What the kernel is to be told beside the time.
#[derive(Clone, Copy, Debug)]
struct Told {
    leap: LeapIndicator,
    tai_utc_s: Option<i32>,
    max_error_s: f64,
}

/// When and what was last kept for the next start.
#[derive(Clone, Copy, Debug)]
struct Store {
    due: Instant,
    last_ppm: Option<f64>,
    threshold_ppm: f64,
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
            filter: LoopFilter::new(tinker.allan_s, precision),
            actuator: Actuator::new(known_ppm.unwrap_or(0.0)),
            epoch: now.mono,
            holdoff_s: HOLDOFF_S,
            settled: now.mono,
            status_due: None,
            status_until: now.mono,
            told: Told {
                leap: LeapIndicator::NoWarning,
                tai_utc_s: None,
                max_error_s: WORST_ERROR_S,
            },
            limit_reported: false,
            refusal: None,
            store: Store {
                due: now.mono.plus(STORE_EVERY),
                last_ppm: known_ppm,
                threshold_ppm: STORE_THRESHOLD_PPM,
            },
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
        let was_spent = !self.steering.allow_panic_once;
        self.steering = steering;
        self.steering.allow_panic_once &= !was_spent;
        self.thresholds = Thresholds::new(&tinker);
        self.filter.set_allan(tinker.allan_s);
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
        };
        if !self.steering.enabled {
            return self.watch(offset_s, estimate);
        }
        if self.thresholds.panics(offset_s) && !self.steering.allow_panic_once {
            self.report(SystemEvent::PanicStop(offset_s));
            return Verdict::Panic { offset_s };
        }
        self.steering.allow_panic_once = false;
        if self.steering.one_shot {
            return self.set_once(offset_s);
        }
        self.filter.bound_poll(estimate.minpoll, estimate.maxpoll);
        let outlier = self.thresholds.steps(offset_s);
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
                    self.set_measured_frequency(offset_s, since_s);
                }
                self.step(now, offset_s, next, estimate)
            }
            Decision::Slew { measured, next } => {
                if measured {
                    self.set_measured_frequency(offset_s, since_s);
                }
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
        if self.adjusts() && self.status_due.is_some() {
            self.tell_kernel(now);
        }
    }

    /// Learns what the kernel made of an adjustment.
    pub fn handle_applied(&mut self, now: Now, applied: &Applied) {
        self.settle(now);
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
    /// half measured.
    pub fn handle_foreign_step(&mut self, now: Now) {
        self.settle(now);
        self.epoch = now.mono;
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
        if now.mono < self.store.due {
            return None;
        }
        self.store.due = now.mono.plus(STORE_EVERY);
        let freq_ppm = self.frequency_at_exit()?;
        let moved = |last_ppm: f64| (freq_ppm - last_ppm).abs() >= self.store.threshold_ppm;
        if self.store.last_ppm.is_none_or(moved) {
            self.store.last_ppm = Some(freq_ppm);
            self.store.threshold_ppm = STORE_THRESHOLD_PPM;
            return Some(freq_ppm);
        }
        self.store.threshold_ppm *= 0.5;
        None
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

    /// For people: `unset`, `freq_set`, `freq_measure`, `spike`, `sync`.
    pub const fn state_name(&self) -> &'static str {
        self.state.name()
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

impl Discipline {
    const fn adjusts(&self) -> bool {
        self.steering.enabled
    }

    /// The kernel's loop saturates at half a second, so thresholds beyond that rule it out.
    fn kernel_loop_allowed(&self) -> bool {
        self.steering.kernel && self.thresholds.fit_kernel()
    }

    /// Brings phase and holdoff up to this moment.
    fn settle(&mut self, now: Now) {
        let elapsed_s = now.mono.seconds_since(self.settled);
        self.settled = self.settled.max(now.mono);
        self.actuator.elapse(elapsed_s);
        if self.state == State::Sync {
            self.holdoff_s = (self.holdoff_s - elapsed_s).max(0.0);
        }
    }

    /// Not ours to steer: keep the statistics, and vouch for the clock only while it is near.
    fn watch(&mut self, offset_s: f64, estimate: &Estimate) -> Verdict {
        self.filter.bound_poll(estimate.minpoll, estimate.maxpoll);
        if self.thresholds.steps(offset_s) || self.thresholds.panics(offset_s) {
            return Verdict::Ignored;
        }
        self.filter.note_offset(offset_s);
        self.filter.accept(offset_s);
        self.filter
            .adapt(offset_s, estimate.minpoll, estimate.maxpoll);
        Verdict::Slewed
    }

    fn set_once(&mut self, offset_s: f64) -> Verdict {
        let stepped = self.thresholds.steps(offset_s);
        if stepped {
            self.actuator.step(offset_s);
            self.report(SystemEvent::ClockStep(offset_s));
        } else {
            self.actuator.slew_once(offset_s);
        }
        Verdict::OneShot { offset_s, stepped }
    }

    fn set_measured_frequency(&mut self, offset_s: f64, since_s: f64) {
        let measured_ppm = self.actuator.base_ppm() + offset_s / since_s * 1e6;
        self.actuator.set_base(measured_ppm);
        self.check_limit();
        self.report(SystemEvent::FrequencySet(self.actuator.base_ppm()));
    }

    fn step(&mut self, now: Now, offset_s: f64, next: State, estimate: &Estimate) -> Verdict {
        self.report(SystemEvent::ClockStep(offset_s));
        self.actuator.step(offset_s);
        self.filter.restart();
        self.epoch = now.mono;
        self.enter(next, 0.0);
        if next == State::Sync {
            self.filter.note_frequency_change(0.0);
            self.adapt_poll(0.0, estimate);
        }
        self.steer(now);
        self.vouch(now);
        Verdict::Stepped { offset_s }
    }

    fn slew(&mut self, now: Now, offset_s: f64, since_s: f64, next: State, estimate: &Estimate) {
        let mut change_ppm = 0.0;
        if next == State::Sync && self.holdoff_s <= 0.0 {
            let residual_s = self.actuator.residual_s();
            change_ppm = self
                .filter
                .frequency_change_ppm(offset_s, residual_s, since_s);
        }
        self.filter.accept(offset_s);
        self.epoch = now.mono;
        self.enter(next, offset_s);
        if next == State::Sync && offset_s.abs() < HOLDOFF_FLOOR_S {
            self.holdoff_s = 0.0;
        }
        let kernel_takes_it =
            next == State::Sync && self.holdoff_s <= 0.0 && self.kernel_loop_allowed();
        if kernel_takes_it {
            // The kernel computes its own change of frequency and tells it when it has applied it.
            self.actuator
                .hand_to_kernel(offset_s, self.filter.time_constant());
        } else {
            let before_ppm = self.actuator.base_ppm();
            self.actuator.set_base(before_ppm + change_ppm);
            self.check_limit();
            self.filter
                .note_frequency_change(self.actuator.base_ppm() - before_ppm);
            self.actuator.take_phase(offset_s);
            self.steer(now);
        }
        self.adapt_poll(offset_s, estimate);
        self.vouch(now);
    }

    /// No change of time constant while the frequency is held: the first transient would drive it.
    fn adapt_poll(&mut self, offset_s: f64, estimate: &Estimate) {
        if self.holdoff_s > 0.0 {
            self.filter.hold_poll();
        } else {
            self.filter
                .adapt(offset_s, estimate.minpoll, estimate.maxpoll);
        }
    }

    /// Gives the user-space loop its law for this state and asks for what it needs.
    fn steer(&mut self, now: Now) {
        let law = match self.state {
            State::Sync if self.holdoff_s > 0.0 => PhaseLaw::holdoff(),
            State::Sync => PhaseLaw::of_poll(self.filter.time_constant()),
            State::Measure => PhaseLaw::FullRate,
            State::Unset | State::FrequencySet | State::Spike => PhaseLaw::Hold,
        };
        self.actuator.steer(now.mono, law);
    }

    /// After an accepted offset the kernel may call its clock synchronized, for a while.
    fn vouch(&mut self, now: Now) {
        let polls_s = 16.0 * f64::from(self.filter.time_constant()).exp2();
        self.status_until = now.mono.plus_seconds(polls_s);
        self.tell_kernel(now);
    }

    fn tell_kernel(&mut self, now: Now) {
        let next = now.mono.plus(STATUS_EVERY);
        self.status_due = (next <= self.status_until).then_some(next);
        self.actuator.tell(Adjustment::Status {
            synchronized: true,
            leap: self.told.leap,
            max_error: NtpDuration::from_seconds(self.told.max_error_s),
            estimated_error: NtpDuration::from_seconds(self.filter.jitter_s()),
            tai_utc_s: self.told.tai_utc_s,
        });
    }

    fn handle_refused(&mut self, now: Now, applied: &Applied, errno: i32) {
        let what = match applied.adjustment {
            Adjustment::Step(_) => "a step",
            Adjustment::Frequency { .. } => "a change of frequency",
            Adjustment::KernelPhase { .. } => {
                "its phase-locked loop; steering by frequency instead"
            }
            Adjustment::Status { .. } => "its status",
        };
        if self.refusal.replace(errno) != Some(errno) {
            let text = format!("the kernel refused {what} (error {errno})");
            self.report(SystemEvent::Kernel(text));
        }
        if matches!(applied.adjustment, Adjustment::Frequency { .. }) {
            self.actuator.forget_issued();
        }
        if matches!(applied.adjustment, Adjustment::KernelPhase { .. }) {
            self.steering.kernel = false;
            self.actuator.take_back();
            self.steer(now);
        }
    }

    fn enter(&mut self, next: State, offset_s: f64) {
        if next != self.state {
            match next {
                State::Spike => self.report(SystemEvent::SpikeDetect(offset_s)),
                State::Measure => self.report(SystemEvent::FrequencyMode),
                State::Sync => self.report(SystemEvent::ClockSync),
                State::Unset | State::FrequencySet => {}
            }
        }
        self.state = next;
    }

    /// Said once until the frequency is back within bounds.
    fn check_limit(&mut self) {
        let at_limit = self.actuator.base_ppm().abs() >= MAX_FREQ_PPM;
        if at_limit && !self.limit_reported {
            self.report(SystemEvent::FrequencyLimit(self.actuator.base_ppm()));
        }
        self.limit_reported = at_limit;
    }

    fn report(&mut self, event: SystemEvent) {
        if self.events.len() < EVENTS_AT_MOST {
            self.events.push_back(event);
        }
    }
}

fn or_worst(error_s: f64) -> f64 {
    if error_s.is_finite() {
        error_s.clamp(0.0, WORST_ERROR_S)
    } else {
        WORST_ERROR_S
    }
}
