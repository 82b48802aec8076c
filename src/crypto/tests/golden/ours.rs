//! What our own daemons said to each other, computed again from the keys that were kept.
use crate::keys::{folder, host};
use crate::macs::keyring;
use crate::signatures::{Said, all_said, perform, read, verifier};
use crate::{OURS, captured};
use core::net::IpAddr;
use std::fs;
use std::sync::Arc;
use truechimer_crypto::autokey::Worker;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::facts::CertificateFacts;
use truechimer_proto::autokey::job::{Done, Failure, Task};
use truechimer_proto::autokey::status::Scheme;
use truechimer_wire::{AutokeyCode, Packet};

/// Server and client of a capture.
struct Play {
    name: &'static str,
    server: Worker,
    client: Worker,
    said: Vec<Said>,
    /// What the server's cookies are made of.
    private_value: u32,
}

const SERVER: &str = "10.77.0.1";

fn plays() -> impl Iterator<Item = Play> {
    OURS.into_iter().map(|(name, _)| {
        let is_shared = name == "ours-pc";
        let cookies = folder(name, "autokey-cookies");
        let cookies = fs::read_to_string(cookies).expect("kept");
        let value = cookies.lines().nth(1).and_then(|it| it.split(' ').next());
        let value = u32::from_str_radix(value.expect("a value"), 16);
        let (owner, password): (_, &[u8]) = if is_shared {
            ("host1", b"srvpw")
        } else {
            ("host2", b"clipw")
        };
        Play {
            name,
            server: host(name, "host1", "host1", b"srvpw"),
            client: host(name, "host2", owner, password),
            said: all_said(name),
            private_value: value.expect("hexadecimal"),
        }
    })
}

impl Play {
    fn holder(&self, address: IpAddr) -> &Worker {
        if is_server(address) {
            &self.server
        } else {
            &self.client
        }
    }

    fn responses(&self, code: AutokeyCode) -> impl Iterator<Item = &Said> {
        let wanted = move |it: &&Said| it.code == code && it.is_response;
        self.said.iter().filter(wanted)
    }
}

fn is_server(address: IpAddr) -> bool {
    address.to_string() == SERVER
}

fn own(worker: &Worker) -> Arc<CertificateFacts> {
    Arc::clone(&worker.facts().certificates[0])
}

/// All of both sides: with messages under a cookie of zero, without under the client's.
#[test]
fn every_mac() {
    let mut ring = keyring();
    for play in plays() {
        let mut seen = [0; 2];
        for packet in captured(play.name) {
            let (from, to) = (packet.from, packet.to);
            let packet = Packet::new_checked(&packet.octets).expect("a packet");
            let mac = packet.mac().expect("a MAC");
            let has_fields = packet.extension_fields().count() > 0;
            let (client, server) = if is_server(to) {
                (from, to)
            } else {
                (to, from)
            };
            let cookie = ring.session_key(client, server, 0, play.private_value);
            let cookie = if has_fields {
                0
            } else {
                cookie.expect("a digest").first_word()
            };
            let key = ring.session_key(from, to, mac.key_id, cookie);
            let is_right =
                ring.check_session(&key.expect("a digest"), packet.authenticated(), mac.digest);
            assert!(is_right, "{}", play.name);
            seen[usize::from(has_fields)] += 1;
        }
        // A private certificate is not asked for, nor is anybody to sign it: association and cookie
        // alone, and the leap table.
        let least = if play.name == "ours-pc" { 6 } else { 8 };
        assert!(seen[0] >= 4 && seen[1] >= least, "{}: {seen:?}", play.name);
    }
}

/// By whom they say they are, and made again to the last octet: RSA's are always the same.
#[test]
fn every_signature() {
    for play in plays() {
        let mut verified = 0;
        for said in play.said.iter().filter(|it| !it.value.signature.is_empty()) {
            let holder = play.holder(said.from);
            let by = verifier(&own(holder));
            let verify = |value| {
                perform(
                    &play.client,
                    Task::Verify {
                        value,
                        by: by.clone(),
                    },
                )
            };
            assert_eq!(verify(said.value.clone()), Done::Verified, "{}", play.name);
            let mut altered = said.value.clone();
            altered.filestamp += 1;
            assert_eq!(verify(altered), Done::Failed(Failure::Signature));
            let task = Task::Sign {
                timestamp: said.value.timestamp,
                values: vec![(said.value.filestamp, said.value.value.clone())],
            };
            let again = Done::Signed(vec![said.value.clone()]);
            assert_eq!(perform(holder, task), again, "{}", play.name);
            verified += 1;
        }
        let least = if play.name == "ours-pc" { 1 } else { 4 };
        assert!(verified >= least, "{}: {verified}", play.name);
        for said in play.responses(AutokeyCode::Sign) {
            let signed = read(&play.client, &said.value, Some(&own(&play.server)));
            let signed = signed.expect("by the server");
            assert_eq!(signed.subject, own(&play.client).subject);
            assert_eq!(signed.public_key, own(&play.client).public_key);
        }
    }
}

#[test]
fn every_cookie() {
    let mut ring = keyring();
    for play in plays() {
        let mut opened = 0;
        for said in play.responses(AutokeyCode::Cookie) {
            let (value, by) = (said.value.clone(), verifier(&own(&play.server)));
            let cookie = ring.session_key(said.to, said.from, 0, play.private_value);
            let cookie = cookie.expect("a digest").first_word();
            let open = Task::OpenCookie { value, by };
            assert_eq!(
                perform(&play.client, open),
                Done::Cookie(cookie),
                "{}",
                play.name
            );
            opened += 1;
        }
        assert!(opened > 0, "{}", play.name);
    }
}

#[test]
fn every_identity() {
    for (name, code, scheme) in [
        ("ours-iff", AutokeyCode::Iff, Scheme::Iff),
        ("ours-gq", AutokeyCode::Gq, Scheme::Gq),
        ("ours-mv", AutokeyCode::Mv, Scheme::Mv),
    ] {
        let play = plays().find(|it| it.name == name).expect("kept");
        let mut proven = 0;
        for said in play.responses(code) {
            let server = own(&play.server);
            let challenge = said.asked.as_ref().expect("it was asked").value.clone();
            let check = |challenge| {
                let task = Task::CheckAnswer {
                    scheme,
                    ident: "host1".to_owned(),
                    challenge,
                    value: said.value.clone(),
                    by: verifier(&server),
                    gq_public: server.gq_public.clone(),
                };
                perform(&play.client, task)
            };
            let mut other = challenge.clone();
            assert_eq!(check(challenge), Done::Verified, "{name}");
            if let Some(last) = other.last_mut() {
                *last ^= 1;
            }
            assert_eq!(check(other), Done::Failed(Failure::GroupKey), "{name}");
            proven += 1;
        }
        assert!(proven > 0, "{name}");
    }
}
