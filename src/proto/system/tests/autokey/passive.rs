//! Strangers who would be peers by Autokey.
use super::super::world::{World, address, config};
use super::support::autokey;
use crate::association::tests::Ring;
use crate::association::{Ends, append_session_mac};
use crate::config::SystemConfig;
use crate::packet::{Received, Stamp, StampClass, Via};
use crate::server::{AccessRule, Network, Policy, RestrictFlags};
use crate::unsolicited::Unsolicited;
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{AutokeyBody, AutokeyCode, AutokeyMessage, Header, Mode};

fn welcoming() -> World {
    let rule = AccessRule::new(Network::ANY_V4, RestrictFlags::NONE);
    World::new(SystemConfig {
        access: Arc::new(Policy::new([rule], None)),
        own_addresses: vec![address(200)],
        autokey: Some(autokey(1)),
        ..config(Vec::new())
    })
}

/// A packet that echoes a stamp of a minute ago; `turn` tells it from others.
fn header(world: &World, turn: u16) -> Vec<u8> {
    let wall = world.now().wall;
    let ago = |s: f64| wall.plus(NtpDuration::from_seconds(-s));
    let header = Header {
        stratum: 2,
        poll: 6,
        precision: -20,
        origin_time: ago(60.0),
        receive_time: ago(59.0),
        transmit_time: ago(f64::from(turn) * -1e-3),
        leap: LeapIndicator::NoWarning,
        ..Header::blank(4, Mode::SymmetricActive)
    };
    header.to_octets().to_vec()
}

fn hand_over(world: &mut World, source: SocketAddr, octets: &[u8]) {
    let now = world.now();
    let received = Received {
        octets,
        source,
        via: Via::Server(SocketAddr::new(address(200), 123)),
        stamp: Stamp {
            at: now.wall,
            class: StampClass::Kernel,
        },
    };
    world.system.handle_packet(now, &received);
    world.drain();
}

/// Somebody introduces itself from this address and port.
fn introduce(world: &mut World, last: u8, port: u16) {
    let mut octets = header(world, port);
    let message = AutokeyMessage {
        is_response: false,
        is_error: false,
        code: AutokeyCode::Association,
        association: 1,
        body: Some(AutokeyBody {
            timestamp: 0,
            filestamp: 0,
            value: b"mallory",
            signature: &[],
        }),
    };
    let start = octets.len();
    octets.resize(start + message.field_len(), 0);
    message.write(&mut octets[start..]).expect("room");
    let ends = Ends::new(address(last), address(200));
    append_session_mac(&mut octets, ends, 0x0001_0000, 0, &mut Ring).expect("a MAC");
    hand_over(world, SocketAddr::new(address(last), port), &octets);
}

fn passive(world: &World) -> usize {
    let all = world.status().associations;
    all.iter().filter(|it| it.kind == 'S').count()
}

/// Whoever is heard where it says it is can go on so, from every port.
#[test]
fn strangers_by_autokey_take_room_from_each_other_alone() {
    let mut world = welcoming();
    for port in 1000..1040 {
        let last = u8::try_from(port % 10).expect("small");
        introduce(&mut world, 20 + last, port);
        for it in world.system.associations.values_mut() {
            it.conversation.pretend_begun();
        }
    }
    assert_eq!(passive(&world), 16);
    assert_eq!(world.system.unsolicited().of(Unsolicited::NoRoom), 24);
    let mut octets = header(&world, 2000);
    let digest = Ring::digest(7, &octets);
    octets.extend_from_slice(&7_u32.to_be_bytes());
    octets.extend_from_slice(&digest);
    hand_over(&mut world, SocketAddr::new(address(10), 123), &octets);
    assert_eq!(passive(&world), 17, "who has a key");
}

#[test]
fn one_stranger_by_autokey_does_not_take_all_the_room_of_strangers() {
    let mut world = welcoming();
    for port in 1000..1040 {
        introduce(&mut world, 9, port);
    }
    assert_eq!(passive(&world), 4);
    assert_eq!(world.system.unsolicited().of(Unsolicited::PeerLimit), 36);
    introduce(&mut world, 10, 2000);
    assert_eq!(passive(&world), 5, "another has room");
}
