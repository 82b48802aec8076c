//! What is asked next.
use super::parts::{Asked, Awaited, Waiting};
use super::{Dance, Manner, Message, WordOfMessage};
use crate::autokey::facts::{CertificateFacts, HostFacts};
use crate::autokey::job::{Failure, SignedValue, Task};
use crate::autokey::status::{Flags, Scheme, StatusWord};
use truechimer_wire::AutokeyCode;

/// What of this host goes into requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'a> {
    pub(crate) facts: &'a HostFacts,
    /// What it offers.
    pub(crate) status: StatusWord,
    /// When its values were last signed, NTP seconds; 0 if they never were.
    pub(crate) updated: u32,
    /// The host key's public half.
    pub(crate) public_key: &'a SignedValue,
    /// The certificate that is to be signed by others.
    pub(crate) certificate: Option<&'a SignedValue>,
    /// Whether its clock is set.
    pub(crate) is_synchronized: bool,
}

impl Own<'_> {
    /// Our name, and what we offer.
    pub(crate) fn introduction(&self) -> SignedValue {
        SignedValue {
            timestamp: self.updated,
            filestamp: self.status.word(),
            value: self.facts.name.clone().into_bytes(),
            signature: Vec::new(),
        }
    }
}

/// What is to be sent next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// This request.
    Ask(Message),
    /// A plain packet.
    Plain,
    /// Nothing before this job is done.
    Prepare(Task),
    /// Nothing before the job under way is done.
    Wait,
    /// Nothing, ever, as it is configured now.
    Stuck(Failure),
}

impl Dance {
    /// What the next packet is to carry. `is_peer_synchronized` matters to symmetric peers alone.
    pub(crate) fn next(&mut self, own: &Own<'_>, is_peer_synchronized: bool) -> Step {
        if self.is_waiting() {
            // Before the cookie is agreed no plain packet would be understood.
            return if self.has(Flags::COOK) {
                Step::Plain
            } else {
                Step::Wait
            };
        }
        if let Some(step) = self.ask_for_renewal(own) {
            return step;
        }
        if self.status.word() == 0 {
            // A broadcast server tells its number in its broadcasts alone.
            if self.manner == Manner::Listener {
                return Step::Wait;
            }
            return self.ask_full(AutokeyCode::Association, own.introduction());
        }
        if !self.has(Flags::CERT) {
            let subject = SignedValue {
                value: self.wanted.clone().into_bytes(),
                ..SignedValue::default()
            };
            return self.ask_full(AutokeyCode::Certificate, subject);
        }
        if !self.has(Flags::VRFY) {
            return self.ask_identity(own);
        }
        // A peer seals its half for nobody whose request it cannot verify.
        let both = own.is_synchronized && own.public_key.timestamp != 0 && is_peer_synchronized;
        let may_agree = both || self.manner != Manner::Symmetric;
        if !self.has(Flags::COOK) && may_agree {
            return self.ask_full(AutokeyCode::Cookie, own.public_key.clone());
        }
        if !self.has(Flags::AUTO) {
            return self.ask_short(AutokeyCode::Autokey);
        }
        if !own.is_synchronized {
            return Step::Plain;
        }
        self.ask_if_spare(own)
    }

    /// What is good to have, but not needed for time: not in every packet, as packets with messages
    /// measure nothing, and more and more seldom if it does not come.
    fn ask_if_spare(&mut self, own: &Own<'_>) -> Step {
        // One that is not signed proves nothing to who is to sign it.
        let signed = |it: &&SignedValue| it.timestamp != 0 && !self.has(Flags::SIGN);
        let certificate = own.certificate.filter(signed);
        if certificate.is_none() && self.has(Flags::LEAP) {
            return Step::Plain;
        }
        // One that is not signed proves nothing to who is to sign it.
        let signed = |it: &&SignedValue| it.timestamp != 0 && !self.has(Flags::SIGN);
        let certificate = own.certificate.filter(signed);
        if certificate.is_none() && self.has(Flags::LEAP) {
            return Step::Plain;
        }
        if self.spared > 0 {
            self.spared -= 1;
            return Step::Plain;
        }
        self.spared = self.spare;
        self.spare = self.spare.saturating_mul(2).min(super::SPARES_AT_MOST);
        match certificate {
            Some(certificate) => self.ask_full(AutokeyCode::Sign, certificate.clone()),
            None => self.ask_short(AutokeyCode::LeapSeconds),
        }
    }

    /// This host has another certificate, so what the other side signed is of no use any more.
    /// Nobody needs to sign a trusted or a private one.
    pub(crate) fn note_own_certificate(&mut self, own: &CertificateFacts) {
        if !own.trusted && !own.private {
            self.status.flags = self.status.flags.without(Flags::SIGN);
            self.note_spare();
        }
    }

    /// What was asked for and is not needed for time has come.
    pub(super) const fn note_spare(&mut self) {
        self.spared = 0;
        self.spare = 1;
    }

    fn ask_full(&mut self, code: AutokeyCode, body: SignedValue) -> Step {
        self.ask(code, self.id, Some(body))
    }

    fn ask_short(&mut self, code: AutokeyCode) -> Step {
        // The broadcast server finds its key list by its own number.
        let is_theirs = code == AutokeyCode::Autokey && self.manner == Manner::Listener;
        let association = if is_theirs { self.peer_id } else { self.id };
        self.ask(code, association, None)
    }

    fn ask(&mut self, code: AutokeyCode, association: u32, body: Option<SignedValue>) -> Step {
        self.asked = Some(Asked(code));
        Step::Ask(Message {
            is_response: false,
            is_error: false,
            code,
            association,
            body,
        })
    }

    fn ask_identity(&mut self, own: &Own<'_>) -> Step {
        if let Some(challenge) = &self.challenge {
            let code = code_of(challenge.scheme);
            let body = SignedValue {
                filestamp: challenge.filestamp,
                value: challenge.octets.clone(),
                ..SignedValue::default()
            };
            return self.ask_full(code, body);
        }
        match self.prepare_challenge(own) {
            Some(task) => Step::Prepare(task),
            None => Step::Stuck(Failure::Identity),
        }
    }

    /// The job that makes a challenge, if one is wanted and this host has what it is made of.
    pub(super) fn prepare_challenge(&mut self, own: &Own<'_>) -> Option<Task> {
        let ident = self.parameters()?.clone();
        let offered = |it: &Scheme| self.status.flags.contains(it.flag());
        let known = |it: &Scheme| own.facts.parameters.contains_key(&(ident.clone(), *it));
        let mut all = Scheme::ALL.into_iter();
        let scheme = all.find(|it| offered(it) && known(it))?;
        self.waiting = Some(Waiting {
            of: WordOfMessage::default(),
            what: Awaited::Challenge(scheme),
        });
        Some(Task::Challenge { scheme, ident })
    }
}

/// The message of a scheme.
pub(super) const fn code_of(scheme: Scheme) -> AutokeyCode {
    match scheme {
        Scheme::Iff => AutokeyCode::Iff,
        Scheme::Gq => AutokeyCode::Gq,
        Scheme::Mv => AutokeyCode::Mv,
    }
}
