//! A server that is asked: what it says to strangers is bounded, and what it says to whoever is where it
//! says it is, is a packet.
use super::{CLIENT, HOST, NOW, SERVER, keyring, sealed};
use core::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use truechimer_crypto::Keyring;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::job::{Done, Failure};
use truechimer_proto::config::{AutokeyConfig, RefclockConfig, Steering, SystemConfig};
use truechimer_proto::host::Output;
use truechimer_proto::packet::{Received, Stamp, StampClass, Via};
use truechimer_proto::refclock::{RefclockId, RefclockSample};
use truechimer_proto::server::{Policy, Responder, Verdict};
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::system::System;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration, NtpTimestamp};
use truechimer_wire::{AutokeyMessage, HEADER_LEN, PACKET_LEN_MAX, Packet, ReferenceId};

const CLOCK: RefclockId = RefclockId {
    driver: 20,
    unit: 0,
};
/// Octets for one, to whoever did not prove its address.
const AMPLIFICATION_MAX: usize = 3;
/// What every input finds, so that none of them can fill it: the tables of budgets and names, too.
static SETTLED: LazyLock<(Snapshot, Policy)> = LazyLock::new(settled);
/// Each packet is asked a second after the one before: no budget is used up.
static SECONDS: AtomicU64 = AtomicU64::new(400);

fn at(seconds: u64) -> Now {
    Now {
        mono: Instant::from_nanoseconds(seconds * 1_000_000_000),
        wall: NtpTimestamp::from_bits((u64::from(NOW) + seconds) << 32),
    }
}

/// A system with a good clock, and what it has its server threads answer from.
fn settled() -> (Snapshot, Policy) {
    let (worker, facts) = &*HOST;
    let config = SystemConfig {
        refclocks: vec![RefclockConfig {
            id: CLOCK,
            stratum: 0,
            reference_id: ReferenceId::from_letters("GPS"),
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
        autokey: Some(AutokeyConfig {
            host: Arc::new(facts.clone()),
            ident: None,
            automax: 12,
            private_values: vec![1, 2],
            digest: "md5".to_owned(),
            insecure: false,
        }),
        ..SystemConfig::default()
    };
    let mut system = System::new(at(0), config, [3; 32], Box::new(keyring()));
    let mut service = None;
    for second in 0..400 {
        let now = at(second);
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
    assert!(service.as_ref().is_some_and(|it| it.signed_at() > 0));
    let policy = Policy::default().with_autokey(service);
    (system.snapshot(), policy)
}

/// What came of a request.
struct Said {
    /// Empty if nothing was said.
    reply: Vec<u8>,
    /// A holder of keys was asked.
    is_dear: bool,
}

fn ask(responder: &mut Responder, ring: &mut Keyring, request: &[u8], now: Now) -> Said {
    let (snapshot, policy) = &*SETTLED;
    let received = Received {
        octets: request,
        source: SocketAddr::new(CLIENT, 123),
        via: Via::Server(SocketAddr::new(SERVER, 123)),
        stamp: Stamp {
            at: now.wall,
            class: StampClass::Kernel,
        },
    };
    let mut out = [0; PACKET_LEN_MAX];
    let (len, is_dear) = match responder.answer(now, &received, snapshot, policy, ring, &mut out) {
        Verdict::Reply(len) => (len, false),
        Verdict::Park => {
            let parked = responder.take_parked().expect("it was parked");
            let done = HOST.0.perform(parked.job());
            assert_ne!(done, Done::Failed(Failure::Busy));
            let finished = parked.finish(&done, now, snapshot, ring, &mut out);
            // A certificate may be longer than a packet once it is signed.
            (finished.unwrap_or(0), true)
        }
        Verdict::Drop(_) => (0, false),
        other => panic!("{other:?}"),
    };
    Said {
        reply: out[..len].to_vec(),
        is_dear,
    }
}

/// The same fields twice: of a stranger, and of whoever sends back the stamp that it was sent.
pub(super) fn asked(request: &[u8], ring: &mut Keyring) {
    let next = || at(SECONDS.fetch_add(1, Ordering::Relaxed));
    let mut responder = Responder::new([4; 32]);
    let said = ask(&mut responder, ring, request, next());
    assert!(!said.is_dear, "nothing is proven of it");
    assert!(said.reply.len() <= AMPLIFICATION_MAX * request.len());
    let Some(stamp) = said.reply.get(HEADER_LEN - 8..HEADER_LEN) else {
        return;
    };
    is_sound(&said.reply, ring);
    let mut again = Packet::new_checked(request)
        .expect("it was taken apart before")
        .authenticated()
        .to_vec();
    again[24..32].copy_from_slice(stamp);
    let again = sealed(again, ring);
    let said = ask(&mut responder, ring, &again, next());
    if !said.reply.is_empty() {
        is_sound(&said.reply, ring);
    }
}

/// A packet under the key of the request, with one answer at most.
fn is_sound(reply: &[u8], ring: &mut Keyring) {
    let packet = Packet::new_checked(reply).expect("a packet");
    let mac = packet.mac().expect("a MAC");
    if mac.is_crypto_nak() {
        return;
    }
    let key = super::session_key(SERVER, CLIENT, ring);
    let (octets, digest) = (packet.authenticated(), mac.digest);
    assert!(ring.check_session(&key, octets, digest));
    let fields: Vec<_> = packet.extension_fields().collect();
    assert!(fields.len() <= 1);
    for field in &fields {
        let message = AutokeyMessage::new_checked(field).expect("a message");
        assert!(message.is_response);
    }
}
