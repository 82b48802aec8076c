//! Linux's side of clock adjustment, as kernel/time/ntp.c behaves.
use truechimer_proto::host::{Adjustment, KernelClock};
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapIndicator;

/// The kernel's phase-locked loop is this much stiffer than its time constant says, log2.
const SHIFT_PLL: i32 = 2;
/// Gain of its frequency-locked loop, log2.
const SHIFT_FLL: i32 = 2;
const MAX_FREQ_PPM: f64 = 500.0;
const MAX_PHASE_S: f64 = 0.5;
const MAX_TIME_CONSTANT: u8 = 10;
/// Beyond this update interval the frequency-locked loop takes part, seconds.
const MAX_INTERVAL_S: f64 = 2048.0;
const FREQ_STEPS_PER_PPM: f64 = 65_536.0;
const DAY_S: i64 = 86_400;

const STA_PLL: u32 = 0x0001;
const STA_INS: u32 = 0x0010;
const STA_DEL: u32 = 0x0020;
const STA_UNSYNC: u32 = 0x0040;
const STA_NANO: u32 = 0x2000;

/// State of one kernel's clock.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    freq_ppm: f64,
    /// Left for the phase-locked loop, seconds.
    offset_s: f64,
    /// Taken out of it during the second under way, seconds.
    chunk_s: f64,
    time_constant: u8,
    phase_locked: bool,
    /// When the loop was last given an offset, nanoseconds of true time.
    updated_ns: Option<u64>,
    synchronized: bool,
    leap: LeapIndicator,
    leap_done: bool,
    /// Last day seen with a leap second armed.
    day: Option<i64>,
    max_error: NtpDuration,
    estimated_error: NtpDuration,
    tai_utc_s: i32,
}

impl Default for Kernel {
    fn default() -> Self {
        Self {
            freq_ppm: 0.0,
            offset_s: 0.0,
            chunk_s: 0.0,
            time_constant: 2,
            phase_locked: false,
            updated_ns: None,
            synchronized: false,
            leap: LeapIndicator::NoWarning,
            leap_done: false,
            day: None,
            max_error: NtpDuration::from_seconds(16.0),
            estimated_error: NtpDuration::from_seconds(16.0),
            tai_utc_s: 0,
        }
    }
}

impl Kernel {
    /// Correction to the oscillator, s/s.
    pub(super) fn rate(&self) -> f64 {
        self.freq_ppm * 1e-6 + self.chunk_s
    }

    /// Whether its rate stays as it is until somebody adjusts it.
    pub(super) fn is_steady(&self) -> bool {
        self.offset_s == 0.0 && self.chunk_s == 0.0 && !self.leap_is_armed()
    }

    /// Once a second a fixed part of the offset moves into the second to come.
    pub(super) fn second(&mut self) {
        let shift = SHIFT_PLL + i32::from(self.time_constant);
        self.chunk_s = self.offset_s / f64::from(shift).exp2();
        if self.chunk_s.abs() < 1e-12 {
            self.chunk_s = 0.0;
            self.offset_s = 0.0;
        }
        self.offset_s -= self.chunk_s;
        self.max_error = self.max_error + NtpDuration::from_seconds(500e-6);
    }

    pub(super) fn apply(&mut self, adjustment: Adjustment, true_ns: u64) -> KernelClock {
        match adjustment {
            Adjustment::Step(_) => {
                // Setting the clock clears the loop, as clock_settime does.
                self.offset_s = 0.0;
                self.chunk_s = 0.0;
                self.synchronized = false;
            }
            Adjustment::Frequency { freq_ppm } => {
                self.phase_locked = false;
                self.offset_s = 0.0;
                self.chunk_s = 0.0;
                self.set_frequency(freq_ppm);
            }
            Adjustment::KernelPhase {
                offset,
                time_constant,
            } => self.update_offset(offset.to_seconds(), time_constant, true_ns),
            Adjustment::Status {
                synchronized,
                leap,
                max_error,
                estimated_error,
                tai_utc_s,
            } => {
                self.synchronized = synchronized;
                if self.leap != leap {
                    self.leap = leap;
                    self.leap_done = false;
                    self.day = None;
                }
                self.max_error = max_error;
                self.estimated_error = estimated_error;
                self.tai_utc_s = tai_utc_s.unwrap_or(self.tai_utc_s);
            }
        }
        self.report()
    }

    /// ADJ_OFFSET with STA_PLL.
    fn update_offset(&mut self, offset_s: f64, time_constant: u8, true_ns: u64) {
        let offset_s = offset_s.clamp(-MAX_PHASE_S, MAX_PHASE_S);
        self.time_constant = time_constant.min(MAX_TIME_CONSTANT);
        let since_s = match self.updated_ns {
            Some(before_ns) if self.phase_locked => whole_seconds(true_ns - before_ns),
            _ => 0.0,
        };
        self.phase_locked = true;
        self.updated_ns = Some(true_ns);
        let constant = i32::from(self.time_constant);
        let mut more = 0.0;
        if since_s > MAX_INTERVAL_S {
            more += offset_s / since_s / f64::from(SHIFT_FLL).exp2();
        }
        let counted_s = since_s.min(f64::from(SHIFT_PLL + 1 + constant).exp2());
        more += offset_s * counted_s / f64::from(2 * (SHIFT_PLL + 2 + constant)).exp2();
        self.set_frequency(self.freq_ppm + more * 1e6);
        self.offset_s = offset_s;
    }

    fn set_frequency(&mut self, freq_ppm: f64) {
        let limited_ppm = freq_ppm.clamp(-MAX_FREQ_PPM, MAX_FREQ_PPM);
        self.freq_ppm = (limited_ppm * FREQ_STEPS_PER_PPM).round() / FREQ_STEPS_PER_PPM;
    }

    pub(super) fn leap_is_armed(&self) -> bool {
        !self.leap_done
            && matches!(
                self.leap,
                LeapIndicator::AddSecond | LeapIndicator::DeleteSecond
            )
    }

    /// The step a clock makes on reading this Unix time with a leap second armed.
    pub(super) fn leap(&mut self, unix_s: i64) -> NtpDuration {
        let today = unix_s.div_euclid(DAY_S);
        let new_day = self.day.replace(today).is_some_and(|day| day < today);
        // The clock is looked at every second at least, so the last second is never missed.
        let last_second = unix_s.rem_euclid(DAY_S) == DAY_S - 1;
        let (due, step_s, tai_s) = match self.leap {
            LeapIndicator::AddSecond => (new_day, -1.0, 1),
            LeapIndicator::DeleteSecond => (last_second, 1.0, -1),
            _ => (false, 0.0, 0),
        };
        if !due {
            return NtpDuration::ZERO;
        }
        self.leap_done = true;
        self.tai_utc_s += tai_s;
        NtpDuration::from_seconds(step_s)
    }

    fn report(&self) -> KernelClock {
        let mut status = STA_NANO;
        if self.phase_locked {
            status |= STA_PLL;
        }
        if !self.synchronized {
            status |= STA_UNSYNC;
        }
        match self.leap {
            LeapIndicator::AddSecond => status |= STA_INS,
            LeapIndicator::DeleteSecond => status |= STA_DEL,
            _ => {}
        }
        KernelClock {
            freq_ppm: self.freq_ppm,
            offset: NtpDuration::from_seconds(self.offset_s),
            time_constant: self.time_constant,
            status,
            max_error: self.max_error,
            estimated_error: self.estimated_error,
            tai_utc_s: self.tai_utc_s,
        }
    }
}

/// The kernel counts update intervals in whole seconds.
#[expect(clippy::cast_precision_loss, reason = "whole seconds")]
fn whole_seconds(span_ns: u64) -> f64 {
    (span_ns / 1_000_000_000) as f64
}
