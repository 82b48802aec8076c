//! The certificates a host knows: its own, those of its servers, and its own as they signed it.
use super::facts::CertificateFacts;
use super::job::SignedValue;
use core::ops::{BitOr, BitOrAssign};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Certificates kept; the oldest of others goes first.
const AT_MOST: usize = 64;
/// Certificates of the trail from us to a trusted host, at most.
const HOPS_AT_MOST: usize = 16;
/// Never handed out.
const HIDDEN: CertificateFlags =
    CertificateFlags(CertificateFlags::PRIVATE.0 | CertificateFlags::ERROR.0);

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
    /// Whose key verified its signature; `None` of a file's, for which the operator answers.
    by: Option<Arc<[u8]>>,
}

/// Every certificate of a host, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificates(Vec<Certificate>);

impl Certificates {
    /// Takes a certificate that was verified by this key; by none, if it is of a file of this host. One
    /// of the same subject and issuer by the same keys is replaced, unless it is newer; false then, and
    /// if this very one is here already. Names are not unique: what is of another key is of another host.
    pub fn install(
        &mut self,
        facts: Arc<CertificateFacts>,
        flags: CertificateFlags,
        by: Option<Arc<[u8]>>,
    ) -> bool {
        let is_own = by.is_none();
        let same = |it: &Certificate| {
            let of_keys = it.by == by && it.facts.public_key == facts.public_key;
            let of_names = it.facts.subject == facts.subject && it.facts.issuer == facts.issuer;
            of_names && (is_own || it.is_own || of_keys)
        };
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
                by,
            },
        );
        if self.0.len() > AT_MOST {
            self.forget_one();
        }
        true
    }

    /// Forgets the oldest that is of no use to who asks us for a trail; of those rather others' than our
    /// own as somebody signed it.
    fn forget_one(&mut self) {
        let trail = self.trail();
        let is_free = |place: &usize| !self.0[*place].is_own && !trail.contains(place);
        let mut free = (0..self.0.len()).rev().filter(is_free);
        let strange = free.clone().find(|it| !self.is_of_us(&self.0[*it]));
        if let Some(place) = strange.or_else(|| free.next()) {
            self.0.remove(place);
        }
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

    /// Forgets what the same issuer signed for the same key by another key of its own.
    pub(crate) fn forget_signed_by(&mut self, facts: &CertificateFacts, by: &Arc<[u8]>) {
        self.0.retain(|it| {
            let of_names = it.facts.subject == facts.subject && it.facts.issuer == facts.issuer;
            it.is_own || !of_names || it.by.as_ref() == Some(by)
        });
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

    /// What who asks for a subject is given: what is of the trail from us to a trusted host, where it is
    /// of that.
    pub(crate) fn given(&self) -> BTreeMap<&str, &Certificate> {
        let trail = self.trail();
        let of_trail = trail.iter().map(|place| &self.0[*place]);
        let mut given: BTreeMap<&str, &Certificate> =
            of_trail.map(|it| (it.facts.subject.as_str(), it)).collect();
        for it in &self.0 {
            let subject = it.facts.subject.as_str();
            if let Some(found) = self.given_for(subject) {
                given.entry(subject).or_insert(found);
            }
        }
        given
    }

    /// What is given for a subject that is not of our trail: its own of a trusted host, else the oldest
    /// that somebody else signed (the reference's rule).
    fn given_for(&self, subject: &str) -> Option<&Certificate> {
        let place = self.place_of(|it| it.facts.subject == subject)?;
        self.0.get(place)
    }

    /// By the same rule, among those that may be given.
    fn place_of(&self, is_it: impl Fn(&Certificate) -> bool) -> Option<usize> {
        let is_it = |it: &Certificate| is_it(it) && !it.flags.has_any(HIDDEN);
        self.0
            .iter()
            .position(|it| is_it(it) && it.is_root())
            .or_else(|| {
                let mut all = self.0.iter();
                all.rposition(|it| is_it(it) && !it.facts.is_self_issued())
            })
    }

    /// The places of the certificates by which who asks us comes to a trusted host. Each is of the key
    /// that verified the one before it; the oldest trail that is whole, so that nobody puts another in
    /// its place by signing ours. None for who is trusted itself.
    fn trail(&self) -> Vec<usize> {
        let own = self.0.iter().find(|it| it.is_own);
        let Some(own) = own.filter(|it| !it.is_root()) else {
            return Vec::new();
        };
        let is_ours = |it: &Certificate| {
            let is_given = !it.facts.is_self_issued() && !it.flags.has_any(HIDDEN);
            is_given && it.facts.subject == own.facts.subject
        };
        let ours = (0..self.0.len()).rev().filter(|it| is_ours(&self.0[*it]));
        let mut whole = ours.filter_map(|first| self.trail_from(first));
        whole.next().unwrap_or_default()
    }

    fn trail_from(&self, first: usize) -> Option<Vec<usize>> {
        let mut trail = vec![first];
        while trail.len() <= HOPS_AT_MOST {
            let last = &self.0[*trail.last()?];
            if last.is_root() {
                return Some(trail);
            }
            let next = self.place_of(|it| {
                let is_key = last
                    .by
                    .as_ref()
                    .map_or(it.is_own, |by| *by == it.facts.public_key);
                is_key && it.facts.subject == last.facts.issuer
            })?;
            // One certificate is given for a name.
            let subject = &self.0[next].facts.subject;
            let again = trail.iter().any(|it| self.0[*it].facts.subject == *subject);
            if again {
                return None;
            }
            trail.push(next);
        }
        None
    }
}

impl Certificate {
    /// Of a trusted host, by itself: trails end there.
    fn is_root(&self) -> bool {
        self.facts.is_self_issued() && self.flags.contains(CertificateFlags::TRUST)
    }
}

#[cfg(test)]
mod tests;
