//! Two hosts that know each other only by what they hand out.

mod identity;
mod material;

use super::test_hosts::{ALICE, BOB, Host, MADE, NOW, Recipe};
use crate::KeyKind;
use crate::certificate::{Certificate, Standing};
use std::sync::Arc;
use truechimer_proto::autokey::facts::Generation;
use truechimer_proto::autokey::job::{CryptoJob, Done, Failure, SignedValue, Task};

#[test]
fn signatures_of_every_kind_of_key() {
    let sign = |sign, scheme| Recipe {
        sign,
        scheme,
        ..ALICE
    };
    for recipe in [
        ALICE,
        BOB,
        sign(Some(KeyKind::Rsa), "RSA-SHA512"),
        sign(Some(KeyKind::Rsa), "RSA-SHA1"),
        sign(Some(KeyKind::Dsa), "DSA-SHA1"),
        sign(Some(KeyKind::Dsa), "DSA-SHA256"),
    ] {
        let (host, reader) = (recipe.host(), BOB.host());
        let value = host.signed(b"value");
        let verify = |value: &SignedValue, by| {
            let value = value.clone();
            reader.perform(Task::Verify { value, by })
        };
        assert_eq!(verify(&value, host.verifier()), Done::Verified);
        let mut forged = value.clone();
        forged.value[0] ^= 1;
        let signature = Done::Failed(Failure::Signature);
        assert_eq!(verify(&forged, host.verifier()), signature);
        forged = value.clone();
        forged.filestamp += 1;
        assert_eq!(verify(&forged, host.verifier()), signature);
        forged.signature.push(0);
        forged.signature.extend([0; 64]);
        let length = Done::Failed(Failure::SignatureLength);
        assert_eq!(verify(&forged, host.verifier()), length);
        forged.signature.clear();
        assert_eq!(verify(&forged, host.verifier()), length);
        forged.timestamp = 0;
        let timestamp = Done::Failed(Failure::Timestamp);
        assert_eq!(verify(&forged, host.verifier()), timestamp);
        forged.timestamp = MADE - 1;
        assert_eq!(verify(&forged, host.verifier()), timestamp);
        let mut by = host.verifier();
        by.signature_nid = 4;
        assert_eq!(verify(&value, by), Done::Failed(Failure::Digest));
    }
}

#[test]
fn cookies_reach_only_whom_they_are_sealed_for() {
    let (alice, bob, carol) = (ALICE.host(), BOB.host(), BOB.host());
    let seal = |public_key: &[u8], timestamp| Task::SealCookie {
        timestamp,
        filestamp: MADE,
        public_key: public_key.to_vec(),
        cookie: 0x9498_BC2A,
    };
    let sealed = alice.value(seal(&bob.public_key, Some(NOW)));
    assert_eq!((sealed.timestamp, sealed.filestamp), (NOW, MADE));
    assert_eq!(sealed.value.len(), 64);
    let open = |host: &Host, value: &SignedValue| {
        host.perform(Task::OpenCookie {
            value: value.clone(),
            by: alice.verifier(),
        })
    };
    assert_eq!(open(&bob, &sealed), Done::Cookie(0x9498_BC2A));
    assert_eq!(open(&carol, &sealed), Done::Failed(Failure::Cookie));
    let again = alice.value(seal(&bob.public_key, Some(NOW)));
    assert_ne!(again.value, sealed.value, "sealing is random");
    let unsigned = alice.value(seal(&bob.public_key, None));
    assert_eq!((unsigned.timestamp, unsigned.signature.len()), (0, 0));
    assert_eq!(open(&bob, &unsigned), Done::Failed(Failure::Timestamp));
    let mut swapped = sealed.clone();
    swapped.value = again.value;
    assert_eq!(open(&bob, &swapped), Done::Failed(Failure::Signature));
    for bad in [&b""[..], b"\x30\x03\x02\x01\x01", &alice.own.public_key] {
        let refused = alice.perform(seal(bad, Some(NOW)));
        assert_eq!(refused, Done::Failed(Failure::PublicKey));
    }
}

#[test]
fn a_peer_is_sealed_its_half_of_the_cookie_if_it_signed_its_request() {
    let (alice, bob, mallory) = (ALICE.host(), BOB.host(), BOB.host());
    let seal = |request: &SignedValue| {
        alice.perform(Task::SealPeerCookie {
            timestamp: NOW,
            filestamp: MADE,
            request: request.clone(),
            by: bob.verifier(),
            cookie: 0x9498_BC2A,
        })
    };
    let request = bob.signed(&bob.public_key);
    let Done::Value(sealed) = seal(&request) else {
        panic!("{:?}", seal(&request));
    };
    let opened = bob.perform(Task::OpenCookie {
        value: sealed,
        by: alice.verifier(),
    });
    assert_eq!(opened, Done::Cookie(0x9498_BC2A));
    let unsigned = SignedValue {
        timestamp: 0,
        signature: Vec::new(),
        ..request.clone()
    };
    assert_eq!(seal(&unsigned), Done::Failed(Failure::Timestamp));
    let stripped = SignedValue {
        signature: Vec::new(),
        ..request.clone()
    };
    assert_eq!(seal(&stripped), Done::Failed(Failure::SignatureLength));
    let exchanged = SignedValue {
        value: mallory.public_key.to_vec(),
        ..request
    };
    assert_eq!(seal(&exchanged), Done::Failed(Failure::Signature));
    let by_other = mallory.signed(&mallory.public_key);
    assert_eq!(seal(&by_other), Done::Failed(Failure::Signature));
}

#[test]
fn certificates_are_signed_for_their_owners_only() {
    let (alice, bob) = (ALICE.host(), BOB.host());
    let request = bob.signed(&bob.own.der);
    let ask = |request: &SignedValue| Task::SignCertificate {
        timestamp: NOW,
        request: request.clone(),
    };
    let made = alice.value(ask(&request));
    assert_eq!((made.timestamp, made.filestamp), (NOW, MADE));
    let read = |issuer: &Host| {
        bob.perform(Task::ReadCertificate {
            der: made.value.clone(),
            filestamp: made.filestamp,
            issuer: Some(Arc::clone(&issuer.own)),
        })
    };
    let Done::Certificate(facts) = read(&alice) else {
        panic!("{:?}", read(&alice));
    };
    assert_eq!((&*facts.subject, &*facts.issuer), ("bob@grp", "alice"));
    assert_eq!(facts.public_key, bob.own.public_key);
    assert_eq!(facts.serial, u64::from(NOW));
    assert_eq!(facts.not_before_s, i64::from(NOW));
    assert_eq!(facts.not_after_s, i64::from(NOW) + 365 * 86_400);
    assert_eq!(facts.signature_nid, 668, "alice's digest, not bob's");
    let impostor = Recipe {
        name: "alice",
        ..BOB
    }
    .host();
    assert_eq!(
        read(&impostor),
        Done::Failed(Failure::CertificateNotVerified)
    );

    let mut stolen = ALICE.host().signed(&bob.own.der);
    assert_eq!(
        alice.perform(ask(&stolen)),
        Done::Failed(Failure::SignatureLength)
    );
    stolen.signature.truncate(64);
    assert_eq!(
        alice.perform(ask(&stolen)),
        Done::Failed(Failure::Signature)
    );
    let as_alice = impostor.signed(&impostor.own.der);
    assert_eq!(
        alice.perform(ask(&as_alice)),
        Done::Failed(Failure::Certificate)
    );
    let again = bob.signed(&made.value);
    assert_eq!(
        alice.perform(ask(&again)),
        Done::Failed(Failure::Certificate)
    );
    let late = Task::SignCertificate {
        timestamp: MADE + 366 * 86_400,
        request,
    };
    assert_eq!(alice.perform(late), Done::Failed(Failure::Expired));
}

/// Alice trusts herself; that she signs carol's certificate makes carol no trusted host.
#[test]
fn trust_is_not_handed_on() {
    let alice = ALICE.host();
    let carol = Recipe {
        name: "carol",
        ..ALICE
    }
    .host();
    assert!(carol.own.trusted);
    let made = alice.value(Task::SignCertificate {
        timestamp: NOW,
        request: carol.signed(&carol.own.der),
    });
    let certificate = Certificate::from_der(&made.value).expect("read");
    assert_eq!(certificate.standing(), Standing::Plain);
}

#[test]
fn former_readings_finish_what_they_began() {
    let host = ALICE.host();
    let ask = |generation| {
        host.worker.perform(&CryptoJob {
            generation: Generation(generation),
            task: Task::Sign {
                timestamp: NOW,
                values: vec![(MADE, vec![7])],
            },
        })
    };
    assert!(matches!(ask(1), Done::Signed(_)));
    for next in 2..=4 {
        let material = ALICE.draft(None).build(Generation(next)).expect("it fits");
        host.worker.install(material);
        assert!(matches!(ask(next), Done::Signed(_)));
        assert!(matches!(ask(next - 1), Done::Signed(_)));
    }
    assert_eq!(ask(1), Done::Failed(Failure::Busy));
    assert_eq!(ask(9), Done::Failed(Failure::Busy));
}
