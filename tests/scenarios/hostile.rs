//! Forgers who do not know what a request said, and servers that say no.
use crate::build::{
    association, client_of, machine, peer_events, primaries, report, status, world,
};
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_crypto::{KeyTable, keys};
use truechimer_proto::authentication::KeyId;
use truechimer_proto::config::SystemConfig;
use truechimer_proto::event::PeerEvent;
use truechimer_proto::status::PacketTest;
use truechimer_sim::{ClockConfig, Flood, Forgery, Manner, NTP_PORT, NodeConfig, NodeId, World};

/// A client of three servers, settled after an hour.
fn settled(seed: u64) -> (World, NodeId, Vec<NodeId>) {
    let mut world = world(seed);
    let servers = primaries(&mut world, &[0.0; 3]);
    let config = client_of(&world, &servers);
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.01, 10.0),
        config,
    );
    world.run_until(3600.0);
    (world, client, servers)
}

/// A flood of this forgery must not move the clock by a bit, nor a poll by a second: the same world
/// without it is the measure. Gives how many packets a test refused.
fn endures(seed: u64, forgery: Forgery, test: PacketTest) -> u32 {
    let until_s = 14_400.0;
    let (mut quiet, quiet_client, quiet_servers) = settled(seed);
    let unharmed = quiet.record(quiet_client, until_s, 10.0);
    let (mut world, client, servers) = settled(seed);
    for server in &servers {
        world.flood(Flood {
            target: client,
            pretends: SocketAddr::new(world.address(*server), NTP_PORT),
            forgery,
            every_s: 0.5,
            until_s,
        });
    }
    let flooded = world.record(client, until_s, 10.0);
    assert_eq!(flooded, unharmed, "the clock took notice");
    let mut refused = 0;
    for (server, quiet_server) in servers.iter().zip(&quiet_servers) {
        let flooded = association(&mut world, client, *server);
        let unharmed = association(&mut quiet, quiet_client, *quiet_server);
        assert_eq!(flooded.reach, 0o377);
        assert_eq!(
            flooded.host_poll, unharmed.host_poll,
            "polls slowed or hurried"
        );
        assert_eq!(flooded.sent, unharmed.sent);
        refused += flooded.refused[test.bit().trailing_zeros() as usize];
    }
    let events = peer_events(&world, client);
    let obeyed = |event: &PeerEvent| {
        matches!(
            event,
            PeerEvent::RateExceeded(_) | PeerEvent::AccessDenied(_)
        )
    };
    assert!(!events.iter().any(|(_, event)| obeyed(event)));
    refused
}

#[test]
fn wrong_origin_flood() {
    let refused = endures(
        41,
        Forgery::WrongOrigin { offset_s: 1.0 },
        PacketTest::Bogus,
    );
    report("wrong origin flood", &[("refused", f64::from(refused))]);
    assert!(refused > 10_000, "{refused}");
}

#[test]
fn zero_origin_flood() {
    let refused = endures(42, Forgery::ZeroOrigin { offset_s: 1.0 }, PacketTest::Bogus);
    report("zero origin flood", &[("refused", f64::from(refused))]);
    assert!(refused > 10_000, "{refused}");
}

#[test]
fn kiss_flood() {
    for (seed, code) in [(43, *b"RATE"), (44, *b"DENY"), (45, *b"RSTR")] {
        let refused = endures(seed, Forgery::Kiss(code), PacketTest::Bogus);
        let name = format!("forged {} flood", String::from_utf8_lossy(&code));
        report(&name, &[("refused", f64::from(refused))]);
        assert!(refused > 10_000, "{refused}");
    }
}

#[test]
fn garbage_flood() {
    endures(46, Forgery::Garbage, PacketTest::Bogus);
}

#[test]
fn server_that_answers_other_requests_is_unreachable() {
    let mut world = world(47);
    let servers = primaries(&mut world, &[0.0, 0.0]);
    world.set_manner(servers[0], Manner::WrongOrigin);
    let config = client_of(&world, &servers);
    let client = machine(
        &mut world,
        "client",
        ClockConfig::wrong_by(0.01, 0.0),
        config,
    );
    world.run_until(3600.0);
    let wrong = association(&mut world, client, servers[0]);
    assert_eq!(wrong.reach, 0);
    assert_ne!(wrong.flash & PacketTest::Bogus.bit(), 0);
    assert_eq!(association(&mut world, client, servers[1]).reach, 0o377);
}

#[test]
fn true_rate_kiss_slows_and_true_deny_stops() {
    let (mut world, client, servers) = settled(48);
    let before = association(&mut world, client, servers[0]);
    world.set_manner(servers[0], Manner::Kiss(*b"RATE"));
    world.set_manner(servers[1], Manner::Kiss(*b"DENY"));
    world.run_until(7200.0);
    let slowed = association(&mut world, client, servers[0]);
    let stopped = association(&mut world, client, servers[1]);
    assert!(slowed.host_poll > before.host_poll || before.host_poll == 10);
    assert!(
        slowed.host_poll <= 10,
        "bounded, whatever poll a kiss asks for"
    );
    world.run_until(21_600.0);
    let later = association(&mut world, client, servers[1]);
    report(
        "true kisses",
        &[
            ("rate_poll", f64::from(slowed.host_poll)),
            ("sent_after_deny", f64::from(later.sent - stopped.sent)),
        ],
    );
    assert_eq!(later.sent, stopped.sent, "not one request more");
    let events = peer_events(&world, client);
    let any = |wanted: fn(&PeerEvent) -> bool| events.iter().any(|(_, event)| wanted(event));
    assert!(any(|event| matches!(event, PeerEvent::RateExceeded(_))));
    assert!(any(|event| matches!(event, PeerEvent::AccessDenied(_))));
}

fn table(text: &[u8], trusted: u32) -> Arc<KeyTable> {
    let (file, complaints) = keys::parse(text);
    assert_eq!(complaints, []);
    Arc::new(KeyTable::new(file, KeyId::symmetric(trusted)))
}

fn keyed(world: &World, server: NodeId, key: u32) -> SystemConfig {
    let mut config = client_of(world, &[server]);
    config.associations[0].key = KeyId::symmetric(key);
    config
}

#[test]
fn keys_agree_or_nothing_is_believed() {
    let mut world = world(49);
    let held = table(
        b"42 M LA-REPONSE-EST-42\n7 AES128CMAC 2b7e151628aed2a6abf7158809cf4f3c\n",
        7,
    );
    let server = world.add(NodeConfig {
        keys: Some(Arc::clone(&held)),
        ..NodeConfig::primary("keyed", ClockConfig::wrong_by(0.0, 0.0))
    });
    let clock = ClockConfig::wrong_by(0.05, 0.0);
    let config = keyed(&world, server, 7);
    let good = world.add(NodeConfig {
        keys: Some(held),
        ..NodeConfig::machine("good", clock, config)
    });
    let config = keyed(&world, server, 7);
    let wrong = world.add(NodeConfig {
        keys: Some(table(b"7 AES128CMAC 00000000000000000000000000000000\n", 7)),
        ..NodeConfig::machine("wrong", clock, config)
    });
    world.run_until(3600.0);
    assert_eq!(association(&mut world, good, server).reach, 0o377);
    assert!(world.error_s(good).abs() < 0.002);
    assert_eq!(association(&mut world, wrong, server).reach, 0);
    assert!((world.error_s(wrong) - 0.05).abs() < 1e-6);
    let events = peer_events(&world, wrong);
    assert!(
        events
            .iter()
            .any(|(_, event)| matches!(event, PeerEvent::BadAuthentication { .. }))
    );
    assert_eq!(status(&mut world, wrong).stratum, 16);
}
