//! What comes of jobs: the only place where anything becomes proven.
use super::hear::is_before;
use super::parts::{Awaited, Challenge, Cookie, Waiting};
use super::{Dance, Effect, HOPS_AT_MOST, Manner, Own, Trouble, WordOfMessage};
use crate::autokey::facts::CertificateFacts;
use crate::autokey::job::{Done, Failure, SignedValue, Task, Verifier};
use crate::autokey::key_list::{Chain, ListEnd};
use crate::autokey::status::{Flags, Scheme, signature_name};
use std::sync::Arc;

type Finished = Result<Vec<Effect>, Failure>;

impl Dance {
    /// Takes the outcome of the job under way.
    ///
    /// # Errors
    /// What is wrong with the message that it was for.
    pub(crate) fn finish(&mut self, done: Done, own: &Own<'_>) -> Result<Vec<Effect>, Trouble> {
        let Some(Waiting { of, what }) = self.waiting.take() else {
            return self
                .finish_renewal(&done, own)
                .unwrap_or_else(|| Ok(Vec::new()));
        };
        let finished = match done {
            // Nobody's fault: it is asked for again.
            Done::Failed(Failure::Busy) => return Ok(Vec::new()),
            Done::Failed(failure) => Err(self.note_failure(&what, failure)),
            done => self.finish_one(done, what, of, own),
        };
        finished.map_err(|failure| Trouble { of, failure })
    }

    fn note_failure(&mut self, what: &Awaited, failure: Failure) -> Failure {
        match what {
            Awaited::Identity(..) => self.challenge = None,
            // Whoever is next in the trail, something in it is not right.
            Awaited::Sender(_) | Awaited::Issuer(_) => self.retrace(),
            _ => {}
        }
        failure
    }

    fn finish_one(
        &mut self,
        done: Done,
        what: Awaited,
        of: WordOfMessage,
        own: &Own<'_>,
    ) -> Finished {
        match (what, done) {
            (
                Awaited::Challenge(scheme),
                Done::Challenge {
                    challenge,
                    filestamp,
                },
            ) => {
                self.challenge = Some(Challenge {
                    scheme,
                    octets: challenge,
                    filestamp,
                });
                Ok(Vec::new())
            }
            (Awaited::Certificate(value), Done::Certificate(read)) => {
                self.read_certificate(&read, value, of, own)
            }
            (Awaited::Sender(read), Done::Verified) => self.sent_by_host(&read, of, own),
            (Awaited::Issuer(read), Done::Certificate(_)) => self.add_to_trail(&read, own),
            (Awaited::Identity(scheme, filestamp), Done::Verified) => {
                self.identify(scheme, filestamp)
            }
            (Awaited::Cookie(timestamp, filestamp), Done::Cookie(cookie)) => {
                Ok(self.agree(cookie, timestamp, filestamp))
            }
            (Awaited::KeyList(value), Done::Verified) => self.take_key_list(&value),
            (Awaited::SignedBy(value), Done::Verified) => Ok(self.read_signed(&value, of)),
            (Awaited::Signed(filestamp), Done::Certificate(read)) => {
                self.adopt(&read, filestamp, own)
            }
            (Awaited::Leap(value), Done::Verified) => self.take_leap(&value),
            // A holder of keys that answers something else has done nothing.
            _ => Err(Failure::Protocol),
        }
    }

    /// A certificate of the name that was asked for; who sent it is to be verified by it, if it is
    /// the host's own, else by that.
    fn read_certificate(
        &mut self,
        read: &Arc<CertificateFacts>,
        value: SignedValue,
        of: WordOfMessage,
        own: &Own<'_>,
    ) -> Finished {
        let ends_early = read.not_before_s > read.not_after_s;
        let older_than_file = read.not_before_s < i64::from(read.filestamp);
        // Who trusts itself by way of others trusts nobody.
        let by_ourselves = own.facts.is_called(&read.issuer);
        let again = self.trail.iter().any(|it| it.der == read.der) && !read.is_self_issued();
        // Nor is anybody else who we are: what we sign for all who ask could be passed on to us, and the
        // certificate of a namesake would be handed out in the place of ours.
        let own_key = own.facts.certificates.first().map(|it| &it.public_key);
        let is_ourselves = own.facts.is_called(&read.subject) || own_key == Some(&read.public_key);
        let wrong = read.subject != self.wanted
            || ends_early
            || older_than_file
            || by_ourselves
            || is_ourselves;
        if wrong || again || self.trail.len() >= HOPS_AT_MOST {
            self.retrace();
            return Err(Failure::Certificate);
        }
        // By its sender's own clock; the reference goes on signing with a certificate that ran out.
        if self.trail.is_empty() && !read.is_valid_at(value.timestamp) {
            self.retrace();
            return Err(Failure::Expired);
        }
        let by = self.verifier.clone().unwrap_or_else(|| Verifier {
            public_key: read.public_key.clone(),
            signature_nid: self.status.signature_nid,
        });
        Ok(self.wait_for(
            of,
            Awaited::Sender(read.clone()),
            Task::Verify { value, by },
        ))
    }

    fn sent_by_host(
        &mut self,
        read: &Arc<CertificateFacts>,
        of: WordOfMessage,
        own: &Own<'_>,
    ) -> Finished {
        let Some(signed) = self.trail.last().cloned() else {
            return self.add_to_trail(read, own);
        };
        let begins = signed.not_before_s;
        if !(read.not_before_s..=read.not_after_s).contains(&begins) {
            self.retrace();
            return Err(Failure::Expired);
        }
        let task = Task::ReadCertificate {
            der: signed.der.to_vec(),
            filestamp: signed.filestamp,
            issuer: Some(read.clone()),
        };
        Ok(self.wait_for(of, Awaited::Issuer(read.clone()), task))
    }

    fn wait_for(&mut self, of: WordOfMessage, what: Awaited, task: Task) -> Vec<Effect> {
        self.waiting = Some(Waiting { of, what });
        vec![Effect::Perform(task)]
    }

    /// A certificate whose place in the trail is proven.
    fn add_to_trail(&mut self, read: &Arc<CertificateFacts>, own: &Own<'_>) -> Finished {
        if self.trail.is_empty() {
            self.verifier = Some(Verifier {
                public_key: read.public_key.clone(),
                signature_nid: self.status.signature_nid,
            });
            self.gq_public.clone_from(&read.gq_public);
        }
        self.trail.push(read.clone());
        let mut effects = vec![Effect::Line(line("cert", read, read.filestamp))];
        if !read.is_self_issued() {
            self.wanted.clone_from(&read.issuer);
            return Ok(effects);
        }
        if !read.trusted {
            // Nobody has signed it yet.
            self.retrace();
            return Ok(effects);
        }
        self.status.flags |= Flags::CERT;
        if read.gq_public.is_some() {
            self.gq_public.clone_from(&read.gq_public);
        }
        if own.facts.certificates.first().is_some_and(|it| it.trusted) {
            self.status.flags |= Flags::SIGN;
        }
        self.find_by_name(read, own);
        if self.parameters().is_none() {
            self.status.flags |= Flags::VRFY;
            effects.extend(self.whole_trail());
        } else if let Some(task) = self.prepare_challenge(own) {
            effects.push(Effect::Perform(task));
        }
        Ok(effects)
    }

    /// Before there were groups, parameters were of a trusted host and had its name: where they are here
    /// and it offers their scheme, it is to prove itself by them. Who changes what it offers is not kept
    /// off by that, as by `ident`.
    fn find_by_name(&mut self, trusted: &CertificateFacts, own: &Own<'_>) {
        let known = |scheme: &Scheme| {
            let name = (trusted.subject.clone(), *scheme);
            self.status.flags.contains(scheme.flag()) && own.facts.parameters.contains_key(&name)
        };
        let found = self.ident.is_none() && Scheme::ALL.iter().any(known);
        self.by_name = found.then(|| trusted.subject.clone());
    }

    fn identify(&mut self, scheme: Scheme, filestamp: u32) -> Finished {
        self.challenge = None;
        self.identity = Some(scheme);
        self.status.flags |= Flags::VRFY;
        let last = self.trail.last().map_or("", |it| &it.issuer);
        let line = format!("{} {last} fs {filestamp}", scheme.name());
        let mut effects = vec![Effect::Line(line)];
        effects.extend(self.whole_trail());
        Ok(effects)
    }

    /// To be handed on: half a trail is nothing to others, nor is that of who could not prove its group.
    fn whole_trail(&self) -> impl Iterator<Item = Effect> {
        let issuers = self.trail.iter().skip(1).chain(self.trail.last());
        let all = self.trail.iter().zip(issuers);
        all.map(|(it, by)| Effect::Install(Arc::clone(it), Arc::clone(&by.public_key)))
    }

    fn agree(&mut self, cookie: u32, timestamp: u32, filestamp: u32) -> Vec<Effect> {
        let value = if self.manner == Manner::Symmetric {
            cookie ^ self.host_cookie
        } else {
            cookie
        };
        self.cookie = Some(Cookie {
            value,
            timestamp,
            filestamp,
        });
        self.status.flags |= Flags::COOK | Flags::PROV;
        let line = format!("cook {value:x} ts {timestamp} fs {filestamp}");
        vec![Effect::NewCookie, Effect::Line(line)]
    }

    fn take_key_list(&mut self, value: &SignedValue) -> Finished {
        let end = ListEnd::from_octets(&value.value).ok_or(Failure::Length)?;
        let SignedValue {
            timestamp,
            filestamp,
            ..
        } = *value;
        match self.chain.as_mut().filter(|it| it.is_of(end)) {
            Some(chain) => chain.tell_again(),
            None => self.chain = Some(Chain::new(end)),
        }
        self.chain_signed = Some((timestamp, filestamp));
        self.status.flags |= Flags::AUTO | Flags::PROV;
        let ListEnd { key_id, sequence } = end;
        let line = format!("auto seq {sequence} key {key_id:x} ts {timestamp} fs {filestamp}");
        Ok(vec![Effect::Line(line)])
    }

    /// Our certificate came back from the host that is to have signed it.
    fn read_signed(&mut self, value: &SignedValue, of: WordOfMessage) -> Vec<Effect> {
        let task = Task::ReadCertificate {
            der: value.value.clone(),
            filestamp: value.filestamp,
            issuer: self.own_certificate().cloned(),
        };
        self.wait_for(of, Awaited::Signed(value.filestamp), task)
    }

    fn adopt(&mut self, read: &Arc<CertificateFacts>, filestamp: u32, own: &Own<'_>) -> Finished {
        let ours = own.facts.certificates.first().ok_or(Failure::Certificate)?;
        let is_ours = read.subject == own.facts.name && read.public_key == ours.public_key;
        let by_host = read.issuer == self.subject;
        if !is_ours || !by_host || is_before(filestamp, ours.filestamp) {
            return Err(Failure::Certificate);
        }
        let signer = self.own_certificate().ok_or(Failure::Certificate)?;
        let by = Arc::clone(&signer.public_key);
        self.status.flags |= Flags::SIGN;
        self.note_spare();
        Ok(vec![
            Effect::Adopt(read.clone(), by),
            Effect::Line(line("sign", read, filestamp)),
        ])
    }

    fn take_leap(&mut self, value: &SignedValue) -> Finished {
        let mut words = value.value.chunks_exact(4).map(|word| {
            let word = word.try_into().unwrap_or_default();
            u32::from_be_bytes(word)
        });
        let mut next = || words.next().ok_or(Failure::LeapSeconds);
        let (tai_utc_s, since, until) = (next()?, next()?, next()?);
        self.status.flags |= Flags::LEAP;
        self.note_spare();
        let filestamp = value.filestamp;
        let line = format!("leap TAI offset {tai_utc_s} at {since} expire {until} fs {filestamp}");
        let mut effects = vec![Effect::Line(line)];
        if until != 0 {
            effects.push(Effect::Leap { tai_utc_s, since });
        }
        Ok(effects)
    }
}

/// A certificate in the reference's words.
fn line(word: &str, read: &CertificateFacts, filestamp: u32) -> String {
    let nid = read.signature_nid;
    let signature = signature_name(nid).unwrap_or("unknown");
    format!(
        "{word} {} {} {:#x} {signature} ({nid}) fs {filestamp}",
        read.subject,
        read.issuer,
        flags(read)
    )
}

/// The reference's bits of a certificate: 1 trusted, 4 valid, 8 private.
fn flags(read: &CertificateFacts) -> u8 {
    let valid = read.trusted || !read.is_self_issued();
    u8::from(read.trusted) | u8::from(valid) << 2 | u8::from(read.private) << 3
}
