//! Captures whose hosts' keys are here: what the reference made is made again, octet by octet, and what
//! it sealed is opened. The keys were made for these captures and are used nowhere else.
use crate::macs::{keyring, server_cookie};
use crate::signatures::{Said, all_said, perform, read, verifier};
use core::net::IpAddr;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use truechimer_crypto::autokey::{MaterialDraft, Worker};
use truechimer_crypto::keyfile::{FileName, FileRole, KeyText};
use truechimer_proto::autokey::facts::{CertificateFacts, Generation};
use truechimer_proto::autokey::job::{Done, Failure, SignedValue, Task};
use truechimer_proto::autokey::status::Scheme;
use truechimer_wire::AutokeyCode;

pub(crate) fn folder(capture: &str, host: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/keys");
    fixtures.join(capture).join(host)
}

/// A host with all keys of its folder.
pub(crate) fn host(capture: &str, host: &str, name: &str, password: &[u8]) -> Worker {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder(capture, host)).expect("a folder") {
        let path = entry.expect("a file").path();
        let text = KeyText::parse(&fs::read(&path).expect("text")).expect("PEM");
        let file = path
            .file_name()
            .and_then(|it| FileName::parse(it.to_str()?));
        let file = file.expect("a key file's name");
        texts.push((file.role().expect("a role"), file.owner, text));
    }
    let host = texts.iter().find(|(role, ..)| *role == FileRole::Host);
    let (_, owner, text) = host.expect("a host key");
    assert_eq!(owner, name);
    let mut draft = MaterialDraft::of_host(text, Some(password)).expect("a key");
    for (role, owner, text) in &texts {
        let done = match role {
            FileRole::Certificate => draft.certificate(text),
            FileRole::Sign => draft.sign_key(text, Some(password)),
            FileRole::IffKey => draft.scheme_key(Scheme::Iff, text, Some(password)),
            FileRole::GqKey => draft.scheme_key(Scheme::Gq, text, Some(password)),
            FileRole::MvKey => draft.scheme_key(Scheme::Mv, text, Some(password)),
            FileRole::IffParameters => draft.parameters(owner, Scheme::Iff, text),
            FileRole::GqParameters => draft.parameters(owner, Scheme::Gq, text),
            FileRole::MvParameters => draft.parameters(owner, Scheme::Mv, text),
            _ => Ok(()),
        };
        done.expect("read");
    }
    Worker::new(draft.build(Generation(1)).expect("they fit"))
}

/// Capture, and of each host its address, folder, name and password.
type Cast = (
    &'static str,
    &'static [(&'static str, &'static str, &'static str, &'static str)],
);

const ALICE: (&str, &str, &str, &str) = ("10.77.0.1", "host1", "alice", "srvpw");
const BOB: (&str, &str, &str, &str) = ("10.77.0.2", "host2", "bob", "clipw");

const CASTS: [Cast; 8] = [
    ("tc", &[ALICE, BOB]),
    ("leap", &[ALICE, BOB]),
    ("iff", &[ALICE, BOB]),
    ("group", &[ALICE, BOB]),
    ("mv", &[ALICE, BOB]),
    ("gq-mended", &[ALICE, BOB]),
    (
        "export",
        &[
            ("10.77.0.1", "host1", "alice", "private"),
            ("10.77.0.2", "host2", "bob", "client"),
            ("10.77.0.3", "host3", "carol", "carolpw"),
        ],
    ),
    // One certificate for all: nobody hands it out.
    ("pc", &[ALICE, ("10.77.0.2", "host2", "alice", "srvpw")]),
];

struct Play {
    capture: &'static str,
    hosts: BTreeMap<IpAddr, Worker>,
    said: Vec<Said>,
}

fn plays() -> impl Iterator<Item = Play> {
    CASTS.into_iter().map(|(capture, cast)| Play {
        capture,
        hosts: cast
            .iter()
            .map(|(address, folder, name, password)| {
                let address = address.parse().expect("an address");
                (address, host(capture, folder, name, password.as_bytes()))
            })
            .collect(),
        said: all_said(capture),
    })
}

impl Play {
    fn responses(&self, code: AutokeyCode) -> impl Iterator<Item = (&Said, &Worker, &Worker)> {
        let wanted = move |said: &&Said| said.code == code && said.is_response;
        self.said
            .iter()
            .filter(wanted)
            .map(|said| (said, &self.hosts[&said.from], &self.hosts[&said.to]))
    }
}

/// Longer keys and a sign key, as ntp-keygen makes them; no capture has them.
#[test]
fn other_kinds_of_keys() {
    for (capture, folder, name, password, signature_len, nid) in [
        ("tc-sha256-2048", "host1", "alice", &b"srvpw"[..], 256, 668),
        ("tc-rsasign", "host2", "bob", b"clipw", 128, 668),
    ] {
        let facts = host(capture, folder, name, password).facts();
        assert_eq!(facts.signature_len, signature_len, "{capture}");
        let own = &facts.certificates[0];
        assert_eq!((own.signature_nid, own.signature_len), (nid, signature_len));
    }
}

fn own(worker: &Worker) -> Arc<CertificateFacts> {
    Arc::clone(&worker.facts().certificates[0])
}

#[test]
fn signatures_are_made_as_the_reference_makes_them() {
    let mut made = 0;
    for play in plays() {
        for said in &play.said {
            let SignedValue {
                timestamp,
                filestamp,
                value,
                signature,
            } = said.value.clone();
            if signature.is_empty() {
                continue;
            }
            let values = vec![(filestamp, value)];
            let signed = perform(&play.hosts[&said.from], Task::Sign { timestamp, values });
            assert_eq!(
                signed,
                Done::Signed(vec![said.value.clone()]),
                "{}",
                play.capture
            );
            made += 1;
        }
    }
    assert_eq!(made, 46);
}

/// The reference takes the certificate's first second from another clock than its stamp; where both
/// were the same second every octet is the same, and else all but the dates.
#[test]
fn certificates_are_signed_as_the_reference_signs_them() {
    let (mut made, mut alike) = (0, 0);
    for play in plays() {
        for (said, signer, _) in play.responses(AutokeyCode::Sign) {
            let task = Task::SignCertificate {
                timestamp: said.value.timestamp,
                request: said.asked.clone().expect("it was asked"),
            };
            let Done::Certified { value: ours, .. } = perform(signer, task) else {
                panic!("{}", play.capture);
            };
            let issuer = own(signer);
            let [ours_read, theirs] = [&ours, &said.value]
                .map(|value| read(signer, value, Some(&issuer)).expect("a certificate"));
            if theirs.not_before_s == ours_read.not_before_s {
                assert_eq!(ours, said.value, "{}", play.capture);
                alike += 1;
            }
            let expected = CertificateFacts {
                not_before_s: ours_read.not_before_s,
                not_after_s: ours_read.not_after_s,
                der: Arc::clone(&ours_read.der),
                ..(*theirs).clone()
            };
            assert_eq!(*ours_read, expected, "{}", play.capture);
            assert_eq!(ours_read.der.len(), theirs.der.len());
            made += 1;
        }
    }
    assert_eq!((made, alike), (8, 7));
}

#[test]
fn sealed_cookies_are_opened() {
    let mut ring = keyring();
    let mut opened = 0;
    for play in plays() {
        for (said, server, client) in play.responses(AutokeyCode::Cookie) {
            let open = |host: &Worker| {
                let (value, by) = (said.value.clone(), verifier(&own(server)));
                perform(host, Task::OpenCookie { value, by })
            };
            let cookie = server_cookie(&mut ring, said.to, said.from);
            assert_eq!(open(client), Done::Cookie(cookie), "{}", play.capture);
            let asked = said.asked.as_ref().expect("it was asked");
            assert_eq!(*asked.value, *client.facts().public_key);
            if play.capture != "pc" {
                assert_eq!(open(server), Done::Failed(Failure::Cookie));
            }
            opened += 1;
        }
    }
    assert_eq!(opened, 9);
}

#[test]
fn identities_are_proven_as_the_reference_proves_them() {
    let mut proven = 0;
    for play in plays() {
        let ident = if play.capture == "group" {
            "GR1"
        } else {
            "grp"
        };
        for (code, scheme) in [
            (AutokeyCode::Iff, Scheme::Iff),
            (AutokeyCode::Gq, Scheme::Gq),
            (AutokeyCode::Mv, Scheme::Mv),
        ] {
            for (said, server, client) in play.responses(code) {
                let asked = said.asked.as_ref().expect("it was asked");
                let check = |value: &SignedValue| {
                    let task = Task::CheckAnswer {
                        scheme,
                        ident: ident.to_owned(),
                        challenge: asked.value.clone(),
                        value: value.clone(),
                        by: verifier(&own(server)),
                        gq_public: own(server).gq_public.clone(),
                    };
                    perform(client, task)
                };
                assert_eq!(check(&said.value), Done::Verified, "{}", play.capture);
                let answer = Task::AnswerChallenge {
                    timestamp: Some(said.value.timestamp),
                    scheme,
                    filestamp: asked.filestamp,
                    challenge: asked.value.clone(),
                };
                let Done::Value(ours) = perform(server, answer) else {
                    panic!("{}", play.capture);
                };
                assert_eq!(ours.filestamp, said.value.filestamp);
                assert_ne!(ours.value, said.value.value, "answers are random");
                assert_eq!(check(&ours), Done::Verified, "{}", play.capture);
                proven += 1;
            }
        }
    }
    assert_eq!(proven, 6);
}
