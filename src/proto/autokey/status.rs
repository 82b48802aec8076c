//! The status word of associations and hosts (RFC 5906 §11.1): what is offered and what is proven.
use core::fmt;
use core::ops::{BitOr, BitOrAssign};

/// An identity scheme (RFC 5906 appendix B) whose proof is a message of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Identify Friend or Foe, Schnorr's.
    Iff,
    /// Guillou and Quisquater's.
    Gq,
    /// Mu and Varadharajan's.
    Mv,
}

impl Scheme {
    /// In the order in which a client tries them.
    pub const ALL: [Self; 3] = [Self::Iff, Self::Gq, Self::Mv];

    /// Its bit of the status word.
    pub const fn flag(self) -> Flags {
        match self {
            Self::Iff => Flags::IFF,
            Self::Gq => Flags::GQ,
            Self::Mv => Flags::MV,
        }
    }

    /// As cryptostats and file names have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iff => "iff",
            Self::Gq => "gq",
            Self::Mv => "mv",
        }
    }
}

/// The low half of a status word.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// Autokey is spoken.
    pub const ENABLED: Self = Self(0x0001);
    /// The host has a leap-seconds table, or had a signature updated.
    pub const TAI: Self = Self(0x0002);
    /// A private certificate is all the identity there is.
    pub const PRIVATE: Self = Self(0x0010);
    /// The host answers IFF challenges.
    pub const IFF: Self = Self(0x0020);
    /// The host answers GQ challenges.
    pub const GQ: Self = Self(0x0040);
    /// The host answers MV challenges.
    pub const MV: Self = Self(0x0080);
    /// The trail of certificates ends at a trusted host.
    pub const CERT: Self = Self(0x0100);
    /// The identity was verified.
    pub const VRFY: Self = Self(0x0200);
    /// The server is proventic: a signature of its was verified by its certificate.
    pub const PROV: Self = Self(0x0400);
    /// The cookie is agreed.
    pub const COOK: Self = Self(0x0800);
    /// The autokey values are known.
    pub const AUTO: Self = Self(0x1000);
    /// Our certificate was signed by the server.
    pub const SIGN: Self = Self(0x2000);
    /// The leap-seconds values are known.
    pub const LEAP: Self = Self(0x4000);

    /// All bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Without the bits of `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

/// What a host says of itself in an association message, where others have a filestamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StatusWord {
    /// OpenSSL's number of the signature algorithm of its certificate, as 668 of sha256WithRSA.
    pub signature_nid: u16,
    /// What it offers, later also what is proven of it.
    pub flags: Flags,
}

impl StatusWord {
    /// From the wire.
    pub const fn from_word(word: u32) -> Self {
        let [a, b, c, d] = word.to_be_bytes();
        Self {
            signature_nid: u16::from_be_bytes([a, b]),
            flags: Flags(u16::from_be_bytes([c, d])),
        }
    }

    /// To the wire.
    pub const fn word(self) -> u32 {
        let [a, b] = self.signature_nid.to_be_bytes();
        let [c, d] = self.flags.0.to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

/// OpenSSL's long name of a signature algorithm, as cryptostats and variables have it; `None` of one
/// that nobody signs Autokey's messages with.
pub const fn signature_name(nid: u16) -> Option<&'static str> {
    Some(match nid {
        7 => "md2WithRSAEncryption",
        8 => "md5WithRSAEncryption",
        65 => "sha1WithRSAEncryption",
        66 => "dsaWithSHA",
        96 => "mdc2WithRSA",
        104 => "md5WithRSA",
        113 => "dsaWithSHA1",
        115 => "sha1WithRSA",
        119 => "ripemd160WithRSA",
        396 => "md4WithRSAEncryption",
        416 => "ecdsa-with-SHA1",
        668 => "sha256WithRSAEncryption",
        669 => "sha384WithRSAEncryption",
        670 => "sha512WithRSAEncryption",
        671 => "sha224WithRSAEncryption",
        793 => "ecdsa-with-SHA224",
        794 => "ecdsa-with-SHA256",
        795 => "ecdsa-with-SHA384",
        796 => "ecdsa-with-SHA512",
        802 => "dsa_with_SHA224",
        803 => "dsa_with_SHA256",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_there_and_back() {
        let said = StatusWord::from_word(0x0008_7f23);
        assert_eq!(said.signature_nid, 8);
        assert!(said.flags.contains(Flags::IFF | Flags::VRFY | Flags::TAI));
        assert!(!said.flags.contains(Flags::IFF | Flags::GQ));
        assert_eq!(said.word(), 0x0008_7f23);
    }
}
