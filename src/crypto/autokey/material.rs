//! One reading of a host's key files: what its secrets can do, and what may be told of them.

mod draft;
mod remark;

pub use draft::MaterialDraft;
pub use remark::{MaterialError, Remark};

use super::identity::{GroupKey, SchemeParameters};
use super::signature;
use crate::certificate::{Certificate, Scheme};
use crate::private_key::PrivateKey;
use openssl::rsa::Padding;
use std::collections::BTreeMap;
use truechimer_proto::autokey::facts::{HostFacts, ntp_s};
use truechimer_proto::autokey::job::{Failure, SignedValue};
use truechimer_proto::autokey::status;
use truechimer_time::UNIX_EPOCH_IN_NTP_SECONDS;

/// Octets of a cookie.
const COOKIE_LEN: usize = 4;

/// A host's keys, read and found to fit one another.
#[derive(Debug)]
pub struct Material {
    host: PrivateKey,
    /// Without one the host key signs.
    sign: Option<PrivateKey>,
    scheme: Scheme,
    keys: BTreeMap<status::Scheme, Vec<GroupKey>>,
    parameters: BTreeMap<(String, status::Scheme), SchemeParameters>,
    facts: HostFacts,
    remarks: Vec<Remark>,
}

impl Material {
    /// What may be told.
    #[must_use]
    pub const fn facts(&self) -> &HostFacts {
        &self.facts
    }

    /// What an operator should know: what is weak in it, and what will not work.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    fn signing_key(&self) -> &PrivateKey {
        self.sign.as_ref().unwrap_or(&self.host)
    }

    /// A value as this host says it: signed, if the time is known.
    pub(super) fn value(
        &self,
        timestamp: Option<u32>,
        filestamp: u32,
        value: Vec<u8>,
    ) -> Result<SignedValue, Failure> {
        let mut value = SignedValue {
            timestamp: timestamp.unwrap_or(0),
            filestamp,
            value,
            signature: Vec::new(),
        };
        if let Some(timestamp) = timestamp {
            self.check_validity(timestamp)?;
            value.signature = signature::sign(self.signing_key(), self.scheme, &value)
                .map_err(|_| Failure::Signature)?;
        }
        Ok(value)
    }

    /// Nobody believes what is signed outside the certificate's lifetime.
    fn check_validity(&self, timestamp: u32) -> Result<(), Failure> {
        let own = self.facts.certificates.first();
        if own.is_some_and(|own| own.is_valid_at(timestamp)) {
            Ok(())
        } else {
            Err(Failure::Expired)
        }
    }

    /// Opens a cookie that was sealed with the host's public key.
    pub(super) fn open_cookie(&self, sealed: &[u8]) -> Result<u32, Failure> {
        let key = self.host.0.rsa().map_err(|_| Failure::PublicKey)?;
        let len = usize::try_from(key.size()).unwrap_or(0);
        if sealed.len() != len {
            return Err(Failure::Cookie);
        }
        let mut plain = vec![0; len];
        match key.private_decrypt(sealed, &mut plain, Padding::PKCS1_OAEP) {
            Ok(COOKIE_LEN) => {
                let cookie = plain.first_chunk().ok_or(Failure::Cookie)?;
                Ok(u32::from_be_bytes(*cookie))
            }
            Ok(_) | Err(_) => Err(Failure::Cookie),
        }
    }

    /// Makes a certificate for whoever asked with its own, self-signed one, by the name under which it
    /// knows this host.
    pub(super) fn vouch(&self, timestamp: u32, asker: &Certificate) -> Result<Vec<u8>, Failure> {
        self.check_validity(timestamp)?;
        let asking = asker.name().ok_or(Failure::Certificate)?;
        let from_unix_s = ntp_s(timestamp) - UNIX_EPOCH_IN_NTP_SECONDS;
        let made = asker.vouched_for(
            self.facts.name_for(&asking),
            (self.signing_key(), self.scheme),
            (timestamp, from_unix_s),
        );
        made.and_then(|made| made.to_der())
            .map_err(|_| Failure::CertificateNotVerified)
    }

    /// Answers a challenge by the key of the asker's group, which its parameters' filestamp tells; with
    /// the key's filestamp. GQ's parameters may be older than the key, and who has parameters of no
    /// key here is to see it by the stamp of the answer: both get it by the first group's.
    pub(super) fn answer(
        &self,
        scheme: status::Scheme,
        asked: u32,
        challenge: &[u8],
    ) -> Result<(u32, Vec<u8>), Failure> {
        let keys = self.keys.get(&scheme).map_or(&[][..], Vec::as_slice);
        let of_group = keys.iter().find(|it| it.filestamp == asked);
        let found = of_group.or_else(|| keys.first());
        let found = found.ok_or(Failure::GroupKey)?;
        Ok((found.filestamp, found.key.answer(challenge)?))
    }

    /// Whether it has the key of that filestamp.
    pub(super) fn has_key(&self, scheme: status::Scheme, filestamp: u32) -> bool {
        let mut keys = self.keys.get(&scheme).into_iter().flatten();
        keys.any(|it| it.filestamp == filestamp)
    }

    /// The parameters of a group, with their filestamp.
    pub(super) fn parameters(
        &self,
        scheme: status::Scheme,
        ident: &str,
    ) -> Result<(u32, &SchemeParameters), Failure> {
        let name = (ident.to_owned(), scheme);
        let parameters = self.parameters.get(&name).ok_or(Failure::GroupKey)?;
        let filestamp = self.facts.parameters.get(&name).copied();
        Ok((filestamp.unwrap_or(0), parameters))
    }
}
