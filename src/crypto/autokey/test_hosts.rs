//! Hosts made for a test, and what they are asked.
use super::{Material, MaterialDraft, Worker};
use crate::certificate::{Draft, Scheme as CertificateScheme, Standing};
use crate::identity::GqKey;
use crate::keyfile::{FileName, KeyCipher, KeyText, heading};
use crate::{KeyForm, KeyKind, PrivateKey};
use std::sync::Arc;
use truechimer_proto::autokey::facts::{CertificateFacts, Generation};
use truechimer_proto::autokey::job::{CryptoJob, Done, SignedValue, Task, Verifier};

/// 2026-11-28, seconds of Unix and of NTP.
pub(crate) const MADE_UNIX_S: i64 = 1_795_824_000;
pub(crate) const MADE: u32 = 4_004_812_800;
pub(crate) const NOW: u32 = MADE + 5_000;
pub(crate) const PASSWORD: &[u8] = b"secret";

pub(crate) fn text(kind: &str, owner: &str, pem: &str) -> KeyText {
    let name = FileName::new(kind, owner, MADE);
    KeyText::parse(format!("{}{pem}", heading(&name, "today")).as_bytes()).expect("PEM")
}

pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) bits: u32,
    pub(crate) sign: Option<KeyKind>,
    pub(crate) scheme: &'static str,
    pub(crate) standing: Standing,
}

pub(crate) const ALICE: Recipe = Recipe {
    name: "alice",
    bits: 1024,
    sign: None,
    scheme: "RSA-SHA256",
    standing: Standing::Trusted,
};

pub(crate) const BOB: Recipe = Recipe {
    name: "bob@grp",
    bits: 512,
    sign: None,
    scheme: "RSA-MD5",
    standing: Standing::Plain,
};

pub(crate) fn private(key: &PrivateKey) -> String {
    key.to_pem(KeyForm::Pkcs8, KeyCipher::TripleDes, PASSWORD)
        .expect("written")
}

impl Recipe {
    pub(crate) fn draft(&self, gq: Option<&GqKey>) -> MaterialDraft {
        let host = PrivateKey::generate(KeyKind::Rsa, self.bits).expect("a key");
        let sign = self
            .sign
            .map(|kind| PrivateKey::generate(kind, 1024).expect("a key"));
        let host_text = text("RSAhost", self.name, &private(&host));
        let mut draft = MaterialDraft::of_host(&host_text, Some(PASSWORD)).expect("a key");
        if let Some(sign) = &sign {
            let sign_text = text("RSAsign", self.name, &private(sign));
            draft.sign_key(&sign_text, Some(PASSWORD)).expect("a key");
        }
        let certificate = Draft {
            name: self.name,
            from_unix_s: MADE_UNIX_S,
            lifetime_days: 365,
            standing: self.standing,
            gq_public: gq.map(GqKey::public_value).as_deref(),
        }
        .sign(
            sign.as_ref().unwrap_or(&host),
            CertificateScheme::from_name(self.scheme, KeyKind::Rsa).expect("a scheme"),
        )
        .expect("a certificate");
        let pem = certificate.to_pem().expect("written");
        draft
            .certificate(&text("RSA-MD5cert", self.name, &pem))
            .expect("a certificate");
        draft
    }

    pub(crate) fn host(&self) -> Host {
        Host::new(self.draft(None).build(Generation(1)).expect("it fits"))
    }
}

pub(crate) struct Host {
    pub(crate) worker: Worker,
    pub(crate) own: Arc<CertificateFacts>,
    pub(crate) public_key: Arc<[u8]>,
}

impl Host {
    pub(crate) fn new(material: Material) -> Self {
        let facts = material.facts();
        Self {
            own: Arc::clone(&facts.certificates[0]),
            public_key: Arc::clone(&facts.public_key),
            worker: Worker::new(material),
        }
    }

    pub(crate) fn perform(&self, task: Task) -> Done {
        self.worker.perform(&CryptoJob {
            generation: Generation(1),
            task,
        })
    }

    pub(crate) fn value(&self, task: Task) -> SignedValue {
        match self.perform(task) {
            Done::Value(value) | Done::Certified { value, .. } => value,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn signed(&self, value: &[u8]) -> SignedValue {
        self.signed_of(MADE, value)
    }

    pub(crate) fn signed_of(&self, filestamp: u32, value: &[u8]) -> SignedValue {
        let values = vec![(filestamp, value.to_vec())];
        match self.perform(Task::Sign {
            timestamp: NOW,
            values,
        }) {
            Done::Signed(mut all) => all.pop().expect("one"),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier {
            public_key: Arc::clone(&self.own.public_key),
            signature_nid: self.own.signature_nid,
        }
    }
}
