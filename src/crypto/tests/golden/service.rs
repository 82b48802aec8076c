//! What the reference's clients asked in the captures is asked of our server, which has the same keys:
//! it answers with the same values, and what is new each time is right.
use crate::captured;
use crate::keys::host;
use crate::macs::keyring;
use crate::signatures::{perform, read, verifier};
use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use truechimer_crypto::Keyring;
use truechimer_crypto::autokey::Worker;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::facts::CertificateFacts;
use truechimer_proto::autokey::job::{Done, SignedValue, Task};
use truechimer_proto::autokey::service::Service;
use truechimer_proto::config::{AutokeyConfig, RefclockConfig, Steering, SystemConfig};
use truechimer_proto::host::Output;
use truechimer_proto::packet::{Received, Stamp, StampClass, Via};
use truechimer_proto::refclock::{RefclockId, RefclockSample};
use truechimer_proto::server::{Policy, Responder, Verdict};
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::system::System;
use truechimer_time::leap::{LeapIndicator, LeapTable};
use truechimer_time::{Instant, Now, NtpDuration, NtpTimestamp};
use truechimer_wire::{AutokeyCode, AutokeyMessage, MAC_LEN_MAX, Mode, Packet};

/// When the captures were made, NTP seconds.
const THEN: u64 = 4_004_285_800;
const PRIVATE: u32 = 0x1234_5678;
const CLOCK: RefclockId = RefclockId {
    driver: 20,
    unit: 0,
};

fn now(seconds: u64) -> Now {
    Now {
        mono: Instant::from_nanoseconds(seconds * 1_000_000_000),
        wall: NtpTimestamp::from_bits((THEN + seconds) << 32),
    }
}

struct Server {
    worker: Worker,
    ring: Keyring,
    responder: Responder,
    snapshot: Snapshot,
    policy: Policy,
    seconds: u64,
}

/// A system with a good clock, and what it has its server threads answer from.
fn settle(worker: &Worker, leap_table: Option<LeapTable>) -> (Snapshot, Arc<Service>) {
    let config = SystemConfig {
        refclocks: vec![RefclockConfig {
            id: CLOCK,
            stratum: 0,
            reference_id: truechimer_wire::ReferenceId::from_letters("GPS"),
            minpoll: 4,
            maxpoll: 4,
            prefer: false,
            always_true: false,
            noselect: false,
        }],
        precision: -20,
        steering: Steering {
            enabled: false,
            ..Steering::default()
        },
        leap_table,
        autokey: Some(AutokeyConfig {
            host: Arc::new(worker.facts()),
            ident: None,
            automax: 12,
            private_values: vec![PRIVATE],
            digest: "md5".to_owned(),
            insecure: false,
        }),
        ..SystemConfig::default()
    };
    let mut system = System::new(now(0), config, [3; 32], Box::new(keyring()));
    let mut service = None;
    for second in 0..400 {
        let now = now(second);
        system.handle_timeout(now);
        if second % 16 == 0 {
            let sample = RefclockSample {
                id: CLOCK,
                offset: NtpDuration::ZERO,
                dispersion: NtpDuration::from_seconds(1e-6),
                jitter_s: 1e-6,
                leap: LeapIndicator::NoWarning,
            };
            system.handle_refclock_sample(now, sample);
        }
        while let Some(output) = system.poll_output() {
            match output {
                Output::Crypto(id, _, job) => {
                    system.handle_crypto_done(now, id, worker.perform(&job));
                }
                Output::Autokey(it) => service = it,
                _ => {}
            }
        }
    }
    let service = service.expect("told");
    assert!(service.signed_at() > 0, "signed");
    (system.snapshot(), service)
}

impl Server {
    fn new(worker: Worker, leap_table: Option<LeapTable>) -> Self {
        let (snapshot, service) = settle(&worker, leap_table);
        Self {
            worker,
            ring: keyring(),
            responder: Responder::new([4; 32]),
            snapshot,
            policy: Policy::default().with_autokey(Some(service)),
            seconds: 400,
        }
    }

    fn ask(&mut self, from: IpAddr, to: IpAddr, octets: &[u8]) -> Vec<u8> {
        self.seconds += 8;
        let received = Received {
            octets,
            source: SocketAddr::new(from, 123),
            via: Via::Server(SocketAddr::new(to, 123)),
            stamp: Stamp {
                at: now(self.seconds).wall,
                class: StampClass::Kernel,
            },
        };
        let (at, ring) = (now(self.seconds), &mut self.ring);
        let mut out = [0; 2048];
        let verdict =
            self.responder
                .answer(at, &received, &self.snapshot, &self.policy, ring, &mut out);
        let len = match verdict {
            Verdict::Reply(len) => len,
            Verdict::Park => {
                let parked = self.responder.take_parked().expect("parked");
                let done = self.worker.perform(parked.job());
                let finished = parked.finish(&done, at, &self.snapshot, ring, &mut out);
                finished.expect("a reply")
            }
            other => panic!("{other:?}"),
        };
        out[..len].to_vec()
    }
}

/// A message apart from its packet.
struct Message {
    code: AutokeyCode,
    is_error: bool,
    association: u32,
    value: Option<SignedValue>,
}

fn message(packet: &Packet<'_>) -> Option<Message> {
    let field = packet.extension_fields().next()?;
    let said = AutokeyMessage::new_checked(&field).expect("a message");
    Some(Message {
        code: said.code,
        is_error: said.is_error,
        association: said.association,
        value: said.body.map(|it| SignedValue {
            timestamp: it.timestamp,
            filestamp: it.filestamp,
            value: it.value.to_vec(),
            signature: it.signature.to_vec(),
        }),
    })
}

/// A captured request, with another origin stamp and so another MAC.
fn remade(
    ring: &mut Keyring,
    request: &Packet<'_>,
    ends: (IpAddr, IpAddr),
    origin: u64,
) -> Vec<u8> {
    let mut octets = request.authenticated().to_vec();
    octets[24..32].copy_from_slice(&origin.to_be_bytes());
    let key_id = request.mac().expect("a MAC").key_id;
    let key = ring
        .session_key(ends.0, ends.1, key_id, 0)
        .expect("a digest");
    let mut mac = [0; MAC_LEN_MAX];
    let len = ring.seal_session(&key, &octets, &mut mac).expect("room");
    octets.extend_from_slice(&key_id.to_be_bytes());
    octets.extend_from_slice(&mac[..len]);
    octets
}

/// Asks our server all that the client of a capture asked, and compares; how often each message was.
fn compare(name: &str, leap_table: Option<LeapTable>) -> Vec<(AutokeyCode, bool)> {
    let alice = host(name, "host1", "alice", b"srvpw");
    let bob_name = if name == "pc" { "alice" } else { "bob" };
    let password: &[u8] = if name == "pc" { b"srvpw" } else { b"clipw" };
    let bob = host(name, "host2", bob_name, password);
    let mut server = Server::new(alice, leap_table);
    let mut ring = keyring();
    let (mut origin, mut compared) = (0, Vec::new());
    let seen = captured(name);
    for (place, it) in seen.iter().enumerate() {
        let request = Packet::new_checked(&it.octets).expect("a packet");
        let is_asked = request.header().mode == Mode::Client;
        let Some(asked) = message(&request).filter(|_| is_asked) else {
            continue;
        };
        let answered = Packet::new_checked(&seen[place + 1].octets).expect("a packet");
        let theirs = message(&answered).expect("the reference answered");
        let octets = remade(&mut ring, &request, (it.from, it.to), origin);
        let reply = server.ask(it.from, it.to, &octets);
        let reply = Packet::new_checked(&reply).expect("a packet");
        origin = reply.header().transmit_time.to_bits();
        let ours = message(&reply).expect("a field");
        assert_eq!(ours.code, theirs.code, "{name}");
        assert_eq!(ours.association, theirs.association, "{name}");
        assert_eq!(ours.is_error, theirs.is_error, "{name} {:?}", ours.code);
        if let (Some(ours), Some(theirs)) = (&ours.value, &theirs.value) {
            let ends = (it.from, it.to);
            same(&bob, &server, asked.code, (&asked, ours, theirs), ends);
        }
        assert_eq!(
            ours.value.is_some(),
            theirs.value.is_some(),
            "{name} {:?}",
            ours.code
        );
        compared.push((ours.code, ours.value.is_some()));
    }
    compared
}

fn same(
    bob: &Worker,
    server: &Server,
    code: AutokeyCode,
    (asked, ours, theirs): (&Message, &SignedValue, &SignedValue),
    (client, address): (IpAddr, IpAddr),
) {
    let alice = Arc::clone(&server.worker.facts().certificates[0]);
    let by = verifier(&alice);
    assert_eq!(ours.signature.len(), theirs.signature.len(), "{code:?}");
    if code != AutokeyCode::Association {
        let verified = perform(
            bob,
            Task::Verify {
                value: ours.clone(),
                by: by.clone(),
            },
        );
        assert_eq!(verified, Done::Verified, "{code:?}");
    }
    let question = asked
        .value
        .as_ref()
        .map(|it| it.value.clone())
        .unwrap_or_default();
    match code {
        AutokeyCode::Association | AutokeyCode::Certificate | AutokeyCode::LeapSeconds => {
            assert_eq!(ours.value, theirs.value, "{code:?}");
            assert_eq!(ours.filestamp, theirs.filestamp, "{code:?}");
        }
        AutokeyCode::Cookie => {
            let opened = perform(
                bob,
                Task::OpenCookie {
                    value: ours.clone(),
                    by,
                },
            );
            let key = keyring().session_key(client, address, 0, PRIVATE);
            assert_eq!(opened, Done::Cookie(key.expect("a digest").first_word()));
            assert_eq!(ours.value.len(), theirs.value.len());
            assert!(ours.filestamp != 0 && ours.timestamp >= ours.filestamp);
        }
        AutokeyCode::Sign => {
            let signed = read(bob, ours, Some(&alice)).expect("signed by alice");
            let own = Arc::clone(&bob.facts().certificates[0]);
            assert_eq!(signed.subject, own.subject);
            assert_eq!(signed.issuer, alice.subject);
            assert_eq!(signed.public_key, own.public_key);
            assert_eq!(ours.filestamp, theirs.filestamp);
        }
        AutokeyCode::Iff | AutokeyCode::Gq | AutokeyCode::Mv => {
            assert_eq!(proven(bob, &alice, question, ours), Done::Verified);
            assert_eq!(ours.filestamp, theirs.filestamp, "{code:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// What a client makes of an answer to its challenge.
fn proven(bob: &Worker, alice: &CertificateFacts, challenge: Vec<u8>, said: &SignedValue) -> Done {
    let ident = bob.facts().parameters.keys().next().cloned();
    let (ident, scheme) = ident.expect("parameters");
    let task = Task::CheckAnswer {
        scheme,
        ident,
        challenge,
        value: said.clone(),
        by: verifier(alice),
        gq_public: alice.gq_public.clone(),
    };
    perform(bob, task)
}

#[test]
fn trusted_certificates() {
    let expected = [
        AutokeyCode::Association,
        AutokeyCode::Certificate,
        AutokeyCode::Cookie,
        AutokeyCode::Sign,
        AutokeyCode::LeapSeconds,
    ];
    assert_eq!(compare("tc", None), expected.map(|it| (it, true)));
}

#[test]
fn a_leap_table() {
    // 2017-01-01, and the expiry of the table that was made for the capture.
    let table = LeapTable::new(vec![(1_483_228_800, 37)], 1_485_388_800);
    let compared = compare("leap", table);
    assert!(compared.contains(&(AutokeyCode::LeapSeconds, true)));
}

#[test]
fn identity_schemes() {
    for (name, code) in [
        ("iff", AutokeyCode::Iff),
        ("group", AutokeyCode::Iff),
        ("gq-mended", AutokeyCode::Gq),
        ("mv", AutokeyCode::Mv),
    ] {
        let compared = compare(name, None);
        assert!(compared.contains(&(code, true)), "{name}: {compared:?}");
        assert!(compared.contains(&(AutokeyCode::Sign, true)), "{name}");
    }
}

#[test]
fn private_certificates() {
    let compared = compare("pc", None);
    assert!(
        compared.contains(&(AutokeyCode::Cookie, true)),
        "{compared:?}"
    );
    assert!(!compared.iter().any(|it| it.0 == AutokeyCode::Sign));
}
