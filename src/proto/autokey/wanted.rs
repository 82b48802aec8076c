//! What an asker wants a holder of keys to make, before anything of it is copied: whoever is over its
//! budget costs no memory.
use super::facts::Generation;
use super::job::{CryptoJob, SignedValue, Task, Verifier};
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
    /// What is to be done for a symmetric peer that signs so. Who is not proven yet is given no half of a
    /// cookie, and who is must have signed its request: with both halves the time of both can be forged.
    pub(crate) fn task_for_peer(&self, by: Option<&Verifier>) -> Option<Task> {
        let Kind::Cookie(cookie) = self.kind else {
            return Some(self.job().task);
        };
        Some(Task::SealPeerCookie {
            timestamp: self.timestamp,
            filestamp: self.signed_at,
            request: SignedValue::from(self.body),
            by: by?.clone(),
            cookie,
        })
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_peer_gets_our_half_of_the_cookie_for_what_it_signed() {
        let body = AutokeyBody {
            timestamp: 5,
            filestamp: 4,
            value: b"key",
            signature: b"by bob",
        };
        let of = |kind| Wanted {
            generation: Generation(1),
            kind,
            body,
            timestamp: 9,
            signed_at: 8,
        };
        let cookie = of(Kind::Cookie(7));
        assert_eq!(cookie.task_for_peer(None), None, "who is not proven");
        let by = Verifier {
            public_key: Arc::new(*b"bob"),
            signature_nid: 668,
        };
        let expected = Task::SealPeerCookie {
            timestamp: 9,
            filestamp: 8,
            request: SignedValue::from(body),
            by: by.clone(),
            cookie: 7,
        };
        assert_eq!(cookie.task_for_peer(Some(&by)), Some(expected));
        let proof = of(Kind::Proof(Scheme::Iff));
        assert_eq!(proof.task_for_peer(None), Some(proof.job().task));
    }
}
