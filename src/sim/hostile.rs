//! Those who forge: strangers who know addresses and ports, but not what a request said.
use crate::node::NodeId;
use crate::random::Random;
use core::net::SocketAddr;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{NtpDuration, NtpShort, NtpTimestamp};
use truechimer_wire::{Header, Mode, ReferenceId};

/// What a forged reply says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Forgery {
    /// A good reply of a server wrong by this many seconds, with a guessed origin stamp.
    WrongOrigin {
        /// Seconds.
        offset_s: f64,
    },
    /// The same with origin stamp zero.
    ZeroOrigin {
        /// Seconds.
        offset_s: f64,
    },
    /// A good packet of a symmetric peer wrong by this many seconds; every other one as if it was its
    /// first, with origin stamp zero, the others with a guessed one.
    OfPeer {
        /// Seconds.
        offset_s: f64,
    },
    /// A kiss with these letters and a guessed origin stamp.
    Kiss([u8; 4]),
    /// Random octets.
    Garbage,
}

/// A flood of forged replies to one client.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    /// Whom it hits.
    pub target: NodeId,
    /// Whom it claims to come from.
    pub pretends: SocketAddr,
    /// What it says.
    pub forgery: Forgery,
    /// Time between two, seconds.
    pub every_s: f64,
    /// True time of its end, seconds.
    pub until_s: f64,
}

impl Forgery {
    pub(crate) fn octets(self, wall: NtpTimestamp, random: &mut Random) -> Vec<u8> {
        let origin = NtpTimestamp::from_bits(random.bits());
        let header = match self {
            Self::WrongOrigin { offset_s } => reply(wall, offset_s, origin),
            Self::ZeroOrigin { offset_s } => reply(wall, offset_s, NtpTimestamp::ZERO),
            Self::OfPeer { offset_s } => {
                let first = random.bits().is_multiple_of(2);
                let origin = if first { NtpTimestamp::ZERO } else { origin };
                Header {
                    mode: Mode::SymmetricActive,
                    ..reply(wall, offset_s, origin)
                }
            }
            Self::Kiss(code) => kiss(wall, origin, code),
            Self::Garbage => return garbage(random),
        };
        header.to_octets().to_vec()
    }
}

fn reply(wall: NtpTimestamp, offset_s: f64, origin: NtpTimestamp) -> Header {
    let stamp = wall.plus(NtpDuration::from_seconds(offset_s));
    Header {
        stratum: 1,
        poll: 6,
        precision: -23,
        root_dispersion: NtpShort::from_seconds(0.000_1),
        reference_id: ReferenceId::from_letters("GPS"),
        reference_time: stamp,
        origin_time: origin,
        receive_time: stamp,
        transmit_time: stamp,
        ..Header::blank(4, Mode::Server)
    }
}

pub(crate) fn kiss(wall: NtpTimestamp, origin: NtpTimestamp, code: [u8; 4]) -> Header {
    Header {
        leap: LeapIndicator::NotSynchronized,
        stratum: 0,
        reference_id: ReferenceId::from_octets(code),
        poll: 17,
        ..reply(wall, 0.0, origin)
    }
}

fn garbage(random: &mut Random) -> Vec<u8> {
    let len = random.bits() % 128;
    (0..len).map(|_| random.bits().to_le_bytes()[0]).collect()
}
