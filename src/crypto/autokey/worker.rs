//! Does the jobs, each by the reading of the key files that it names.
use super::material::Material;
use super::{public_key, signature};
use crate::certificate::{Certificate, is_before};
use openssl::rsa::Padding;
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock};
use truechimer_proto::autokey::facts::{CertificateFacts, Generation, HostFacts};
use truechimer_proto::autokey::job::{CryptoJob, Done, Failure, SignedValue, Task, Verifier};
use truechimer_proto::autokey::status::Scheme;

/// Readings that are held: the current one and some former, for jobs that were begun by them.
const GENERATIONS_MAX: usize = 3;

/// Holds the keys, and does what only their holder can; any thread may ask.
#[derive(Debug)]
pub struct Worker {
    readings: RwLock<VecDeque<Arc<Material>>>,
}

impl Worker {
    /// With the first reading.
    #[must_use]
    pub fn new(material: Material) -> Self {
        Self {
            readings: RwLock::new([Arc::new(material)].into()),
        }
    }

    /// Takes a newer reading; jobs by the former ones can still be done for a while.
    pub fn install(&self, material: Material) {
        let mut readings = self
            .readings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        readings.push_front(Arc::new(material));
        readings.truncate(GENERATIONS_MAX);
    }

    /// Drops the former readings: what was begun by them is done or given up by now, and a key that was
    /// replaced is not to be found in memory for ever. A job that still uses one keeps it to its end;
    /// OpenSSL and `SecretNumber` wipe what they free.
    pub fn forget_former(&self) {
        let mut readings = self
            .readings
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        readings.truncate(1);
    }

    /// What the current reading may tell.
    #[must_use]
    pub fn facts(&self) -> HostFacts {
        let readings = self.readings.read().unwrap_or_else(PoisonError::into_inner);
        // There is always one: it was made with the first.
        readings[0].facts().clone()
    }

    fn reading(&self, generation: Generation) -> Result<Arc<Material>, Failure> {
        let readings = self.readings.read().unwrap_or_else(PoisonError::into_inner);
        let found = readings
            .iter()
            .find(|material| material.facts().generation == generation);
        found.cloned().ok_or(Failure::Busy)
    }

    /// The newest reading with the key that belongs to these parameters: a group's key that was replaced
    /// answers those who do not have the new parameters yet. GQ's value is of the certificate, which the
    /// key that was replaced does not fit.
    fn holder(&self, scheme: Scheme, filestamp: u32) -> Option<Arc<Material>> {
        if scheme == Scheme::Gq {
            return None;
        }
        let readings = self.readings.read().unwrap_or_else(PoisonError::into_inner);
        let mut all = readings.iter();
        all.find(|it| it.has_key(scheme, filestamp)).cloned()
    }

    /// Does a job; never panics, whatever strangers put into it.
    #[must_use]
    pub fn perform(&self, job: &CryptoJob) -> Done {
        self.attempt(job).unwrap_or_else(Done::Failed)
    }

    fn attempt(&self, job: &CryptoJob) -> Result<Done, Failure> {
        let keys = || self.reading(job.generation);
        match &job.task {
            Task::Sign { timestamp, values } => sign_all(&*keys()?, *timestamp, values),
            Task::SealCookie {
                timestamp,
                filestamp,
                public_key,
                cookie,
            } => {
                let sealed = seal_cookie(public_key, *cookie)?;
                Ok(Done::Value(keys()?.value(*timestamp, *filestamp, sealed)?))
            }
            Task::SealPeerCookie {
                timestamp,
                filestamp,
                request,
                by,
                cookie,
            } => {
                signature::verify(request, by)?;
                let sealed = seal_cookie(&request.value, *cookie)?;
                let timestamp = Some(*timestamp);
                Ok(Done::Value(keys()?.value(timestamp, *filestamp, sealed)?))
            }
            Task::SignCertificate { timestamp, request } => {
                sign_certificate(&*keys()?, *timestamp, request)
            }
            Task::AnswerChallenge {
                timestamp,
                scheme,
                filestamp,
                challenge,
            } => {
                let keys = keys()?;
                let holder = self.holder(*scheme, *filestamp);
                let holder = holder.as_ref().unwrap_or(&keys);
                let (filestamp, answer) = holder.answer(*scheme, *filestamp, challenge)?;
                Ok(Done::Value(keys.value(*timestamp, filestamp, answer)?))
            }
            Task::ReadCertificate {
                der,
                filestamp,
                issuer,
            } => read_certificate(der, *filestamp, issuer.as_deref())
                .map(|facts| Done::Certificate(Arc::new(facts))),
            Task::Verify { value, by } => signature::verify(value, by).map(|()| Done::Verified),
            Task::OpenCookie { value, by } => {
                // The signature first: what the host key does is shown to nobody but the signer.
                signature::verify(value, by)?;
                Ok(Done::Cookie(keys()?.open_cookie(&value.value)?))
            }
            Task::Challenge { scheme, ident } => challenge(&*keys()?, *scheme, ident),
            Task::CheckAnswer {
                scheme,
                ident,
                challenge,
                value,
                by,
                gq_public,
            } => {
                signature::verify(value, by)?;
                let keys = keys()?;
                let (filestamp, parameters) = keys.parameters(*scheme, ident)?;
                check_filestamp(*scheme, value.filestamp, filestamp)?;
                let verified = parameters.verify(challenge, &value.value, gq_public.as_deref());
                verified.map(|()| Done::Verified)
            }
        }
    }
}

fn sign_all(keys: &Material, timestamp: u32, values: &[(u32, Vec<u8>)]) -> Result<Done, Failure> {
    let signed = values
        .iter()
        .map(|(stamp, value)| keys.value(Some(timestamp), *stamp, value.clone()));
    Ok(Done::Signed(signed.collect::<Result<_, _>>()?))
}

fn challenge(keys: &Material, scheme: Scheme, ident: &str) -> Result<Done, Failure> {
    let (filestamp, parameters) = keys.parameters(scheme, ident)?;
    Ok(Done::Challenge {
        challenge: parameters.challenge()?,
        filestamp,
    })
}

/// The parameters of IFF and MV are of one server's key; GQ's outlive the keys.
fn check_filestamp(scheme: Scheme, answered: u32, own: u32) -> Result<(), Failure> {
    let fits = match scheme {
        Scheme::Iff | Scheme::Mv => answered == own,
        Scheme::Gq => !is_before(answered, own),
    };
    if fits {
        Ok(())
    } else {
        Err(Failure::Filestamp)
    }
}

fn seal_cookie(asker: &[u8], cookie: u32) -> Result<Vec<u8>, Failure> {
    let key = public_key::read_pkcs1(asker)?;
    let mut sealed = vec![0; usize::try_from(key.size()).unwrap_or(0)];
    let len = key
        .public_encrypt(&cookie.to_be_bytes(), &mut sealed, Padding::PKCS1_OAEP)
        .map_err(|_| Failure::PublicKey)?;
    sealed.truncate(len);
    Ok(sealed)
}

/// Reads a certificate and verifies what can be verified of it: by its issuer, or by itself.
fn read_certificate(
    der: &[u8],
    filestamp: u32,
    issuer: Option<&CertificateFacts>,
) -> Result<CertificateFacts, Failure> {
    let certificate = Certificate::from_der(der).map_err(|_| Failure::Certificate)?;
    let facts = certificate.facts(filestamp)?;
    if let Some(issuer) = issuer {
        let key = public_key::read(&issuer.public_key)?;
        if facts.issuer != issuer.subject || !certificate.is_signed_by(&key) {
            return Err(Failure::CertificateNotVerified);
        }
        // The reference takes nothing signed outside the issuer's lifetime.
        if !(issuer.not_before_s..=issuer.not_after_s).contains(&facts.not_before_s) {
            return Err(Failure::Expired);
        }
    } else if facts.is_self_issued() {
        let (key, _) = certificate.public_key()?;
        if !certificate.is_signed_by(&key) {
            return Err(Failure::CertificateNotVerified);
        }
    }
    Ok(facts)
}

/// Vouches for an asker, who must hold the key of the certificate and not bear this host's name: a
/// certificate of that name by this host would be believed to be its own.
fn sign_certificate(
    keys: &Material,
    timestamp: u32,
    request: &SignedValue,
) -> Result<Done, Failure> {
    let asker = read_certificate(&request.value, request.filestamp, None)?;
    if !asker.is_self_issued() || asker.private || keys.facts().is_called(&asker.subject) {
        return Err(Failure::Certificate);
    }
    signature::verify(
        request,
        &Verifier {
            public_key: Arc::clone(&asker.public_key),
            signature_nid: asker.signature_nid,
        },
    )?;
    let certificate = Certificate::from_der(&request.value).map_err(|_| Failure::Certificate)?;
    let made = keys.vouch(timestamp, &certificate)?;
    Ok(Done::Certified {
        value: keys.value(Some(timestamp), request.filestamp, made)?,
        asker: Arc::new(asker),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autokey::test_hosts::{ALICE, NOW, Recipe};

    #[test]
    fn former_keys_are_gone_when_their_time_is_over() {
        let material = |generation| {
            let draft = Recipe { ..ALICE }.draft(None);
            draft.build(Generation(generation)).expect("it fits")
        };
        let worker = Worker::new(material(1));
        let sign = |generation| {
            let job = CryptoJob {
                generation: Generation(generation),
                task: Task::Sign {
                    timestamp: NOW,
                    values: Vec::new(),
                },
            };
            worker.perform(&job)
        };
        let former = worker.reading(Generation(1)).map(|it| Arc::downgrade(&it));
        let former = former.expect("the first");
        worker.install(material(2));
        assert_eq!(sign(1), Done::Signed(Vec::new()), "begun before");
        worker.forget_former();
        assert_eq!(sign(1), Done::Failed(Failure::Busy));
        assert_eq!(sign(2), Done::Signed(Vec::new()));
        assert_eq!(former.strong_count(), 0, "nobody holds its keys");
    }
}
