//! What a reply says, or why it says nothing (RFC 5905 §8).
use super::exchange::Keyed;
use core::fmt;
use core::net::IpAddr;
use truechimer_proto::authentication::{AuthFailure, verify};
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{HEADER_LEN, Header, KissCode, Mode, Packet, ReferenceId};

/// Longest digest a key can have.
const DIGEST_MAX: usize = 20;

/// The time as a server gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The reply's header.
    pub header: Header,
    /// Server minus us, seconds.
    pub offset_s: f64,
    /// Round trip less the server's own time, seconds.
    pub delay_s: f64,
    /// Greatest error the server's time can have here, seconds: half the way to the primary
    /// source and what its dispersion adds.
    pub root_distance_s: f64,
    /// When the reply came.
    pub arrived: NtpTimestamp,
    /// Whether a MAC vouches for it.
    pub authenticated: bool,
}

impl Reading {
    /// Whether the server claims to know the time (RFC 5905 §11.1: stratum and leap bits).
    pub const fn synchronized(&self) -> bool {
        matches!(self.header.stratum, 1..=15)
            && !matches!(self.header.leap, LeapIndicator::NotSynchronized)
    }
}

/// Why there is no time, for people.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The name has no address.
    Name(String),
    /// Nothing came in time.
    NoReply {
        /// Datagrams that were no answer to us.
        ignored: u32,
    },
    /// The host says nobody listens (ICMP port unreachable).
    Refused,
    /// It did not get out, or a router sent it back.
    Unreachable(String),
    /// The server declines (RFC 5905 §7.4).
    Kiss(ReferenceId),
    /// The server could not verify our MAC.
    CryptoNak,
    /// The reply's MAC is wrong.
    BadMac(AuthFailure),
    /// The reply has no MAC, or not of our key.
    NoMac,
    /// Our own key cannot be used.
    KeyUnusable,
}

impl Fault {
    /// One word for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Name(_) => "no_such_name",
            Self::NoReply { .. } => "no_reply",
            Self::Refused => "refused",
            Self::Unreachable(_) => "unreachable",
            Self::Kiss(_) => "kiss",
            Self::CryptoNak => "crypto_nak",
            Self::BadMac(_) => "bad_mac",
            Self::NoMac => "no_mac",
            Self::KeyUnusable => "key_unusable",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(text) => write!(f, "the name does not resolve: {text}"),
            Self::NoReply { ignored: 0 } => f.write_str(
                "no reply: the host is down, a firewall drops NTP, or the server ignores us \
                 (restrict)",
            ),
            Self::NoReply { ignored } => write!(
                f,
                "no reply: {ignored} datagrams came that do not answer our request (forged, or a \
                 broken middlebox)"
            ),
            Self::Refused => f.write_str(
                "refused: the host is up, but no NTP server listens there (ICMP port unreachable)",
            ),
            Self::Unreachable(text) => write!(f, "unreachable: {text}"),
            Self::Kiss(code) => kiss(f, *code),
            Self::CryptoNak => f.write_str(
                "crypto-NAK: the server does not have our key, or does not trust it, or it differs",
            ),
            Self::BadMac(AuthFailure::UnknownKey) => {
                f.write_str("bad MAC: the reply uses a key we do not have")
            }
            Self::BadMac(AuthFailure::WrongAddress) => {
                f.write_str("bad MAC: the keys file does not let this server's address use the key")
            }
            Self::BadMac(_) => {
                f.write_str("bad MAC: the reply was altered, or the keys differ; not to be trusted")
            }
            Self::NoMac => f.write_str("no MAC under our key in the reply; not to be trusted"),
            Self::KeyUnusable => f.write_str("our key cannot be used: its algorithm is not there"),
        }
    }
}

fn kiss(f: &mut fmt::Formatter<'_>, code: ReferenceId) -> fmt::Result {
    let meaning = match KissCode::from_reference_id(code) {
        KissCode::Rate => "we ask too often; wait a minute at least",
        KissCode::Deny => "the server denies us access",
        KissCode::Rstr => "the server's policy restricts us",
        KissCode::Other(_) => "the server gives no time",
    };
    write!(f, "kiss-o'-death {}: {meaning}", code.display(0))
}

/// A request and what is needed to know its reply.
#[derive(Debug)]
pub(super) struct Request {
    /// Where it goes, and where alone its reply can come from.
    server: IpAddr,
    nonce: NtpTimestamp,
    departed: NtpTimestamp,
}

impl Request {
    /// The transmit stamp is random: it proves the reply and tells nothing of our clock.
    pub(super) const fn new(server: IpAddr, nonce: u64) -> Self {
        Self {
            server,
            // Zero would be "no stamp" to a server.
            nonce: NtpTimestamp::from_bits(nonce | 1),
            departed: NtpTimestamp::ZERO,
        }
    }

    /// The datagram: everything zero but version, mode and nonce.
    pub(super) fn octets(&self, keyed: Option<&mut Keyed>) -> Result<Vec<u8>, Fault> {
        let mut header = Header::blank(4, Mode::Client);
        header.transmit_time = self.nonce;
        let mut octets = header.to_octets().to_vec();
        if let Some(keyed) = keyed {
            let mut digest = [0; DIGEST_MAX];
            let len = keyed
                .authenticator
                .seal(keyed.id, &octets[..HEADER_LEN], &mut digest)
                .ok_or(Fault::KeyUnusable)?;
            octets.extend_from_slice(&keyed.id.get().to_be_bytes());
            octets.extend_from_slice(&digest[..len]);
        }
        Ok(octets)
    }

    pub(super) const fn departed(&mut self, at: NtpTimestamp) {
        self.departed = at;
    }

    /// The meaning of a datagram; `None` if it does not answer this request.
    pub(super) fn read(
        &self,
        octets: &[u8],
        arrived: NtpTimestamp,
        keyed: Option<&mut Keyed>,
    ) -> Option<Result<Reading, Fault>> {
        let packet = Packet::new_checked(octets).ok()?;
        let header = packet.header();
        if header.origin_time != self.nonce || header.mode != Mode::Server {
            return None;
        }
        if header.stratum == 0 && is_refusal(header.reference_id) {
            return Some(Err(Fault::Kiss(header.reference_id)));
        }
        let authenticated = match authenticate(&packet, self.server, keyed) {
            Ok(authenticated) => authenticated,
            Err(fault) => return Some(Err(fault)),
        };
        Some(Ok(self.measure(header, arrived, authenticated)))
    }

    /// RFC 5905 §8: offset and delay from the four stamps.
    fn measure(&self, header: Header, arrived: NtpTimestamp, authenticated: bool) -> Reading {
        let there = header.receive_time.since(self.departed);
        let back = header.transmit_time.since(arrived);
        let round_trip = arrived.since(self.departed);
        let held = header.transmit_time.since(header.receive_time);
        let delay_s = (round_trip - held).max(NtpDuration::ZERO).to_seconds();
        Reading {
            header,
            offset_s: there.midpoint(back).to_seconds(),
            delay_s,
            root_distance_s: f64::midpoint(header.root_delay.to_seconds(), delay_s)
                + header.root_dispersion.to_seconds(),
            arrived,
            authenticated,
        }
    }
}

/// Stratum 0 goes with kisses and with servers that do not know the time yet; those say INIT, or
/// STEP after a step (RFC 5905 §7.4).
fn is_refusal(code: ReferenceId) -> bool {
    let octets = code.octets();
    octets[0].is_ascii_graphic() && !matches!(&octets, b"INIT" | b"STEP")
}

fn authenticate(
    packet: &Packet<'_>,
    server: IpAddr,
    keyed: Option<&mut Keyed>,
) -> Result<bool, Fault> {
    let mac = packet.mac();
    if mac.is_some_and(|mac| mac.is_crypto_nak()) {
        return Err(Fault::CryptoNak);
    }
    let Some(keyed) = keyed else {
        return Ok(false);
    };
    let mac = mac.filter(|mac| mac.key_id == keyed.id.get());
    let mac = mac.ok_or(Fault::NoMac)?;
    verify(
        keyed.authenticator.as_mut(),
        keyed.id,
        server,
        packet.authenticated(),
        mac.digest,
    )
    .map(|_| true)
    .map_err(Fault::BadMac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;
    use truechimer_time::NtpShort;

    const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn at(seconds: f64) -> NtpTimestamp {
        NtpTimestamp::from_unix(1_700_000_000, 0).plus(NtpDuration::from_seconds(seconds))
    }

    /// Asked at 0 s of our clock; the server is 1 s ahead, 10 ms away, and takes 2 ms.
    fn exchange() -> (Request, Header) {
        let mut request = Request::new(SERVER, 0x1122_3344_5566_7788);
        request.departed(at(0.0));
        let mut reply = Header::blank(4, Mode::Server);
        reply.stratum = 2;
        reply.origin_time = request.nonce;
        reply.receive_time = at(1.010);
        reply.transmit_time = at(1.012);
        reply.root_delay = NtpShort::from_seconds(0.030);
        reply.root_dispersion = NtpShort::from_seconds(0.005);
        (request, reply)
    }

    fn read(request: &Request, reply: &Header) -> Option<Result<Reading, Fault>> {
        request.read(&reply.to_octets(), at(0.022), None)
    }

    #[test]
    fn the_request_tells_nothing_but_its_nonce() {
        let octets = exchange().0.octets(None).expect("no key needed");
        assert_eq!((octets[0], octets.len()), (0x23, 48));
        assert!(octets[1..40].iter().all(|octet| *octet == 0));
        assert_eq!(octets[40..], 0x1122_3344_5566_7789_u64.to_be_bytes());
    }

    #[test]
    fn offset_delay_and_distance() {
        let (request, reply) = exchange();
        let reading = read(&request, &reply).expect("ours").expect("a time");
        assert!((reading.offset_s - 1.0).abs() < 1e-6, "{reading:?}");
        assert!((reading.delay_s - 0.020).abs() < 1e-6, "{reading:?}");
        assert!(
            (reading.root_distance_s - 0.030).abs() < 1e-4,
            "{reading:?}"
        );
        assert!(reading.synchronized() && !reading.authenticated);
    }

    #[test]
    fn what_does_not_echo_the_nonce_is_no_answer() {
        let (request, reply) = exchange();
        let mut other = reply;
        other.origin_time = NtpTimestamp::ZERO;
        assert_eq!(read(&request, &other), None);
        other = reply;
        other.mode = Mode::Broadcast;
        assert_eq!(read(&request, &other), None);
        assert_eq!(request.read(&[0; 47], at(0.1), None), None);
    }

    #[test]
    fn kisses_and_refusals_in_words() {
        let (request, mut reply) = exchange();
        reply.stratum = 0;
        for (code, words) in [
            ("RATE", "too often"),
            ("DENY", "denies"),
            ("XYZ", "no time"),
        ] {
            reply.reference_id = ReferenceId::from_letters(code);
            let fault = read(&request, &reply).expect("ours").expect_err("a kiss");
            assert!(fault.to_string().contains(words), "{fault}");
            assert!(fault.to_string().contains(code), "{fault}");
        }
    }

    #[test]
    fn unsynchronized_by_stratum_or_leap() {
        let (request, mut reply) = exchange();
        reply.stratum = 16;
        let reading = read(&request, &reply).expect("ours").expect("a reply");
        assert!(!reading.synchronized());
        reply.stratum = 0;
        reply.reference_id = ReferenceId::from_letters("INIT");
        let reading = read(&request, &reply).expect("ours").expect("no kiss");
        assert!(!reading.synchronized());
        reply.stratum = 2;
        reply.leap = LeapIndicator::NotSynchronized;
        let reading = read(&request, &reply).expect("ours").expect("a reply");
        assert!(!reading.synchronized());
    }

    #[test]
    fn keyed_replies_must_be_keyed() {
        use std::sync::Arc;
        use truechimer_crypto::{KeyTable, Keyring, keys};
        use truechimer_proto::authentication::KeyId;
        let id = KeyId::symmetric(5).expect("in range");
        let (file, _) = keys::parse(b"5 SHA1 onekey\n");
        let ring = Keyring::new(Arc::new(KeyTable::new(file, [id])));
        let mut keyed = Keyed {
            id,
            authenticator: Box::new(ring),
        };
        let (request, reply) = exchange();
        let asked = request.octets(Some(&mut keyed)).expect("sealed");
        assert_eq!(asked.len(), HEADER_LEN + 24);

        let mut octets = reply.to_octets().to_vec();
        let mut read = |octets: &[u8]| request.read(octets, at(0.022), Some(&mut keyed));
        assert_eq!(read(&octets), Some(Err(Fault::NoMac)));
        octets.extend_from_slice(&[0, 0, 0, 0]);
        assert_eq!(read(&octets), Some(Err(Fault::CryptoNak)));
        octets[51] = 5;
        octets.extend_from_slice(&[7; 20]);
        let wrong = Fault::BadMac(AuthFailure::WrongDigest);
        assert_eq!(read(&octets), Some(Err(wrong)));

        let mut digest = [0; 20];
        let message = reply.to_octets();
        let sealed = keyed.authenticator.seal(id, &message, &mut digest);
        assert_eq!(sealed, Some(20));
        octets[52..].copy_from_slice(&digest);
        let reading = request.read(&octets, at(0.022), Some(&mut keyed));
        assert!(reading.expect("ours").expect("a time").authenticated);
    }
}
