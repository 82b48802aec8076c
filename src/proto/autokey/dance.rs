//! The dance of one association (RFC 5906 §9, §11): who the other side is, whom it can be proven by,
//! and which cookie is agreed. Messages and outcomes of jobs in, requests and jobs out.
//!
//! Nothing that comes is believed before the job that proves it is done; what is asked for next
//! follows from the flags alone, so that a message that was lost is asked for again.
mod ask;
mod finish;
mod hear;
mod parts;
mod renew;
#[cfg(test)]
mod tests;

pub(crate) use ask::{Own, Step};
pub(crate) use parts::{Effect, Manner, Message, Spoken, Trouble, WordOfMessage};

use super::facts::CertificateFacts;
use super::job::Verifier;
use super::key_list::Chain;
use super::status::{Flags, Scheme, StatusWord};
use parts::{Asked, Challenge, Cookie, Waiting};
use renew::Renewal;
use std::sync::Arc;
use truechimer_wire::AutokeyCode;

/// Certificates from a host to its trusted one at most: a longer trail is somebody's game.
const HOPS_AT_MOST: usize = 16;
/// Requests that may fail before those that are not needed are asked for seldom.
const SPARES_AT_MOST: u8 = 64;

/// Where one association has got to.
#[derive(Debug)]
pub(crate) struct Dance {
    manner: Manner,
    /// Our number of the association.
    id: u32,
    /// The trusted host's name, where no group is demanded and its parameters are here.
    by_name: Option<String>,
    /// The group that the other side must prove to be of.
    ident: Option<String>,
    /// What it offers and what of it is proven; nothing before it said its name.
    status: StatusWord,
    /// Its number of the association.
    peer_id: u32,
    /// Its name.
    subject: String,
    /// Whose certificate is wanted next: its own first, then that of whoever signed the last.
    wanted: String,
    /// The trail so far, its own certificate first.
    trail: Vec<Arc<CertificateFacts>>,
    /// What verifies its signatures.
    verifier: Option<Verifier>,
    /// The GQ public value of its group.
    gq_public: Option<Arc<[u8]>>,
    /// By which scheme it proved to be of the group.
    identity: Option<Scheme>,
    challenge: Option<Challenge>,
    /// What its last request was.
    asked: Option<Asked>,
    waiting: Option<Waiting>,
    /// Another proof of who it is, since it signs with another key.
    renewal: Option<Renewal>,
    cookie: Option<Cookie>,
    /// Its key list.
    chain: Option<Chain>,
    /// When the end of its key list was signed and of what it was made, NTP seconds.
    chain_signed: Option<(u32, u32)>,
    /// Ours, that a symmetric peer seals with its own.
    pub(crate) host_cookie: u32,
    /// Requests that are not needed are left out so often yet, and next time.
    spared: u8,
    spare: u8,
}

impl Dance {
    /// At its beginning. `host_cookie` is random; only symmetric peers have one.
    pub(crate) fn new(manner: Manner, id: u16, ident: Option<String>, host_cookie: u32) -> Self {
        Self {
            manner,
            id: u32::from(id),
            ident,
            status: StatusWord::default(),
            peer_id: 0,
            subject: String::new(),
            wanted: String::new(),
            trail: Vec::new(),
            verifier: None,
            gq_public: None,
            identity: None,
            by_name: None,
            challenge: None,
            asked: None,
            waiting: None,
            renewal: None,
            cookie: None,
            chain: None,
            chain_signed: None,
            host_cookie,
            spared: 0,
            spare: 1,
        }
    }

    /// Begins anew: nothing is known of the other side any more.
    pub(crate) fn restart(&mut self, host_cookie: u32) {
        let id = u16::try_from(self.id).unwrap_or_default();
        *self = Self::new(self.manner, id, self.ident.take(), host_cookie);
    }

    const fn has(&self, flag: Flags) -> bool {
        self.status.flags.contains(flag)
    }

    /// Whether a signature of its was verified by a certificate that is proven: only then its time
    /// may be used.
    pub(crate) const fn is_proventic(&self) -> bool {
        self.has(Flags::PROV)
    }

    /// Whether everything is done that is to be done before time is used.
    pub(crate) const fn is_agreed(&self) -> bool {
        self.has(Flags::PROV) && self.has(Flags::COOK) && self.has(Flags::AUTO)
    }

    /// Whether nothing is to be asked for any more.
    pub(crate) const fn is_complete(&self) -> bool {
        self.is_agreed() && self.has(Flags::SIGN) && self.has(Flags::LEAP)
    }

    /// The cookie of packets without messages; 0 before it is agreed.
    pub(crate) fn cookie(&self) -> u32 {
        self.cookie.as_ref().map_or(0, |it| it.value)
    }

    /// A job is under way.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some() || self.renewal_waits()
    }

    /// For people, and for programs that read variables.
    pub(crate) const fn status(&self) -> StatusWord {
        self.status
    }

    /// Its name; empty before it said it.
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// The group it must prove to be of.
    pub(crate) fn ident(&self) -> Option<&str> {
        self.ident.as_deref()
    }

    /// By which parameters it is to prove itself.
    fn parameters(&self) -> Option<&String> {
        self.ident.as_ref().or(self.by_name.as_ref())
    }

    /// By which scheme it proved to be of the group.
    pub(crate) const fn identity(&self) -> Option<Scheme> {
        self.identity
    }

    /// Whether it proved to hold what only members of a group have: an answer to our challenge, or the
    /// key of the private certificate, for which no trail is walked.
    pub(crate) fn has_proven_group(&self) -> bool {
        self.has(Flags::PROV) && (self.identity.is_some() || self.trail.is_empty())
    }

    /// Its number of the association.
    pub(crate) const fn peer_id(&self) -> u32 {
        self.peer_id
    }

    /// The end of its key list, and when that was signed, NTP seconds.
    pub(crate) fn initial(&self) -> Option<(super::key_list::ListEnd, u32)> {
        Some((self.chain?.end(), self.chain_signed?.0))
    }

    /// As if it had said its name, and nothing since.
    #[cfg(test)]
    pub(crate) fn pretend_met(&mut self) {
        self.status.flags = Flags::ENABLED;
    }

    /// How far the proof of the other side has got; `None` before it began, and once it is done.
    pub(crate) fn progress(&self) -> Option<(u32, usize)> {
        let word = self.status.word();
        let is_under_way = word != 0 && !self.has(Flags::PROV);
        is_under_way.then_some((word, self.trail.len()))
    }

    /// As if all had been proven and this cookie sealed.
    #[cfg(test)]
    pub(crate) fn pretend(&mut self, cookie: u32) {
        self.status.flags = Flags::ENABLED | Flags::PROV | Flags::COOK | Flags::AUTO;
        self.cookie = Some(Cookie {
            value: cookie,
            timestamp: 1,
            filestamp: 1,
        });
    }

    /// As if it had been proven by this certificate.
    #[cfg(test)]
    pub(crate) fn pretend_certified(&mut self, certificate: Arc<CertificateFacts>) {
        self.status.flags |= Flags::ENABLED | Flags::CERT | Flags::VRFY | Flags::PROV;
        self.trail = vec![certificate];
    }

    /// As if the end of its key list had been proven, and no more.
    #[cfg(test)]
    pub(crate) fn pretend_listed(&mut self, end: super::key_list::ListEnd) {
        self.status.flags |= Flags::ENABLED | Flags::VRFY | Flags::PROV | Flags::AUTO;
        self.chain = Some(Chain::new(end));
    }

    /// Whether a cookie is agreed.
    pub(crate) const fn has_cookie(&self) -> bool {
        self.has(Flags::COOK)
    }

    /// Whether the end of its key list is known.
    pub(crate) const fn knows_list(&self) -> bool {
        self.has(Flags::AUTO) && self.chain.is_some()
    }

    /// Whether a message that a broadcast server says to all is to be heard. Nothing proves where a
    /// broadcast comes from, so what could only do harm is not: an error, or another number.
    pub(crate) fn hears_unasked(&self, message: &Message) -> bool {
        let of_code = match message.code {
            AutokeyCode::Association => self.status.word() == 0,
            AutokeyCode::Autokey => message.association == self.peer_id,
            _ => false,
        };
        of_code && message.is_response && !message.is_error
    }

    /// Our number of the association.
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    /// Whether a packet with this key is the next of its key list; if none of the packets that may
    /// have been lost explains it, the end of the list is asked for again.
    pub(crate) fn admits(
        &mut self,
        key_id: u32,
        next: impl FnMut(u32) -> Option<crate::authentication::SessionKey>,
    ) -> bool {
        let admitted = self
            .chain
            .as_mut()
            .is_some_and(|chain| chain.admits(key_id, next));
        // Who listens could not ask for it again, and anybody can make a packet with another key.
        if !admitted && self.manner != Manner::Listener {
            self.status.flags = self.status.flags.without(Flags::AUTO);
        }
        admitted
    }

    /// What verifies its signatures, once it is proven whose they are.
    pub(crate) fn signer(&self) -> Option<&Verifier> {
        self.verifier.as_ref().filter(|_| self.has(Flags::VRFY))
    }

    /// The key of the certificate by which it is proven.
    pub(crate) fn proven_key(&self) -> Option<&Arc<[u8]>> {
        let own = self.own_certificate().filter(|_| self.has(Flags::PROV))?;
        Some(&own.public_key)
    }

    /// The certificate of the host itself, the first of the trail.
    fn own_certificate(&self) -> Option<&Arc<CertificateFacts>> {
        self.trail.first()
    }

    /// The whole trail is to be walked again, from the host's own certificate.
    fn retrace(&mut self) {
        self.trail.clear();
        self.verifier = None;
        self.gq_public = None;
        self.wanted.clone_from(&self.subject);
    }
}

/// Whether somebody of this name may be spoken to: who has a group of its own talks only to that, and
/// to the one that the association is told to belong to.
fn is_of_group(name: &str, own_group: Option<&str>, ident: Option<&str>) -> bool {
    let Some(own_group) = own_group else {
        return true;
    };
    let group = name.split_once('@').map(|(_, group)| group);
    group.is_some_and(|group| group == own_group || Some(group) == ident)
}

/// Names are shown to people and written into lines: nothing that could end either.
fn is_name(name: &str) -> bool {
    let sound = |it: u8| it.is_ascii_graphic() && !matches!(it, b'"' | b'\\');
    !name.is_empty() && name.bytes().all(sound)
}
