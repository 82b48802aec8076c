//! Who gets a passive association, and what the others are counted as.
use super::world::{World, address, config, server_line};
use crate::association::tests::Ring;
use crate::authentication::KeyId;
use crate::config::{AssociationConfig, AssociationKind, SystemConfig};
use crate::event::PeerEvent;
use crate::host::{Departure, Output};
use crate::packet::{AssociationId, Received, Route, Stamp, StampClass, Transmit, Via};
use crate::server::{AccessRule, Network, Policy, RestrictFlags};
use crate::status::PacketTest;
use crate::unsolicited::Unsolicited;
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{Header, Mode};

fn host(flags: RestrictFlags, limit: Option<u32>) -> SystemConfig {
    let rule = AccessRule {
        ip_peer_limit: limit,
        ..AccessRule::new(Network::ANY_V4, flags)
    };
    SystemConfig {
        access: Arc::new(Policy::new([rule], None)),
        own_addresses: vec![address(200)],
        ..config(Vec::new())
    }
}

fn open() -> World {
    World::new(host(RestrictFlags::NONE, None))
}

fn guest(last: u8) -> SocketAddr {
    SocketAddr::new(address(last), 123)
}

/// A packet of a guest that echoes a stamp of a minute ago. `turn` tells it from others.
fn packet(world: &World, turn: u32) -> Header {
    let wall = world.now().wall;
    let later = NtpDuration::from_seconds(f64::from(turn) * 1e-3);
    Header {
        stratum: 2,
        poll: 6,
        precision: -20,
        origin_time: wall.plus(NtpDuration::from_seconds(-60.0)),
        receive_time: wall.plus(NtpDuration::from_seconds(-59.0)),
        transmit_time: wall.plus(later),
        leap: LeapIndicator::NoWarning,
        ..Header::blank(4, Mode::SymmetricActive)
    }
}

fn sealed(header: &Header, key: u32) -> Vec<u8> {
    let mut octets = header.to_octets().to_vec();
    let digest = Ring::digest(key, &octets);
    octets.extend_from_slice(&key.to_be_bytes());
    octets.extend_from_slice(&digest);
    octets
}

/// Hands a packet over as a server thread does; what the system wants sent then.
fn hand_over(world: &mut World, from: SocketAddr, octets: &[u8]) -> Vec<Departure> {
    let now = world.now();
    let received = Received {
        octets,
        source: from,
        via: Via::Server(SocketAddr::new(address(200), 123)),
        stamp: Stamp {
            at: now.wall,
            class: StampClass::Kernel,
        },
    };
    world.system.handle_packet(now, &received);
    world.system.handle_timeout(now);
    let mut departures = Vec::new();
    while let Some(output) = world.system.poll_output() {
        match output {
            Output::Compose(departure) => departures.push(departure),
            Output::Event(report) => world.events.push(report.event),
            _ => {}
        }
    }
    departures
}

fn passive(world: &World) -> usize {
    let all = world.status().associations;
    all.iter().filter(|it| it.kind == 'S').count()
}

/// One packet of a guest is refused for this reason and makes nothing.
fn refused(world: &mut World, from: SocketAddr, octets: &[u8], reason: Unsolicited) {
    let (count, before) = (world.system.unsolicited().of(reason), passive(world));
    assert!(hand_over(world, from, octets).is_empty());
    assert_eq!(
        world.system.unsolicited().of(reason),
        count + 1,
        "{reason:?}"
    );
    assert_eq!(passive(world), before);
}

fn compose(world: &mut World, departure: Departure) -> Transmit {
    let now = world.now();
    world.system.compose(now, departure).expect("a packet")
}

#[test]
fn a_proven_guest_is_answered_at_once_under_its_key() {
    let mut world = open();
    let asked = packet(&world, 0);
    let departures = hand_over(&mut world, guest(9), &sealed(&asked, 7));
    assert_eq!(departures.len(), 1);
    assert_eq!(world.peer_events(&PeerEvent::Mobilize), 1);
    let bogus = PeerEvent::Refused(PacketTest::Bogus);
    assert_eq!(world.peer_events(&bogus), 0, "it could not echo us yet");
    let sent = compose(&mut world, departures[0]);
    assert_eq!((sent.to, sent.route), (guest(9), Route::Lasting));
    let header = Header::parse(sent.octets.first_chunk().expect("a header"));
    assert_eq!(header.mode, Mode::SymmetricPassive);
    assert_eq!(header.origin_time, asked.transmit_time);
    assert_eq!(sent.octets, sealed(&header, 7));
    // A second packet belongs to the same association.
    world.run_s(10.0);
    let next = packet(&world, 1);
    hand_over(&mut world, guest(9), &sealed(&next, 7));
    assert_eq!(passive(&world), 1);
}

#[test]
fn answers_to_nothing_are_counted() {
    let mut world = open();
    for mode in [Mode::SymmetricPassive, Mode::Server] {
        let said = Header {
            mode,
            ..packet(&world, 0)
        };
        refused(
            &mut world,
            guest(9),
            &sealed(&said, 7),
            Unsolicited::Unasked,
        );
    }
}

#[test]
fn what_proves_less_is_counted_and_makes_nothing() {
    let mut world = open();
    let good = packet(&world, 0);
    let plain = good.to_octets();
    refused(&mut world, guest(9), &plain, Unsolicited::NoMac);
    let nak = [&plain[..], &[0; 4]].concat();
    refused(&mut world, guest(9), &nak, Unsolicited::NotAuthentic);
    let mut wrong = sealed(&good, 7);
    wrong[67] ^= 1;
    refused(&mut world, guest(9), &wrong, Unsolicited::NotAuthentic);
    for untrusted in [9, 10] {
        let octets = sealed(&good, untrusted);
        refused(&mut world, guest(9), &octets, Unsolicited::NotAuthentic);
    }
    refused(&mut world, guest(9), &wrong[..60], Unsolicited::Malformed);
    refused(
        &mut world,
        guest(200),
        &sealed(&good, 7),
        Unsolicited::LoopedBack,
    );
    let zero = |at: &mut NtpTimestamp| *at = NtpTimestamp::ZERO;
    let mut header = good;
    zero(&mut header.origin_time);
    refused(
        &mut world,
        guest(9),
        &sealed(&header, 7),
        Unsolicited::Replayed,
    );
    header = good;
    zero(&mut header.transmit_time);
    refused(
        &mut world,
        guest(9),
        &sealed(&header, 7),
        Unsolicited::Malformed,
    );
    let far = Header {
        stratum: 15,
        ..good
    };
    refused(
        &mut world,
        guest(9),
        &sealed(&far, 7),
        Unsolicited::NotWanted,
    );
    world.run_s(200.0);
    refused(
        &mut world,
        guest(9),
        &sealed(&good, 7),
        Unsolicited::Replayed,
    );
    let mut closed = World::new(host(RestrictFlags::NOEPEER, None));
    let good = sealed(&packet(&closed, 0), 7);
    refused(&mut closed, guest(9), &good, Unsolicited::Restricted);
    let mut built_in = World::new(config(Vec::new()));
    let good = sealed(&packet(&built_in, 0), 7);
    refused(&mut built_in, guest(9), &good, Unsolicited::Restricted);
}

#[test]
fn one_packet_makes_one_association_whoever_plays_it_again() {
    let mut world = open();
    let octets = sealed(&packet(&world, 0), 7);
    hand_over(&mut world, guest(9), &octets);
    assert_eq!(passive(&world), 1);
    for last in 10..40 {
        refused(&mut world, guest(last), &octets, Unsolicited::Replayed);
    }
}

#[test]
fn room_and_ippeerlimit() {
    let mut world = World::new(host(RestrictFlags::NONE, Some(2)));
    for (turn, port) in [123, 124].into_iter().enumerate() {
        let turn = u32::try_from(turn).expect("small");
        let octets = sealed(&packet(&world, turn), 7);
        hand_over(&mut world, SocketAddr::new(address(9), port), &octets);
    }
    assert_eq!(passive(&world), 2);
    let octets = sealed(&packet(&world, 5), 7);
    let third = SocketAddr::new(address(9), 125);
    refused(&mut world, third, &octets, Unsolicited::PeerLimit);
    // Another address has a count of its own; of those that never echoed us there are few.
    for turn in 10..24 {
        let octets = sealed(&packet(&world, turn), 7);
        let last = u8::try_from(turn).expect("small");
        hand_over(&mut world, guest(last), &octets);
    }
    assert_eq!(passive(&world), 16);
    let octets = sealed(&packet(&world, 30), 7);
    refused(&mut world, guest(30), &octets, Unsolicited::NoRoom);
}

#[test]
fn a_guest_that_never_echoes_us_is_left_soon() {
    let mut world = open();
    let octets = sealed(&packet(&world, 0), 7);
    let departures = hand_over(&mut world, guest(9), &octets);
    compose(&mut world, departures[0]);
    let mut polls = 1;
    while passive(&world) > 0 {
        let due = world.system.poll_timeout().expect("goes on");
        world.mono = due;
        let now = world.now();
        world.system.handle_timeout(now);
        while let Some(output) = world.system.poll_output() {
            if let Output::Compose(departure) = output {
                polls += usize::from(world.system.compose(now, departure).is_some());
            }
        }
        assert!(polls < 10);
    }
    assert_eq!(polls, 3);
}

#[test]
fn a_rule_that_changes_ends_a_passive_association() {
    let mut world = open();
    let octets = sealed(&packet(&world, 0), 7);
    hand_over(&mut world, guest(9), &octets);
    assert_eq!(passive(&world), 1);
    world.reload(host(RestrictFlags::NOEPEER, None));
    assert_eq!(passive(&world), 0);
    assert_eq!(world.closed.len(), 1, "and its socket is closed");
}

#[test]
fn a_peer_line_makes_an_active_association_and_takes_over_a_guest() {
    let mut world = open();
    let octets = sealed(&packet(&world, 0), 7);
    hand_over(&mut world, guest(9), &octets);
    let line = AssociationConfig {
        kind: AssociationKind::Peer,
        key: KeyId::symmetric(7),
        iburst: false,
        ..server_line(9)
    };
    world.reload(SystemConfig {
        associations: vec![line],
        ..host(RestrictFlags::NONE, None)
    });
    let all = world.status().associations;
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].kind, all[0].remote), ('s', Some(guest(9))));
    // What a server thread hands over of its packets is its own.
    let next = sealed(&packet(&world, 1), 7);
    let departures = hand_over(&mut world, guest(9), &next);
    assert_eq!(passive(&world), 0);
    let sent = compose(&mut world, departures[0]);
    let header = Header::parse(sent.octets.first_chunk().expect("a header"));
    assert_eq!(header.mode, Mode::SymmetricActive);
    assert!(!header.origin_time.is_zero(), "it echoes what it was told");
}

#[test]
fn a_departure_of_an_association_that_is_gone_is_of_no_use() {
    let mut world = open();
    let departure = Departure {
        association: AssociationId(4711),
        link: None,
    };
    let now = world.now();
    assert_eq!(world.system.compose(now, departure), None);
}

#[test]
fn a_guest_polls_as_it_likes_within_limits() {
    for (poll, minpoll) in [(-6, 3), (3, 3), (8, 8), (17, 10)] {
        let mut world = open();
        let asked = Header {
            poll,
            ..packet(&world, 0)
        };
        let fresh = NtpDuration::from_seconds(-5.0);
        let asked = Header {
            origin_time: world.now().wall.plus(fresh),
            ..asked
        };
        hand_over(&mut world, guest(9), &sealed(&asked, 7));
        let all = world.status().associations;
        assert_eq!(all[0].host_poll, minpoll, "{poll}");
    }
}
