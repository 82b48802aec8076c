//! `restrict` lines bind the servers we use.
use super::world::{Server, World, address, config, named_line, server_line};
use crate::association::tests::Ring;
use crate::authentication::{AuthFailure, KeyId};
use crate::config::{AssociationConfig, AssociationKind, SystemConfig};
use crate::event::PeerEvent;
use crate::host::{HostEvent, Output};
use crate::server::{AccessRule, Network, Policy, RestrictFlags};
use crate::status::PacketTest;
use crate::system::System;
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_time::Now;

fn rule(network: Network, flags: RestrictFlags) -> AccessRule {
    AccessRule::new(network, flags)
}

fn host(last: u8, flags: RestrictFlags) -> AccessRule {
    rule(Network::host(address(last)), flags)
}

fn restricted(
    lines: Vec<AssociationConfig>,
    rules: &[AccessRule],
    source: Option<RestrictFlags>,
) -> SystemConfig {
    SystemConfig {
        access: Arc::new(Policy::new(rules.iter().copied(), source)),
        ..config(lines)
    }
}

fn world(config: SystemConfig) -> World {
    let mut world = World::new(config);
    for last in 1..=4 {
        world.serve(last, Server::default());
    }
    let pool = (1..=4).map(address).collect();
    world.names.insert("pool.example".to_owned(), pool);
    world.run_s(120.0);
    world
}

fn reload(world: &mut World, config: SystemConfig) {
    world.reload(config);
    world.run_s(120.0);
}

fn reach(world: &World, last: u8) -> u8 {
    world.with(last).map_or(0, |it| it.reach)
}

#[test]
fn an_ignored_server_is_not_asked() {
    let lines = vec![server_line(1), server_line(2)];
    let world = world(restricted(lines, &[host(1, RestrictFlags::IGNORE)], None));
    assert_eq!(world.members(), [2]);
    assert_eq!(world.peer_events(&PeerEvent::Restricted), 1);
    assert!(world.sent.iter().all(|(to, _)| to.ip() == address(2)));
    assert_eq!(world.system.sources(), [(address(2), 123).into()]);
}

#[test]
fn the_servers_in_use_are_told_when_they_change() {
    let told = |system: &mut System| {
        let mut all = Vec::new();
        while let Some(output) = system.poll_output() {
            if let Output::Sources(servers) = output {
                all.push(servers);
            }
        }
        all
    };
    let lines = [server_line(1), server_line(2)];
    let now = Now::default();
    let config_of = |lines: &[_]| config(lines.to_vec());
    let mut system = System::new(now, config_of(&lines), [7; 32], Box::new(Ring));
    let server = |last| SocketAddr::new(address(last), 123);
    assert_eq!(told(&mut system), [[server(1), server(2)]]);
    system.handle_timeout(now);
    assert_eq!(told(&mut system), [[]; 0], "no news");
    let event = HostEvent::Reconfigured {
        config: Box::new(config_of(&lines[1..])),
        authenticator: Box::new(Ring),
    };
    system.handle_host(now, event);
    assert_eq!(told(&mut system), [[server(2)]]);
}

#[test]
fn a_name_and_a_pool_pass_over_ignored_addresses() {
    let rules = [
        host(1, RestrictFlags::IGNORE),
        host(3, RestrictFlags::IGNORE),
    ];
    let line = |kind| vec![named_line(kind, "pool.example")];
    let named = world(restricted(line(AssociationKind::Server), &rules, None));
    assert_eq!(named.members(), [2]);
    let pooled = world(restricted(line(AssociationKind::Pool), &rules, None));
    assert_eq!(pooled.members(), [2, 4]);
    assert_eq!(pooled.peer_events(&PeerEvent::Restricted), 0);
    let all = [rule(Network::ANY_V4, RestrictFlags::IGNORE)];
    for kind in [AssociationKind::Server, AssociationKind::Pool] {
        let none = world(restricted(line(kind), &all, None));
        assert!(none.sent.is_empty());
        assert!(
            none.peer_events(&PeerEvent::Restricted) > 0,
            "it is said why"
        );
    }
}

#[test]
fn only_a_key_is_trusted_where_a_line_says_notrust() {
    let rules = [rule(Network::ANY_V4, RestrictFlags::NOTRUST)];
    let mut keyed = server_line(2);
    keyed.key = KeyId::symmetric(7);
    let world = world(restricted(vec![server_line(1), keyed], &rules, None));
    assert_eq!((reach(&world, 1), reach(&world, 2)), (0, 0));
    assert_eq!(world.peer_events(&PeerEvent::Untrusted), 1);
    let denied = world.peer_events(&PeerEvent::Refused(PacketTest::Denied));
    let sent = world.sent.iter().filter(|(to, _)| to.ip() == address(1));
    assert_eq!(denied, sent.count(), "every reply of the one without a key");
    let unkeyed = PeerEvent::BadAuthentication {
        key: KeyId::symmetric(7).expect("in range"),
        failure: AuthFailure::NoMac,
    };
    assert!(
        world.peer_events(&unkeyed) > 0,
        "the other is judged by its MAC"
    );
}

#[test]
fn restrict_source_opens_what_the_default_closes() {
    let closed = [
        rule(Network::ANY_V4, RestrictFlags::IGNORE),
        host(3, RestrictFlags::IGNORE),
    ];
    let source = Some(RestrictFlags::NOMODIFY);
    let lines = || vec![server_line(1), server_line(3)];
    let mut world = world(restricted(lines(), &closed, source));
    assert_eq!(world.members(), [1], "3 is named by a line of its own");
    assert_ne!(reach(&world, 1), 0);
    reload(&mut world, restricted(lines(), &closed, None));
    assert!(world.members().is_empty());
    reload(&mut world, restricted(lines(), &[], None));
    assert_eq!(world.members(), [1, 3], "allowed again");
    assert_ne!(reach(&world, 3), 0);
}

#[test]
fn what_a_reload_forbids_is_forgotten() {
    let mut world = world(config(vec![server_line(1), server_line(2)]));
    assert_ne!(world.status().stratum, 16);
    let lines = || vec![server_line(1), server_line(2)];
    let rules = [
        host(1, RestrictFlags::NOTRUST),
        host(2, RestrictFlags::IGNORE),
    ];
    reload(&mut world, restricted(lines(), &rules, None));
    assert_eq!(world.members(), [1]);
    assert_eq!(reach(&world, 1), 0);
    let stages = world.with(1).expect("asked all the same").filter;
    assert!(
        stages
            .iter()
            .all(|(_, _, dispersion_s)| *dispersion_s >= 16.0)
    );
}
