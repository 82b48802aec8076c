//! LOCAL, type 1: the undisciplined local clock.
//!
//! It measures nothing: our clock agrees with itself, always. Its use is to keep an isolated network
//! together, at a stratum the operator sets so low in rank that any real source wins.
use truechimer_proto::refclock::{
    Driver, DriverEvent, DriverOutput, Port, RefclockId, RefclockSample,
};
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration};

/// What the clock claims as its error bound, seconds; the reference's value.
const DISPERSION_S: f64 = 0.010;
/// Poll exponents RFC 5905 §7.2 leaves room for, log2 seconds.
const POLL_RANGE: core::ops::RangeInclusive<i8> = 0..=17;

/// The driver.
#[derive(Debug)]
pub struct Local {
    id: RefclockId,
    interval_s: f64,
    /// `None` until the first timer: then the rhythm starts.
    due: Option<Instant>,
    sample: Option<RefclockSample>,
}

impl Local {
    /// Yields a sample at once and then every `2^minpoll` seconds; `minpoll` is held to 0..=17.
    pub fn new(id: RefclockId, minpoll: i8) -> Self {
        let minpoll = minpoll.clamp(*POLL_RANGE.start(), *POLL_RANGE.end());
        Self {
            id,
            interval_s: f64::from(minpoll).exp2(),
            due: None,
            sample: None,
        }
    }
}

impl Driver for Local {
    fn port(&self) -> Port {
        Port::None
    }

    fn handle(&mut self, now: Now, event: DriverEvent) {
        match event {
            DriverEvent::Timer if self.due.is_none_or(|due| due <= now.mono) => {
                // After a stall one sample is enough: missed ones would all say the same.
                let on_time = self.due.map(|due| due.plus_seconds(self.interval_s));
                let next = now.mono.plus_seconds(self.interval_s);
                self.due = Some(on_time.filter(|at| *at > now.mono).unwrap_or(next));
                self.sample = Some(RefclockSample {
                    id: self.id,
                    offset: NtpDuration::ZERO,
                    dispersion: NtpDuration::from_seconds(DISPERSION_S),
                    jitter_s: 0.0,
                    leap: LeapIndicator::NoWarning,
                });
            }
            DriverEvent::Timer => {}
        }
    }

    fn poll_output(&mut self) -> Option<DriverOutput> {
        self.sample.take().map(DriverOutput::Sample)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.due.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_time::NtpTimestamp;

    const ID: RefclockId = RefclockId { driver: 1, unit: 3 };

    fn at(seconds: f64) -> Now {
        Now {
            mono: Instant::default().plus_seconds(seconds),
            wall: NtpTimestamp::from_bits(0xE000_0000_0000_0000),
        }
    }

    fn samples(driver: &mut Local, seconds: f64) -> usize {
        driver.handle(at(seconds), DriverEvent::Timer);
        std::iter::from_fn(|| driver.poll_output()).count()
    }

    #[test]
    fn the_sample_is_our_own_clock() {
        let mut driver = Local::new(ID, 6);
        assert_eq!(driver.port(), Port::None);
        driver.handle(at(5.0), DriverEvent::Timer);
        let Some(DriverOutput::Sample(sample)) = driver.poll_output() else {
            panic!("no sample");
        };
        assert_eq!(sample.id.address().to_string(), "127.127.1.3");
        assert_eq!(sample.offset, NtpDuration::ZERO);
        assert!((sample.dispersion.to_seconds() - 0.01).abs() < 1e-9);
        assert_eq!(sample.leap, LeapIndicator::NoWarning);
        assert!(driver.poll_output().is_none());
    }

    #[test]
    fn one_sample_every_interval() {
        let mut driver = Local::new(ID, 4);
        assert_eq!(driver.poll_timeout(), Some(Instant::default()), "at once");
        let mut now = at(1000.0);
        for _ in 0..10 {
            assert_eq!(
                samples(&mut driver, now.mono.seconds_since(at(0.0).mono)),
                1
            );
            let due = driver.poll_timeout().expect("always");
            assert!((due.seconds_since(now.mono) - 16.0).abs() < 1e-6);
            now.mono = due;
        }
    }

    #[test]
    fn early_timers_yield_nothing_and_stalls_no_burst() {
        let mut driver = Local::new(ID, 6);
        assert_eq!(samples(&mut driver, 10.0), 1);
        assert_eq!(samples(&mut driver, 50.0), 0);
        assert_eq!(samples(&mut driver, 74.0), 1);
        assert_eq!(samples(&mut driver, 10_000.0), 1);
        assert_eq!(samples(&mut driver, 10_000.0), 0);
        assert_eq!(driver.poll_timeout(), Some(at(10_064.0).mono));
    }

    #[test]
    fn intervals_are_held_within_reason() {
        for (minpoll, interval_s) in [(-128, 1.0), (127, 131_072.0)] {
            let mut driver = Local::new(ID, minpoll);
            assert_eq!(samples(&mut driver, 1.0), 1);
            assert_eq!(driver.poll_timeout(), Some(at(1.0 + interval_s).mono));
        }
    }
}
