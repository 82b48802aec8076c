//! Session keys of requests, right and wrong.
use super::super::bench::{Checksum, LOCAL};
use super::world::{World, field};
use crate::authentication::{AuthFailure, Authenticator};
use crate::server::{AutokeyOutcome, DropReason, Verdict};
use truechimer_wire::{AutokeyCode, Mode, Packet};

#[test]
fn the_time_is_told_under_the_cookie_of_any_private_value_still_known() {
    let mut world = World::new();
    for private in [71, 72, 73] {
        let cookie = world.cookie(private);
        let octets = world.request(Mode::Client, &[], cookie);
        assert_eq!(world.answer(&octets), Verdict::Reply(octets.len()));
        let reply = Packet::new_checked(&world.bench.out[..octets.len()]).expect("a packet");
        let mac = reply.mac().expect("a MAC");
        let (from, to) = (LOCAL.ip(), world.bench.source.ip());
        let key = Checksum.session_key(from, to, world.key_id, cookie);
        let key = key.expect("a digest");
        assert!(Checksum.check_session(&key, reply.authenticated(), mac.digest));
        assert_eq!(reply.header().mode, Mode::Server);
    }
    let counted = world.bench.responder.counters();
    assert_eq!(counted.autokey(AutokeyOutcome::Plain), 3);
}

#[test]
fn a_wrong_cookie_is_told_so() {
    let mut world = World::new();
    world.service.private_values = (0..20).collect();
    for (cookie, with_field) in [
        (world.cookie(99), false),
        (0, false),
        // The seventh former value is not tried any more.
        (world.cookie(7), false),
        // What comes with a field is made with none.
        (world.cookie(0), true),
    ] {
        let fields = field(AutokeyCode::Association, b"bob");
        let fields = if with_field { &fields[..] } else { &[] };
        let octets = world.request(Mode::Client, fields, cookie);
        assert_eq!(world.answer(&octets), Verdict::Reply(52), "a crypto-NAK");
    }
    let cookie = world.cookie(6);
    let octets = world.request(Mode::Client, &[], cookie);
    assert_eq!(world.answer(&octets), Verdict::Reply(octets.len()));
    let counters = world.bench.responder.counters();
    assert_eq!(counters.unauthentic(AuthFailure::WrongDigest), 4);
}

#[test]
fn nobody_else_can_use_a_cookie() {
    let mut world = World::new();
    let cookie = world.cookie(71);
    let octets = world.request(Mode::Client, &[], cookie);
    world.bench.source.set_ip([198, 51, 100, 8].into());
    assert_eq!(world.answer(&octets), Verdict::Reply(52));
}

#[test]
fn without_autokey_a_session_key_is_an_unknown_key() {
    let mut world = World::new();
    let octets = world.request(Mode::Client, &field(AutokeyCode::Association, b"bob"), 0);
    assert_eq!(world.bench.answer(&octets), Verdict::Reply(52));
    let counters = world.bench.responder.counters();
    assert_eq!(counters.unauthentic(AuthFailure::UnknownKey), 1);
}

#[test]
fn an_altered_request_does_nothing() {
    let mut world = World::new();
    let whole = world.request(Mode::Client, &field(AutokeyCode::Association, b"bob"), 0);
    // The first octet makes it something else than a request.
    for place in 1..whole.len() {
        let mut octets = whole.clone();
        octets[place] ^= 1;
        let verdict = world.answer(&octets);
        let harmless = matches!(
            verdict,
            Verdict::Reply(..=52) | Verdict::Drop(DropReason::Malformed | DropReason::MacLength)
        );
        assert!(harmless, "octet {place}: {verdict:?}");
    }
    assert_eq!(
        world
            .bench
            .responder
            .counters()
            .autokey(AutokeyOutcome::Ready),
        0
    );
}

#[test]
fn a_flood_of_wrong_cookies_costs_no_more_than_plain_requests() {
    let mut world = World::new();
    world.service.private_values = (0..7).collect();
    let wrong = world.request(Mode::Client, &[], 1);
    let former = world.cookie(3);
    for _ in 0..2000 {
        assert_eq!(world.answer(&wrong), Verdict::Reply(52));
    }
    let octets = world.request(Mode::Client, &[], former);
    assert_eq!(
        world.answer(&octets),
        Verdict::Reply(52),
        "not tried any more"
    );
    let current = world.cookie(0);
    let octets = world.request(Mode::Client, &[], current);
    assert_eq!(world.answer(&octets), Verdict::Reply(68), "always");
    world.bench.now.mono = world.bench.now.mono.plus_seconds(0.1);
    let octets = world.request(Mode::Client, &[], former);
    assert_eq!(world.answer(&octets), Verdict::Reply(68), "again");
}
