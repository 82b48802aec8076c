//! What a key file's type word stands for.
use openssl::md::Md;
use openssl::md_ctx::MdCtx;
use std::sync::Arc;

/// Digests on the wire are cut to this many octets (RFC 7822 §3 leaves room for no more).
pub(crate) const DIGEST_LEN_MAX: usize = 20;
/// AES-128-CMAC (RFC 8573): key and MAC are both this long.
pub(crate) const CMAC_LEN: usize = 16;
/// Longest output of any digest OpenSSL knows.
pub(crate) const RAW_DIGEST_LEN_MAX: usize = 64;

/// A way to make a MAC, known to work on this host.
#[derive(Clone)]
pub(crate) enum Algorithm {
    /// digest(key || message), the MAC of RFC 5905 appendix A.
    Digest(Arc<Digest>),
    /// AES-128-CMAC over the message.
    Cmac,
}

/// A digest fetched once; fetching by name for each packet would take OpenSSL's global locks.
pub(crate) struct Digest {
    pub(crate) name: String,
    pub(crate) md: Md,
    /// Octets on the wire, 16 or 20.
    pub(crate) wire_len: usize,
    /// Octets of the whole digest, which NTPv3 has room for.
    pub(crate) raw_len: usize,
}

/// Why a type word names no usable algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAlgorithm {
    /// One of the DES formats of NTPv3.
    Des,
    /// OpenSSL does not know it, or this host forbids it.
    Unavailable,
    /// Its digest does not fit the packet format.
    WrongLength(usize),
}

impl Algorithm {
    /// From a type word, whatever its case.
    pub(crate) fn from_name(word: &str) -> Result<Self, NoAlgorithm> {
        let upper = word.to_ascii_uppercase();
        let digest = match upper.as_str() {
            "S" | "N" | "A" | "DES" => return Err(NoAlgorithm::Des),
            "AES" | "AES128" | "AES128CMAC" | "AES-128-CMAC" | "CMAC" => return Ok(Self::Cmac),
            "M" => "MD5",
            "SHA" => "SHA1",
            other => other,
        };
        Digest::fetch(digest).map(|digest| Self::Digest(Arc::new(digest)))
    }

    /// For people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Digest(digest) => &digest.name,
            Self::Cmac => "AES128CMAC",
        }
    }

    /// Octets of its MAC on the wire.
    pub(crate) fn wire_len(&self) -> usize {
        match self {
            Self::Digest(digest) => digest.wire_len,
            Self::Cmac => CMAC_LEN,
        }
    }

    /// Octets of its MAC before it is cut.
    pub(crate) fn raw_len(&self) -> usize {
        match self {
            Self::Digest(digest) => digest.raw_len,
            Self::Cmac => CMAC_LEN,
        }
    }
}

impl Digest {
    /// Tries it out, too: FIPS hosts let MD5 be fetched by some routes and then refuse to run it.
    pub(crate) fn fetch(name: &str) -> Result<Self, NoAlgorithm> {
        // The binding panics on a NUL, and no digest's name has anything else in it.
        if !name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-_/".contains(&octet))
        {
            return Err(NoAlgorithm::Unavailable);
        }
        let md = Md::fetch(None, name, None).map_err(|_| NoAlgorithm::Unavailable)?;
        let raw_len = md.size();
        if !(CMAC_LEN..=RAW_DIGEST_LEN_MAX).contains(&raw_len) {
            return Err(NoAlgorithm::WrongLength(raw_len));
        }
        let wire_len = raw_len.min(DIGEST_LEN_MAX);
        if wire_len != 16 && wire_len != DIGEST_LEN_MAX {
            return Err(NoAlgorithm::WrongLength(raw_len));
        }
        let digest = Self {
            name: name.to_owned(),
            md,
            wire_len,
            raw_len,
        };
        let mut raw = [0; RAW_DIGEST_LEN_MAX];
        MdCtx::new()
            .ok()
            .and_then(|mut context| digest.run(&mut context, &[b"probe"], &mut raw))
            .map(|_| digest)
            .ok_or(NoAlgorithm::Unavailable)
    }

    /// Digest of the parts one after the other; its whole length.
    pub(crate) fn run(
        &self,
        context: &mut MdCtx,
        parts: &[&[u8]],
        out: &mut [u8; RAW_DIGEST_LEN_MAX],
    ) -> Option<usize> {
        context.digest_init(&self.md).ok()?;
        for part in parts {
            context.digest_update(part).ok()?;
        }
        context.digest_final(out).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case() {
        for (word, name, wire_len) in [
            ("M", "MD5", 16),
            ("m", "MD5", 16),
            ("md5", "MD5", 16),
            ("Sha", "SHA1", 20),
            ("SHA1", "SHA1", 20),
            ("sha256", "SHA256", 20),
            ("SHA384", "SHA384", 20),
            ("SHA512", "SHA512", 20),
            ("sha3-256", "SHA3-256", 20),
            ("aes", "AES128CMAC", 16),
            ("AES128CMAC", "AES128CMAC", 16),
        ] {
            let algorithm = Algorithm::from_name(word).expect(word);
            assert_eq!((algorithm.name(), algorithm.wire_len()), (name, wire_len));
        }
    }

    #[test]
    fn refused_with_their_reason() {
        let why = |word| Algorithm::from_name(word).err();
        assert_eq!(why("S"), Some(NoAlgorithm::Des));
        assert_eq!(why("n"), Some(NoAlgorithm::Des));
        assert_eq!(why("ROT13"), Some(NoAlgorithm::Unavailable));
        assert_eq!(why("a\0b"), Some(NoAlgorithm::Unavailable));
    }
}
