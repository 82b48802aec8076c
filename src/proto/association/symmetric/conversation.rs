//! What two symmetric peers say to each other (RFC 5905 §8, RFC 9769 §3): which of our packets may
//! still be echoed, which of the peer's we are to echo, and when stamps may be interleaved.
//!
//! Peers ask and answer in the same packet, each at its own pace. What the peer echoes of us proves
//! that it heard us; nothing else does. A packet that echoes nothing of ours may be the first word
//! of a peer that was started anew, or anybody's: it is remembered apart, and taken up only when the
//! peer has let a packet of ours go unanswered.
use crate::packet::Stamp;
use crate::status::PacketTest;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use std::collections::VecDeque;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::Header;

/// Packets of ours that a slower peer may still echo.
const OPEN_AT_MOST: usize = 4;
/// Packets of ours without an answer after which the peer's clock may have been set back: before, a
/// word that is older than the last one is a replay.
const PATIENCE: u32 = 3;
/// Interleaved packets of ours that the peer may answer in basic mode, one after the other, before we
/// go back to that too: a reference without `xleave` takes none of them.
const DEAF_AT_MOST: u8 = 3;
/// Fewest bits of a stamp that are left to chance, 4 ns.
const CHANCE_BITS_MIN: u32 = 4;

/// The three stamps of a packet of ours, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamped {
    pub(super) origin: NtpTimestamp,
    pub(super) receive: NtpTimestamp,
    pub(super) transmit: NtpTimestamp,
}

/// A packet of ours.
#[derive(Clone, Copy, Debug)]
struct Said {
    sequence: u64,
    stamped: Stamped,
    /// When it was made, and whether its transmit stamp is that of the packet before.
    made: NtpTimestamp,
    interleaved: bool,
    left: Option<Stamp>,
    /// What it answers.
    to: Option<Word>,
}

/// A packet of the peer's.
#[derive(Clone, Copy, Debug)]
struct Word {
    receive: NtpTimestamp,
    transmit: NtpTimestamp,
    arrived: Stamp,
    /// When the packet of ours left that it answers, if it answers one.
    asked: Option<Stamp>,
    /// Its exchange was measured already.
    measured: bool,
}

/// The exchange that an answer completes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Exchanged {
    /// When our packet left.
    pub(super) left: Stamp,
    /// When the peer had it.
    pub(super) receive: NtpTimestamp,
    /// When the peer's packet left.
    pub(super) transmit: NtpTimestamp,
    /// When we had it.
    pub(super) arrived: Stamp,
}

/// What a packet proves by what it echoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echo {
    /// A packet of ours that was not answered before, by its place among the open ones.
    Basic(usize),
    /// The arrival that our last packet told; the transmit stamp is that of the packet before.
    Interleaved(usize),
    /// The packet of ours that was answered last: the peer spoke again before we did.
    Again,
}

/// Proof that a packet echoes a stamp of ours; only [`Conversation::recognize`] makes it.
#[derive(Debug)]
pub(super) struct Recognized(Echo);

impl Recognized {
    /// Whether it answers us for the first time, so that it may be measured.
    pub(super) const fn is_answer(&self) -> bool {
        !matches!(self.0, Echo::Again)
    }

    /// Whether its transmit stamp is that of the packet before.
    pub(super) const fn is_interleaved(&self) -> bool {
        matches!(self.0, Echo::Interleaved(_))
    }
}

/// Both sides of the conversation.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// Ours, not answered yet, oldest first.
    open: VecDeque<Said>,
    /// Ours, answered last.
    answered: Option<Said>,
    /// Ours, sent last: when it left.
    left: Option<(u64, Option<Stamp>)>,
    /// The peer's last word that echoed us.
    heard: Option<Word>,
    /// The peer's last word that did not.
    overture: Option<Word>,
    /// The overture came after our last packet.
    overture_is_new: bool,
    /// Packets sent since the last answer, and between the two answers before.
    sent: u32,
    sent_before: u32,
    /// Interleaved packets of ours answered in basic mode since one was in kind.
    deaf: u8,
    /// From making our last packet until it left.
    lag: Option<NtpDuration>,
}

impl Conversation {
    /// Forgets everything: the clock was stepped, or the peer is another one now.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether the peer ever echoed us.
    pub(crate) const fn has_begun(&self) -> bool {
        self.heard.is_some()
    }

    /// Packets sent since the last answer.
    pub(crate) const fn unanswered(&self) -> u32 {
        self.sent
    }

    /// From making our last packet until it left.
    pub(crate) const fn lag(&self) -> Option<NtpDuration> {
        self.lag
    }

    /// The stamps of the next packet, which is then on its way. `now` is the moment; `interleave`
    /// whether the line asks for it.
    pub(super) fn speak(
        &mut self,
        sequence: u64,
        now: NtpTimestamp,
        precision: i8,
        interleave: bool,
        rng: &mut ChaCha20Rng,
    ) -> Stamped {
        // A spoofed overture must not cut in while the peer does answer (CVE-2015-1799).
        let overture = self
            .overture
            .filter(|_| self.heard.is_none() || self.sent > 0);
        let to = overture.or(self.heard);
        let previous = self.left.and_then(|(_, left)| left);
        // RFC 9769 §3: only the first packet after an answer, and only if there was one packet
        // between that and the answer before. Else the peer could take the stamp for another's.
        let alternates = overture.is_none() && self.sent == 0 && self.sent_before == 1;
        let wanted = interleave && alternates && self.deaf < DEAF_AT_MOST;
        let previous = previous.filter(|_| wanted);
        let interleaved = previous.zip(to.filter(|it| !it.receive.is_zero()));
        let (origin, said) = match interleaved {
            Some((previous, to)) => (to.receive, previous.at),
            None => (to.map_or(NtpTimestamp::ZERO, |it| it.transmit), now),
        };
        let receive = to.map_or(NtpTimestamp::ZERO, |it| {
            let taken = |at| at == origin || self.is_taken(at);
            by_chance(it.arrived.at, precision, rng, taken)
        });
        let transmit = by_chance(said, precision, rng, |at| {
            at == origin || at == receive || self.is_taken(at)
        });
        let stamped = Stamped {
            origin,
            receive,
            transmit,
        };
        if self.open.len() >= OPEN_AT_MOST {
            self.open.pop_front();
        }
        self.open.push_back(Said {
            sequence,
            stamped,
            made: now,
            interleaved: interleaved.is_some(),
            left: None,
            to,
        });
        self.left = Some((sequence, None));
        self.lag = None;
        self.overture_is_new = false;
        self.sent = self.sent.saturating_add(1);
        stamped
    }

    /// Whether one of our packets carries this stamp: each is to be known by what it carries.
    fn is_taken(&self, at: NtpTimestamp) -> bool {
        let mut all = self.open.iter().chain(&self.answered);
        all.any(|it| it.stamped.transmit == at || it.stamped.receive == at)
    }

    /// Notes when a packet left.
    pub(crate) fn note_departure(&mut self, sequence: u64, stamp: Stamp) {
        if let Some(last) = self.left.as_mut().filter(|(last, _)| *last == sequence) {
            last.1 = Some(stamp);
        }
        let mut all = self.open.iter_mut().chain(&mut self.answered);
        if let Some(said) = all.find(|it| it.sequence == sequence) {
            said.left = Some(stamp);
            self.lag = Some(stamp.at.since(said.made));
        }
    }

    /// Whether a packet may still be answered.
    pub(crate) fn awaits(&self, sequence: u64) -> bool {
        self.open.iter().any(|it| it.sequence == sequence)
    }

    /// Forgets a packet that did not leave; tells whether it was the last one.
    pub(crate) fn abandon(&mut self, sequence: u64) -> bool {
        let was_last = self.open.back().is_some_and(|it| it.sequence == sequence);
        self.open.retain(|it| it.sequence != sequence);
        was_last
    }

    /// Whether a packet echoes a stamp of ours. Changes nothing, whatever comes. Arrivals are looked
    /// for only where the line asks for interleaving (CVE-2016-1548), and there only among what our
    /// last packet told, which nobody knows but who heard it.
    ///
    /// # Errors
    /// `Unsynchronized` for a stamp of zero, `Duplicate` for the peer's last packet, `Bogus` for what
    /// echoes nothing of ours.
    pub(super) fn recognize(
        &self,
        header: &Header,
        interleave: bool,
    ) -> Result<Recognized, PacketTest> {
        if header.transmit_time.is_zero() {
            return Err(PacketTest::Unsynchronized);
        }
        // Our own packet came back: both sides seal with one key, so its MAC proves nothing. A kiss
        // carries what it echoes, which no packet of ours does.
        if header.transmit_time != header.origin_time && self.is_taken(header.transmit_time) {
            return Err(PacketTest::Duplicate);
        }
        let same =
            |it: &Word| it.transmit == header.transmit_time && it.receive == header.receive_time;
        if self.heard.as_ref().is_some_and(same) {
            return Err(PacketTest::Duplicate);
        }
        if let Some(echo) = self.echo_of(header.origin_time, interleave) {
            let later = |it: Word| header.transmit_time.since(it.transmit) > NtpDuration::ZERO;
            return if echo != Echo::Again || self.heard.is_some_and(later) {
                Ok(Recognized(echo))
            } else {
                Err(PacketTest::Duplicate)
            };
        }
        if self.overture.as_ref().is_some_and(same) {
            return Err(PacketTest::Duplicate);
        }
        Err(PacketTest::Bogus)
    }

    /// Which packet of ours an origin stamp is of; zero is of none.
    fn echo_of(&self, origin: NtpTimestamp, interleave: bool) -> Option<Echo> {
        if origin.is_zero() {
            return None;
        }
        let basic = |it: &Said| it.stamped.transmit == origin;
        if let Some(place) = self.open.iter().position(basic) {
            return Some(Echo::Basic(place));
        }
        let last = self.open.back().filter(|_| interleave);
        if last.is_some_and(|it| it.stamped.receive == origin) {
            return Some(Echo::Interleaved(self.open.len() - 1));
        }
        self.answered
            .as_ref()
            .filter(|it| basic(it))
            .map(|_| Echo::Again)
    }

    /// Takes a packet that was recognized and is authentic; gives the exchange it completes, if all
    /// its stamps are known. An interleaved packet completes the exchange before.
    pub(super) fn take(
        &mut self,
        recognized: Recognized,
        header: &Header,
        arrived: Stamp,
    ) -> Option<Exchanged> {
        let place = match recognized.0 {
            Echo::Basic(place) | Echo::Interleaved(place) => place,
            Echo::Again => {
                self.heard = self.heard.map(|it| Word {
                    receive: header.receive_time,
                    transmit: header.transmit_time,
                    arrived,
                    ..it
                });
                return None;
            }
        };
        let answered = self.close(place)?;
        match recognized.0 {
            Echo::Interleaved(_) => self.deaf = 0,
            _ if answered.interleaved => self.deaf = self.deaf.saturating_add(1),
            _ => {}
        }
        let exchanged = if matches!(recognized.0, Echo::Interleaved(_)) {
            let before = answered.to.filter(|it| !it.measured);
            before.and_then(|it| {
                Some(Exchanged {
                    left: it.asked?,
                    receive: it.receive,
                    transmit: header.transmit_time,
                    arrived: it.arrived,
                })
            })
        } else {
            answered.left.map(|left| Exchanged {
                left,
                receive: header.receive_time,
                transmit: header.transmit_time,
                arrived,
            })
        };
        self.heard = Some(Word {
            receive: header.receive_time,
            transmit: header.transmit_time,
            arrived,
            asked: answered.left,
            measured: matches!(recognized.0, Echo::Basic(_)) && exchanged.is_some(),
        });
        self.answered = Some(answered);
        self.overture = None;
        self.sent_before = self.sent;
        self.sent = 0;
        exchanged
    }

    /// Takes a packet of ours as answered; whatever is older can no longer be: answers come in order,
    /// or are replays.
    fn close(&mut self, place: usize) -> Option<Said> {
        self.open.drain(..=place).next_back()
    }

    /// Takes a kiss, which answers a packet but tells no stamp to go on from.
    pub(super) fn take_kiss(&mut self, recognized: &Recognized) {
        if let Echo::Basic(place) | Echo::Interleaved(place) = recognized.0 {
            self.answered = self.close(place).or(self.answered);
            self.sent = 0;
        }
    }

    /// Remembers an authentic packet that echoes nothing of ours. Of several, the latest by the
    /// peer's own clock counts, so that an old one cannot be put in its place.
    pub(super) fn note_overture(&mut self, header: &Header, arrived: Stamp) {
        let later = |it: Word| header.transmit_time.since(it.transmit) > NtpDuration::ZERO;
        let is_old = self.sent < PATIENCE && self.heard.is_some_and(|it| !later(it));
        let is_beaten = self.overture_is_new && self.overture.is_some_and(|it| !later(it));
        if is_old || is_beaten {
            return;
        }
        self.overture = Some(Word {
            receive: header.receive_time,
            transmit: header.transmit_time,
            arrived,
            asked: None,
            measured: false,
        });
        self.overture_is_new = true;
    }
}

/// A moment whose bits below our precision are random: what a peer echoes of us is then our nonce as
/// well, though it is our time.
fn by_chance(
    at: NtpTimestamp,
    precision: i8,
    rng: &mut ChaCha20Rng,
    taken: impl Fn(NtpTimestamp) -> bool,
) -> NtpTimestamp {
    let bits = u32::try_from(32 + i32::from(precision)).unwrap_or(0);
    let mask = (1_u64 << bits.clamp(CHANCE_BITS_MIN, 32)) - 1;
    let mut bits = at.to_bits() & !mask | rng.next_u64() & mask;
    while bits == 0 || taken(NtpTimestamp::from_bits(bits)) {
        bits = bits.wrapping_add(1);
    }
    NtpTimestamp::from_bits(bits)
}

#[cfg(test)]
mod tests;
