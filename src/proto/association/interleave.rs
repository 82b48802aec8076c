//! Interleaved replies of servers (RFC 9769 §2): each tells when the reply before it truly left, so
//! what it completes is the exchange before.
//!
//! That exchange is a poll interval old. What was done to our clock since is known, and the exchange
//! that carried the news bounds what the offset can be now, though its own T3 is still to come.
use super::exchange::OriginProven;
use super::on_wire::Stamps;
use super::{Association, Role};
use crate::clock_filter::Sample;
use crate::discipline::Steered;
use crate::packet::Stamp;
use truechimer_time::NtpTimestamp;
use truechimer_wire::Header;

/// An exchange whose reply's true departure the next reply may tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    /// T1
    pub(super) left: Stamp,
    /// T2, by which the server knows it again.
    pub(super) receive: NtpTimestamp,
    /// T4
    pub(super) arrived: Stamp,
    /// How our clock had been steered then.
    pub(super) steered: Steered,
}

impl Before {
    /// Of a reply that has just come; `None` if nobody knows when its request left.
    pub(super) fn new(
        header: &Header,
        origin: &OriginProven,
        arrived: Stamp,
        steered: Steered,
    ) -> Option<Self> {
        Some(Self {
            left: origin.left()?,
            receive: header.receive_time,
            arrived,
            steered,
        })
    }

    /// Its four stamps, now that T3 is known.
    pub(super) const fn stamps(&self, transmit: NtpTimestamp) -> Stamps {
        Stamps {
            origin: self.left.at,
            receive: self.receive,
            transmit,
            destination: self.arrived.at,
        }
    }
}

/// What a measurement that comes late has to be brought up to date with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Late {
    /// By how much the offset is less now, seconds.
    steered_s: f64,
    /// How old it is, seconds.
    age_s: f64,
    /// The exchange that carried it: server minus us lies between these for sure, seconds.
    bounds_s: Option<(f64, f64)>,
}

impl Late {
    /// Of an interleaved reply, and of the exchange before.
    pub(super) fn new(
        header: &Header,
        origin: &OriginProven,
        arrived: Stamp,
        steered: Steered,
        before: &Before,
    ) -> Self {
        // The reply left after the request had come, and neither took less than no time.
        let least_s = header.receive_time.since(arrived.at).to_seconds();
        let most_s = |left: Stamp| header.receive_time.since(left.at).to_seconds();
        Self {
            steered_s: steered.since(&before.steered),
            age_s: steered.seconds_after(&before.steered).max(0.0),
            bounds_s: origin.left().map(|left| (least_s, most_s(left))),
        }
    }

    /// The sample as of now. Where it contradicts the newer exchange a clock was set or runs fast,
    /// and the middle of that is what is left.
    pub(super) fn as_of_now(&self, sample: Sample, phi_s_per_s: f64) -> Sample {
        let offset_s = sample.offset_s - self.steered_s;
        let aged_s = phi_s_per_s * self.age_s;
        let Some((least_s, most_s)) = self.bounds_s else {
            return Sample {
                offset_s,
                dispersion_s: sample.dispersion_s + aged_s,
                ..sample
            };
        };
        let middle_s = f64::midpoint(least_s, most_s);
        if !(least_s..=most_s).contains(&offset_s) {
            return Sample {
                offset_s: middle_s,
                delay_s: (most_s - least_s).max(sample.delay_s),
                dispersion_s: sample.dispersion_s,
            };
        }
        Sample {
            offset_s,
            // Half the delay around the middle is certain, however old the sample is.
            dispersion_s: sample.dispersion_s + aged_s.min((offset_s - middle_s).abs()),
            ..sample
        }
    }
}

/// The header of an interleaved reply as the packet tests see it: its transmit stamp is of the reply
/// before, when the clock may not have been set yet.
pub(super) const fn as_sent(header: &Header) -> Header {
    Header {
        transmit_time: if header.transmit_time.is_zero() {
            NtpTimestamp::ZERO
        } else {
            header.receive_time
        },
        ..*header
    }
}

impl Association {
    /// Whether stamps may follow in the next packet. Only who is configured for it may turn an
    /// association that way, so an ephemeral one never does.
    pub(super) const fn interleaves(&self) -> bool {
        match &self.role {
            Role::Server(line) | Role::Member { line, .. } | Role::Peer(line) => line.interleaved,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(steered_s: f64, bounds_s: Option<(f64, f64)>) -> Late {
        Late {
            steered_s,
            age_s: 64.0,
            bounds_s,
        }
    }

    const SAMPLE: Sample = Sample {
        offset_s: 0.010,
        delay_s: 0.004,
        dispersion_s: 1e-5,
    };

    #[test]
    fn what_was_slewed_since_is_taken_off() {
        let now = late(0.008, Some((-0.001, 0.004))).as_of_now(SAMPLE, 15e-6);
        assert!((now.offset_s - 0.002).abs() < 1e-12);
        // 0.5 ms from the middle, and 0.96 ms by age.
        assert!((now.dispersion_s - 5.1e-4).abs() < 1e-12);
        assert!((now.delay_s - SAMPLE.delay_s).abs() < 1e-12);
    }

    #[test]
    fn age_bounds_the_error_where_nothing_else_does() {
        let now = late(0.0, None).as_of_now(SAMPLE, 15e-6);
        assert!((now.dispersion_s - 9.7e-4).abs() < 1e-12);
        let close = late(0.0, Some((-0.010, 0.030))).as_of_now(SAMPLE, 15e-6);
        assert!((close.dispersion_s - SAMPLE.dispersion_s).abs() < 1e-12);
    }

    #[test]
    fn the_newer_exchange_is_right() {
        let now = late(0.0, Some((0.100, 0.110))).as_of_now(SAMPLE, 15e-6);
        assert!((now.offset_s - 0.105).abs() < 1e-12);
        assert!((now.delay_s - 0.010).abs() < 1e-12);
    }
}
