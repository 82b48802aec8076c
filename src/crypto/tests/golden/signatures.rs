//! Certificates and signatures, by what each host handed out in the capture.
use crate::captured;
use core::net::IpAddr;
use std::collections::BTreeMap;
use std::sync::Arc;
use truechimer_crypto::autokey::Worker;
use truechimer_proto::autokey::facts::{CertificateFacts, Generation};
use truechimer_proto::autokey::job::{CryptoJob, Done, Failure, SignedValue, Task, Verifier};
use truechimer_wire::{AutokeyBody, AutokeyCode, AutokeyMessage, Packet};

/// A message, who sent it to whom, and the request that it answers.
pub(crate) struct Said {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
    pub(crate) is_response: bool,
    pub(crate) code: AutokeyCode,
    pub(crate) value: SignedValue,
    /// Of the last request of that code by the other side.
    pub(crate) asked: Option<SignedValue>,
}

fn value(body: &AutokeyBody<'_>) -> SignedValue {
    SignedValue {
        timestamp: body.timestamp,
        filestamp: body.filestamp,
        value: body.value.to_vec(),
        signature: body.signature.to_vec(),
    }
}

/// All messages of a capture with a body.
pub(crate) fn all_said(capture: &str) -> Vec<Said> {
    let mut all = Vec::new();
    let mut asked = BTreeMap::new();
    for seen in captured(capture) {
        let packet = Packet::new_checked(&seen.octets).expect("a packet");
        for field in packet.extension_fields() {
            let message = AutokeyMessage::new_checked(&field).expect("a message");
            let Some(body) = &message.body else { continue };
            let value = value(body);
            let code = message.code;
            if !message.is_response {
                asked.insert((seen.from, seen.to, code.octet()), value.clone());
            }
            all.push(Said {
                from: seen.from,
                to: seen.to,
                is_response: message.is_response,
                code,
                value,
                asked: asked.get(&(seen.to, seen.from, code.octet())).cloned(),
            });
        }
    }
    all
}

pub(crate) fn perform(worker: &Worker, task: Task) -> Done {
    worker.perform(&CryptoJob {
        generation: Generation(1),
        task,
    })
}

pub(crate) fn read(
    worker: &Worker,
    value: &SignedValue,
    issuer: Option<&Arc<CertificateFacts>>,
) -> Result<Arc<CertificateFacts>, Failure> {
    let task = Task::ReadCertificate {
        der: value.value.clone(),
        filestamp: value.filestamp,
        issuer: issuer.cloned(),
    };
    match perform(worker, task) {
        Done::Certificate(facts) => Ok(facts),
        Done::Failed(failure) => Err(failure),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn verifier(facts: &CertificateFacts) -> Verifier {
    Verifier {
        public_key: Arc::clone(&facts.public_key),
        signature_nid: facts.signature_nid,
    }
}

/// Each host's own certificate: handed out, or sent to be signed.
pub(crate) fn own_certificates(
    worker: &Worker,
    all: &[Said],
) -> BTreeMap<IpAddr, Arc<CertificateFacts>> {
    let mut own = BTreeMap::new();
    for said in all {
        if matches!(
            (said.code, said.is_response),
            (AutokeyCode::Certificate, true) | (AutokeyCode::Sign, false)
        ) {
            let facts = read(worker, &said.value, None).expect("a certificate");
            if facts.is_self_issued() {
                own.entry(said.from).or_insert(facts);
            }
        }
    }
    own
}

/// Signatures, and certificates that were signed for somebody.
const SIGNED: [(&str, [u32; 2]); 21] = [
    ("broadcast", [7, 1]),
    ("broadcast-mended", [6, 1]),
    ("export", [12, 2]),
    ("gq", [12, 0]),
    ("gq-mended", [6, 1]),
    ("group", [5, 1]),
    ("iff", [5, 1]),
    ("iff-asis", [12, 0]),
    ("ipv6", [4, 1]),
    ("leap", [5, 1]),
    ("manycast", [5, 1]),
    ("multicast", [6, 1]),
    ("multicast-mended", [7, 1]),
    ("mv", [6, 1]),
    ("mv-asis", [12, 0]),
    ("mv-revoked", [7, 0]),
    ("peer", [0, 0]),
    ("peer-active", [0, 0]),
    ("peer-active-mended", [13, 1]),
    ("peer-mended", [13, 1]),
    ("tc", [5, 1]),
];

#[test]
fn every_signature_and_certificate() {
    let worker = crate::keys::host("tc", "host2", "bob", b"clipw");
    for (name, expected) in SIGNED {
        let all = all_said(name);
        let own = own_certificates(&worker, &all);
        let mut verified = [0; 2];
        for said in all.iter().filter(|said| !said.value.signature.is_empty()) {
            let facts = own.get(&said.from).expect("it handed out a certificate");
            let verify = |value: SignedValue| {
                let by = verifier(facts);
                perform(&worker, Task::Verify { value, by })
            };
            assert_eq!(verify(said.value.clone()), Done::Verified, "{name}");
            let mut altered = said.value.clone();
            altered.timestamp += 1;
            assert_eq!(verify(altered), Done::Failed(Failure::Signature));
            verified[0] += 1;
            if said.code == AutokeyCode::Sign && said.is_response {
                let signed = read(&worker, &said.value, Some(facts)).expect(name);
                assert_eq!(signed.issuer, facts.subject);
                let asker = own.get(&said.to).expect("it asked");
                assert_eq!(signed.public_key, asker.public_key);
                let by_asker = read(&worker, &said.value, Some(asker));
                assert_eq!(by_asker, Err(Failure::CertificateNotVerified));
                verified[1] += 1;
            }
        }
        assert_eq!(verified, expected, "{name}");
    }
}
