//! What strangers can make us do with our keys, and no more.
use super::world::{World, asker, signed};
use crate::autokey::job::Done;
use crate::server::{AutokeyOutcome, Bounds, DropReason, Verdict};
use core::net::Ipv6Addr;
use std::sync::Arc;
use truechimer_time::{Instant, NtpTimestamp};
use truechimer_wire::AutokeyCode;

/// A public key that is not the one before.
fn key(number: u16) -> Vec<u8> {
    let mut key = vec![0x30; 74];
    key[72..].copy_from_slice(&number.to_be_bytes());
    key
}

#[test]
fn the_same_is_not_done_twice_at_once() {
    let mut world = World::new();
    world.introduce();
    assert_eq!(world.ask_for(AutokeyCode::Cookie, &key(1)), Verdict::Park);
    let parked = world.parked();
    let duplicate = Verdict::Drop(DropReason::AutokeyDuplicate);
    assert_eq!(world.ask_for(AutokeyCode::Cookie, &key(1)), duplicate);
    assert_eq!(world.ask_for(AutokeyCode::Cookie, &key(2)), Verdict::Park);
    drop(parked);
    assert_eq!(world.ask_for(AutokeyCode::Cookie, &key(1)), Verdict::Park);
}

#[test]
fn one_address_has_its_rate_and_another_its_own() {
    let mut world = World::new();
    world.introduce();
    let flood = |world: &mut World, from: u16| {
        let verdicts = (from..from + 1000).map(|number| {
            let verdict = world.ask_for(AutokeyCode::Cookie, &key(number));
            drop(world.bench.responder.take_parked());
            verdict
        });
        verdicts.filter(|it| *it == Verdict::Park).count()
    };
    assert_eq!(flood(&mut world, 0), 32);
    world.bench.now.mono = world.bench.now.mono.plus_seconds(1.0);
    assert_eq!(flood(&mut world, 1000), 10, "a second later");
    world.bench.source.set_ip([198, 51, 100, 99].into());
    world.heard = NtpTimestamp::ZERO;
    world.introduce();
    assert_eq!(flood(&mut world, 0), 32);
    let counters = world.bench.responder.counters();
    assert_eq!(counters.dropped(DropReason::AutokeyRate), 3000 - 74);
    assert_eq!(counters.autokey(AutokeyOutcome::Parked), 74);
}

#[test]
fn all_together_have_a_rate() {
    let mut world = World::new();
    let mut parked = 0;
    for number in 0..2000_u16 {
        let [high, low] = number.to_be_bytes();
        world.bench.source.set_ip([10, 9, high, low].into());
        world.heard = NtpTimestamp::ZERO;
        world.introduce();
        if world.ask_for(AutokeyCode::Cookie, &key(0)) == Verdict::Park {
            parked += 1;
            drop(world.bench.responder.take_parked());
        }
    }
    assert_eq!(parked, 100);
    let busy = world
        .bench
        .responder
        .counters()
        .dropped(DropReason::AutokeyBusy);
    assert!(busy >= 1800, "{busy}");
}

#[test]
fn no_more_wait_than_may() {
    let mut world = World::new();
    let mut waiting = Vec::new();
    for number in 0..200_u16 {
        let [high, low] = number.to_be_bytes();
        world.bench.source.set_ip([10, 9, high, low].into());
        world.bench.now.mono = world.bench.now.mono.plus_seconds(0.1);
        world.heard = NtpTimestamp::ZERO;
        world.introduce();
        if world.ask_for(AutokeyCode::Cookie, &key(0)) == Verdict::Park {
            waiting.push(world.parked());
        }
    }
    assert_eq!(waiting.len(), 128);
    waiting.clear();
    world.introduce();
    assert_eq!(world.ask_for(AutokeyCode::Cookie, &key(1)), Verdict::Park);
}

#[test]
fn whose_certificates_are_signed_is_remembered_by_name() {
    let mut world = World::new();
    for number in [1, 2] {
        world.bench.source.set_ip([198, 51, 100, number].into());
        world.heard = NtpTimestamp::ZERO;
        world.introduce();
        assert_eq!(world.ask_for(AutokeyCode::Sign, &key(7)), Verdict::Park);
        let parked = world.parked();
        let done = Done::Certified {
            value: signed(6, &[0x30; 300]),
            asker: Arc::new(asker(number)),
        };
        let said = world.finish(&parked, &done).expect("a reply");
        assert_eq!(said.body.map(|it| it.2.len()), Some(300));
    }
    let told = world.service.bounds.take_namesakes().expect("two hosts");
    assert_eq!(told.name, "bob");
}

/// Whoever has one address of IPv6 has its whole network, and can prove each.
#[test]
fn a_network_of_ipv6_has_the_rate_of_one_address() {
    let bounds = Bounds::new([1; 16]);
    let admitted = |network: u16| {
        let addresses = (0..1000_u16).map(|host| {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, host, 1);
            bounds.admit(address.into(), b"field", Instant::default())
        });
        addresses.filter(Result::is_ok).count()
    };
    assert_eq!(admitted(1), 32);
    assert_eq!(admitted(2), 32);
    let mapped = |last: u16| {
        let address = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x0a01, last);
        bounds.admit(address.into(), b"field", Instant::default())
    };
    let each = (0..30).filter(|last| mapped(*last).is_ok()).count();
    assert_eq!(each, 30, "these are of IPv4, one each");
}
