//! What is recorded for statistics files: plain values, put into text by whoever has the time.
use core::net::IpAddr;
use truechimer_time::NtpTimestamp;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{Header, ReferenceId};

/// Which measurements are to be recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The discipline's, one for each offset it takes.
    pub loops: bool,
    /// The sources', one for each sample the filter puts forward.
    pub peers: bool,
    /// The four stamps of each exchange.
    pub raw: bool,
    /// What Autokey does.
    pub crypto: bool,
}

/// Something measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When, on the system clock.
    pub at: NtpTimestamp,
    /// What.
    pub measured: Measured,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// The discipline took an offset (the reference's loopstats).
    Loop {
        /// Combined offset, seconds.
        offset_s: f64,
        /// Frequency correction, ppm.
        freq_ppm: f64,
        /// Jitter of the discipline, seconds.
        jitter_s: f64,
        /// Wander of the frequency, ppm.
        wander_ppm: f64,
        /// Time constant, a poll exponent.
        time_constant: i8,
    },
    /// A source has a new estimate (peerstats).
    Peer {
        /// Its address; the pseudo address of a reference clock.
        remote: IpAddr,
        /// Its status word (RFC 9327 §3.2).
        status: u16,
        /// Filtered offset, seconds.
        offset_s: f64,
        /// Filtered round trip, seconds.
        delay_s: f64,
        /// Filter dispersion, seconds.
        dispersion_s: f64,
        /// Filter jitter, seconds.
        jitter_s: f64,
    },
    /// An authentic reply came, of use or not (rawstats).
    Raw(RawRecord),
    /// Something that Autokey did, in the reference's words (cryptostats).
    Crypto {
        /// The other side; `None` for this host itself.
        remote: Option<IpAddr>,
        /// What follows the address.
        text: String,
    },
}

/// An exchange, as it was on the wire and on our clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawRecord {
    /// The server.
    pub remote: IpAddr,
    /// Our address, where the host knows it.
    pub local: Option<IpAddr>,
    /// T1: when the request left, on our clock; not the nonce it carried.
    pub origin: NtpTimestamp,
    /// T2: when it arrived, on the server's clock.
    pub receive: NtpTimestamp,
    /// T3: when the reply left, on the server's clock.
    pub transmit: NtpTimestamp,
    /// T4: when it arrived, on our clock.
    pub destination: NtpTimestamp,
    /// What the server announces.
    pub leap: LeapIndicator,
    /// Version of the reply.
    pub version: u8,
    /// Mode of the reply.
    pub mode: u8,
    /// The server's stratum, 16 where it says 0.
    pub stratum: u8,
    /// Poll exponent in the reply.
    pub poll: i8,
    /// log2 of its precision in seconds.
    pub precision: i8,
    /// Its root delay, seconds.
    pub root_delay_s: f64,
    /// Its root dispersion, seconds.
    pub root_dispersion_s: f64,
    /// Its reference identifier.
    pub reference_id: ReferenceId,
}

impl RawRecord {
    /// Of a reply with this header. `stamps` are T1 and T4.
    pub(crate) fn new(
        header: &Header,
        remote: IpAddr,
        local: Option<IpAddr>,
        stamps: (NtpTimestamp, NtpTimestamp),
    ) -> Self {
        let (origin, destination) = stamps;
        Self {
            remote,
            local,
            origin,
            receive: header.receive_time,
            transmit: header.transmit_time,
            destination,
            leap: header.leap,
            version: header.version,
            mode: header.mode.to_bits(),
            stratum: if header.stratum == 0 {
                crate::association::STRATUM_UNSPECIFIED
            } else {
                header.stratum
            },
            poll: header.poll,
            precision: header.precision,
            root_delay_s: header.root_delay.to_seconds(),
            root_dispersion_s: header.root_dispersion.to_seconds(),
            reference_id: header.reference_id,
        }
    }
}
