//! A clock with an error and a kernel that obeys, in steps of one second.
use crate::config::{Steering, Tinker};
use crate::discipline::{Discipline, Estimate, Verdict};
use crate::event::SystemEvent;
use crate::host::{AdjustRefused, Adjustment, Applied, KernelClock};
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration, NtpTimestamp};

/// Linux's `SHIFT_PLL`.
const SHIFT_PLL: f64 = 2.0;

#[derive(Default)]
pub(super) struct Kernel {
    pub(super) freq_ppm: f64,
    pub(super) pll: bool,
    pub(super) offset_s: f64,
    time_constant: u8,
    referenced_s: Option<f64>,
    pub(super) refuses: Option<AdjustRefused>,
    pub(super) refuses_pll: bool,
    /// Executes frequency changes this far off, as a kernel with a coarse grain would.
    pub(super) bias_ppm: f64,
}

impl Kernel {
    /// `do_adjtimex` and `ntp_update_offset` of Linux, in seconds.
    fn phase(&mut self, now_s: f64, offset_s: f64, time_constant: u8) {
        self.time_constant = time_constant.min(10);
        let since_s = self
            .referenced_s
            .filter(|_| self.pll)
            .map_or(0.0, |at_s| now_s - at_s);
        self.pll = true;
        self.referenced_s = Some(now_s);
        let shift = SHIFT_PLL + f64::from(self.time_constant);
        let since_s = since_s.min((shift + 1.0).exp2());
        let gain = (2.0 * (shift + 2.0)).exp2();
        let offset_s = offset_s.clamp(-0.5, 0.5);
        self.freq_ppm = (self.freq_ppm + offset_s * since_s / gain * 1e6).clamp(-500.0, 500.0);
        self.offset_s = offset_s;
    }

    /// `second_overflow`: what the phase moves in the second to come.
    fn second(&mut self) -> f64 {
        if !self.pll {
            return 0.0;
        }
        let chunk_s = self.offset_s / (SHIFT_PLL + f64::from(self.time_constant)).exp2();
        self.offset_s -= chunk_s;
        chunk_s
    }
}

pub(super) struct Bench {
    pub(super) discipline: Discipline,
    pub(super) kernel: Kernel,
    pub(super) now_s: f64,
    /// The clock minus true time, seconds.
    pub(super) error_s: f64,
    /// What the oscillator gains by itself, ppm.
    pub(super) oscillator_ppm: f64,
    pub(super) adjustments: Vec<(f64, Adjustment)>,
    pub(super) events: Vec<SystemEvent>,
    pub(super) minpoll: i8,
    pub(super) maxpoll: i8,
}

pub(super) fn at(now_s: f64) -> Now {
    Now {
        mono: Instant::from_nanoseconds(0).plus_seconds(now_s),
        wall: NtpTimestamp::from_bits(0xE000_0000 << 32).plus(NtpDuration::from_seconds(now_s)),
    }
}

impl Bench {
    pub(super) fn new(steering: Steering, tinker: Tinker) -> Self {
        let mut bench = Self {
            discipline: Discipline::new(at(0.0), steering, tinker, -20),
            kernel: Kernel::default(),
            now_s: 0.0,
            error_s: 0.0,
            oscillator_ppm: 0.0,
            adjustments: Vec::new(),
            events: Vec::new(),
            minpoll: 6,
            maxpoll: 6,
        };
        bench.drain();
        bench
    }

    pub(super) fn user_space(tinker: Tinker) -> Self {
        let steering = Steering {
            kernel: false,
            ..Steering::default()
        };
        Self::new(steering, tinker)
    }

    pub(super) fn now(&self) -> Now {
        at(self.now_s)
    }

    pub(super) fn drain(&mut self) {
        while let Some(adjustment) = self.discipline.poll_adjustment() {
            self.adjustments.push((self.now_s, adjustment));
            let outcome = self.execute(adjustment);
            let applied = Applied {
                adjustment,
                outcome,
            };
            self.discipline.handle_applied(at(self.now_s), &applied);
        }
        while let Some(event) = self.discipline.poll_event() {
            self.events.push(event);
        }
    }

    fn execute(&mut self, adjustment: Adjustment) -> Result<KernelClock, AdjustRefused> {
        if let Some(refused) = self.kernel.refuses {
            return Err(refused);
        }
        match adjustment {
            Adjustment::Step(offset) => {
                self.error_s += offset.to_seconds();
                self.kernel.offset_s = 0.0;
            }
            Adjustment::Frequency { freq_ppm } => {
                assert!(freq_ppm.abs() <= 500.0, "{freq_ppm}");
                self.kernel.freq_ppm = freq_ppm + self.kernel.bias_ppm;
                self.kernel.pll = false;
            }
            Adjustment::KernelPhase { .. } if self.kernel.refuses_pll => {
                return Err(AdjustRefused::Other(22));
            }
            Adjustment::KernelPhase {
                offset,
                time_constant,
            } => self
                .kernel
                .phase(self.now_s, offset.to_seconds(), time_constant),
            Adjustment::Status { .. } => {}
        }
        Ok(KernelClock {
            freq_ppm: self.kernel.freq_ppm,
            offset: NtpDuration::from_seconds(self.kernel.offset_s),
            ..KernelClock::default()
        })
    }

    /// One second of true time, with a tick if one is due.
    pub(super) fn second(&mut self) {
        let rate_ppm = self.oscillator_ppm + self.kernel.freq_ppm;
        self.error_s += rate_ppm * 1e-6 + self.kernel.second();
        self.now_s += 1.0;
        let now = self.now();
        if self
            .discipline
            .next_tick()
            .is_some_and(|due| due <= now.mono)
        {
            self.discipline.tick(now, 0.010);
            self.drain();
        }
    }

    /// An update with the true offset and `noise_s`.
    pub(super) fn update_with(&mut self, noise_s: f64) -> Verdict {
        self.update_of(noise_s - self.error_s)
    }

    /// An update that claims this offset.
    pub(super) fn update_of(&mut self, offset_s: f64) -> Verdict {
        let estimate = Estimate {
            offset_s,
            age_s: 0.0,
            jitter_s: 1e-4,
            root_delay_s: 0.002,
            root_dispersion_s: 0.001,
            minpoll: self.minpoll,
            maxpoll: self.maxpoll,
            leap: LeapIndicator::NoWarning,
            tai_utc_s: None,
        };
        let verdict = self.discipline.update(self.now(), &estimate);
        self.drain();
        verdict
    }

    /// Updates every `2^time_constant` seconds for so long.
    pub(super) fn run(&mut self, seconds: u32) {
        let mut next_s = self.now_s;
        for _ in 0..seconds {
            if self.now_s >= next_s {
                self.update_with(0.0);
                next_s = self.now_s + f64::from(self.discipline.time_constant()).exp2();
            }
            self.second();
        }
    }
}
