//! Associations that are authenticated by Autokey (RFC 5906): which key and cookie their packets have,
//! and which packets are believed.
//!
//! A packet with a message has a cookie of zero, which is no secret, and no signature covers its
//! header. So it is believed for the message alone, once that is verified; time is taken from packets
//! without messages, under a cookie that a proven host sealed.
mod client;
mod listener;
mod peer;

pub(crate) use crate::autokey::dance::Spoken;

use super::Association;
use crate::authentication::{Authenticator, SessionKey, SessionVerified, verify_session};
use crate::autokey::dance::{Dance, Manner, Message};
use crate::autokey::job::Failure;
use crate::event::CryptoRestart;
use crate::packet::AssociationId;
use crate::status::{AutokeyStatus, InitialValues};
use core::net::IpAddr;
use core::time::Duration;
use peer::Ours;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use truechimer_time::Instant;
use truechimer_wire::{MAC_LEN_MAX, Packet};

/// How old an association may become before it begins anew (the reference's 2^19 s).
const REFRESH_AFTER: Duration = Duration::from_secs(1 << 19);
/// Session keys have greater numbers than symmetric ones.
const SYMMETRIC_AT_MOST: u32 = 65_535;
/// Requests of the dance that a burst is prolonged by, until it begins anew.
const STEPS_AT_MOST: u8 = 24;
/// Times that no step of the dance comes of what is asked, until it begins anew: what the other side
/// said first is not signed, and if it was wrong all that is asked for leads nowhere.
const STALLS_AT_MOST: u8 = 16;
/// Polls that a peer leaves unanswered, until it is believed that it was started anew.
const ESTRANGED_POLLS: u32 = 3;
/// Between two times that the other side is asked who it is because it signs with another key: whoever
/// sees our packets can forge what makes us ask.
const RENEWALS_APART: Duration = Duration::from_secs(64);
/// Beginnings in a row after which the next one waits.
const RESTARTS_AT_ONCE: u32 = 2;

/// Key and cookie of a packet of ours that may still be answered.
#[derive(Clone, Copy, Debug)]
struct Sent {
    key_id: u32,
    cookie: u32,
    /// It asked for something.
    has_message: bool,
    /// The cookie was agreed with who is proven.
    is_agreed: bool,
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// Something is.
    #[default]
    No,
    /// A job is waited for.
    Job,
    /// Nothing helps but another configuration.
    Stuck,
}

/// What an association has of Autokey.
#[derive(Debug)]
pub(crate) struct Autokey {
    pub(crate) dance: Dance,
    /// What the next packet is to carry.
    pub(crate) request: Option<Message>,
    /// What a symmetric peer hears of us.
    pub(crate) ours: Ours,
    sent: Option<Sent>,
    /// A symmetric peer uses the cookie, and so never another one again.
    knows_cookie: bool,
    /// This host does not know the time, so that a symmetric peer's word may have to do without a
    /// cookie, which only those agree on who both know it.
    pub(crate) lacks_time: bool,
    /// It was said that it had to do.
    told_unagreed: bool,
    pub(crate) blocked: Blocked,
    /// When it is to begin anew.
    pub(crate) refresh: Instant,
    /// Numbers its beginnings, so that what comes of a job of an earlier one is known.
    pub(crate) turn: u32,
    /// Beginnings since time was last taken.
    restarts: u32,
    /// Times the other side did not know our cookie.
    pub(crate) naks: u32,
    /// It was said that it is proven, and that it cannot be.
    pub(crate) told_proventic: bool,
    pub(crate) told_stuck: bool,
    /// A bit for each kind of failure that was told of since it began.
    troubles_told: u32,
    /// This host has a certificate that the other side did not sign, and that it is to be asked to sign
    /// as soon as it can be.
    pub(crate) is_unsigned: bool,
    /// The peer spoke as if it had never heard of us, and was not understood since.
    pub(in crate::association) is_estranged: bool,
    /// When the other side was asked last who it is, though that was proven.
    renewed: Option<Instant>,
    steps_left: u8,
    /// How far the dance was when it was last looked at, and how often it was no farther.
    progress: Option<(u32, usize)>,
    stalls: u8,
}

impl Autokey {
    /// Of a new association; `random` is the cookie of a symmetric peer.
    pub(crate) fn new(
        manner: Manner,
        id: AssociationId,
        ident: Option<String>,
        now: Instant,
        random: u32,
    ) -> Self {
        Self {
            dance: Dance::new(manner, id.0, ident, random),
            request: None,
            ours: Ours::default(),
            sent: None,
            knows_cookie: false,
            lacks_time: false,
            told_unagreed: false,
            blocked: Blocked::No,
            refresh: now.plus(REFRESH_AFTER),
            turn: 0,
            restarts: 0,
            naks: 0,
            told_proventic: false,
            told_stuck: false,
            troubles_told: 0,
            is_unsigned: false,
            is_estranged: false,
            renewed: None,
            steps_left: STEPS_AT_MOST,
            progress: None,
            stalls: 0,
        }
    }

    /// Begins anew.
    pub(crate) fn restart(&mut self, now: Instant, random: u32) {
        self.dance.restart(random);
        self.request = None;
        self.ours = Ours::default();
        self.sent = None;
        self.knows_cookie = false;
        self.told_unagreed = false;
        self.blocked = Blocked::No;
        self.refresh = now.plus(REFRESH_AFTER);
        self.turn = self.turn.wrapping_add(1);
        self.told_proventic = false;
        self.troubles_told = 0;
        self.is_estranged = false;
        self.steps_left = STEPS_AT_MOST;
        (self.progress, self.stalls) = (None, 0);
    }

    /// Whether the dance has led nowhere for so long that it is to begin anew; asked before each
    /// packet.
    pub(crate) fn is_stalled(&mut self) -> bool {
        if self.dance.is_waiting() {
            return false;
        }
        let progress = self.dance.progress();
        let is_farther = progress.is_none() || progress != self.progress;
        self.stalls = if is_farther {
            0
        } else {
            self.stalls.saturating_add(1)
        };
        self.progress = progress;
        self.stalls >= STALLS_AT_MOST
    }

    /// Whether a failure of this kind was not told of yet since it began; then it is told now.
    pub(crate) fn is_news(&mut self, failure: Failure) -> bool {
        let bit = 1_u32 << (failure.code() & 31);
        let is_news = self.troubles_told & bit == 0;
        self.troubles_told |= bit;
        is_news
    }

    /// The other side signs with a key that is not known: asks it anew who it is, without giving up what is
    /// agreed. False if it was asked lately, or was never proven.
    pub(crate) fn begin_renewal(&mut self, now: Instant) -> bool {
        let lately = |it: Instant| now.since(it) < RENEWALS_APART;
        if self.renewed.is_some_and(lately) || !self.dance.begin_renewal() {
            return false;
        }
        self.renewed = Some(now);
        self.steps_left = STEPS_AT_MOST;
        true
    }

    /// Whether it began anew so often of late, without any use, that it is to wait; then for how long,
    /// log2 of polls.
    pub(crate) fn note_restart(&mut self) -> Option<u32> {
        self.restarts = self.restarts.saturating_add(1);
        self.restarts.checked_sub(RESTARTS_AT_ONCE)
    }

    /// For people, and for programs that read variables.
    pub(crate) fn status(&self) -> AutokeyStatus {
        let dance = &self.dance;
        AutokeyStatus {
            host: dance.subject().to_owned(),
            status: dance.status(),
            ident: dance.ident().map(str::to_owned),
            identity: dance.identity(),
            initial: dance.initial().map(|(end, timestamp)| InitialValues {
                sequence: end.sequence,
                key_id: end.key_id,
                timestamp,
            }),
            naks: self.naks,
        }
    }

    /// Key of the last packet sent, 0 before.
    pub(crate) fn last_key(&self) -> u32 {
        self.sent.map_or(0, |it| it.key_id)
    }

    /// Appends key and MAC to a packet that leaves for `ends.to`.
    fn seal(
        &mut self,
        octets: &mut Vec<u8>,
        ends: Ends,
        key_id: u32,
        has_message: bool,
        authenticator: &mut dyn Authenticator,
    ) -> Option<()> {
        let cookie = self.dance.cookie();
        let used = if has_message { 0 } else { cookie };
        append_session_mac(octets, ends, key_id, used, authenticator)?;
        self.sent = Some(Sent {
            key_id,
            cookie,
            has_message,
            is_agreed: self.dance.is_agreed(),
        });
        Some(())
    }
}

impl Association {
    /// Key of its packets, for people: the last one, where each has its own.
    pub(crate) fn key_shown(&self) -> u32 {
        let session = self.autokey.as_ref().map(|it| it.last_key());
        session.unwrap_or_else(|| self.options.key.map_or(0, |key| key.get()))
    }

    /// Whether the last request left when all was agreed, and still is: what was sent before may be
    /// answered under a cookie that is no secret.
    fn asked_when_agreed(&self) -> bool {
        let autokey = self.autokey.as_ref();
        autokey.is_some_and(|it| it.dance.is_agreed() && it.sent.is_some_and(|sent| sent.is_agreed))
    }

    /// Whether one more request may be sent for the dance's sake.
    pub(crate) fn takes_step(&mut self) -> bool {
        self.autokey.as_mut().is_some_and(|it| {
            let left = it.steps_left > 0;
            it.steps_left = it.steps_left.saturating_sub(1);
            left
        })
    }

    /// Who is being proven anew is asked again soon, whatever the poll.
    pub(in crate::association) fn hasten_renewal(&mut self, now: Instant) {
        let autokey = self.autokey.as_ref();
        if autokey.is_some_and(|it| it.dance.is_renewing()) && self.takes_step() {
            self.poll.advance(now);
        }
    }

    /// Why Autokey is to begin anew, if it is: the other side was spoken to for long enough; or it was
    /// started anew and does not understand us. It says so in packets that anybody can make, so that
    /// alone is no reason: it must have left polls unanswered as well.
    pub(crate) fn begins_anew(&self, now: Instant) -> Option<CryptoRestart> {
        let autokey = self.autokey.as_ref()?;
        if autokey.refresh <= now {
            return Some(CryptoRestart::Refresh);
        }
        let is_lost = autokey.is_estranged && self.poll.unanswered() >= ESTRANGED_POLLS;
        is_lost.then_some(CryptoRestart::Error)
    }

    /// Forgets what Autokey knows of the other side.
    pub(crate) fn restart_autokey(&mut self, now: Instant, rng: &mut ChaCha20Rng) {
        if let Some(autokey) = &mut self.autokey {
            autokey.restart(now, rng.next_u32());
        }
    }
}

/// Where a packet comes from and goes to, as its session key has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    from: IpAddr,
    to: IpAddr,
}

impl Ends {
    pub(crate) fn new(from: IpAddr, to: IpAddr) -> Self {
        Self {
            from: from.to_canonical(),
            to: to.to_canonical(),
        }
    }

    /// The session key of a packet between them.
    pub(crate) fn session_key(
        self,
        key_id: u32,
        cookie: u32,
        authenticator: &mut dyn Authenticator,
    ) -> Option<SessionKey> {
        authenticator.session_key(self.from, self.to, key_id, cookie)
    }
}

/// The proof that a packet between these ends is sealed under its key and this cookie.
pub(crate) fn verify_between(
    packet: &Packet<'_>,
    ends: Ends,
    cookie: u32,
    authenticator: &mut dyn Authenticator,
) -> Option<SessionVerified> {
    let mac = packet.mac()?;
    let key = ends.session_key(mac.key_id, cookie, authenticator)?;
    verify_session(authenticator, &key, packet.authenticated(), mac.digest)
}

/// Appends key and MAC to a packet between these ends.
pub(crate) fn append_session_mac(
    octets: &mut Vec<u8>,
    ends: Ends,
    key_id: u32,
    cookie: u32,
    authenticator: &mut dyn Authenticator,
) -> Option<()> {
    let key = ends.session_key(key_id, cookie, authenticator)?;
    let mut digest = [0; MAC_LEN_MAX];
    let len = authenticator.seal_session(&key, octets, &mut digest)?;
    let digest = digest.get(..len)?;
    octets.extend_from_slice(&key_id.to_be_bytes());
    octets.extend_from_slice(digest);
    Some(())
}

/// A number that no symmetric key has.
fn random_key_id(rng: &mut ChaCha20Rng) -> u32 {
    loop {
        let key_id = rng.next_u32();
        if key_id > SYMMETRIC_AT_MOST {
            return key_id;
        }
    }
}
