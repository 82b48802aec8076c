//! Any extension fields behind a right MAC, which costs a stranger nothing: what they say is taken apart,
//! handed to every holder of keys it could be meant for, and what these make of it is sound; and a server
//! is asked with it.
#![no_main]

mod server;

use core::net::{IpAddr, Ipv4Addr};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};
use truechimer_crypto::autokey::{AutokeyDigest, MaterialDraft, Worker};
use truechimer_crypto::keyfile::KeyText;
use truechimer_crypto::{KeyFile, KeyTable, Keyring};
use truechimer_proto::authentication::{Authenticator, SessionKey};
use truechimer_proto::autokey::facts::{CertificateFacts, Generation, HostFacts};
use truechimer_proto::autokey::job::{CryptoJob, Done, SignedValue, Task, Verifier};
use truechimer_proto::autokey::status::Scheme;
use truechimer_wire::{AutokeyCode, AutokeyMessage, PACKET_LEN_MAX, Packet};

const NOW: u32 = 4_004_290_000;
const PASSWORD: Option<&[u8]> = Some(b"srvpw");
const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 2));
const KEY_ID: u32 = 0x1234_5678;
/// Octets of a MAC without its key.
const MD5_LEN: usize = 16;

macro_rules! text {
    ($name:literal) => {
        KeyText::parse(include_bytes!(concat!(
            "../../../src/crypto/fixtures/golden/keys/",
            $name
        )))
        .expect($name)
    };
}

/// A trusted host that has the keys and the parameters of all schemes.
static HOST: LazyLock<(Worker, HostFacts)> = LazyLock::new(|| {
    let host = text!("iff/host1/ntpkey_RSAhost_alice.4004285679");
    let mut draft = MaterialDraft::of_host(&host, PASSWORD).expect("a key");
    let certificate = text!("iff/host1/ntpkey_RSA-MD5cert_alice.4004285679");
    draft.certificate(&certificate).expect("a certificate");
    for (scheme, text) in [
        (Scheme::Iff, text!("iff/host1/ntpkey_IFFkey_grp.4004285679")),
        (
            Scheme::Gq,
            text!("gq-mended/host1/ntpkey_GQkey_grp.4004285488"),
        ),
        (Scheme::Mv, text!("mv/host1/ntpkey_mvkey_grp")),
    ] {
        draft.scheme_key(scheme, &text, PASSWORD).expect("a key");
    }
    for (scheme, text) in [
        (Scheme::Iff, text!("iff/host2/ntpkey_iffpar_grp")),
        (Scheme::Gq, text!("gq-mended/host2/ntpkey_gqpar_grp")),
        (Scheme::Mv, text!("mv/host2/ntpkey_mvpar_grp")),
    ] {
        draft.parameters("grp", scheme, &text).expect("parameters");
    }
    let worker = Worker::new(draft.build(Generation(1)).expect("they fit"));
    let facts = worker.facts();
    (worker, facts)
});

fn perform(task: Task) -> Done {
    HOST.0.perform(&CryptoJob {
        generation: Generation(1),
        task,
    })
}

fn own() -> Arc<CertificateFacts> {
    Arc::clone(&HOST.1.certificates[0])
}

fn verifier(facts: &CertificateFacts) -> Verifier {
    Verifier {
        public_key: Arc::clone(&facts.public_key),
        signature_nid: facts.signature_nid,
    }
}

/// The same said by somebody whose signature is right.
fn signed(value: &SignedValue) -> Option<SignedValue> {
    let values = vec![(value.filestamp, value.value.clone())];
    match perform(Task::Sign {
        timestamp: NOW,
        values,
    }) {
        Done::Signed(mut all) => all.pop(),
        _ => None,
    }
}

fn read(value: &SignedValue, issuer: Option<Arc<CertificateFacts>>) -> Done {
    perform(Task::ReadCertificate {
        der: value.value.clone(),
        filestamp: value.filestamp,
        issuer,
    })
}

fn certificate(value: &SignedValue) {
    let _ = read(value, Some(own()));
    if let Done::Certificate(facts) = read(value, None) {
        assert!(!facts.subject.contains(char::is_control));
        assert!(facts.not_before_s <= facts.not_after_s);
        let _ = perform(Task::Verify {
            value: value.clone(),
            by: verifier(&facts),
        });
        let _ = read(value, Some(facts));
    }
    let made = perform(Task::SignCertificate {
        timestamp: NOW,
        request: value.clone(),
    });
    if let Done::Value(made) = made {
        let Done::Certificate(facts) = read(&made, Some(own())) else {
            panic!("a certificate of ours that is not verified");
        };
        assert!(!facts.trusted && !facts.private && facts.issuer == own().subject);
    }
}

fn cookie(value: &SignedValue) {
    let sealed = perform(Task::SealCookie {
        timestamp: Some(NOW),
        filestamp: value.filestamp,
        public_key: value.value.clone(),
        cookie: 0x1234_5678,
    });
    if let Done::Value(sealed) = sealed {
        assert!((64..=512).contains(&sealed.value.len()));
        let opened = perform(Task::OpenCookie {
            value: sealed,
            by: verifier(&own()),
        });
        let is_ours = value.value[..] == HOST.1.public_key[..];
        assert_eq!(opened == Done::Cookie(0x1234_5678), is_ours);
    }
    if let Some(value) = signed(value) {
        let _ = perform(Task::OpenCookie {
            value,
            by: verifier(&own()),
        });
    }
}

fn identity(scheme: Scheme, value: &SignedValue) {
    let answer = perform(Task::AnswerChallenge {
        timestamp: None,
        scheme,
        filestamp: value.filestamp,
        challenge: value.value.clone(),
    });
    let ident = "grp".to_owned();
    let asked = perform(Task::Challenge {
        scheme,
        ident: ident.clone(),
    });
    let Done::Challenge { challenge, .. } = asked else {
        panic!("{scheme:?} {asked:?}");
    };
    let check = |challenge: Vec<u8>, value: SignedValue| {
        perform(Task::CheckAnswer {
            scheme,
            ident: ident.clone(),
            challenge,
            value,
            by: verifier(&own()),
            gq_public: Some(value_of_gq()),
        })
    };
    // A challenge as large as the modulus may be larger, which no asker sends.
    let is_smaller = value.value.len() < challenge.len();
    if let Done::Value(answer) = answer
        && is_smaller
    {
        // However short it is padded: the answer is right.
        let again = signed(&answer).expect("a value");
        assert_eq!(check(value.value.clone(), again), Done::Verified);
    }
    let filestamp = HOST.1.schemes[&scheme][0];
    let stamped = SignedValue {
        filestamp,
        ..value.clone()
    };
    if let Some(value) = signed(&stamped) {
        // Answers that were there before the challenge prove nothing.
        assert_ne!(check(challenge, value), Done::Verified);
    }
}

/// Of the GQ key's own certificate; the host's carries none.
fn value_of_gq() -> Arc<[u8]> {
    static VALUE: LazyLock<Arc<[u8]>> = LazyLock::new(|| {
        let text = text!("gq-mended/host1/ntpkey_RSA-MD5cert_alice.4004285488");
        let certificate = truechimer_crypto::certificate::Certificate::read(&text);
        let value = certificate.expect("a certificate").gq_public();
        value.expect("a GQ value").into()
    });
    Arc::clone(&VALUE)
}

fn keyring() -> Keyring {
    let digest = AutokeyDigest::from_name("MD5").expect("everywhere");
    Keyring::new(Arc::new(KeyTable::new(KeyFile::default(), []))).with_autokey_digest(digest)
}

/// Of packets with fields.
fn session_key(from: IpAddr, to: IpAddr, ring: &mut Keyring) -> SessionKey {
    ring.session_key(from, to, KEY_ID, 0).expect("a digest")
}

/// The client's packet with its MAC.
fn sealed(mut octets: Vec<u8>, ring: &mut Keyring) -> Vec<u8> {
    let key = session_key(CLIENT, SERVER, ring);
    let mut mac = [0; 20];
    let len = ring.seal_session(&key, &octets, &mut mac).expect("room");
    octets.extend_from_slice(&KEY_ID.to_be_bytes());
    octets.extend_from_slice(&mac[..len]);
    octets
}

fuzz_target!(|fields: &[u8]| {
    let mut ring = keyring();
    let mut octets = vec![0x23; 48];
    // Nothing was heard of the server yet.
    octets[24..32].fill(0);
    octets.extend_from_slice(&fields[..fields.len() / 4 * 4]);
    let octets = sealed(octets, &mut ring);
    let key = session_key(CLIENT, SERVER, &mut ring);
    let Ok(packet) = Packet::new_checked(&octets) else {
        return;
    };
    // A field that is longer than it should be swallows the MAC; four octets too many before it make it
    // a longer one.
    let Some(seen) = packet.mac() else { return };
    let is_whole = seen.digest.len() == MD5_LEN;
    let is_right = ring.check_session(&key, packet.authenticated(), seen.digest);
    assert_eq!(is_right, is_whole);
    if !is_right {
        return;
    }
    server::asked(&octets, &mut ring);
    for field in packet.extension_fields() {
        let Ok(message) = AutokeyMessage::new_checked(&field) else {
            continue;
        };
        let mut out = [0; PACKET_LEN_MAX];
        let len = message.write(&mut out).expect("it was in a packet");
        assert!(len <= field.value.len() + 4);
        let Some(body) = message.body else { continue };
        let value = SignedValue {
            timestamp: body.timestamp,
            filestamp: body.filestamp,
            value: body.value.to_vec(),
            signature: body.signature.to_vec(),
        };
        let _ = perform(Task::Verify {
            value: value.clone(),
            by: verifier(&own()),
        });
        match message.code {
            AutokeyCode::Certificate | AutokeyCode::Sign => certificate(&value),
            AutokeyCode::Cookie => cookie(&value),
            AutokeyCode::Iff => identity(Scheme::Iff, &value),
            AutokeyCode::Gq => identity(Scheme::Gq, &value),
            AutokeyCode::Mv => identity(Scheme::Mv, &value),
            _ => {}
        }
    }
});
