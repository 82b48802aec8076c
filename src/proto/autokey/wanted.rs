//! What an asker wants a holder of keys to make, before anything of it is copied: whoever is over its
//! budget costs no memory.
use super::facts::Generation;
use super::job::{CryptoJob, SignedValue, Task};
use super::status::Scheme;
use truechimer_wire::AutokeyBody;

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// This, sealed with the asker's key.
    Cookie(u32),
    /// The asker's certificate, signed.
    Certificate,
    /// The answer to a challenge.
    Proof(Scheme),
}

/// A job that may be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    pub(super) generation: Generation,
    pub(super) kind: Kind,
    /// What it was asked with.
    pub(super) body: AutokeyBody<'a>,
    /// NTP seconds.
    pub(super) timestamp: u32,
    /// When the host's own values were signed, NTP seconds.
    pub(super) signed_at: u32,
}

impl Wanted<'_> {
    /// The job, with a copy of what it needs of the request.
    pub(crate) fn job(&self) -> CryptoJob {
        let (body, timestamp) = (&self.body, self.timestamp);
        let task = match self.kind {
            Kind::Cookie(cookie) => Task::SealCookie {
                timestamp: Some(timestamp),
                filestamp: self.signed_at,
                public_key: body.value.to_vec(),
                cookie,
            },
            Kind::Certificate => Task::SignCertificate {
                timestamp,
                request: SignedValue {
                    timestamp: body.timestamp,
                    filestamp: body.filestamp,
                    value: body.value.to_vec(),
                    signature: body.signature.to_vec(),
                },
            },
            Kind::Proof(scheme) => Task::AnswerChallenge {
                timestamp: Some(timestamp),
                scheme,
                filestamp: body.filestamp,
                challenge: body.value.to_vec(),
            },
        };
        CryptoJob {
            generation: self.generation,
            task,
        }
    }
}
