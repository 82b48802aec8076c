//! What the protocol is told of a certificate, and whether others would believe it.
use super::{Certificate, Standing};
use crate::autokey::public_key;
use crate::keyfile::KeyFileError;
use openssl::pkey::{PKey, Public};
use std::sync::Arc;
use truechimer_proto::autokey::facts::{CertificateFacts, ntp_s};
use truechimer_proto::autokey::job::Failure;
use truechimer_time::UNIX_EPOCH_IN_NTP_SECONDS;

/// What the web has in the place of the GQ value: a hash of the key, SHA-1's.
const KEY_HASH_LEN_MAX: usize = 20;

/// Whether a stamp is of before a filestamp; 0 is no filestamp.
pub(crate) fn is_before(stamp: u32, filestamp: u32) -> bool {
    filestamp != 0 && ntp_s(stamp) < ntp_s(filestamp)
}

impl Certificate {
    /// All that the protocol looks at.
    ///
    /// # Errors
    /// `Certificate` if it has no sensible names or dates, or begins before its filestamp;
    /// `PublicKey` if its key is of a kind or size nobody should use; `Digest` if what signed it is
    /// unknown.
    pub(crate) fn facts(&self, filestamp: u32) -> Result<CertificateFacts, Failure> {
        let unusable = |_: KeyFileError| Failure::Certificate;
        let subject = self.name().ok_or(Failure::Certificate)?;
        let issuer = self.issuer().ok_or(Failure::Certificate)?;
        let (from, until) = self.validity_unix_s().map_err(unusable)?;
        let (not_before_s, not_after_s) = (
            from + UNIX_EPOCH_IN_NTP_SECONDS,
            until + UNIX_EPOCH_IN_NTP_SECONDS,
        );
        let is_retroactive = filestamp != 0 && not_before_s < ntp_s(filestamp);
        if not_before_s > not_after_s || is_retroactive {
            return Err(Failure::Certificate);
        }
        let scheme = self.scheme().ok_or(Failure::Digest)?;
        let (key, der) = self.public_key()?;
        Ok(CertificateFacts {
            der: self.to_der().map_err(unusable)?.into(),
            subject,
            issuer,
            serial: self.serial(),
            not_before_s,
            not_after_s,
            trusted: self.standing() == Standing::Trusted,
            private: self.standing() == Standing::Private,
            signature_nid: scheme.number().ok_or(Failure::Digest)?,
            public_key: der,
            signature_len: key.size(),
            gq_public: self
                .gq_public()
                .filter(|value| value.len() > KEY_HASH_LEN_MAX)
                .map(Arc::from),
            filestamp,
        })
    }

    /// Its key, and that as `SubjectPublicKeyInfo`.
    pub(crate) fn public_key(&self) -> Result<(PKey<Public>, Arc<[u8]>), Failure> {
        let key = self.0.public_key().map_err(|_| Failure::PublicKey)?;
        let der = key.public_key_to_der().map_err(|_| Failure::PublicKey)?;
        Ok((public_key::read(&der)?, der.into()))
    }

    /// Whether that key signed it.
    pub(crate) fn is_signed_by(&self, key: &PKey<Public>) -> bool {
        self.0.verify(key).unwrap_or(false)
    }

    /// As far as it fits, from its low end.
    fn serial(&self) -> u64 {
        let number = self.0.serial_number().to_bn();
        let octets = number.map(|number| number.to_vec()).unwrap_or_default();
        octets
            .iter()
            .fold(0, |serial, octet| serial << 8 | u64::from(*octet))
    }
}
