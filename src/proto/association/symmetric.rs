//! Symmetric peers (RFC 5905 §3, §9; RFC 9769 §3): the packets we send them, and what theirs change.
//!
//! A peer's packet changes nothing before its MAC is right, where the association has a key, and
//! measures nothing unless it echoes us. Peers without a key are the operator's choice; against
//! those who cannot see the packets the random bits of our stamps protect them.
mod conversation;

pub(crate) use conversation::Conversation;

use super::packet_tests::{Authenticity, Refusal, authenticate, examine, kiss, split};
use super::reply::Answer;
use super::request::append_mac;
use super::{Association, Heard, Role, STRATUM_UNSPECIFIED, Spoken};
use crate::authentication::Authenticator;
use crate::clock_filter::Setting;
use crate::event::PeerEvent;
use crate::packet::{Received, Route, Transmit};
use crate::snapshot::Snapshot;
use crate::status::PacketTest;
use conversation::{Exchanged, Recognized};
use rand_chacha::ChaCha20Rng;
use truechimer_time::{Now, NtpTimestamp};
use truechimer_wire::{Header, Mode, Packet};

use super::on_wire::Stamps;

/// Messages that one packet may carry: an answer and a request.
const MESSAGES_AT_MOST: usize = 2;

fn spoken_in(received: &Received<'_>) -> Vec<Spoken> {
    let packet = Packet::new_checked(received.octets);
    let fields = packet.map(|it| it.extension_fields());
    let fields = fields.into_iter().flatten().take(MESSAGES_AT_MOST);
    fields.map(|it| Spoken::new(&it)).collect()
}

/// What a packet of a symmetric peer is made with.
pub(crate) struct Hand<'a> {
    pub(crate) authenticator: &'a mut dyn Authenticator,
    pub(crate) rng: &'a mut ChaCha20Rng,
    pub(crate) events: &'a mut Vec<PeerEvent>,
}

impl Association {
    /// Whether it talks to a symmetric peer.
    pub(crate) const fn is_symmetric(&self) -> bool {
        matches!(self.role, Role::Peer(_) | Role::Passive(_))
    }

    /// The next packet to a symmetric peer, as of `now`: all we know of our time, and the echo of
    /// what the peer said last. `None` without an address, or without the key, which is said once.
    pub(crate) fn speak(
        &mut self,
        now: Now,
        sequence: u64,
        snapshot: &Snapshot,
        hand: &mut Hand<'_>,
    ) -> Option<Transmit> {
        let to = self.remote?;
        let interleave = self.interleaves();
        let stamped =
            self.conversation
                .speak(sequence, now.wall, snapshot.precision, interleave, hand.rng);
        let stratum = if snapshot.stratum >= STRATUM_UNSPECIFIED {
            0
        } else {
            snapshot.stratum
        };
        let header = Header {
            leap: snapshot.leap,
            version: self.options.version,
            mode: self.role.mode(),
            stratum,
            poll: self.poll.host_poll(),
            precision: snapshot.precision,
            root_delay: snapshot.root_delay,
            root_dispersion: snapshot.root_dispersion_at(now.mono),
            reference_id: snapshot.reference_id,
            reference_time: snapshot.reference_time,
            origin_time: stamped.origin,
            receive_time: stamped.receive,
            transmit_time: stamped.transmit,
        };
        let mut octets = header.to_octets().to_vec();
        if self.autokey.is_some() {
            let sealed = self.seal_for_peer(&mut octets, hand.authenticator, hand.rng);
            if sealed.is_none() {
                self.conversation.abandon(sequence);
                return None;
            }
        } else if let Some(key) = self.options.key
            && !append_mac(&mut octets, key, hand.authenticator)
        {
            self.conversation.abandon(sequence);
            self.miss_key(key, hand.events);
            return None;
        }
        self.key_missed = false;
        Some(self.departs(octets, to, Route::Lasting, sequence))
    }

    /// Takes a datagram that came in on a symmetric peer's socket, and was counted.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) fn hear_peer(
        &mut self,
        now: Now,
        received: &Received<'_>,
        base: &Setting,
        authenticator: &mut dyn Authenticator,
        rng: &mut ChaCha20Rng,
        heard: &mut Heard,
    ) -> Result<(), Refusal> {
        if let Some(spoken) = self.identify_peer(received, authenticator)? {
            if self.autokey.is_some() {
                heard.said = spoken_in(received);
            }
            self.take_word(now, received, spoken, base, rng, heard);
            self.hasten_renewal(now.mono);
        }
        Ok(())
    }

    /// Whether a datagram is the peer's and echoes us. One that is the peer's and does not is
    /// remembered as an overture, which is no failure while neither side has heard the other.
    fn identify_peer(
        &mut self,
        received: &Received<'_>,
        authenticator: &mut dyn Authenticator,
    ) -> Result<Option<(Header, Recognized, Authenticity)>, Refusal> {
        if self.remote != Some(received.source) {
            return Err(Refusal::Test(PacketTest::Bogus));
        }
        let packet = split(received.octets, self.options.key)?;
        let header = packet.header();
        let answers_us = match header.mode {
            Mode::SymmetricActive => true,
            // Two passive sides would have nobody to begin (RFC 5905 §3).
            Mode::SymmetricPassive => matches!(self.role, Role::Peer(_)),
            _ => false,
        };
        if !answers_us || !(1..=4).contains(&header.version) {
            return Err(Refusal::Test(PacketTest::Header));
        }
        let recognized = self.conversation.recognize(&header, self.interleaves());
        let is_nak = packet.mac().is_some_and(|mac| mac.is_crypto_nak());
        match recognized {
            Ok(recognized) => {
                let authenticity =
                    self.authenticate_peer(&packet, received, true, authenticator)?;
                Ok(Some((header, recognized, authenticity)))
            }
            Err(PacketTest::Bogus) if !is_nak => {
                self.authenticate_peer(&packet, received, false, authenticator)?;
                self.conversation.note_overture(&header, received.stamp);
                if let Some(autokey) = &mut self.autokey {
                    autokey.is_estranged |= autokey.dance.is_proventic();
                }
                // What makes a passive association echoes a reply of a server thread.
                let first = header.origin_time.is_zero() || matches!(self.role, Role::Passive(_));
                if first && !self.conversation.has_begun() {
                    return Ok(None);
                }
                Err(Refusal::Test(PacketTest::Bogus))
            }
            // A crypto-NAK that echoes nothing is anybody's.
            Err(test) => Err(Refusal::Test(test)),
        }
    }

    fn authenticate_peer(
        &mut self,
        packet: &Packet<'_>,
        received: &Received<'_>,
        is_recognized: bool,
        authenticator: &mut dyn Authenticator,
    ) -> Result<Authenticity, Refusal> {
        if self.autokey.is_some() {
            return self.authenticate_session(packet, received, is_recognized, authenticator);
        }
        let from = received.source.ip();
        authenticate(packet, self.options.key, from, authenticator)
    }

    fn take_word(
        &mut self,
        now: Now,
        received: &Received<'_>,
        (header, recognized, authenticity): (Header, Recognized, Authenticity),
        base: &Setting,
        rng: &mut ChaCha20Rng,
        heard: &mut Heard,
    ) {
        if kiss(&header).is_some() {
            self.conversation.take_kiss(&recognized);
        }
        let is_answer = recognized.is_answer();
        let interleaved = recognized.is_interleaved();
        let exchanged = if kiss(&header).is_some() {
            None
        } else {
            self.conversation.take(recognized, &header, received.stamp)
        };
        if !is_answer {
            // The peer spoke twice: the later packet is to be echoed, the first was measured.
            return;
        }
        self.poll.heed(header.poll);
        if let Some(autokey) = &mut self.autokey {
            autokey.is_estranged = false;
        }
        if self.autokey.is_some() && matches!(authenticity, Authenticity::NotAsked) {
            // It may be an answer of the dance, but what it measures is not proven to be true.
            let autokey = self.autokey.as_ref();
            let proven = autokey.is_some_and(|it| it.dance.is_proventic() && it.dance.has_cookie());
            self.take_step(now, &header, proven, rng, heard);
            return;
        }
        let stamps = exchanged
            .filter(|it| !interleaved || self.is_plausible(it, &header))
            .ok_or(PacketTest::Unsynchronized);
        let answer = Answer {
            tests: examine(&if interleaved {
                // Its transmit stamp is of the packet before, when the clock was not set yet.
                Header {
                    reference_time: NtpTimestamp::ZERO,
                    ..header
                }
            } else {
                header
            }),
            classes: exchanged.map(|it| (it.left.class, it.arrived.class)),
            stamps: stamps.map(|it| Stamps {
                origin: it.left.at,
                receive: it.receive,
                transmit: it.transmit,
                destination: it.arrived.at,
            }),
            late: None,
            arrived: received.stamp.at,
            header,
            authenticity,
        };
        self.tell_unagreed(heard);
        self.take_answer(now, received, answer, base, rng, heard);
    }

    /// Whether an interleaved packet may be about the exchange that we take it for: the peer's
    /// transmit stamp lies before the arrival it tells, and no packet seems to be missing.
    fn is_plausible(&self, exchanged: &Exchanged, header: &Header) -> bool {
        let held_s = header.receive_time.since(header.transmit_time).to_seconds();
        let poll = self.poll.host_poll().min(header.poll).max(0);
        let away_s = exchanged.arrived.at.since(exchanged.left.at).to_seconds();
        let there_s = exchanged.transmit.since(exchanged.receive).to_seconds();
        held_s > 0.0 && away_s - there_s <= f64::from(poll).exp2() / 2.0
    }
}

#[cfg(test)]
mod tests;
