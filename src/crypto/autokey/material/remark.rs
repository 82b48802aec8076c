//! What is wrong, or merely weak, about a host's keys.
use core::fmt;

/// Why keys that were read do not make a host of Autokey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaterialError {
    /// Cookies are sealed with RSA.
    HostKeyNotRsa,
    /// There is no certificate.
    NoCertificate,
    /// The certificate has no common name, or one with control characters or above 256 octets.
    NoName,
    /// The certificate is neither of the sign key nor of the host key.
    CertificateOfOtherKey,
    /// The certificate's key is neither RSA nor DSA, or below 512 or above 4096 bits.
    UnsoundKey,
    /// The certificate is signed with something that is not known to Autokey.
    UnknownSignature,
    /// The certificate ends before it begins, or begins before its filestamp.
    InvalidTimes,
    /// The key that signs is too short for the certificate's digest, or of another kind.
    CannotSign,
}

impl fmt::Display for MaterialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostKeyNotRsa => {
                "the host key is not RSA, and cookies are sealed with RSA; make one: ntp-keygen -H"
            }
            Self::NoCertificate => "there is no certificate; make one: ntp-keygen",
            Self::NoName => {
                "the certificate has no common name that could be a host's; make one: ntp-keygen -s NAME"
            }
            Self::CertificateOfOtherKey => {
                "the certificate is of another key than the host and sign keys; make one of them: ntp-keygen"
            }
            Self::UnsoundKey => {
                "the certificate's key must be RSA or DSA of 512 to 4096 bits; make new ones: ntp-keygen -H"
            }
            Self::UnknownSignature => {
                "the certificate is signed in a way Autokey has no number for; make one with: ntp-keygen -c \
                 RSA-SHA256"
            }
            Self::InvalidTimes => {
                "the certificate ends before it begins, or begins before the stamp in its first line; make \
                 one: ntp-keygen"
            }
            Self::CannotSign => {
                "the key cannot sign with the certificate's digest (too short, or of another kind); make a \
                 longer one: ntp-keygen -H -m 2048"
            }
        })
    }
}

impl core::error::Error for MaterialError {}

/// What works, but not as well as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Issued by somebody else: trails cannot end at this host.
    ForeignIssuer(String),
    /// It has none of the extensions that Autokey looks at.
    NoExtensions,
    /// Its file names no filestamp; the certificate's first second stands in.
    NoFilestamp(&'static str),
    /// A certificate of that name beside the own one is not handed out.
    LeftOut(String, MaterialError),
    /// The certificate of this name, of another group, is not of the host's key, signed in another way or
    /// not trusted.
    OtherName(String),
    /// The certificate is of the host key, so the sign key beside it is not used.
    UnusedSignKey,
    /// Signed over a digest that may be forged against today.
    WeakDigest(String),
    /// A modulus of so many bits may be factored today.
    WeakKey(u32),
    /// The public value of this group's IFF key had been lost, and was computed anew.
    MendedIffKey(String),
    /// The certificate does not carry the public value of this group's GQ key: no client can verify it.
    OtherGqValue(String),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignIssuer(issuer) => write!(
                f,
                "the certificate is issued by {issuer}: clients follow it there, and find nobody, unless \
                 that certificate is here too"
            ),
            Self::NoExtensions => f.write_str(
                "the certificate has none of Autokey's extensions: it neither makes this host trusted nor \
                 carries a GQ value; ntp-keygen makes one that does",
            ),
            Self::NoFilestamp(file) => write!(
                f,
                "the first line of the {file} file names no filestamp; the second from which the certificate \
                 is valid is used"
            ),
            Self::LeftOut(name, why) => {
                write!(f, "the certificate of {name} is not handed out: {why}")
            }
            Self::OtherName(name) => write!(
                f,
                "the certificate of {name} is not of the same keys and signature as the host's own, or not \
                 trusted: clients that have this group in their names get no answer; make it anew: \
                 ntp-keygen -T -i {}",
                name.split_once('@').map_or(name.as_str(), |it| it.1)
            ),
            Self::UnusedSignKey => f.write_str(
                "the certificate is of the host key, so the sign key is not used; to use it, make a new \
                 certificate: ntp-keygen; else remove its link",
            ),
            Self::WeakDigest(scheme) => write!(
                f,
                "{scheme} can be forged today; ntp-keygen -c RSA-SHA256 makes a better certificate"
            ),
            Self::WeakKey(bits) => write!(
                f,
                "a key of {bits} bits can be broken today; ntp-keygen -H -m 2048 makes a better one"
            ),
            Self::MendedIffKey(group) => write!(
                f,
                "the public value of the IFF key of {group} was lost (ntp-keygen 4.2.8 with OpenSSL 1.1 \
                 writes such files); it was computed anew, the file is as it was: truechimer keys doctor \
                 --repair"
            ),
            Self::OtherGqValue(group) => write!(
                f,
                "the certificate does not carry the public value of the GQ key of {group}, so no client can \
                 verify by GQ that this host is of it (a certificate has room for one group's); make a new \
                 certificate: ntp-keygen"
            ),
        }
    }
}
