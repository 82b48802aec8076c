//! The octets of a reply.
use super::autokey::Session;
use super::{DepartureTable, DropReason, Policy};
use crate::authentication::{AuthFailure, Authenticator, MacVerified};
use crate::packet::{Received, Via};
use crate::snapshot::Snapshot;
use core::net::SocketAddr;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Now, NtpDuration, NtpShort, NtpTimestamp};
use truechimer_wire::{HEADER_LEN, Header, Mode, ReferenceId};

/// The port of NTP itself.
const NTP_PORT: u16 = 123;
/// Octets of a crypto-NAK: a header and key identifier 0.
const CRYPTO_NAK_LEN: usize = HEADER_LEN + 4;
/// Least and greatest poll exponent put into replies, log2 seconds.
const POLL_RANGE: (i8, i8) = (3, 17);

/// How a reply ends.
pub(super) enum Ending {
    /// With the header.
    Plain,
    /// With a MAC under the key of the request.
    Sealed(MacVerified),
    /// With a MAC under a session key of Autokey.
    Session(Session),
    /// With the complaint of RFC 5905 §9.2.
    CryptoNak(AuthFailure),
}

/// Why a reply was not written.
pub(super) enum Unwritten {
    /// `room` octets are not enough.
    NoRoom,
    /// The key would not seal.
    Unsealed,
}

/// The mode of the reply, if there is to be one. NTPv1 had no modes: a client was told from a peer
/// by its port (RFC 1305 appendix D). Symmetric requests of strangers get a reply that creates no
/// association: Windows asks that way.
pub(super) fn mode(version: u8, mode: Mode, source: SocketAddr) -> Option<Mode> {
    match (mode, version) {
        (Mode::Client, _) => Some(Mode::Server),
        (Mode::SymmetricActive, _) => Some(Mode::SymmetricPassive),
        (Mode::Reserved, 1) if source.port() == NTP_PORT => Some(Mode::SymmetricPassive),
        (Mode::Reserved, 1) => Some(Mode::Server),
        _ => None,
    }
}

/// The memory of departures, if a reply may be interleaved: one host asked another, and need not be
/// told of its MAC.
pub(super) fn may_interleave<'a>(
    received: &Received<'_>,
    ending: &Ending,
    policy: &'a Policy,
) -> Option<&'a DepartureTable> {
    let is_one = matches!(received.via, Via::Server(_));
    let is_plain = matches!(ending, Ending::Plain | Ending::Sealed(_));
    let table = policy.departures().filter(|_| is_one && is_plain)?;
    Some(table)
}

/// The header of a reply (RFC 5905 §9.2, `fast_xmit()`): system variables, and the stamps, which must
/// be from the same side of the last step.
///
/// # Errors
/// `Stepped` if they are not.
pub(super) fn header(
    request: &Header,
    mode: Mode,
    arrived: NtpTimestamp,
    now: Now,
    snapshot: &Snapshot,
) -> Result<Header, DropReason> {
    check_stamps(arrived, now.wall, snapshot.step_epoch)?;
    Ok(Header {
        poll: request.poll.clamp(POLL_RANGE.0, POLL_RANGE.1),
        origin_time: request.transmit_time,
        receive_time: arrived,
        ..snapshot.header(request.version, mode, now)
    })
}

/// The header of a kiss (RFC 5905 §7.4): slow down. All three stamps are the request's, for the
/// reference obeys no other; `average` is the log2 of the seconds it should wait.
pub(super) fn kiss(request: &Header, average: u8) -> Header {
    Header {
        leap: LeapIndicator::NotSynchronized,
        version: request.version,
        mode: Mode::Server,
        stratum: 0,
        poll: request
            .poll
            .max(i8::try_from(average).unwrap_or(POLL_RANGE.1))
            .clamp(POLL_RANGE.0, POLL_RANGE.1),
        precision: request.precision,
        root_delay: NtpShort::ZERO,
        root_dispersion: NtpShort::ZERO,
        reference_id: ReferenceId::from_letters("RATE"),
        reference_time: NtpTimestamp::ZERO,
        origin_time: request.transmit_time,
        receive_time: request.transmit_time,
        transmit_time: request.transmit_time,
    }
}

/// `serverresponse fuzz`: the fraction of the reference time at random, but never in the future.
pub(super) fn blur(header: &mut Header, noise: u32) {
    if header.reference_time.is_zero() {
        return;
    }
    let second = header.reference_time.to_bits() & !u64::from(u32::MAX);
    let blurred = NtpTimestamp::from_bits(second | u64::from(noise));
    let is_later = blurred.since(header.receive_time) > NtpDuration::ZERO;
    let back = NtpDuration::from_bits(if is_later { -(1 << 32) } else { 0 });
    header.reference_time = blurred.plus(back);
}

/// Writes a reply of at most `out.len()` octets and returns its length.
pub(super) fn write(
    header: &Header,
    ending: &Ending,
    authenticator: &mut dyn Authenticator,
    out: &mut [u8],
) -> Result<usize, Unwritten> {
    let octets = header.to_octets();
    let (head, tail) = out
        .split_first_chunk_mut::<HEADER_LEN>()
        .ok_or(Unwritten::NoRoom)?;
    *head = octets;
    match ending {
        Ending::Plain => Ok(HEADER_LEN),
        Ending::CryptoNak(_) => {
            let key_id = tail.first_chunk_mut::<4>().ok_or(Unwritten::NoRoom)?;
            *key_id = [0; 4];
            Ok(CRYPTO_NAK_LEN)
        }
        Ending::Session(session) => {
            let sealed = session.seal(HEADER_LEN, authenticator, out);
            sealed.ok_or(Unwritten::Unsealed)
        }
        Ending::Sealed(proof) => {
            let (key_id, digest) = tail.split_first_chunk_mut::<4>().ok_or(Unwritten::NoRoom)?;
            *key_id = proof.key().get().to_be_bytes();
            let digest = digest
                .get_mut(..proof.digest_len())
                .ok_or(Unwritten::NoRoom)?;
            let len = authenticator
                .seal(proof.key(), &octets, digest)
                .ok_or(Unwritten::Unsealed)?;
            Ok(HEADER_LEN + 4 + len)
        }
    }
}

fn check_stamps(
    arrived: NtpTimestamp,
    leaves: NtpTimestamp,
    step_epoch: NtpTimestamp,
) -> Result<(), DropReason> {
    let before = |at: NtpTimestamp, than: NtpTimestamp| at.since(than) < NtpDuration::ZERO;
    let stepped = !step_epoch.is_zero() && before(arrived, step_epoch);
    if stepped || before(leaves, arrived) {
        return Err(DropReason::Stepped);
    }
    Ok(())
}
