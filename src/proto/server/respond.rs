//! From a datagram to a verdict.
use super::autokey::{Asked, Outcome, Parked, Session};
use super::interleave::{Departure, Interleaver};
use super::manycast::{self, ToMany};
use super::passive::{is_fresh_echo, permits_passive};
use super::reply::{self, Ending, Unwritten};
use super::source::check_source;
use super::{Counters, DropReason, Policy, RestrictFlags, Sighting, Standing};
use crate::authentication::{AuthFailure, Authenticator, KeyId, verify};
use crate::control::Gate;
use crate::packet::{Received, Via};
use crate::snapshot::Snapshot;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use truechimer_time::Now;
use truechimer_wire::private::PRIVATE_HEADER_LEN;
use truechimer_wire::{CONTROL_HEADER_LEN, Header, Mac, Malformed, Mode, Packet};

/// Oldest and current version of the protocol.
const VERSIONS: core::ops::RangeInclusive<u8> = 1..=4;
/// The current version.
const VERSION: u8 = 4;
/// Marks a private message that is an answer.
const RESPONSE: u8 = 0x80;
/// `restrict flake` loses one packet in so many.
const FLAKES_ONE_IN: u32 = 10;

/// What is to be done about a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send this many octets of the buffer back.
    Reply(usize),
    /// It may be an answer to us, or the word of a peer that may have an association with us: the
    /// clock thread knows.
    HandOff,
    /// It is a control request (mode 6) or a private one (mode 7), for the clock thread: who sent it
    /// may not do this.
    Control(RestrictFlags),
    /// It waits for a holder of keys: take it by `Responder::take_parked`.
    Park,
    /// Nothing.
    Drop(DropReason),
}

/// Answers requests; one per server thread.
#[derive(Debug)]
pub struct Responder {
    counters: Counters,
    rng: ChaCha20Rng,
    gate: Gate,
    parked: Option<Box<Parked>>,
    interleaver: Interleaver,
}

impl Responder {
    /// With all counts zero. What is left to chance (`flake`, `serverresponse fuzz`) comes from the
    /// seed.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            counters: Counters::default(),
            gate: Gate::default(),
            parked: None,
            interleaver: Interleaver::new(),
            rng: ChaCha20Rng::from_seed(seed),
        }
    }

    /// The counts so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What the departure of the reply of the last verdict is to be noted with, if somebody will ask
    /// for it.
    pub const fn take_departure(&mut self) -> Option<Departure> {
        self.interleaver.take_departure()
    }

    /// The request that the last verdict was to park.
    pub const fn take_parked(&mut self) -> Option<Box<Parked>> {
        self.parked.take()
    }

    /// Answers a time request (RFC 5905 §9.2): writes at most as many octets to `out` as the request
    /// has. Only modes 1, 3 and the 0 of NTPv1 get a reply, in modes 2 and 4, which are never
    /// answered: two servers cannot be made to talk to each other for ever.
    ///
    /// `now` becomes the transmit stamp, so take it just before.
    pub fn answer(
        &mut self,
        now: Now,
        received: &Received<'_>,
        snapshot: &Snapshot,
        policy: &Policy,
        authenticator: &mut dyn Authenticator,
        out: &mut [u8],
    ) -> Verdict {
        self.counters.received += 1;
        self.interleaver.forget();
        let verdict = match self.decide(now, received, snapshot, policy, authenticator, out) {
            Ok(verdict) => verdict,
            Err(reason) => Verdict::Drop(reason),
        };
        match verdict {
            Verdict::Reply(_) => self.counters.replied += 1,
            Verdict::HandOff | Verdict::Control(_) => self.counters.handed_off += 1,
            Verdict::Park => {}
            Verdict::Drop(reason) => self.counters.count_drop(reason),
        }
        verdict
    }

    fn decide(
        &mut self,
        now: Now,
        received: &Received<'_>,
        snapshot: &Snapshot,
        policy: &Policy,
        authenticator: &mut dyn Authenticator,
        out: &mut [u8],
    ) -> Result<Verdict, DropReason> {
        check_source(received)?;
        let flags = policy.flags_for(received.source);
        if flags.contains(RestrictFlags::IGNORE) {
            return Err(DropReason::Ignored);
        }
        let first = *received.octets.first().ok_or(DropReason::Malformed)?;
        let (version, mode) = (first >> 3 & 7, Mode::from_bits(first));
        let to_many = manycast::admit(received, mode, policy.manycast())?;
        if let Some(least) = least_asked(first, policy) {
            return self.admit_control(now, received, flags, least);
        }
        let Some(reply_mode) = reply::mode(version, mode, received.source) else {
            return no_request(mode, flags);
        };
        self.check_access(version, flags)?;
        let request = Packet::new_checked(received.octets).map_err(|why| match why {
            Malformed::Mac => DropReason::MacLength,
            _ => DropReason::Malformed,
        })?;
        let mac = request.mac();
        if mac.is_none() && flags.contains(RestrictFlags::NOTRUST) {
            return Err(DropReason::NotTrusted);
        }
        // Before any MAC is computed: who asks too often must not cost more than the others.
        let standing = standing(now, received, flags, policy);
        if standing == Standing::Over {
            return Err(DropReason::Limited);
        }
        let ending = mac.map_or(Ok(Ending::Plain), |mac| {
            ending(now, (&request, &mac), received, policy, authenticator)
        })?;
        let asked = request.header();
        if let Some(to_many) = to_many {
            check_many(&to_many, &asked, &ending, snapshot, authenticator)?;
        }
        if asks_to_join(&asked, flags, &ending, now) {
            return Ok(Verdict::HandOff);
        }
        let header = if standing == Standing::Kissed {
            kiss(&asked, &ending, policy)?
        } else {
            let mut header = reply::header(&asked, reply_mode, received.stamp.at, now, snapshot)?;
            if let Some(table) = reply::may_interleave(received, &ending, policy) {
                let asking = (now, received.source.ip(), &asked, snapshot);
                let counters = &mut self.counters;
                self.interleaver.weave(asking, table, &mut header, counters);
            }
            self.blurred(header, flags)
        };
        if let (Ending::Session(session), Some(service)) = (&ending, policy.autokey())
            && standing != Standing::Kissed
        {
            self.counters.spared += u64::from(standing == Standing::Spared);
            let asked = Asked::new(now, received, &request, *session, service, snapshot);
            return self.answer_autokey(&asked, header, flags, authenticator, out);
        }
        let len = write(received, &header, &ending, authenticator, out)?;
        self.count_reply(standing, &ending);
        Ok(Verdict::Reply(len))
    }

    fn count_reply(&mut self, standing: Standing, ending: &Ending) {
        if let Ending::CryptoNak(failure) = ending {
            self.counters.count_unauthentic(*failure);
        }
        self.counters.kod_sent += u64::from(standing == Standing::Kissed);
        self.counters.spared += u64::from(standing == Standing::Spared);
    }

    fn blurred(&mut self, mut header: Header, flags: RestrictFlags) -> Header {
        if flags.contains(RestrictFlags::SERVERRESPONSE_FUZZ) {
            reply::blur(&mut header, self.rng.next_u32());
        }
        header
    }

    /// Answers a request with a right session key.
    fn answer_autokey(
        &mut self,
        asked: &Asked<'_>,
        header: Header,
        flags: RestrictFlags,
        authenticator: &mut dyn Authenticator,
        out: &mut [u8],
    ) -> Result<Verdict, DropReason> {
        // A peer is told the time alone, as a stranger, until it shows that it was heard.
        let is_peer = header.mode == Mode::SymmetricPassive;
        if is_peer && permits_passive(flags) && asked.is_proven() {
            return Ok(Verdict::HandOff);
        }
        let outcome = if is_peer {
            asked.plain(header, authenticator, out)?
        } else {
            asked.answer(header, authenticator, out)?
        };
        self.counters.count_autokey(outcome.counted());
        match outcome {
            Outcome::Parked(parked) => {
                self.parked = Some(parked);
                Ok(Verdict::Park)
            }
            Outcome::Plain(len)
            | Outcome::Ready(len)
            | Outcome::Nothing(len)
            | Outcome::Unproven(len)
            | Outcome::Error(len) => Ok(Verdict::Reply(len)),
        }
    }

    /// Control requests are few; a flood of them must not cost the clock thread its turns.
    fn admit_control(
        &mut self,
        now: Now,
        received: &Received<'_>,
        flags: RestrictFlags,
        least: usize,
    ) -> Result<Verdict, DropReason> {
        if flags.contains(RestrictFlags::NOQUERY) {
            return Err(DropReason::NotQueried);
        }
        if received.octets.len() < least {
            return Err(DropReason::Malformed);
        }
        if !self.gate.admits(received.source.ip(), now.mono) {
            return Err(DropReason::ControlRate);
        }
        Ok(Verdict::Control(flags))
    }

    fn check_access(&mut self, version: u8, flags: RestrictFlags) -> Result<(), DropReason> {
        if flags.contains(RestrictFlags::NOSERVE) {
            return Err(DropReason::NotServed);
        }
        if flags.contains(RestrictFlags::FLAKE) && self.rng.next_u32().is_multiple_of(FLAKES_ONE_IN)
        {
            return Err(DropReason::Flaked);
        }
        if version == VERSION {
            self.counters.this_version += 1;
            Ok(())
        } else if VERSIONS.contains(&version) && !flags.contains(RestrictFlags::VERSION) {
            self.counters.old_version += 1;
            Ok(())
        } else {
            Err(DropReason::Version)
        }
    }
}

/// How long a control request is at least, or a private one, if the datagram is one that may be
/// answered. An answer, which has the first bit set, is never answered (CVE-2009-3563).
fn least_asked(first: u8, policy: &Policy) -> Option<usize> {
    match Mode::from_bits(first) {
        Mode::Control => Some(CONTROL_HEADER_LEN),
        Mode::Private if policy.answers_private() && first & RESPONSE == 0 => {
            Some(PRIVATE_HEADER_LEN)
        }
        _ => None,
    }
}

/// What is to be done about a datagram that asks for no time.
fn no_request(mode: Mode, flags: RestrictFlags) -> Result<Verdict, DropReason> {
    match mode {
        // Requests may leave through the service port; what comes back is not for us, and not subject
        // to a limit, lest a server's quick answers be lost (CVE-2016-7426).
        Mode::Server | Mode::SymmetricPassive => Ok(Verdict::HandOff),
        Mode::Control | Mode::Private if flags.contains(RestrictFlags::NOQUERY) => {
            Err(DropReason::NotQueried)
        }
        _ => Err(DropReason::Mode),
    }
}

/// However the reply comes to be, it cannot amplify.
fn write(
    received: &Received<'_>,
    header: &Header,
    ending: &Ending,
    authenticator: &mut dyn Authenticator,
    out: &mut [u8],
) -> Result<usize, DropReason> {
    let room = out.len().min(received.octets.len());
    let written = reply::write(header, ending, authenticator, &mut out[..room]);
    written.map_err(|unwritten| match unwritten {
        Unwritten::NoRoom => DropReason::NoRoom,
        Unwritten::Unsealed => DropReason::Unsealed,
    })
}

/// Whether a client that asked many is to hear of us. A complaint about its MAC would be no use to it:
/// it looks for whoever has its key.
fn check_many(
    to_many: &ToMany<'_>,
    asked: &Header,
    ending: &Ending,
    snapshot: &Snapshot,
    authenticator: &mut dyn Authenticator,
) -> Result<(), DropReason> {
    if matches!(ending, Ending::CryptoNak(_)) {
        return Err(DropReason::Unproven);
    }
    if !to_many.can_help(asked, snapshot, authenticator) {
        return Err(DropReason::NoHelp);
    }
    Ok(())
}

/// Notes a time request. Only clients are kissed, and only by the one server they asked: a kiss in
/// another mode is the first word of a quarrel between two servers.
fn standing(now: Now, received: &Received<'_>, flags: RestrictFlags, policy: &Policy) -> Standing {
    let Some(watch) = policy.watch() else {
        return Standing::Within;
    };
    let first = received.octets.first().copied().unwrap_or_default();
    let mode = Mode::from_bits(first);
    let flags = match mode {
        Mode::Client if !matches!(received.via, Via::Many { .. }) => flags,
        _ => flags.without(RestrictFlags::KOD),
    };
    let sighting = Sighting {
        address: received.source.ip(),
        port: received.source.port(),
        version: first >> 3 & 7,
        mode: first & 7,
        arrived: received.stamp.at,
        mono: now.mono,
        flags,
    };
    watch.clients.note(&sighting, &watch.limits)
}

/// Whether a request may make a passive association: what it proves is enough to trouble the clock
/// thread, which decides.
fn asks_to_join(request: &Header, flags: RestrictFlags, ending: &Ending, now: Now) -> bool {
    request.mode == Mode::SymmetricActive
        && permits_passive(flags)
        && matches!(ending, Ending::Sealed(_))
        && is_fresh_echo(request, now.wall)
}

/// A kiss for a request whose MAC, if it has one, is right: what we seal must not be the words of
/// a stranger, and a crypto-NAK and a kiss at once would be neither.
fn kiss(request: &Header, ending: &Ending, policy: &Policy) -> Result<Header, DropReason> {
    if matches!(ending, Ending::CryptoNak(_)) {
        return Err(DropReason::Limited);
    }
    let average = policy.watch().map_or(0, |it| it.limits.rates.average());
    Ok(reply::kiss(request, average))
}

/// A wrong MAC is told to the sender, in four octets; a crypto-NAK is never answered, lest two hosts
/// complain at each other.
fn ending(
    now: Now,
    (request, mac): (&Packet<'_>, &Mac<'_>),
    received: &Received<'_>,
    policy: &Policy,
    authenticator: &mut dyn Authenticator,
) -> Result<Ending, DropReason> {
    if mac.is_crypto_nak() {
        return Err(DropReason::CryptoNak);
    }
    let Some(key) = KeyId::symmetric(mac.key_id) else {
        let session = policy.autokey().map_or(Err(AuthFailure::UnknownKey), |it| {
            Session::verify((request, mac), received, now.mono, it, authenticator)
        });
        return Ok(session.map_or_else(Ending::CryptoNak, Ending::Session));
    };
    let (from, message) = (received.source.ip(), request.authenticated());
    let proof = verify(authenticator, key, from, message, mac.digest);
    Ok(proof.map_or_else(Ending::CryptoNak, Ending::Sealed))
}
