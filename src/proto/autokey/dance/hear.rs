//! What messages of the other side change. What is signed goes to a holder of keys first.
use super::parts::{Awaited, Waiting};
use super::{Dance, Effect, Manner, Own, Trouble, WordOfMessage, is_name, is_of_group};
use crate::autokey::job::{Failure, SignedValue, Task, Verifier};
use crate::autokey::key_list::ListEnd;
use crate::autokey::status::{Flags, Scheme, StatusWord, signature_name};
use truechimer_wire::{AutokeyBody, AutokeyCode, AutokeyMessage};

/// Octets of the longest name of a host.
const NAME_LEN_MAX: usize = 256;
/// Octets of a leap-seconds table's value.
const LEAP_LEN: usize = 12;

type Heard = Result<Vec<Effect>, Failure>;

impl Dance {
    /// Takes a response, or what a symmetric peer or a broadcast server says unasked.
    ///
    /// # Errors
    /// What is wrong with it; `Protocol` means that the association is to begin anew.
    pub(crate) fn hear(
        &mut self,
        message: &AutokeyMessage<'_>,
        of: WordOfMessage,
        own: &Own<'_>,
    ) -> Result<Vec<Effect>, Trouble> {
        if message.code == AutokeyCode::Association && self.is_another(message) {
            return Err(Trouble {
                of,
                failure: Failure::Protocol,
            });
        }
        if let Some(heard) = self.hear_for_renewal(message, of, own) {
            return heard;
        }
        let heard = self.hear_checked(message, of, own);
        heard.map_err(|failure| Trouble { of, failure })
    }

    fn hear_checked(
        &mut self,
        message: &AutokeyMessage<'_>,
        of: WordOfMessage,
        own: &Own<'_>,
    ) -> Heard {
        if message.is_error {
            return Err(Failure::Protocol);
        }
        if message.code == AutokeyCode::Association {
            return self.hear_association(message, own);
        }
        if self.status.word() == 0 || !message.is_response {
            return Ok(Vec::new());
        }
        self.check_association(message)?;
        let told = self.manner != Manner::Client && message.code == AutokeyCode::Autokey;
        let asked = self.asked.is_some_and(|it| it.0 == message.code);
        // The other side may have nothing to give yet.
        let Some(body) = message.body.filter(|_| told || asked) else {
            return Ok(Vec::new());
        };
        if self.is_waiting() {
            return Ok(Vec::new());
        }
        check_times(&body)?;
        if body.value.is_empty() {
            return Err(Failure::Length);
        }
        let begun = match message.code {
            AutokeyCode::Certificate => self.hear_certificate(&body),
            AutokeyCode::Cookie => self.hear_cookie(&body),
            AutokeyCode::Autokey => self.hear_key_list(&body),
            AutokeyCode::Sign => self.hear_verified(&body, Flags::SIGN, Awaited::SignedBy),
            AutokeyCode::LeapSeconds if body.value.len() != LEAP_LEN => Err(Failure::LeapSeconds),
            AutokeyCode::LeapSeconds => self.hear_verified(&body, Flags::LEAP, Awaited::Leap),
            AutokeyCode::Iff => self.hear_identity(&body, Scheme::Iff),
            AutokeyCode::Gq => self.hear_identity(&body, Scheme::Gq),
            AutokeyCode::Mv => self.hear_identity(&body, Scheme::Mv),
            AutokeyCode::Association | AutokeyCode::NoOperation | AutokeyCode::Other(_) => Ok(None),
        }?;
        let Some((task, what)) = begun else {
            return Ok(Vec::new());
        };
        self.waiting = Some(Waiting { of, what });
        Ok(vec![Effect::Perform(task)])
    }

    /// Whether a response is about this association.
    fn check_association(&self, message: &AutokeyMessage<'_>) -> Result<(), Failure> {
        let theirs = message.association == self.peer_id;
        let of_list = message.code == AutokeyCode::Autokey;
        let is_told = of_list && self.manner == Manner::Listener && theirs;
        if message.association == self.id || is_told {
            Ok(())
        } else {
            Err(Failure::Protocol)
        }
    }

    /// Whether who introduces itself has another number than the other side had: that began anew.
    fn is_another(&self, message: &AutokeyMessage<'_>) -> bool {
        let is_known = self.status.word() != 0 && self.manner != Manner::Client;
        // A broadcast server that is asked says ours.
        let is_asked = self.manner == Manner::Listener && self.is_renewing();
        is_known && !is_asked && message.association != self.peer_id
    }

    fn hear_association(&mut self, message: &AutokeyMessage<'_>, own: &Own<'_>) -> Heard {
        if self.status.word() != 0 {
            return Ok(Vec::new());
        }
        if self.manner == Manner::Client {
            if !message.is_response {
                return Ok(Vec::new());
            }
            if message.association != self.id {
                return Err(Failure::Protocol);
            }
        }
        let body = message.body.ok_or(Failure::Length)?;
        if body.value.len() > NAME_LEN_MAX {
            return Err(Failure::Length);
        }
        let name = core::str::from_utf8(body.value).map_err(|_| Failure::Length)?;
        if !is_name(name) {
            return Err(Failure::Length);
        }
        if !is_of_group(name, own.facts.group(), self.ident.as_deref()) {
            return Err(Failure::Identity);
        }
        let mut status = StatusWord::from_word(body.filestamp);
        // What is proven is for us to say.
        status.flags = offers(status.flags) | Flags::ENABLED;
        let signature = signature_name(status.signature_nid).ok_or(Failure::Digest)?;
        let own_certificate = own.facts.certificates.first();
        if let Some(private) = own_certificate.filter(|it| it.private) {
            if !status.flags.contains(Flags::PRIVATE) {
                return Err(Failure::Identity);
            }
            status.flags |= Flags::CERT | Flags::SIGN;
            // Who is to prove more than that it holds the private certificate's key does.
            if self.ident.is_none() {
                status.flags |= Flags::VRFY;
            }
            self.verifier = Some(Verifier {
                public_key: private.public_key.clone(),
                signature_nid: status.signature_nid,
            });
        }
        if self.manner == Manner::Client {
            status.flags |= Flags::AUTO;
        }
        if !status.flags.contains(Flags::TAI) {
            status.flags |= Flags::LEAP;
        }
        self.status = status;
        self.peer_id = message.association;
        name.clone_into(&mut self.subject);
        name.clone_into(&mut self.wanted);
        let line = format!("assoc {} {} host {name} {signature}", self.id, self.peer_id);
        Ok(vec![Effect::Line(line)])
    }

    fn hear_certificate(&mut self, body: &AutokeyBody<'_>) -> Begun {
        if self.has(Flags::CERT) {
            return Ok(None);
        }
        let value = SignedValue::from(*body);
        let task = Task::ReadCertificate {
            der: value.value.clone(),
            filestamp: value.filestamp,
            issuer: None,
        };
        Ok(Some((task, Awaited::Certificate(value))))
    }

    fn hear_identity(&mut self, body: &AutokeyBody<'_>, scheme: Scheme) -> Begun {
        if self.has(Flags::VRFY) {
            return Ok(None);
        }
        let by = self.verifier.clone().ok_or(Failure::PublicKey)?;
        let ident = self.parameters().cloned().ok_or(Failure::Identity)?;
        let ours = self.challenge.as_ref().filter(|it| it.scheme == scheme);
        let challenge = ours.ok_or(Failure::Identity)?;
        let of_same = body.filestamp == challenge.filestamp;
        let of_later = !is_before(body.filestamp, challenge.filestamp);
        let fits = of_same || (scheme == Scheme::Gq && of_later);
        if !fits {
            return Err(Failure::Filestamp);
        }
        let task = Task::CheckAnswer {
            scheme,
            ident,
            challenge: challenge.octets.clone(),
            value: SignedValue::from(*body),
            by,
            gq_public: self.gq_public.clone(),
        };
        Ok(Some((task, Awaited::Identity(scheme, body.filestamp))))
    }

    fn hear_cookie(&self, body: &AutokeyBody<'_>) -> Begun {
        let by = self.verifier.clone().ok_or(Failure::PublicKey)?;
        if !self.has(Flags::VRFY) {
            return Ok(None);
        }
        if let Some(before) = &self.cookie {
            check_order(body, before.timestamp, before.filestamp)?;
        }
        let value = SignedValue::from(*body);
        let task = Task::OpenCookie { value, by };
        Ok(Some((
            task,
            Awaited::Cookie(body.timestamp, body.filestamp),
        )))
    }

    fn hear_key_list(&self, body: &AutokeyBody<'_>) -> Begun {
        if !self.has(Flags::VRFY) {
            return Ok(None);
        }
        if let Some((timestamp, filestamp)) = self.chain_signed {
            check_order(body, timestamp, filestamp)?;
            let end = ListEnd::from_octets(body.value);
            let is_same = self.chain.zip(end).is_some_and(|(it, end)| it.is_of(end));
            // Who follows a list is told nothing by its end, which anybody may have recorded.
            if is_same && self.has(Flags::AUTO) {
                return Ok(None);
            }
            // No server makes two in a second; one of them was recorded before.
            let at_once = body.timestamp == timestamp && self.manner == Manner::Listener;
            if at_once && !is_same {
                return Err(Failure::Timestamp);
            }
        }
        self.verify(body, Awaited::KeyList)
    }

    fn hear_verified(
        &self,
        body: &AutokeyBody<'_>,
        flag: Flags,
        what: fn(SignedValue) -> Awaited,
    ) -> Begun {
        if self.has(flag) || !self.has(Flags::VRFY) {
            return Ok(None);
        }
        self.verify(body, what)
    }

    fn verify(&self, body: &AutokeyBody<'_>, what: fn(SignedValue) -> Awaited) -> Begun {
        let by = self.verifier.clone().ok_or(Failure::PublicKey)?;
        let value = SignedValue::from(*body);
        let task = Task::Verify {
            value: value.clone(),
            by,
        };
        Ok(Some((task, what(value))))
    }
}

type Begun = Result<Option<(Task, Awaited)>, Failure>;

/// The bits that a host says of itself; all others are ours to set.
fn offers(said: Flags) -> Flags {
    let all = Flags::ENABLED | Flags::TAI | Flags::PRIVATE | Flags::IFF | Flags::GQ | Flags::MV;
    Flags(said.0 & all.0)
}

/// Nothing is made after it was signed, and who is not synchronised signs nothing.
fn check_times(body: &AutokeyBody<'_>) -> Result<(), Failure> {
    if body.timestamp == 0 || is_before(body.timestamp, body.filestamp) {
        Err(Failure::Timestamp)
    } else {
        Ok(())
    }
}

/// Nothing older takes the place of what there is.
fn check_order(body: &AutokeyBody<'_>, timestamp: u32, filestamp: u32) -> Result<(), Failure> {
    if is_before(body.timestamp, timestamp) {
        return Err(Failure::Timestamp);
    }
    if is_before(body.timestamp, filestamp) || is_before(body.filestamp, filestamp) {
        return Err(Failure::Filestamp);
    }
    Ok(())
}

/// NTP seconds within 68 years of each other, of any era.
pub(super) const fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}
