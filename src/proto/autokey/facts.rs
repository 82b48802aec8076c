//! What a host's key files say, without their secrets: made by who read them, told to the protocol.
use super::status::{Flags, Scheme, StatusWord};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names one reading of the key files. Jobs say by which one they are to be done, so that what was
/// begun before a roll-over can be finished after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// All that an Autokey host needs to know of its own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// Which reading.
    pub generation: Generation,
    /// Subject of its certificate: `host` or `host@group`.
    pub name: String,
    /// Its certificate, and what was read beside it; the own one first. There may be one more of its
    /// key for each other group, `host@group`.
    pub certificates: Vec<Arc<CertificateFacts>>,
    /// The host key's public half, PKCS#1 `RSAPublicKey` in DER: asked for cookies with.
    pub public_key: Arc<[u8]>,
    /// When the host key was made, NTP seconds.
    pub key_filestamp: u32,
    /// Octets of a signature.
    pub signature_len: usize,
    /// The schemes it answers challenges of, with the filestamp of each group's key, NTP seconds.
    pub schemes: BTreeMap<Scheme, Vec<u32>>,
    /// Groups that it proves to be of, where they are named.
    pub groups: BTreeSet<String>,
    /// Group parameters it can challenge with, by `ident`, with the filestamp of each, NTP seconds.
    pub parameters: BTreeMap<(String, Scheme), u32>,
}

/// What a certificate says (RFC 5280 as far as Autokey looks).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// All of it, DER.
    pub der: Arc<[u8]>,
    /// Common name of the subject.
    pub subject: String,
    /// Common name of the issuer.
    pub issuer: String,
    /// Serial number, as far as it fits.
    pub serial: u64,
    /// From when, NTP seconds of any era.
    pub not_before_s: i64,
    /// Until when, NTP seconds of any era.
    pub not_after_s: i64,
    /// Extended key usage "Trust Root".
    pub trusted: bool,
    /// Extended key usage "Private".
    pub private: bool,
    /// OpenSSL's number of its signature's algorithm.
    pub signature_nid: u16,
    /// The public key, `SubjectPublicKeyInfo` in DER.
    pub public_key: Arc<[u8]>,
    /// Octets of a signature by that key.
    pub signature_len: usize,
    /// The GQ public value.
    pub gq_public: Option<Arc<[u8]>>,
    /// When the file, or the message it came in, was made, NTP seconds.
    pub filestamp: u32,
}

/// NTP seconds of any era from those of a stamp: 1968 to 2104, as other daemons read them.
pub fn ntp_s(stamp: u32) -> i64 {
    const ERA_S: i64 = 1 << 32;
    if stamp >> 31 == 1 {
        i64::from(stamp)
    } else {
        i64::from(stamp) + ERA_S
    }
}

/// The part of a name after `@`.
fn group_of(name: &str) -> Option<&str> {
    Some(name.split_once('@')?.1)
}

impl CertificateFacts {
    /// Whether this moment, NTP seconds, is in its lifetime.
    pub fn is_valid_at(&self, stamp: u32) -> bool {
        (self.not_before_s..=self.not_after_s).contains(&ntp_s(stamp))
    }

    /// Subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

impl HostFacts {
    /// What it says of itself before anything was signed.
    pub fn status_word(&self) -> StatusWord {
        let own = self.certificates.first();
        let mut flags = Flags::ENABLED;
        if own.is_some_and(|own| own.private) {
            flags |= Flags::PRIVATE;
        }
        for scheme in self.schemes.keys() {
            flags |= scheme.flag();
        }
        StatusWord {
            signature_nid: own.map_or(0, |own| own.signature_nid),
            flags,
        }
    }

    /// The part of the name after `@`.
    pub fn group(&self) -> Option<&str> {
        group_of(&self.name)
    }

    /// The name by which it is known to who is called `asker`: who has a group in its own name
    /// talks to nobody of another, so it is answered as a member of that, if there is a certificate for it.
    pub fn name_for(&self, asker: &str) -> &str {
        let theirs = group_of(asker);
        let mut of_ours = self.own_certificates();
        let found = of_ours.find(|it| theirs.is_some() && group_of(&it.subject) == theirs);
        let is_main = theirs == self.group();
        found
            .filter(|_| !is_main)
            .map_or(&self.name, |it| &it.subject)
    }

    /// Whether this is a name of its own.
    pub fn is_called(&self, name: &str) -> bool {
        let mut further = self.own_certificates().skip(1);
        name == self.name || further.any(|it| it.subject == name)
    }

    /// The own one, and those of its key for other groups.
    pub fn own_certificates(&self) -> impl Iterator<Item = &Arc<CertificateFacts>> {
        let own = self.certificates.first();
        let of_key = move |it: &&Arc<CertificateFacts>| {
            own.is_some_and(|own| own.public_key == it.public_key) && it.is_self_issued()
        };
        let further = self.certificates.iter().skip(1).filter(of_key);
        own.into_iter().chain(further)
    }
}
