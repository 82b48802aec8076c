//! The certificates a host knows: its own, those of its servers, and its own as they signed it.
use super::facts::CertificateFacts;
use super::job::SignedValue;
use core::ops::{BitOr, BitOrAssign};
use std::sync::Arc;

/// Certificates kept; the oldest of others goes first.
const AT_MOST: usize = 64;

/// What is known of a certificate, in the reference's bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CertificateFlags(pub u8);

impl CertificateFlags {
    /// A trusted host's, or its trail ends at one.
    pub const TRUST: Self = Self(0x01);
    /// Its signature was verified by its issuer's key.
    pub const SIGN: Self = Self(0x02);
    /// It is valid.
    pub const VALID: Self = Self(0x04);
    /// Private: never given to anybody.
    pub const PRIVATE: Self = Self(0x08);
    /// Something is wrong with it.
    pub const ERROR: Self = Self(0x80);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether a bit of `other` is set.
    pub const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for CertificateFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for CertificateFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// A certificate and what we make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// What it says.
    pub facts: Arc<CertificateFacts>,
    /// What is known of it.
    pub flags: CertificateFlags,
    /// As we hand it out; without signature until the next signature update.
    pub value: SignedValue,
    /// It was read from a file of this host.
    pub is_own: bool,
}

/// Every certificate of a host, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates(Vec<Certificate>);

impl Certificates {
    /// Takes a certificate. One of the same subject and issuer is replaced, unless it is newer; false
    /// then, and if this very one is here already.
    pub fn install(
        &mut self,
        facts: Arc<CertificateFacts>,
        flags: CertificateFlags,
        is_own: bool,
    ) -> bool {
        let same =
            |it: &Certificate| it.facts.subject == facts.subject && it.facts.issuer == facts.issuer;
        if let Some(place) = self.0.iter().position(same) {
            let old = &self.0[place];
            let keeps = old.facts.der == facts.der
                || (old.is_own && !is_own)
                || old.facts.not_before_s > facts.not_before_s;
            if keeps {
                return false;
            }
            self.0.remove(place);
        }
        let value = SignedValue {
            timestamp: 0,
            filestamp: facts.filestamp,
            value: facts.der.to_vec(),
            signature: Vec::new(),
        };
        self.0.insert(
            0,
            Certificate {
                facts,
                flags,
                value,
                is_own,
            },
        );
        if self.0.len() > AT_MOST {
            let strange = self.0.iter().rposition(|it| !self.is_of_us(it));
            let oldest = strange.or_else(|| self.0.iter().rposition(|it| !it.is_own));
            oldest.map(|oldest| self.0.remove(oldest));
        }
        true
    }

    /// Whether the same issuer vouched for another key under this name before: its host has new keys, or
    /// two hosts have one name.
    pub(crate) fn knows_by_another_key(&self, facts: &CertificateFacts) -> bool {
        self.0.iter().any(|it| {
            it.facts.subject == facts.subject
                && it.facts.issuer == facts.issuer
                && it.facts.public_key != facts.public_key
        })
    }

    /// Our own, or what others signed for us, which nobody would ask for again.
    fn is_of_us(&self, certificate: &Certificate) -> bool {
        let mut own = self.0.iter().filter(|it| it.is_own);
        own.any(|it| it.facts.subject == certificate.facts.subject)
    }

    /// Forgets those that are not to stay.
    pub fn retain(&mut self, stays: impl FnMut(&Certificate) -> bool) {
        self.0.retain(stays);
    }

    /// The host's own, as it is handed out.
    pub(crate) fn own(&self) -> Option<&SignedValue> {
        let own = self.0.iter().find(|it| it.is_own);
        own.map(|it| &it.value)
    }

    /// All, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Certificate> {
        self.0.iter()
    }

    /// All, newest first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Certificate> {
        self.0.iter_mut()
    }

    /// What who asks for a subject is given: its own of a trusted host, else the oldest that somebody
    /// else signed (the reference's rule).
    pub fn given_for(&self, subject: &str) -> Option<&Certificate> {
        let hidden = CertificateFlags::PRIVATE | CertificateFlags::ERROR;
        let of_subject = || {
            self.0
                .iter()
                .filter(|it| it.facts.subject == subject && !it.flags.has_any(hidden))
        };
        of_subject()
            .find(|it| it.facts.is_self_issued() && it.flags.contains(CertificateFlags::TRUST))
            .or_else(|| of_subject().rfind(|it| !it.facts.is_self_issued()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(subject: &str, issuer: &str, not_before_s: i64) -> Arc<CertificateFacts> {
        let der = format!("{subject} {issuer} {not_before_s}");
        Arc::new(CertificateFacts {
            der: der.into_bytes().into(),
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            serial: 1,
            not_before_s,
            not_after_s: not_before_s + 1000,
            trusted: false,
            private: false,
            signature_nid: 668,
            public_key: Arc::new([]),
            signature_len: 256,
            gq_public: None,
            filestamp: 7,
        })
    }

    #[test]
    fn a_trusted_host_gives_its_own_and_others_what_was_signed_for_them() {
        let mut known = Certificates::default();
        known.install(facts("bob", "bob", 1), CertificateFlags::VALID, true);
        assert!(known.given_for("bob").is_none(), "nobody vouches for it");
        known.install(facts("bob", "alice", 2), CertificateFlags::VALID, false);
        let given = known.given_for("bob").map(|it| it.facts.issuer.as_str());
        assert_eq!(given, Some("alice"));
        let trusted = CertificateFlags::VALID | CertificateFlags::TRUST;
        known.install(facts("alice", "alice", 1), trusted, false);
        known.install(facts("alice", "carol", 1), trusted, false);
        let given = known.given_for("alice").map(|it| it.facts.issuer.as_str());
        assert_eq!(given, Some("alice"));
        known.install(
            facts("dave", "dave", 1),
            trusted | CertificateFlags::PRIVATE,
            true,
        );
        assert!(known.given_for("dave").is_none());
    }

    #[test]
    fn a_newer_one_takes_the_place_of_an_older_one_and_not_the_other_way_round() {
        let mut known = Certificates::default();
        let none = CertificateFlags::default();
        assert!(known.install(facts("bob", "alice", 5), none, false));
        assert!(
            !known.install(facts("bob", "alice", 5), none, false),
            "known"
        );
        assert!(
            !known.install(facts("bob", "alice", 4), none, false),
            "older"
        );
        assert!(known.install(facts("bob", "alice", 6), none, false));
        assert_eq!(known.iter().count(), 1);
        assert!(known.install(facts("eve", "eve", 1), none, true));
        assert!(!known.install(facts("eve", "eve", 9), none, false), "ours");
    }

    #[test]
    fn another_key_under_a_known_name_is_noticed() {
        let mut known = Certificates::default();
        known.install(facts("bob", "alice", 1), CertificateFlags::default(), false);
        let mut other = (*facts("bob", "alice", 2)).clone();
        assert!(!known.knows_by_another_key(&other), "a new certificate");
        other.public_key = Arc::new([1]);
        assert!(known.knows_by_another_key(&other));
        other.issuer = "carol".to_owned();
        assert!(!known.knows_by_another_key(&other));
    }

    #[test]
    fn strangers_certificates_do_not_fill_the_memory() {
        let mut known = Certificates::default();
        let none = CertificateFlags::default();
        known.install(facts("bob", "bob", 1), none, true);
        known.install(facts("bob", "alice", 1), none, false);
        for number in 0..200 {
            known.install(facts(&format!("host{number}"), "alice", 1), none, false);
        }
        assert_eq!(known.iter().count(), AT_MOST);
        assert!(known.iter().any(|it| it.is_own));
        assert!(known.iter().any(|it| it.facts.subject == "host199"));
        let given = known.given_for("bob").map(|it| it.facts.issuer.as_str());
        assert_eq!(given, Some("alice"), "what was signed for us stays");
        for number in 0..200 {
            known.install(facts("bob", &format!("host{number}"), 1), none, false);
        }
        assert_eq!(known.iter().count(), AT_MOST);
        assert!(known.iter().any(|it| it.is_own));
    }
}
