//! Certificate schemes: what signs, and over which digest.
use crate::keyfile::KeyFileError;
use crate::private_key::KeyKind;
use core::fmt;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;

/// A certificate scheme, as `RSA-SHA256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The kind of key that signs.
    pub kind: KeyKind,
    digest: &'static str,
}

/// Why a word names no usable scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownScheme {
    /// There never was such a scheme.
    Unknown(String),
    /// OpenSSL no longer has its digest.
    Gone(String),
}

impl fmt::Display for UnknownScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "Invalid digest/signature combination {name}"),
            Self::Gone(name) => {
                write!(
                    f,
                    "{name}: OpenSSL no longer has that digest; use RSA-SHA256"
                )
            }
        }
    }
}

impl core::error::Error for UnknownScheme {}

const DIGESTS: [&str; 7] = [
    "MD5",
    "SHA1",
    "RIPEMD160",
    "SHA224",
    "SHA256",
    "SHA384",
    "SHA512",
];

impl Scheme {
    /// SHA-256 with that kind of key.
    #[must_use]
    pub const fn usual(kind: KeyKind) -> Self {
        Self {
            kind,
            digest: "SHA256",
        }
    }

    /// The same digest with another kind of key, or the usual one where there is no such scheme.
    #[must_use]
    pub fn with_kind(self, kind: KeyKind) -> Self {
        let same = Self { kind, ..self };
        if same.nid().is_some() {
            same
        } else {
            Self::usual(kind)
        }
    }

    /// From its name, in any case: `RSA-SHA256`, or OpenSSL's long one (`sha256WithRSAEncryption`), or that
    /// of a digest, which goes with the kind of key that signs. `SHA` is read as SHA-1: SHA-0 is gone.
    ///
    /// # Errors
    /// That there is no such scheme, or no longer.
    pub fn from_name(name: &str, signer: KeyKind) -> Result<Self, UnknownScheme> {
        let upper = name.to_ascii_uppercase();
        let unknown = || UnknownScheme::Unknown(name.to_owned());
        let (kind, digest) = parts(&upper).unwrap_or((signer, &upper));
        let digest = match digest {
            "SHA" => "SHA1",
            "MD2" | "MD4" | "MDC2" => return Err(UnknownScheme::Gone(upper)),
            other => other,
        };
        let digest = DIGESTS
            .into_iter()
            .find(|known| *known == digest)
            .ok_or_else(unknown)?;
        let scheme = Self { kind, digest };
        if scheme.nid().is_none() {
            return Err(UnknownScheme::Unknown(scheme.to_string()));
        }
        scheme.digest().map_err(|_| UnknownScheme::Gone(upper))?;
        Ok(scheme)
    }

    /// From OpenSSL's number of the signature algorithm.
    pub(super) fn from_nid(nid: Nid) -> Option<Self> {
        [KeyKind::Rsa, KeyKind::Dsa]
            .into_iter()
            .flat_map(|kind| DIGESTS.map(|digest| Self { kind, digest }))
            .find(|scheme| scheme.nid() == Some(nid))
    }

    /// From that number as status words have it.
    pub(crate) fn from_number(number: u16) -> Option<Self> {
        Self::from_nid(Nid::from_raw(i32::from(number)))
    }

    /// OpenSSL's number of the signature algorithm.
    pub(crate) fn number(self) -> Option<u16> {
        u16::try_from(self.nid()?.as_raw()).ok()
    }

    fn nid(self) -> Option<Nid> {
        Some(match (self.kind, self.digest) {
            (KeyKind::Rsa, "MD5") => Nid::MD5WITHRSAENCRYPTION,
            (KeyKind::Rsa, "SHA1") => Nid::SHA1WITHRSAENCRYPTION,
            (KeyKind::Rsa, "RIPEMD160") => Nid::RIPEMD160WITHRSA,
            (KeyKind::Rsa, "SHA224") => Nid::SHA224WITHRSAENCRYPTION,
            (KeyKind::Rsa, "SHA256") => Nid::SHA256WITHRSAENCRYPTION,
            (KeyKind::Rsa, "SHA384") => Nid::SHA384WITHRSAENCRYPTION,
            (KeyKind::Rsa, "SHA512") => Nid::SHA512WITHRSAENCRYPTION,
            (KeyKind::Dsa, "SHA1") => Nid::DSAWITHSHA1,
            (KeyKind::Dsa, "SHA224") => Nid::DSA_WITH_SHA224,
            (KeyKind::Dsa, "SHA256") => Nid::DSA_WITH_SHA256,
            _ => return None,
        })
    }

    pub(crate) fn digest(self) -> Result<MessageDigest, KeyFileError> {
        MessageDigest::from_name(self.digest)
            .ok_or_else(|| KeyFileError::OpenSsl(format!("no {}", self.digest)))
    }

    /// Whether its digest is one that may be forged against today.
    #[must_use]
    pub fn is_weak(self) -> bool {
        matches!(self.digest, "MD5" | "SHA1")
    }
}

/// The kind of key and the digest of a name that tells both.
fn parts(upper: &str) -> Option<(KeyKind, &str)> {
    let of_rsa = ["WITHRSAENCRYPTION", "WITHRSA"];
    let rsa = of_rsa.iter().find_map(|tail| upper.strip_suffix(tail));
    let rsa = rsa.or_else(|| upper.strip_prefix("RSA-"));
    let of_dsa = ["DSA-", "DSAWITH", "DSA_WITH_"];
    let dsa = || of_dsa.iter().find_map(|head| upper.strip_prefix(head));
    let rsa = rsa.map(|digest| (KeyKind::Rsa, digest));
    rsa.or_else(|| Some((KeyKind::Dsa, dsa()?)))
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.kind.name(), self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Scheme {
        Scheme::from_name(name, KeyKind::Rsa).expect(name)
    }

    #[test]
    fn names_of_all_generations() {
        for name in [
            "RSA-MD5",
            "RSA-SHA1",
            "RSA-SHA224",
            "RSA-SHA256",
            "RSA-SHA384",
            "RSA-SHA512",
            "RSA-RIPEMD160",
            "DSA-SHA1",
            "DSA-SHA224",
            "DSA-SHA256",
        ] {
            let scheme = of(name);
            assert_eq!(scheme.to_string(), name);
            assert_eq!(scheme.nid().and_then(Scheme::from_nid), Some(scheme));
        }
        for (name, known) in [
            ("rsa-sha", "RSA-SHA1"),
            ("DSA-SHA", "DSA-SHA1"),
            ("sha512WithRSAEncryption", "RSA-SHA512"),
            ("ripemd160WithRSA", "RSA-RIPEMD160"),
            ("dsaWithSHA1", "DSA-SHA1"),
            ("dsa_with_SHA256", "DSA-SHA256"),
        ] {
            assert_eq!(of(name).to_string(), known);
        }
        for (digest, signer, known) in [
            ("SHA1", KeyKind::Dsa, "DSA-SHA1"),
            ("sha256", KeyKind::Rsa, "RSA-SHA256"),
            ("MD5", KeyKind::Rsa, "RSA-MD5"),
        ] {
            let scheme = Scheme::from_name(digest, signer).expect(digest);
            assert_eq!(scheme.to_string(), known);
        }
        let none = Scheme::from_name("SHA512", KeyKind::Dsa).expect_err("none");
        assert_eq!(none, UnknownScheme::Unknown("DSA-SHA512".to_owned()));
        let gone = Scheme::from_name("RSA-MD2", KeyKind::Rsa)
            .expect_err("gone")
            .to_string();
        assert!(gone.contains("RSA-SHA256"), "{gone}");
        for name in ["", "RSA", "RSA-", "DSA-MD5", "EC-SHA256", "RSA-ROT13"] {
            assert_eq!(
                Scheme::from_name(name, KeyKind::Rsa),
                Err(UnknownScheme::Unknown(name.to_owned()))
            );
        }
    }

    #[test]
    fn another_key_keeps_the_digest_where_it_can() {
        assert_eq!(of("RSA-SHA1").with_kind(KeyKind::Dsa), of("DSA-SHA1"));
        assert_eq!(of("RSA-MD5").with_kind(KeyKind::Dsa), of("DSA-SHA256"));
    }
}
