//! What only a holder of keys can do, as values: done elsewhere, by whoever has the time.
use super::facts::{CertificateFacts, Generation};
use super::pool_counts::PoolCounts;
use super::status::Scheme;
use std::sync::Arc;
use truechimer_wire::AutokeyBody;

/// A value and its maker's signature (RFC 5906 §10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedValue {
    /// When it was signed, NTP seconds; 0 if the signer was not synchronised, then without signature.
    pub timestamp: u32,
    /// When what is in it was made, NTP seconds.
    pub filestamp: u32,
    /// Without padding.
    pub value: Vec<u8>,
    /// Over timestamp, filestamp, length of the value and value.
    pub signature: Vec<u8>,
}

impl SignedValue {
    /// As a message carries it.
    pub fn body(&self) -> AutokeyBody<'_> {
        AutokeyBody {
            timestamp: self.timestamp,
            filestamp: self.filestamp,
            value: &self.value,
            signature: &self.signature,
        }
    }
}

impl From<AutokeyBody<'_>> for SignedValue {
    fn from(body: AutokeyBody<'_>) -> Self {
        Self {
            timestamp: body.timestamp,
            filestamp: body.filestamp,
            value: body.value.to_vec(),
            signature: body.signature.to_vec(),
        }
    }
}

/// By whose key a signature is to be verified, and with which digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// `SubjectPublicKeyInfo` in DER.
    pub public_key: Arc<[u8]>,
    /// OpenSSL's number of the signature algorithm.
    pub signature_nid: u16,
}

/// Something to be done with keys. Jobs with a `timestamp` of `None` are of a host that is not
/// synchronised: what they make is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoJob {
    /// By which reading of the key files.
    pub generation: Generation,
    /// What.
    pub task: Task,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Sign what this host hands out; done: `Signed`, as many and in the same order.
    Sign {
        /// NTP seconds.
        timestamp: u32,
        /// Filestamp and value of each.
        values: Vec<(u32, Vec<u8>)>,
    },
    /// Seal a cookie with an asker's public key (RSA-OAEP), and sign; done: `Value`.
    SealCookie {
        /// NTP seconds.
        timestamp: Option<u32>,
        /// When our own values were signed last, NTP seconds: the reference puts that there.
        filestamp: u32,
        /// The asker's, PKCS#1 `RSAPublicKey` in DER.
        public_key: Vec<u8>,
        /// What is sealed.
        cookie: u32,
    },
    /// The same for a symmetric peer, whose request must be signed by it: its half of the cookie is as
    /// good as ours; done: `Value`.
    SealPeerCookie {
        /// NTP seconds.
        timestamp: u32,
        /// When our own values were signed last, NTP seconds.
        filestamp: u32,
        /// As it was asked: the peer's public key.
        request: SignedValue,
        /// Who signed it.
        by: Verifier,
        /// What is sealed.
        cookie: u32,
    },
    /// Make a certificate for an asker out of its own self-signed one, and sign; done: `Certified`.
    SignCertificate {
        /// NTP seconds.
        timestamp: u32,
        /// As it was asked.
        request: SignedValue,
    },
    /// Answer an identity challenge, and sign; done: `Value`.
    AnswerChallenge {
        /// NTP seconds.
        timestamp: Option<u32>,
        /// Which.
        scheme: Scheme,
        /// Of the asker's parameters: a challenge names its group by that alone. NTP seconds.
        filestamp: u32,
        /// As it came.
        challenge: Vec<u8>,
    },
    /// Read a certificate; if an issuer is given its signature is verified by that one's key, else by
    /// its own key if it is self-signed; done: `Certificate`.
    ReadCertificate {
        /// As it came.
        der: Vec<u8>,
        /// Filestamp of the message.
        filestamp: u32,
        /// Who signed it, if it is known.
        issuer: Option<Arc<CertificateFacts>>,
    },
    /// Verify a signature; done: `Verified`.
    Verify {
        /// What is signed.
        value: SignedValue,
        /// By whom.
        by: Verifier,
    },
    /// Verify the signature of a sealed cookie, and open it with the host key; done: `Cookie`.
    OpenCookie {
        /// As it came.
        value: SignedValue,
        /// Who signed it.
        by: Verifier,
    },
    /// Make an identity challenge; done: `Challenge`.
    Challenge {
        /// Which.
        scheme: Scheme,
        /// Of which group's parameters.
        ident: String,
    },
    /// Verify the signature of an answer to a challenge, and then the answer; done: `Verified`.
    CheckAnswer {
        /// Which.
        scheme: Scheme,
        /// Of which group's parameters.
        ident: String,
        /// As it was sent.
        challenge: Vec<u8>,
        /// As it came.
        value: SignedValue,
        /// Who signed it.
        by: Verifier,
        /// The GQ public value of the signer's certificate.
        gq_public: Option<Arc<[u8]>>,
    },
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Of `Sign`.
    Signed(Vec<SignedValue>),
    /// Of what makes one value.
    Value(SignedValue),
    /// Of `SignCertificate`.
    Certified {
        /// The certificate.
        value: SignedValue,
        /// The asker's own, whose key it proved to hold.
        asker: Arc<CertificateFacts>,
    },
    /// Of `ReadCertificate`.
    Certificate(Arc<CertificateFacts>),
    /// Of `Verify` and `CheckAnswer`: it is right.
    Verified,
    /// Of `OpenCookie`.
    Cookie(u32),
    /// Of `Challenge`: what is to be sent, as long as the modulus, and the parameters' filestamp.
    Challenge {
        /// Random.
        challenge: Vec<u8>,
        /// NTP seconds.
        filestamp: u32,
    },
    /// It could not be done, or what was to be verified is not so.
    Failed(Failure),
}

/// Why not, by the reference's event codes (ntpd's XEVNT; the RFC has none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// 1, bad or missing length.
    Length,
    /// 2, bad timestamp.
    Timestamp,
    /// 3, bad filestamp.
    Filestamp,
    /// 4, bad or missing public key.
    PublicKey,
    /// 5, unsupported digest type.
    Digest,
    /// 6, unsupported identity type.
    Identity,
    /// 7, bad signature length.
    SignatureLength,
    /// 8, signature not verified.
    Signature,
    /// 9, certificate not verified.
    CertificateNotVerified,
    /// 10, host certificate expired.
    Expired,
    /// 11, bad or missing cookie.
    Cookie,
    /// 12, bad or missing leapseconds.
    LeapSeconds,
    /// 13, bad or missing certificate.
    Certificate,
    /// 14, bad or missing group key.
    GroupKey,
    /// 15, protocol error.
    Protocol,
    /// Nobody had the time, or no keys of that generation are there any more: ask again.
    Busy,
}

impl Failure {
    /// The number that cryptostats show in hexadecimal after a `1`; `Busy` is ours alone.
    pub const fn code(self) -> u8 {
        match self {
            Self::Length => 1,
            Self::Timestamp => 2,
            Self::Filestamp => 3,
            Self::PublicKey => 4,
            Self::Digest => 5,
            Self::Identity => 6,
            Self::SignatureLength => 7,
            Self::Signature => 8,
            Self::CertificateNotVerified => 9,
            Self::Expired => 10,
            Self::Cookie => 11,
            Self::LeapSeconds => 12,
            Self::Certificate => 13,
            Self::GroupKey => 14,
            Self::Protocol => 15,
            Self::Busy => 16,
        }
    }

    /// The reference's word for it, as cryptostats have it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Length => "bad_field_format_or_length",
            Self::Timestamp => "bad_timestamp",
            Self::Filestamp => "bad_filestamp",
            Self::PublicKey => "bad_or_missing_public_key",
            Self::Digest => "unsupported_digest_type",
            Self::Identity => "unsupported_identity_type",
            Self::SignatureLength => "bad_signature_length",
            Self::Signature => "signature_not_verified",
            Self::CertificateNotVerified => "certificate_not_verified",
            Self::Expired => "host_certificate_expired",
            Self::Cookie => "bad_or_missing_cookie",
            Self::LeapSeconds => "bad_or_missing_leapseconds",
            Self::Certificate => "bad_or_missing_certificate",
            // The blank is the reference's.
            Self::GroupKey => "bad_or_missing_group key",
            Self::Protocol => "protocol_error",
            Self::Busy => "nobody_had_the_time",
        }
    }
}

/// Names a job of the clock thread until it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// Whose job it is: ours are done before strangers'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Of this host's own associations and values.
    Own,
    /// Of somebody who asked.
    Asked,
}

/// What is to happen with the outcome, on the thread that did the job.
pub type Completion = Box<dyn FnOnce(Done) + Send>;

/// Does jobs on threads of its own, in bounded queues.
pub trait CryptoPool: Send + Sync {
    /// Takes a job; what came of it goes to `completion`, exactly once.
    ///
    /// # Errors
    /// The queue of its class is full: it is counted, and `completion` is not called.
    fn submit(&self, class: Class, job: CryptoJob, completion: Completion) -> Result<(), Full>;

    /// What became of all jobs so far.
    fn counts(&self) -> PoolCounts;
}

/// The queue of a class is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;
