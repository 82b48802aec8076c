//! The on-wire protocol (RFC 5905 §8): four stamps to offset, delay and dispersion.
use super::packet_tests::{Authenticity, TestsPassed};
use crate::clock_filter::{MAX_DISPERSION_S, Sample};
use crate::status::PacketTest;
use truechimer_time::NtpTimestamp;

/// How far two clocks may drift apart within one round trip, seconds per second.
const DRIFT_MAX_S_PER_S: f64 = 1e-3;
/// Scatter of stamps of different making, seconds.
const STAMP_NOISE_S: f64 = 1e-5;

/// The four stamps of an exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamps {
    /// T1: request left, our clock. Not what the request carried, which was random.
    pub(crate) origin: NtpTimestamp,
    /// T2: request arrived, server's clock.
    pub(crate) receive: NtpTimestamp,
    /// T3: reply left, server's clock.
    pub(crate) transmit: NtpTimestamp,
    /// T4: reply arrived, our clock.
    pub(crate) destination: NtpTimestamp,
}

/// Precisions and the rate of error growth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errors {
    pub(crate) our_precision_s: f64,
    pub(crate) server_precision_s: f64,
    pub(crate) phi_s_per_s: f64,
}

/// Offset, delay and dispersion. Differences are taken on the stamps, all else in seconds, so the
/// span is 68 years either way.
///
/// # Errors
/// `Header` if the stamps contradict each other by more than noise: then one of them lies.
pub(crate) fn measure(
    _: TestsPassed,
    _: Authenticity,
    stamps: Stamps,
    errors: Errors,
) -> Result<Sample, PacketTest> {
    let outbound_s = stamps.receive.since(stamps.origin).to_seconds();
    let inbound_s = stamps.transmit.since(stamps.destination).to_seconds();
    let waited_s = stamps.destination.since(stamps.origin).to_seconds();
    let served_s = stamps.transmit.since(stamps.receive).to_seconds();
    let precision_s = errors.our_precision_s + errors.server_precision_s;
    let noise_s = precision_s + DRIFT_MAX_S_PER_S * waited_s.abs() + STAMP_NOISE_S;
    let delay_s = outbound_s - inbound_s;
    if delay_s < -noise_s || waited_s < -noise_s || served_s < -noise_s {
        return Err(PacketTest::Header);
    }
    let dispersion_s = precision_s + errors.phi_s_per_s * waited_s.max(0.0);
    Ok(Sample {
        offset_s: f64::midpoint(outbound_s, inbound_s),
        delay_s: delay_s.max(errors.our_precision_s),
        dispersion_s: dispersion_s.min(MAX_DISPERSION_S),
    })
}

#[cfg(test)]
mod tests {
    use super::super::packet_tests::examine;
    use super::*;
    use truechimer_time::NtpDuration;
    use truechimer_wire::{Header, Mode};

    const ERRORS: Errors = Errors {
        our_precision_s: 1e-6,
        server_precision_s: 2e-6,
        phi_s_per_s: 15e-6,
    };

    fn passed() -> TestsPassed {
        let mut header = Header::blank(4, Mode::Server);
        header.stratum = 1;
        header.receive_time = NtpTimestamp::from_bits(1);
        header.transmit_time = NtpTimestamp::from_bits(1);
        examine(&header).expect("passes")
    }

    fn moment(second: f64) -> NtpTimestamp {
        NtpTimestamp::from_bits(0xFFFF_FFFF_0000_0000).plus(NtpDuration::from_seconds(second))
    }

    fn sample(t1: f64, t2: f64, t3: f64, t4: f64) -> Result<Sample, PacketTest> {
        let stamps = Stamps {
            origin: moment(t1),
            receive: moment(t2),
            transmit: moment(t3),
            destination: moment(t4),
        };
        measure(passed(), Authenticity::NotAsked, stamps, ERRORS)
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn across_an_era_boundary() {
        // Server 0.5 s ahead, 20 ms out, 10 ms inside, 40 ms back; the era ends on the way.
        let sample = sample(0.99, 1.51, 1.52, 1.06).expect("sound");
        near(sample.offset_s, 0.49);
        near(sample.delay_s, 0.06);
        near(sample.dispersion_s, 3e-6 + 15e-6 * 0.07);
    }

    #[test]
    fn delay_has_a_floor() {
        near(sample(0.0, 5.0, 5.0, 0.0).expect("sound").delay_s, 1e-6);
        let noisy = sample(0.0, 5.0, 5.000_012, 0.000_005).expect("within noise");
        near(noisy.delay_s, 1e-6);
    }

    #[test]
    fn contradictions_are_refused() {
        for (t1, t2, t3, t4) in [
            (0.0, 5.0, 5.1, 0.05), // spent longer inside than the round trip
            (0.0, 5.1, 5.0, 0.05), // left before it arrived
            (0.1, 5.0, 5.0, 0.0),  // answered before asked
        ] {
            let refused = sample(t1, t2, t3, t4);
            assert_eq!(refused, Err(PacketTest::Header), "{t1} {t2} {t3} {t4}");
        }
    }

    #[test]
    fn absurd_precision_makes_a_useless_sample() {
        let errors = Errors {
            server_precision_s: f64::from(127_i8).exp2(),
            ..ERRORS
        };
        let stamps = Stamps {
            origin: moment(0.0),
            receive: moment(0.0),
            transmit: moment(0.0),
            destination: moment(0.0),
        };
        let sample = measure(passed(), Authenticity::NotAsked, stamps, errors).expect("sound");
        near(sample.dispersion_s, 16.0);
    }
}
