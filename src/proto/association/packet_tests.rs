//! The packet tests (RFC 5905 §9.2, §7.4), each by its name, cheapest first.
//!
//! Until the origin is proven (and the MAC, where the association is keyed) a packet is anybody's:
//! its refusal is counted and shown, and nothing else of the association changes.
use super::exchange::{Exchange, OriginProven};
use crate::authentication::{
    AuthFailure, Authenticator, KeyId, MacVerified, SessionVerified, verify,
};
use crate::status::PacketTest;
use core::net::IpAddr;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{Header, KissCode, Malformed, Mode, Packet};

/// MAXDISP: a server this far from its root is not synchronized to anything, seconds.
const ROOT_DISTANCE_MAX_S: f64 = 16.0;
/// A server may read its clock for the one field before, and for the other after, it was set anew.
const REFERENCE_LATE_MAX_S: f64 = 0.001;
/// Strata from here on mean "unsynchronized".
const STRATUM_MAX: u8 = 16;

/// Proof that every packet test was passed; the on-wire calculation demands it.
#[derive(Debug)]
pub(crate) struct TestsPassed(());

/// Why a reply counts as authentic.
#[derive(Debug)]
pub(crate) enum Authenticity {
    /// The association has no key, so nobody asked.
    NotAsked,
    /// Verified under the association's own key.
    Verified(#[expect(dead_code, reason = "held as proof; nobody reads it again")] MacVerified),
    /// Verified under a session key that was agreed with a host whose certificate is proven.
    Proventic(SessionVerified),
}

/// A reply to the outstanding request, authentic as far as asked.
#[derive(Debug)]
pub(crate) struct Reply {
    /// What it says.
    pub(crate) header: Header,
    /// Holds T1.
    pub(crate) origin: OriginProven,
    /// Whether and how it was authenticated.
    pub(crate) authenticity: Authenticity,
}

/// Why a datagram is not a reply to the outstanding request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It failed this test.
    Test(PacketTest),
    /// Not authentic under the association's key.
    Unauthentic(KeyId, AuthFailure),
    /// Not authentic under Autokey's session keys.
    Session(AuthFailure),
}

impl Refusal {
    /// The flash bit it sets.
    pub(crate) const fn test(self) -> PacketTest {
        match self {
            Self::Test(test) => test,
            Self::Unauthentic(..) | Self::Session(_) => PacketTest::Authentication,
        }
    }
}

/// Whether a datagram is the authentic reply to the outstanding request.
///
/// # Errors
/// The first test it failed; the exchange stays open for the true reply.
pub(crate) fn identify(
    octets: &[u8],
    exchange: &Exchange,
    key: Option<KeyId>,
    from: IpAddr,
    authenticator: &mut dyn Authenticator,
) -> Result<Reply, Refusal> {
    let (packet, origin) = answering(octets, exchange, key)?;
    let authenticity = authenticate(&packet, key, from, authenticator)?;
    Ok(Reply {
        header: packet.header(),
        origin,
        authenticity,
    })
}

/// Splits a datagram that answers the outstanding request, whoever it may be from.
///
/// # Errors
/// The first test it failed.
pub(crate) fn answering<'a>(
    octets: &'a [u8],
    exchange: &Exchange,
    key: Option<KeyId>,
) -> Result<(Packet<'a>, OriginProven), Refusal> {
    let packet = split(octets, key)?;
    let header = packet.header();
    if header.mode != Mode::Server || !(1..=4).contains(&header.version) {
        return Err(Refusal::Test(PacketTest::Header));
    }
    let origin = exchange
        .check_origin(header.origin_time, header.transmit_time)
        .map_err(Refusal::Test)?;
    Ok((packet, origin))
}

/// Splits a datagram into its parts.
///
/// # Errors
/// `Header` for what is no packet; a MAC of a wrong length is named so where one is expected.
pub(crate) fn split(octets: &[u8], key: Option<KeyId>) -> Result<Packet<'_>, Refusal> {
    Packet::new_checked(octets).map_err(|why| match (why, key) {
        (Malformed::Mac, Some(key)) => Refusal::Unauthentic(key, AuthFailure::WrongLength),
        _ => Refusal::Test(PacketTest::Header),
    })
}

/// Whether a packet is authentic under the association's key.
///
/// # Errors
/// What is wrong with its MAC.
pub(crate) fn authenticate(
    packet: &Packet<'_>,
    key: Option<KeyId>,
    from: IpAddr,
    authenticator: &mut dyn Authenticator,
) -> Result<Authenticity, Refusal> {
    let mac = packet.mac();
    let is_nak = mac.is_some_and(|mac| mac.is_crypto_nak());
    let Some(key) = key else {
        // A server that could not verify a MAC we never sent answers somebody else's request.
        return if is_nak {
            Err(Refusal::Test(PacketTest::Authentication))
        } else {
            Ok(Authenticity::NotAsked)
        };
    };
    let mac = mac.ok_or(Refusal::Unauthentic(key, AuthFailure::NoMac))?;
    if is_nak {
        return Err(Refusal::Unauthentic(key, AuthFailure::CryptoNak));
    }
    // Another key of ours would verify too; it is not the one this server is to know
    // (CVE-2015-7974).
    if mac.key_id != key.get() {
        return Err(Refusal::Unauthentic(key, AuthFailure::OtherKey));
    }
    verify(authenticator, key, from, packet.authenticated(), mac.digest)
        .map(Authenticity::Verified)
        .map_err(|failure| Refusal::Unauthentic(key, failure))
}

/// The kiss code we are to obey, if the reply is a kiss. Any other code at stratum 0 only says that
/// the server has no time to give.
pub(crate) fn kiss(header: &Header) -> Option<KissCode> {
    if header.stratum != 0 {
        return None;
    }
    match KissCode::from_reference_id(header.reference_id) {
        KissCode::Other(_) => None,
        code => Some(code),
    }
}

/// Whether an authentic reply has time to give.
///
/// # Errors
/// The first test it failed.
pub(crate) fn examine(header: &Header) -> Result<TestsPassed, PacketTest> {
    if header.receive_time.is_zero() || header.transmit_time.is_zero() {
        return Err(PacketTest::Unsynchronized);
    }
    let synchronized = header.leap != LeapIndicator::NotSynchronized;
    if !synchronized || !(1..STRATUM_MAX).contains(&header.stratum) {
        return Err(PacketTest::Stratum);
    }
    let distance_s = header.root_delay.to_seconds() / 2.0 + header.root_dispersion.to_seconds();
    // A clock set after it was read is no clock. Servers that leave the field zero do not say.
    let set_later = !header.reference_time.is_zero()
        && header
            .transmit_time
            .since(header.reference_time)
            .to_seconds()
            < -REFERENCE_LATE_MAX_S;
    if distance_s >= ROOT_DISTANCE_MAX_S || set_later {
        return Err(PacketTest::Header);
    }
    Ok(TestsPassed(()))
}

#[cfg(test)]
mod tests;
