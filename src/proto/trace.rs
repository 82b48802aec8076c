//! What is told of each packet and each poll to somebody who looks for a fault (`-D`): plain values,
//! made only when they are asked for. Autokey's session keys are to be another kind.
use crate::packet::{Received, Transmit, Via};
use crate::server::RestrictFlags;
use core::net::{IpAddr, SocketAddr};
use truechimer_time::Instant;
use truechimer_wire::{HEADER_LEN, Packet};

/// How much is told, 0..=10 as in the reference: nothing at 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceLevel(pub u8);

impl TraceLevel {
    /// From here on: sockets, and packets that come and go.
    pub const PACKETS: Self = Self(1);
    /// From here on: polls too.
    pub const POLLS: Self = Self(2);
    /// From here on: the access rules of each sender too.
    pub const RULES: Self = Self(3);
    /// The highest there is.
    pub const MOST: Self = Self(10);
}

/// What a packet was taken for, by the reference's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Nobody here waits for it.
    Nothing = 0,
    /// It is for an association there is.
    Association = 1,
    /// A request to be answered without an association.
    Request = 3,
    /// It came to a manycast client's search.
    Manycast = 4,
    /// It makes a passive association.
    NewPassive = 5,
    /// It makes a broadcast client association, or is refused one.
    NewBroadcastClient = 6,
}

/// What became of its MAC, by the reference's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// There is none, or it was not looked at, the packet having failed before.
    None = 0,
    /// It is right.
    Right = 1,
    /// It is wrong, or the key is not to be had.
    Wrong = 2,
    /// It is a crypto-NAK.
    CryptoNak = 3,
}

/// A service socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// File descriptor.
    pub descriptor: i32,
    /// Where it is bound.
    pub address: SocketAddr,
    /// Of its interface; empty if the address was named outright.
    pub name: String,
    /// What comes is dropped.
    pub unwanted: bool,
}

/// Something told.
#[derive(Clone, Debug, PartialEq)]
pub enum Trace {
    /// These are the service sockets now.
    Endpoints(Vec<Endpoint>),
    /// A packet came.
    Received {
        /// When.
        at: Instant,
        /// The way it came and went.
        line: Line,
        /// What it was taken for.
        code: Match,
        /// What its MAC proved.
        proof: Proof,
    },
    /// What its sender may not do.
    Restricted {
        /// When.
        at: Instant,
        /// Our address; unknown behind a client's socket.
        local: Option<IpAddr>,
        /// The sender.
        remote: SocketAddr,
        /// The rules.
        flags: RestrictFlags,
    },
    /// A packet leaves.
    Sent {
        /// When.
        at: Instant,
        /// The way it goes.
        line: Line,
    },
    /// An association was polled, or an answer moved its next poll.
    Polled {
        /// When.
        at: Instant,
        /// Whom.
        remote: String,
        /// The state of its polling.
        poll: Polling,
    },
}

/// The two ends of a packet, and what its octets say without a look at their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Our address; unknown behind a client's socket.
    pub local: Option<IpAddr>,
    /// The other's.
    pub remote: SocketAddr,
    /// The three bits of the mode.
    pub mode: u8,
    /// Of its MAC, if it has one.
    pub key_id: Option<u32>,
    /// Octets of header and extension fields.
    pub len: usize,
    /// Octets of the MAC with its key's number.
    pub mac_len: usize,
}

/// The state of polling, in seconds from now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Polling {
    /// Exponent.
    pub poll: i8,
    /// Requests left of a burst.
    pub burst: u8,
    /// Polls for which a burst stays armed.
    pub retry: u8,
    /// Headway used up.
    pub headway_s: f64,
    /// When the headway allows the next request.
    pub early_s: f64,
    /// When the next request is due; none if there will be none.
    pub next_s: Option<f64>,
}

impl Line {
    /// Of these octets; what is no NTP packet has its length and no MAC.
    pub fn new(octets: &[u8], local: Option<IpAddr>, remote: SocketAddr) -> Self {
        let packet = Packet::new_checked(octets).ok();
        let mac = packet.as_ref().and_then(Packet::mac);
        let len = packet.map_or(octets.len(), |packet| packet.authenticated().len());
        Self {
            local,
            remote,
            mode: octets.first().map_or(0, |octet| octet & 7),
            key_id: mac.map(|mac| mac.key_id),
            len,
            mac_len: octets.len() - len,
        }
    }
}

impl Trace {
    /// A packet as it came.
    pub fn received(at: Instant, received: &Received<'_>, code: Match, proof: Proof) -> Self {
        Self::Received {
            at,
            line: Line::new(received.octets, local(&received.via), received.source),
            code,
            proof,
        }
    }

    /// A packet as it goes; which address it leaves from, its socket will find out.
    pub fn sent(at: Instant, transmit: &Transmit) -> Self {
        Self::Sent {
            at,
            line: Line::new(&transmit.octets, None, transmit.to),
        }
    }

    /// A request that a server thread answered with `reply`, or did not.
    pub fn answered(at: Instant, received: &Received<'_>, reply: &[u8]) -> Self {
        let line = Line::new(received.octets, local(&received.via), received.source);
        let proof = match (line.mac_len, reply.len()) {
            (0, _) | (5.., 0) => Proof::None,
            (4, _) => Proof::CryptoNak,
            // A wrong MAC is answered by the four octets of a crypto-NAK.
            (_, len) if len == HEADER_LEN + 4 => Proof::Wrong,
            _ => Proof::Right,
        };
        let code = if matches!(line.mode, 0 | 1 | 3) {
            Match::Request
        } else {
            Match::Nothing
        };
        Self::Received {
            at,
            line,
            code,
            proof,
        }
    }
}

/// Our end, where the socket tells.
pub const fn local(via: &Via) -> Option<IpAddr> {
    match via {
        Via::Client(_) => None,
        Via::Server(local) => Some(local.ip()),
        Via::Many { to, .. } => Some(*to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{Stamp, StampClass};
    use truechimer_time::NtpTimestamp;

    #[test]
    fn the_proof_shows_in_what_was_answered() {
        let source = SocketAddr::from(([10, 0, 0, 2], 123));
        let at = Instant::from_nanoseconds(0);
        let mut keyed = vec![0x23; HEADER_LEN];
        keyed.extend_from_slice(&[0, 0, 0, 2]);
        keyed.extend_from_slice(&[7; 16]);
        for (len, reply_len, expected) in [
            (48, 48, Proof::None),
            (68, 68, Proof::Right),
            (68, 52, Proof::Wrong),
            (68, 0, Proof::None),
            (52, 0, Proof::CryptoNak),
        ] {
            let received = Received {
                octets: &keyed[..len],
                source,
                via: Via::Server(SocketAddr::from(([10, 0, 0, 1], 123))),
                stamp: Stamp {
                    at: NtpTimestamp::ZERO,
                    class: StampClass::User,
                },
            };
            let trace = Trace::answered(at, &received, &vec![0; reply_len]);
            let Trace::Received {
                line, code, proof, ..
            } = trace
            else {
                panic!("{trace:?}");
            };
            assert_eq!((proof, code), (expected, Match::Request), "{len}");
            assert_eq!((line.len, line.mac_len), (48, len - 48));
            assert_eq!(line.key_id, (len > 48).then_some(2));
        }
    }
}
