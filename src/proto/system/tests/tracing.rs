//! What is told of packets that nobody asked for.
use super::world::{World, address, config, link};
use crate::association::tests::Ring;
use crate::authentication::KeyId;
use crate::config::{AssociationConfig, AssociationKind, Listening, Remote, SystemConfig};
use crate::host::Output;
use crate::packet::{LinkId, Via};
use crate::server::{AccessRule, Network, Policy, RestrictFlags};
use crate::trace::{Match, Proof, Trace, TraceLevel};
use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{Header, Mode, ReferenceId};

const GROUP: [u8; 4] = [224, 0, 1, 1];

fn traced(config: SystemConfig) -> World {
    let rule = AccessRule::new(Network::ANY_V4, RestrictFlags::NONE);
    let mut world = World::new(SystemConfig {
        access: Arc::new(Policy::new([rule], None)),
        own_addresses: vec![address(200)],
        links: vec![link(2)],
        trace: TraceLevel::PACKETS,
        ..config
    });
    world.run_s(10.0);
    world
}

fn header(world: &World, mode: Mode) -> Header {
    let wall = world.now().wall;
    let ago = |seconds: f64| wall.plus(NtpDuration::from_seconds(-seconds));
    Header {
        leap: LeapIndicator::NoWarning,
        stratum: 2,
        poll: 6,
        precision: -20,
        reference_id: ReferenceId::from_octets([10, 9, 9, 9]),
        reference_time: ago(7.0),
        origin_time: ago(if mode == Mode::Broadcast { 0.0 } else { 60.0 }),
        receive_time: ago(59.0),
        transmit_time: ago(0.004),
        ..Header::blank(4, mode)
    }
}

fn sealed(header: &Header) -> Vec<u8> {
    let mut octets = header.to_octets().to_vec();
    let digest = Ring::digest(7, &octets);
    octets.extend_from_slice(&7_u32.to_be_bytes());
    octets.extend_from_slice(&digest);
    octets
}

/// What is told of a packet of 192.0.2.9.
fn told(world: &mut World, octets: &[u8], via: Via) -> Vec<(Match, Proof)> {
    world.drain();
    world.deliver(octets, SocketAddr::new(address(9), 123), via);
    let mut told = Vec::new();
    while let Some(output) = world.system.poll_output() {
        if let Output::Trace(Trace::Received { code, proof, .. }) = output {
            told.push((code, proof));
        }
    }
    told
}

#[test]
fn a_broadcast_that_is_new_known_forged_and_bare() {
    let mut world = traced(SystemConfig {
        listening: Listening {
            groups: vec![IpAddr::from(GROUP)],
            ..Listening::default()
        },
        ..config(Vec::new())
    });
    let via = Via::Many {
        to: GROUP.into(),
        link: LinkId(2),
        local: SocketAddr::new(address(200), 123),
    };
    let blank = |world: &World| Header {
        origin_time: truechimer_time::NtpTimestamp::ZERO,
        receive_time: truechimer_time::NtpTimestamp::ZERO,
        ..header(world, Mode::Broadcast)
    };
    let first = blank(&world);
    let bare = told(&mut world, &first.to_octets(), via);
    assert_eq!(bare, [(Match::NewBroadcastClient, Proof::None)]);
    let mut forged = sealed(&first);
    forged[67] ^= 1;
    let forged_told = told(&mut world, &forged, via);
    assert_eq!(forged_told, [(Match::NewBroadcastClient, Proof::Wrong)]);
    let octets = sealed(&first);
    let new = told(&mut world, &octets, via);
    assert_eq!(new, [(Match::NewBroadcastClient, Proof::Right)]);
    let copy = told(&mut world, &octets, via);
    assert_eq!(copy, [(Match::Association, Proof::Right)]);
    world.run_s(64.0);
    let octets = sealed(&blank(&world));
    let next = told(&mut world, &octets, via);
    assert_eq!(next, [(Match::Association, Proof::Right)]);
}

#[test]
fn a_peer_that_is_new_and_known() {
    let mut world = traced(config(Vec::new()));
    let via = Via::Server(SocketAddr::new(address(200), 123));
    let octets = sealed(&header(&world, Mode::SymmetricActive));
    let new = told(&mut world, &octets, via);
    assert_eq!(new, [(Match::NewPassive, Proof::Right)]);
    world.run_s(64.0);
    let octets = sealed(&header(&world, Mode::SymmetricActive));
    let known = told(&mut world, &octets, via);
    assert!(matches!(known[..], [(Match::Association, _)]), "{known:?}");
}

#[test]
fn an_answer_to_a_search() {
    let search = AssociationConfig {
        kind: AssociationKind::ManycastClient,
        key: KeyId::symmetric(7),
        hops: 255,
        ..AssociationConfig::server(Remote::Address([239, 1, 1, 1].into()))
    };
    let mut world = traced(SystemConfig {
        rings: vec![1],
        ..config(vec![search])
    });
    world.run_s(64.0);
    let (asked, via) = world.group.last.expect("it searches");
    let answer = Header {
        origin_time: asked.transmit_time,
        ..header(&world, Mode::Server)
    };
    let mut forged = sealed(&answer);
    forged[67] ^= 1;
    let wrong = told(&mut world, &forged, via);
    assert_eq!(wrong, [(Match::Manycast, Proof::Wrong)]);
    let right = told(&mut world, &sealed(&answer), via);
    assert_eq!(right, [(Match::Manycast, Proof::Right)]);
}
