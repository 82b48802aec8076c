//! A host's facts, and a holder of keys who signs with words.
use super::super::world::World;
use crate::autokey::facts::{CertificateFacts, Generation, HostFacts};
use crate::autokey::job::{CryptoJob, Done, SignedValue, Task};
use crate::autokey::status::Scheme;
use crate::config::AutokeyConfig;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Of `alice`, a trusted host that answers IFF challenges.
pub(super) fn autokey(generation: u64) -> AutokeyConfig {
    let der = format!("alice {generation}").into_bytes();
    let certificate = CertificateFacts {
        der: der.into(),
        subject: "alice".to_owned(),
        issuer: "alice".to_owned(),
        serial: generation,
        not_before_s: 100,
        not_after_s: 1 << 33,
        trusted: true,
        private: false,
        signature_nid: 668,
        public_key: Arc::new(*b"key"),
        signature_len: 64,
        gq_public: None,
        filestamp: 6,
    };
    AutokeyConfig {
        host: Arc::new(HostFacts {
            generation: Generation(generation),
            name: "alice".to_owned(),
            certificates: vec![Arc::new(certificate)],
            public_key: Arc::new(*b"key"),
            key_filestamp: 5,
            signature_len: 64,
            schemes: BTreeMap::from([(Scheme::Iff, vec![9])]),
            groups: BTreeSet::new(),
            parameters: BTreeMap::new(),
        }),
        ident: None,
        automax: 12,
        private_values: vec![7],
        digest: "md5".to_owned(),
        insecure: false,
    }
}

/// What comes of a job to sign.
pub(super) fn signed(job: &CryptoJob) -> Done {
    let Task::Sign { timestamp, values } = &job.task else {
        panic!("{job:?}");
    };
    let signed = |(filestamp, value): &(u32, Vec<u8>)| SignedValue {
        timestamp: *timestamp,
        filestamp: *filestamp,
        value: value.clone(),
        signature: format!("signed by {}", job.generation.0).into_bytes(),
    };
    Done::Signed(values.iter().map(signed).collect())
}

/// Does every job there is, at least one.
pub(super) fn sign_all(world: &mut World) {
    assert!(!world.jobs.is_empty(), "nothing is to be signed");
    for (id, job) in core::mem::take(&mut world.jobs) {
        let now = world.now();
        world.system.handle_crypto_done(now, id, signed(&job));
        world.drain();
    }
}
