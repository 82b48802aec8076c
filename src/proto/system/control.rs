//! Control messages (mode 6) and private ones (mode 7): who may, and what is done. How it is written
//! is `control`'s business.
mod clients;
mod operations;
mod private;
mod views;
mod write;

use super::System;
use crate::authentication::{KeyId, MacVerified, verify};
use crate::control::private::Freshness;
use crate::control::{
    Budget, ControlCounts, ControlReply, ControlRequest, Facts, Nonces, Text, Unknown, interfaces,
    restrictions,
};
use crate::host::Output;
use crate::packet::AssociationId;
use core::net::SocketAddr;
use operations::Waiting;
use rand_chacha::ChaCha20Rng;
use truechimer_time::Now;
use truechimer_wire::{
    ControlAnswer, ControlError, ControlHeader, ControlMalformed, ControlMessage, MAC_LEN_MAX,
    Mode, Opcode, PeerStatusWord, fragments,
};

/// Versions of the protocol whose control messages are answered.
const VERSIONS: core::ops::RangeInclusive<u8> = 1..=4;

/// What is remembered between requests.
#[derive(Debug)]
pub(super) struct Desk {
    nonces: Nonces,
    budget: Budget,
    waiting: Vec<Waiting>,
    next_operation: u32,
    saved: Option<String>,
    counts: ControlCounts,
    freshness: Freshness,
    /// The number before that of the first association.
    first_id: u16,
}

impl Desk {
    pub(super) fn new(now: Now, first_id: u16, rng: &mut ChaCha20Rng) -> Self {
        Self {
            nonces: Nonces::new(rng),
            budget: Budget::new(now.mono, rng),
            waiting: Vec::new(),
            next_operation: 1,
            saved: None,
            counts: ControlCounts::default(),
            freshness: Freshness::new(now),
            first_id,
        }
    }
}

/// Where an answer goes, and how it is sealed.
#[derive(Clone, Debug)]
struct Envelope {
    header: ControlHeader,
    to: SocketAddr,
    from: SocketAddr,
    /// The key that the asker proved.
    key: Option<KeyId>,
}

/// A request after its MAC was looked at.
struct Asked<'a> {
    request: &'a ControlRequest<'a>,
    header: ControlHeader,
    data: &'a [u8],
    /// The key it proved.
    proof: Option<MacVerified>,
}

/// What a request comes to.
enum Outcome {
    /// An answer: status word and data.
    Answer(u16, Vec<u8>),
    Refused(ControlError),
    /// Nothing, or not yet.
    Silence,
}

impl From<Unknown> for Outcome {
    fn from(_: Unknown) -> Self {
        Self::Refused(ControlError::UnknownVariable)
    }
}

impl System {
    /// Answers a control request or a private one, by an output. Requests come one a turn, and each
    /// costs less than a millisecond.
    pub fn handle_control(&mut self, now: Now, request: &ControlRequest<'_>, facts: &dyn Facts) {
        if self.ended {
            return;
        }
        self.control.counts.requests += 1;
        let first = request.octets.first().copied().unwrap_or_default();
        if Mode::from_bits(first) == Mode::Private {
            return self.handle_private(now, request, facts);
        }
        let (header, outcome, key) = match ControlMessage::new_checked(request.octets) {
            Err(ControlMalformed::NotControl) => return self.ignore(),
            Err(ControlMalformed::BadFormat(header)) if is_request(&header) => {
                let refused = Outcome::Refused(ControlError::BadFormat);
                (header, refused, None)
            }
            Ok(message) if is_request(message.header()) => {
                let asked = self.authenticate(request, &message);
                let key = asked.proof.as_ref().map(MacVerified::key);
                (asked.header, self.answer(now, &asked, facts), key)
            }
            Ok(_) | Err(ControlMalformed::BadFormat(_)) => return self.ignore(),
        };
        let envelope = Envelope {
            header,
            to: request.source,
            from: request.local,
            key,
        };
        match outcome {
            Outcome::Answer(status, data) => self.reply(now, &envelope, status, &data),
            Outcome::Refused(error) => self.refuse(now, &envelope, error),
            Outcome::Silence => {}
        }
    }

    /// What became of the requests so far.
    pub const fn control_counts(&self) -> ControlCounts {
        self.control.counts
    }

    const fn ignore(&mut self) {
        self.control.counts.ignored += 1;
    }

    fn authenticate<'a>(
        &mut self,
        request: &'a ControlRequest<'a>,
        message: &ControlMessage<'a>,
    ) -> Asked<'a> {
        let proof = message.mac().and_then(|mac| {
            let key = KeyId::symmetric(mac.key_id)?;
            let from = request.source.ip();
            let authenticator = self.authenticator.as_mut();
            verify(
                authenticator,
                key,
                from,
                message.authenticated(),
                mac.digest,
            )
            .ok()
        });
        Asked {
            request,
            header: *message.header(),
            data: message.data(),
            proof,
        }
    }

    fn answer(&mut self, now: Now, asked: &Asked<'_>, facts: &dyn Facts) -> Outcome {
        let may_change = asked
            .proof
            .as_ref()
            .is_some_and(|proof| Some(proof.key()) == self.config.control.key);
        let outcome = match asked.header.opcode {
            Opcode::Other(0) => self.read_nothing(asked),
            Opcode::ReadStatus => self.read_status(now, asked, facts),
            Opcode::ReadVariables => self.read_variables(now, asked, asked.data, facts),
            Opcode::ReadClock => self.read_clock(asked),
            Opcode::RequestNonce => self.make_nonce(now, asked),
            Opcode::WriteVariables
            | Opcode::WriteClock
            | Opcode::Configure
            | Opcode::SaveConfig
            | Opcode::ReadOrdered
                if !may_change =>
            {
                Err(Outcome::Refused(ControlError::Permission))
            }
            Opcode::WriteVariables => self.write_variables(asked),
            Opcode::Configure => self.start_configuring(asked),
            Opcode::SaveConfig => self.start_saving(asked),
            Opcode::ReadOrdered => self.read_list(asked, facts),
            // Traps would let one request make many answers, for as long as somebody likes.
            Opcode::WriteClock | Opcode::SetTrap => Err(Outcome::Refused(ControlError::Permission)),
            Opcode::UnsetTrap => Err(Outcome::Refused(ControlError::BadAssociation)),
            Opcode::ReadMru => self.read_mru(now, asked),
            Opcode::AsyncMessage | Opcode::Other(_) => {
                Err(Outcome::Refused(ControlError::BadOpcode))
            }
        };
        let is_read = matches!(
            asked.header.opcode,
            Opcode::ReadStatus | Opcode::ReadVariables
        );
        if is_read && outcome.is_ok() && asked.proof.is_some() {
            self.forget_events(asked.header.association);
        }
        match outcome {
            Ok((status, text)) => Outcome::Answer(status, text),
            Err(other) => other,
        }
    }

    /// Who proved a key has seen the events: they are counted anew.
    fn forget_events(&mut self, association: u16) {
        if association == 0 {
            self.events.acknowledge();
        } else if let Some(it) = self.associations.get_mut(&AssociationId(association)) {
            it.events.acknowledge();
        }
    }

    fn read_nothing(&self, asked: &Asked<'_>) -> Result<(u16, Vec<u8>), Outcome> {
        match asked.header.association {
            0 => Ok((self.status_word().word(), Vec::new())),
            number => Ok((self.known(number)?, Vec::new())),
        }
    }

    /// The status word of an association there is.
    fn known(&self, number: u16) -> Result<u16, Outcome> {
        let id = AssociationId(number);
        self.peer_status_word(id)
            .map(PeerStatusWord::word)
            .ok_or(Outcome::Refused(ControlError::BadAssociation))
    }

    fn read_status(
        &self,
        now: Now,
        asked: &Asked<'_>,
        facts: &dyn Facts,
    ) -> Result<(u16, Vec<u8>), Outcome> {
        if asked.header.association != 0 {
            return self.read_variables(now, asked, &[], facts);
        }
        let mut ids: Vec<AssociationId> = self.associations.keys().copied().collect();
        ids.extend(self.pools.keys());
        ids.sort_unstable();
        let mut words = Vec::with_capacity(ids.len() * 4);
        for id in ids {
            let word = self.peer_status_word(id).map_or(0, PeerStatusWord::word);
            words.extend_from_slice(&id.0.to_be_bytes());
            words.extend_from_slice(&word.to_be_bytes());
        }
        Ok((self.status_word().word(), words))
    }

    fn read_variables(
        &self,
        now: Now,
        asked: &Asked<'_>,
        names: &[u8],
        facts: &dyn Facts,
    ) -> Result<(u16, Vec<u8>), Outcome> {
        let mut text = Text::default();
        let status = match asked.header.association {
            0 => {
                self.system_view(now, facts).write(names, &mut text)?;
                self.status_word().word()
            }
            number => {
                let status = self.known(number)?;
                if let Some(view) = self.peer_view(now, AssociationId(number), facts) {
                    view.write(names, &mut text)?;
                }
                status
            }
        };
        Ok((status, text.finish()))
    }

    fn read_clock(&self, asked: &Asked<'_>) -> Result<(u16, Vec<u8>), Outcome> {
        let view = self.clock_view(asked.header.association);
        let view = view.ok_or(Outcome::Refused(ControlError::BadAssociation))?;
        let mut text = Text::default();
        view.write(asked.data, &mut text)?;
        // The drivers here report no events.
        Ok((0, text.finish()))
    }

    fn read_list(&self, asked: &Asked<'_>, facts: &dyn Facts) -> Result<(u16, Vec<u8>), Outcome> {
        let mut text = Text::default();
        match asked.data {
            b"" | b"ifstats" => {
                let locals: Vec<_> = self
                    .associations
                    .keys()
                    .filter_map(|id| facts.client_address(*id))
                    .collect();
                let peers = |ip| locals.iter().filter(|local| local.ip() == ip).count();
                interfaces(&facts.interfaces(), peers, &mut text);
            }
            b"addr_restrictions" => restrictions(&self.config.access.rulings(), &mut text),
            _ => return Err(Outcome::Refused(ControlError::UnknownVariable)),
        }
        Ok((0, text.finish()))
    }

    fn refuse(&mut self, now: Now, envelope: &Envelope, error: ControlError) {
        self.control.counts.refused += 1;
        self.send_control(now, envelope, error.status(), &[], true);
    }

    fn reply(&mut self, now: Now, envelope: &Envelope, status: u16, data: &[u8]) {
        self.control.counts.answered += 1;
        self.send_control(now, envelope, status, data, false);
    }

    fn send_control(
        &mut self,
        now: Now,
        envelope: &Envelope,
        status: u16,
        data: &[u8],
        is_error: bool,
    ) {
        let answer = ControlAnswer {
            header: ControlHeader {
                leap: self.variables.leap,
                is_response: true,
                is_error,
                status,
                ..envelope.header
            },
            data,
            sealed: envelope.key.is_some(),
        };
        let mut datagrams: Vec<Vec<u8>> = fragments(&answer).collect();
        if let Some(key) = envelope.key {
            for datagram in &mut datagrams {
                self.seal(key, datagram);
            }
        }
        let is_proven = envelope.key.is_some() || envelope.to.ip().is_loopback();
        let reply = ControlReply {
            datagrams,
            to: envelope.to,
            from: envelope.from,
        };
        self.send_reply(now, reply, is_proven);
    }

    /// Who proves neither a key nor, being on this host, its address pays from a purse.
    fn send_reply(&mut self, now: Now, reply: ControlReply, is_proven: bool) {
        let octets = reply.datagrams.iter().map(Vec::len).sum();
        let to = reply.to.ip();
        if !is_proven && !self.control.budget.pay(to, octets, now.mono) {
            return self.ignore();
        }
        self.control.counts.datagrams += reply.datagrams.len() as u64;
        self.outbox.push(Output::Control(reply));
    }

    /// A key that verifies but will not seal leaves the answer bare, for the asker to judge.
    fn seal(&mut self, key: KeyId, datagram: &mut Vec<u8>) {
        let mut digest = [0; MAC_LEN_MAX];
        if let Some(len) = self.authenticator.seal(key, datagram, &mut digest) {
            datagram.extend_from_slice(&key.get().to_be_bytes());
            datagram.extend_from_slice(digest.get(..len).unwrap_or_default());
        }
    }
}

/// Answers, errors and fragments are not to be answered, or two of us would never stop.
fn is_request(header: &ControlHeader) -> bool {
    let plain = !header.is_response && !header.is_error && !header.has_more;
    plain && header.offset == 0 && VERSIONS.contains(&header.version)
}
