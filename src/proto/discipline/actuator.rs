//! How a decided offset and frequency reach the clock: by frequency alone, or by the kernel's loop.
//!
//! The user-space way adds a little frequency each second to take out phase, and believes only what
//! the host says was applied: a late or refused call then costs time, not accuracy.
use super::MAX_FREQ_PPM;
use super::pll_fll::PLL_GAIN;
use super::steered::Steered;
use crate::host::{Adjustment, KernelClock};
use core::time::Duration;
use truechimer_time::{Instant, NtpDuration};

/// Steps of frequency the kernel can tell apart, per ppm.
const FREQ_STEPS_PER_PPM: f64 = 65_536.0;
/// Time constant given to the kernel for a slew nobody will watch: about 500 ppm for the longest.
const SLEW_ONCE_POLL: u8 = 6;

/// The kernel's loop takes out so much less than all of what is left each second at poll exponent 0
/// (SHIFT_PLL of Linux is 2).
const KERNEL_PLL_GAIN: f64 = 4.0;

/// How the phase left is taken out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PhaseLaw {
    /// Not at all for now.
    Hold,
    /// As fast as allowed, then stop: before a frequency can be measured.
    FullRate,
    /// A fixed part of what is left each second.
    Decay { time_constant_s: f64 },
}

impl PhaseLaw {
    /// The quick decay after start-up.
    pub(super) const fn holdoff() -> Self {
        Self::Decay {
            time_constant_s: PLL_GAIN * 2.0,
        }
    }

    /// The decay that belongs to a poll exponent.
    pub(super) fn of_poll(time_constant: i8) -> Self {
        Self::Decay {
            time_constant_s: PLL_GAIN * f64::from(time_constant).exp2(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Issued {
    total_ppm: f64,
    base_ppm: f64,
}

/// Holds the adjustments to be made, one of each kind at most, so nothing can pile up.
#[derive(Debug)]
pub(super) struct Actuator {
    base_ppm: f64,
    residual_s: f64,
    kernel_leads: bool,
    /// What the kernel's loop has yet to take out, as its law says.
    kernel_left_s: f64,
    kernel_time_constant_s: f64,
    steered: Steered,
    /// What the clock is sped up for the sake of phase, as applied.
    phase_ppm: f64,
    issued: Option<Issued>,
    due: Option<Instant>,
    step: Option<NtpDuration>,
    frequency: Option<Adjustment>,
    kernel_phase: Option<Adjustment>,
    status: Option<Adjustment>,
}

impl Actuator {
    pub(super) const fn new(base_ppm: f64) -> Self {
        Self {
            base_ppm,
            residual_s: 0.0,
            kernel_leads: false,
            kernel_left_s: 0.0,
            kernel_time_constant_s: 1.0,
            steered: Steered::NONE,
            phase_ppm: 0.0,
            issued: None,
            due: None,
            step: None,
            frequency: None,
            kernel_phase: None,
            status: None,
        }
    }

    pub(super) const fn base_ppm(&self) -> f64 {
        self.base_ppm
    }

    pub(super) const fn residual_s(&self) -> f64 {
        self.residual_s
    }

    pub(super) const fn kernel_leads(&self) -> bool {
        self.kernel_leads
    }

    pub(super) const fn set_base(&mut self, base_ppm: f64) {
        self.base_ppm = base_ppm.clamp(-MAX_FREQ_PPM, MAX_FREQ_PPM);
    }

    pub(super) const fn take_phase(&mut self, offset_s: f64) {
        self.residual_s = offset_s;
        self.kernel_leads = false;
    }

    pub(super) const fn forget_phase(&mut self) {
        self.take_phase(0.0);
    }

    /// The kernel's loop is no more: go on by frequency, even if it reads the same.
    pub(super) const fn take_back(&mut self) {
        self.kernel_leads = false;
        self.issued = None;
    }

    /// The kernel refused: what it runs at is not what was asked, so ask again.
    pub(super) const fn forget_issued(&mut self) {
        self.issued = None;
    }

    /// Asks for the base frequency alone.
    pub(super) fn set_frequency(&mut self) {
        self.issue(0.0);
    }

    pub(super) fn step(&mut self, offset_s: f64) {
        let more = NtpDuration::from_seconds(offset_s);
        self.step = Some(self.step.map_or(more, |before| before + more));
        if self.kernel_leads {
            self.take_back();
        }
        self.forget_phase();
    }

    /// One slew that goes on after the daemon has ended.
    pub(super) fn slew_once(&mut self, offset_s: f64) {
        self.kernel_phase = Some(Adjustment::KernelPhase {
            offset: NtpDuration::from_seconds(offset_s),
            time_constant: SLEW_ONCE_POLL,
        });
    }

    /// The kernel starts from the base frequency, so what was added for phase goes first.
    pub(super) fn hand_to_kernel(&mut self, offset_s: f64, time_constant: i8) {
        if !self.kernel_leads {
            self.issue(0.0);
        }
        self.residual_s = offset_s;
        self.kernel_left_s = offset_s;
        self.kernel_time_constant_s = KERNEL_PLL_GAIN * f64::from(time_constant).exp2();
        self.kernel_leads = true;
        self.phase_ppm = 0.0;
        self.issued = None;
        self.due = None;
        self.kernel_phase = Some(Adjustment::KernelPhase {
            offset: NtpDuration::from_seconds(offset_s),
            time_constant: time_constant.max(0).cast_unsigned(),
        });
    }

    pub(super) const fn tell(&mut self, status: Adjustment) {
        self.status = Some(status);
    }

    /// Time went by with the phase correction as last applied.
    pub(super) fn elapse(&mut self, elapsed_s: f64) {
        self.steered.drift_s += self.base_ppm * 1e-6 * elapsed_s;
        if self.kernel_leads {
            let left_s = self.kernel_left_s * (-elapsed_s / self.kernel_time_constant_s).exp();
            self.steered.phase_s += self.kernel_left_s - left_s;
            self.kernel_left_s = left_s;
        } else {
            let slewed_s = self.phase_ppm * 1e-6 * elapsed_s;
            self.residual_s -= slewed_s;
            self.steered.phase_s += slewed_s;
        }
    }

    /// What was done to the clock so far.
    pub(super) fn steered(&self, at: Instant) -> Steered {
        Steered {
            at,
            freq_s_per_s: self.base_ppm * 1e-6,
            ..self.steered
        }
    }

    /// Sets the frequency for the second to come.
    pub(super) fn steer(&mut self, now: Instant, law: PhaseLaw) {
        if self.kernel_leads {
            self.due = None;
            return;
        }
        let room_up_ppm = MAX_FREQ_PPM - self.base_ppm;
        let room_down_ppm = -MAX_FREQ_PPM - self.base_ppm;
        let wanted_ppm = match law {
            PhaseLaw::Hold => 0.0,
            PhaseLaw::FullRate => self.full_rate_ppm(),
            PhaseLaw::Decay { time_constant_s } => self.residual_s / time_constant_s * 1e6,
        };
        let issued_ppm = self.issue(wanted_ppm.clamp(room_down_ppm, room_up_ppm));
        self.due = (issued_ppm != 0.0).then(|| now.plus(self.next_in(law, issued_ppm)));
    }

    /// All the room there is, and in the last stretch just what ends it within a second.
    fn full_rate_ppm(&self) -> f64 {
        let last_second_ppm = self.residual_s * 1e6;
        let room_ppm = MAX_FREQ_PPM - self.base_ppm.abs();
        last_second_ppm.clamp(-room_ppm, room_ppm)
    }

    /// At full rate the frequency only changes near the end, so the wait may be long.
    fn next_in(&self, law: PhaseLaw, phase_ppm: f64) -> Duration {
        if law == PhaseLaw::FullRate {
            let left_s = (self.residual_s / (phase_ppm * 1e-6)).clamp(1.0, 60.0);
            return Duration::from_secs_f64(left_s.floor());
        }
        Duration::from_secs(1)
    }

    /// Asks for base and phase together if the kernel can tell the difference; returns the phase
    /// part asked for.
    fn issue(&mut self, phase_ppm: f64) -> f64 {
        let exact_ppm = self.base_ppm + phase_ppm;
        let total_ppm = (exact_ppm * FREQ_STEPS_PER_PPM).round() / FREQ_STEPS_PER_PPM;
        let base_ppm = (self.base_ppm * FREQ_STEPS_PER_PPM).round() / FREQ_STEPS_PER_PPM;
        if self
            .issued
            .is_none_or(|issued| issued.total_ppm != total_ppm)
        {
            self.frequency = Some(Adjustment::Frequency {
                freq_ppm: total_ppm,
            });
            self.kernel_phase = None;
        }
        self.issued = Some(Issued {
            total_ppm,
            base_ppm,
        });
        total_ppm - base_ppm
    }

    /// Takes what the kernel says it did; returns the change of base frequency if that is the
    /// kernel's to decide, ppm.
    pub(super) fn learn(&mut self, adjustment: &Adjustment, clock: &KernelClock) -> Option<f64> {
        match adjustment {
            Adjustment::Frequency { .. } if !self.kernel_leads => {
                let base_ppm = self.issued.map_or(self.base_ppm, |issued| issued.base_ppm);
                if clock.freq_ppm.is_finite() {
                    self.phase_ppm = clock.freq_ppm - base_ppm;
                }
                None
            }
            Adjustment::KernelPhase { .. } if self.kernel_leads && clock.freq_ppm.is_finite() => {
                let before_ppm = self.base_ppm;
                self.set_base(clock.freq_ppm);
                self.residual_s = clock.offset.to_seconds();
                Some(self.base_ppm - before_ppm)
            }
            _ => None,
        }
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// A step comes first, so that nothing else is lost to it.
    pub(super) fn poll(&mut self) -> Option<Adjustment> {
        if let Some(offset) = self.step.take() {
            return Some(Adjustment::Step(offset));
        }
        self.frequency
            .take()
            .or_else(|| self.kernel_phase.take())
            .or_else(|| self.status.take())
    }
}
