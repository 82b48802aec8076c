//! Carrying out a decision: what a step, a slew or a refusal changes.
use super::actuator::PhaseLaw;
use super::state::State;
use super::{Discipline, EVENTS_AT_MOST, Estimate, MAX_FREQ_PPM, Stepping, Verdict, WORST_ERROR_S};
use crate::event::SystemEvent;
use crate::host::{Adjustment, Applied};
use core::time::Duration;
use truechimer_time::{Now, NtpDuration};

/// An offset this small ends the holdoff early, seconds (CLOCK_FLOOR).
const HOLDOFF_FLOOR_S: f64 = 0.000_5;
/// Unasked, Linux lets its error bound grow by 500 ppm and calls the clock unsynchronized at 16 s,
/// which a long poll interval would reach; so it is told anew this often.
const STATUS_EVERY: Duration = Duration::from_secs(1024);

impl Discipline {
    pub(super) const fn adjusts(&self) -> bool {
        self.steering.enabled
    }

    /// The kernel's loop saturates at half a second, so thresholds beyond that rule it out.
    pub(super) fn kernel_loop_allowed(&self) -> bool {
        self.steering.kernel && self.thresholds.fit_kernel()
    }

    /// Brings phase and holdoff up to this moment.
    pub(super) fn settle(&mut self, now: Now) {
        let elapsed_s = now.mono.seconds_since(self.settled);
        self.settled = self.settled.max(now.mono);
        self.actuator.elapse(elapsed_s);
        if self.state == State::Sync {
            self.holdoff_s = (self.holdoff_s - elapsed_s).max(0.0);
        }
    }

    /// Not ours to steer: keep the statistics, and vouch for the clock only while it is near.
    pub(super) fn watch(&mut self, offset_s: f64, estimate: &Estimate) -> Verdict {
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

    pub(super) fn set_once(&mut self, offset_s: f64, forced: bool) -> Verdict {
        let stepped = self.thresholds.steps(offset_s) || forced;
        if stepped {
            self.actuator.step(offset_s);
            self.report(SystemEvent::ClockStep(offset_s));
        } else {
            self.actuator.slew_once(offset_s);
        }
        Verdict::OneShot { offset_s, stepped }
    }

    /// What is still being slewed is no drift; the reference takes it for that when the first offset
    /// was too long for the interval.
    /// Samples of several sources are up to a poll interval old, a good part of the time measured, so
    /// it is counted from sample to sample.
    pub(super) fn set_measured_frequency(&mut self, estimate: &Estimate, since_s: f64) {
        let drifted_s = estimate.offset_s - self.actuator.residual_s();
        let apart_s = since_s - estimate.age_s + self.measured_from_age_s;
        let drifting_s = if apart_s.is_finite() {
            apart_s.clamp(since_s / 2.0, since_s * 2.0)
        } else {
            since_s
        };
        let measured_ppm = self.actuator.base_ppm() + drifted_s / drifting_s * 1e6;
        self.actuator.set_base(measured_ppm);
        self.check_limit();
        self.report(SystemEvent::FrequencySet(self.actuator.base_ppm()));
    }

    pub(super) fn step(
        &mut self,
        now: Now,
        offset_s: f64,
        next: State,
        estimate: &Estimate,
    ) -> Verdict {
        self.stepping = Some(Stepping {
            offset_s,
            before: self.state,
            took_pass: self.thresholds.panics(offset_s),
        });
        self.actuator.step(offset_s);
        self.filter.restart();
        self.epoch = now.mono;
        self.state = next;
        if next == State::Sync {
            self.filter.note_frequency_change(0.0);
            self.adapt_poll(0.0, estimate);
        }
        self.steer(now);
        self.vouch(now);
        Verdict::Stepped { offset_s }
    }

    /// A step that was refused did not happen: back to where it was decided, with the pass of `-g`,
    /// and the kernel is not to believe its clock.
    pub(super) fn end_step(&mut self, now: Now, done: bool) {
        let Some(stepping) = self.stepping.take() else {
            return;
        };
        if done {
            self.report(SystemEvent::ClockStep(stepping.offset_s));
            let next = core::mem::replace(&mut self.state, stepping.before);
            self.enter(next, 0.0);
            return;
        }
        self.state = stepping.before;
        self.steering.allow_panic_once |= stepping.took_pass;
        self.epoch = now.mono;
        self.status_until = None;
        self.tell_kernel(now);
    }

    pub(super) fn slew(
        &mut self,
        now: Now,
        offset_s: f64,
        since_s: f64,
        next: State,
        estimate: &Estimate,
    ) {
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
        self.watch_frequency(now);
        self.vouch(now);
    }

    /// While the first offset is taken out, the frequency does not speak for the oscillator.
    fn watch_frequency(&mut self, now: Now) {
        if self.state != State::Sync || self.holdoff_s > 0.0 {
            self.alarm.forget();
            return;
        }
        let freq_ppm = self.actuator.base_ppm();
        let event = self
            .alarm
            .note(now.mono, freq_ppm, self.filter.wander_ppm());
        if let Some(event) = event {
            self.report(event);
        }
    }

    /// No change of time constant while the frequency is held: the first transient would drive it.
    pub(super) fn adapt_poll(&mut self, offset_s: f64, estimate: &Estimate) {
        if self.holdoff_s > 0.0 {
            self.filter.hold_poll();
        } else {
            self.filter
                .adapt(offset_s, estimate.minpoll, estimate.maxpoll);
        }
    }

    /// Gives the user-space loop its law for this state and asks for what it needs.
    pub(super) fn steer(&mut self, now: Now) {
        let law = match self.state {
            State::Sync if self.holdoff_s > 0.0 => PhaseLaw::holdoff(),
            State::Sync => PhaseLaw::of_poll(self.filter.time_constant()),
            State::Measure => PhaseLaw::FullRate,
            State::Unset | State::FrequencySet | State::Spike => PhaseLaw::Hold,
        };
        self.actuator.steer(now.mono, law);
    }

    /// After an accepted offset the kernel may call its clock synchronized, for a while.
    pub(super) fn vouch(&mut self, now: Now) {
        let polls_s = 16.0 * f64::from(self.filter.time_constant()).exp2();
        self.status_until = Some(now.mono.plus_seconds(polls_s));
        self.tell_kernel(now);
    }

    pub(super) fn tell_kernel(&mut self, now: Now) {
        let next = now.mono.plus(STATUS_EVERY);
        self.status_due = self
            .status_until
            .and_then(|until| (next <= until).then_some(next));
        let aged_s = self.dispersion_s_per_s * now.mono.seconds_since(self.told.since);
        self.actuator.tell(Adjustment::Status {
            synchronized: self.status_until.is_some_and(|until| now.mono <= until),
            leap: self.told.leap,
            max_error: NtpDuration::from_seconds(or_worst(self.told.max_error_s + aged_s)),
            estimated_error: NtpDuration::from_seconds(self.filter.jitter_s()),
            tai_utc_s: self.told.tai_utc_s,
        });
    }

    pub(super) fn handle_refused(&mut self, now: Now, applied: &Applied, errno: i32) {
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

    pub(super) fn enter(&mut self, next: State, offset_s: f64) {
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
    pub(super) fn check_limit(&mut self) {
        let at_limit = self.actuator.base_ppm().abs() >= MAX_FREQ_PPM;
        if at_limit && !self.limit_reported {
            self.report(SystemEvent::FrequencyLimit(self.actuator.base_ppm()));
        }
        self.limit_reported = at_limit;
    }

    pub(super) fn report(&mut self, event: SystemEvent) {
        if self.events.len() < EVENTS_AT_MOST {
            self.events.push_back(event);
        }
    }
}

pub(super) fn or_worst(error_s: f64) -> f64 {
    if error_s.is_finite() {
        error_s.clamp(0.0, WORST_ERROR_S)
    } else {
        WORST_ERROR_S
    }
}
