//! The kernel of the host: runs at a frequency, or by its own phase-locked loop as Linux does.
use crate::host::{Adjustment, KernelClock};
use truechimer_time::{Instant, NtpDuration};

/// Linux's `SHIFT_PLL`.
const SHIFT_PLL: f64 = 2.0;

#[derive(Default)]
pub(super) struct Kernel {
    freq_ppm: f64,
    offset_s: f64,
    time_constant: f64,
    /// When the loop was last given an offset, if it leads.
    referenced: Option<Instant>,
}

impl Kernel {
    pub(super) fn execute(&mut self, now: Instant, adjustment: Adjustment) -> KernelClock {
        match adjustment {
            Adjustment::Step(_) => self.offset_s = 0.0,
            Adjustment::Frequency { freq_ppm } => {
                self.freq_ppm = freq_ppm;
                self.offset_s = 0.0;
                self.referenced = None;
            }
            Adjustment::KernelPhase {
                offset,
                time_constant,
            } => self.phase(now, offset.to_seconds(), f64::from(time_constant)),
            Adjustment::Status { .. } => {}
        }
        KernelClock {
            freq_ppm: self.freq_ppm,
            offset: NtpDuration::from_seconds(self.offset_s),
            ..KernelClock::default()
        }
    }

    fn phase(&mut self, now: Instant, offset_s: f64, time_constant: f64) {
        self.time_constant = time_constant.min(10.0);
        let since_s = self.referenced.map_or(0.0, |at| now.seconds_since(at));
        let shift = SHIFT_PLL + self.time_constant;
        let change = offset_s * since_s.min((shift + 1.0).exp2()) / (2.0 * (shift + 2.0)).exp2();
        self.freq_ppm = (self.freq_ppm + change * 1e6).clamp(-500.0, 500.0);
        self.offset_s = offset_s.clamp(-0.5, 0.5);
        self.referenced = Some(now);
    }

    /// What the clock gains in so many seconds.
    pub(super) fn pass_s(&mut self, seconds: f64) -> f64 {
        let left = (-seconds / (SHIFT_PLL + self.time_constant).exp2()).exp();
        let slewed_s = self.offset_s * (1.0 - left);
        self.offset_s -= slewed_s;
        slewed_s + seconds * self.freq_ppm * 1e-6
    }
}
