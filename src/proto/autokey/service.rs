//! What an Autokey host answers from: immutable, made by the clock thread, read by server threads.
use super::exposure::is_public;
use super::facts::{Generation, HostFacts};
use super::job::SignedValue;
use super::status::{Scheme, StatusWord};
use super::wanted::{Kind, Wanted};
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
    Ask(Wanted<'a>),
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
    /// what the asker is to be given when it asks for one, if there is any; `ours` is the address that is asked.
    pub(crate) fn answer<'a>(
        &'a self,
        asked: &AutokeyMessage<'a>,
        now_s: Option<u32>,
        cookie: Option<u32>,
        ours: IpAddr,
    ) -> Answer<'a> {
        match asked.code {
            AutokeyCode::LeapSeconds => return ready(Some(&self.leap), now_s),
            AutokeyCode::Autokey => {
                let list = u16::try_from(asked.association).ok();
                return match list.and_then(|id| self.key_lists.get(&(AssociationId(id), ours))) {
                    Some(list) => ready(Some(list), now_s),
                    None => Answer::Error,
                };
            }
            _ => {}
        }
        // All others ask with a value.
        let Some(body) = asked.body.filter(|it| !it.value.is_empty()) else {
            return Answer::Error;
        };
        match asked.code {
            AutokeyCode::Association => {
                let asker = core::str::from_utf8(body.value).unwrap_or_default();
                let name = self.host.name_for(asker);
                Answer::Ready(introduction(name, self.status, self.signed_at))
            }
            AutokeyCode::Certificate => {
                let subject = core::str::from_utf8(body.value).ok();
                ready(subject.and_then(|it| self.certificates.get(it)), now_s)
            }
            AutokeyCode::Cookie => cookie.map_or(Answer::Nothing, |cookie| {
                self.ask(Kind::Cookie(cookie), body, now_s)
            }),
            AutokeyCode::Sign => self.ask(Kind::Certificate, body, now_s),
            AutokeyCode::Iff => self.ask(Kind::Proof(Scheme::Iff), body, now_s),
            AutokeyCode::Gq => self.ask(Kind::Proof(Scheme::Gq), body, now_s),
            AutokeyCode::Mv => self.ask(Kind::Proof(Scheme::Mv), body, now_s),
            _ => Answer::Error,
        }
    }

    /// What a holder of keys is to make. An unsigned value would be refused, so who does not know the
    /// time has none made.
    fn ask<'a>(&self, kind: Kind, body: AutokeyBody<'a>, now_s: Option<u32>) -> Answer<'a> {
        let is_able = match kind {
            Kind::Cookie(_) => body.value.len() <= PUBLIC_KEY_LEN_MAX,
            Kind::Certificate => true,
            Kind::Proof(scheme) => self.host.schemes.contains_key(&scheme),
        };
        if !is_able {
            return Answer::Error;
        }
        now_s.map_or(Answer::Nothing, |timestamp| {
            Answer::Ask(Wanted {
                generation: self.host.generation,
                kind,
                body,
                timestamp,
                signed_at: self.signed_at,
            })
        })
    }
}

/// The body of an association message of a host of this name, asked or answered.
pub(crate) fn introduction(name: &str, status: StatusWord, signed_at: u32) -> AutokeyBody<'_> {
    AutokeyBody {
        timestamp: signed_at,
        filestamp: status.word(),
        value: name.as_bytes(),
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
