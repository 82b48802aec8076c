//! What an Autokey host answers from: immutable, made by the clock thread, read by server threads.
use super::exposure::is_public;
use super::facts::{Generation, HostFacts};
use super::job::{CryptoJob, SignedValue, Task};
use super::status::{Scheme, StatusWord};
use crate::packet::AssociationId;
use crate::server::Bounds;
use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::Arc;
use truechimer_wire::{AutokeyBody, AutokeyCode, AutokeyMessage};

/// Octets of a public key that a cookie is sealed with, at most: 4096 bits take 526.
const PUBLIC_KEY_LEN_MAX: usize = 600;

/// What is said to a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer<'a> {
    /// This, at once.
    Ready(AutokeyBody<'a>),
    /// There is nothing to give: the header of a field alone.
    Nothing,
    /// The request cannot be answered, and who asks should begin anew.
    Error,
    /// What comes of this.
    Ask(CryptoJob),
}

/// What an Autokey host says without being asked twice.
#[derive(Debug)]
pub struct Service {
    pub(crate) host: Arc<HostFacts>,
    /// Of association messages.
    pub(crate) status: StatusWord,
    /// When the values below were signed, NTP seconds; 0 if they never were.
    pub(crate) signed_at: u32,
    /// What cookies are made of, the one in use first.
    pub(crate) private_values: Vec<u32>,
    /// By subject.
    pub(crate) certificates: BTreeMap<String, SignedValue>,
    pub(crate) leap: SignedValue,
    /// Autokey values of broadcast associations, by the address that is asked.
    pub(crate) key_lists: BTreeMap<(AssociationId, IpAddr), SignedValue>,
    pub(crate) bounds: Arc<Bounds>,
    /// Strangers are answered at public addresses too.
    pub(crate) insecure: bool,
}

impl Service {
    /// By which reading of the key files it answers.
    pub fn generation(&self) -> Generation {
        self.host.generation
    }

    /// Name of this host, with its group.
    pub fn name(&self) -> &str {
        &self.host.name
    }

    /// Whether strangers are answered who ask at this address of ours: not where all the world can,
    /// unless the operator insists.
    pub fn is_open_at(&self, local: IpAddr) -> bool {
        self.insecure || !is_public(local)
    }

    /// What it says of itself.
    pub const fn status(&self) -> StatusWord {
        self.status
    }

    /// When its values were signed, NTP seconds; 0 if they never were.
    pub const fn signed_at(&self) -> u32 {
        self.signed_at
    }

    /// What is said to a request. `now_s` is the time, NTP seconds, if this host knows it; `cookie` is
    /// what the asker is to be given when it asks for one; `ours` is the address that is asked.
    pub(crate) fn answer<'a>(
        &'a self,
        asked: &AutokeyMessage<'_>,
        now_s: Option<u32>,
        cookie: u32,
        ours: IpAddr,
    ) -> Answer<'a> {
        let value = asked.body.map(|it| it.value).unwrap_or_default();
        match asked.code {
            AutokeyCode::LeapSeconds => ready(Some(&self.leap), now_s),
            AutokeyCode::Autokey => {
                let list = u16::try_from(asked.association).ok();
                match list.and_then(|id| self.key_lists.get(&(AssociationId(id), ours))) {
                    Some(list) => ready(Some(list), now_s),
                    None => Answer::Error,
                }
            }
            // All others ask with a value.
            _ if value.is_empty() => Answer::Error,
            AutokeyCode::Association => {
                Answer::Ready(introduction(&self.host, self.status, self.signed_at))
            }
            AutokeyCode::Certificate => {
                let subject = core::str::from_utf8(value).ok();
                ready(subject.and_then(|it| self.certificates.get(it)), now_s)
            }
            AutokeyCode::Cookie => self.seal(value, now_s, cookie),
            AutokeyCode::Sign => self.sign(asked.body, now_s),
            AutokeyCode::Iff => self.prove(Scheme::Iff, value, now_s),
            AutokeyCode::Gq => self.prove(Scheme::Gq, value, now_s),
            AutokeyCode::Mv => self.prove(Scheme::Mv, value, now_s),
            AutokeyCode::NoOperation | AutokeyCode::Other(_) => Answer::Error,
        }
    }

    fn job(&self, task: Task) -> Answer<'static> {
        Answer::Ask(CryptoJob {
            generation: self.host.generation,
            task,
        })
    }

    fn seal(&self, public_key: &[u8], now_s: Option<u32>, cookie: u32) -> Answer<'static> {
        if public_key.len() > PUBLIC_KEY_LEN_MAX {
            return Answer::Error;
        }
        // An unsigned cookie would be refused, so none is sealed.
        now_s.map_or(Answer::Nothing, |timestamp| {
            self.job(Task::SealCookie {
                timestamp: Some(timestamp),
                filestamp: self.signed_at,
                public_key: public_key.to_vec(),
                cookie,
            })
        })
    }

    fn sign(&self, asked: Option<AutokeyBody<'_>>, now_s: Option<u32>) -> Answer<'static> {
        let (Some(asked), Some(timestamp)) = (asked, now_s) else {
            return Answer::Nothing;
        };
        self.job(Task::SignCertificate {
            timestamp,
            request: SignedValue {
                timestamp: asked.timestamp,
                filestamp: asked.filestamp,
                value: asked.value.to_vec(),
                signature: asked.signature.to_vec(),
            },
        })
    }

    fn prove(&self, scheme: Scheme, challenge: &[u8], now_s: Option<u32>) -> Answer<'static> {
        if !self.host.schemes.contains_key(&scheme) {
            return Answer::Error;
        }
        now_s.map_or(Answer::Nothing, |timestamp| {
            self.job(Task::AnswerChallenge {
                timestamp: Some(timestamp),
                scheme,
                challenge: challenge.to_vec(),
            })
        })
    }
}

/// The body of an association message of a host, asked or answered.
pub(crate) fn introduction(
    host: &HostFacts,
    status: StatusWord,
    signed_at: u32,
) -> AutokeyBody<'_> {
    AutokeyBody {
        timestamp: signed_at,
        filestamp: status.word(),
        value: host.name.as_bytes(),
        signature: &[],
    }
}

/// A value that is signed, if this host knows the time: nobody takes one that is not.
fn ready(value: Option<&SignedValue>, now_s: Option<u32>) -> Answer<'_> {
    match value.filter(|it| it.timestamp != 0 && now_s.is_some()) {
        Some(value) => Answer::Ready(value.body()),
        None => Answer::Nothing,
    }
}
