//! Broadcast servers that speak Autokey, and servers that are found in a group.
use super::hosts::{Group, Host, Kind};
use super::{
    add, address, autokey, client_config, is_reached, known, line, lost, server_config, written,
};
use crate::broadcast::{GROUP, broadcast_line};
use crate::build::{report, world};
use std::sync::Arc;
use truechimer_proto::config::{
    AssociationConfig, AssociationKind, AutokeyConfig, EphemeralEnds, Listening, Remote,
    SystemConfig,
};
use truechimer_proto::event::{CryptoRestart, Event, PeerEvent};
use truechimer_proto::server::Manycast;
use truechimer_sim::{ClockConfig, NodeConfig, NodeId, World};

/// `broadcast 224.0.1.1 autokey`, each 8 s.
fn tells(alice: &Host, private_value: u32) -> SystemConfig {
    let line = AssociationConfig {
        key: None,
        autokey: true,
        minpoll: 3,
        maxpoll: 3,
        ..broadcast_line(GROUP)
    };
    SystemConfig {
        associations: vec![line],
        ..server_config(alice, private_value)
    }
}

/// `multicastclient 224.0.1.1`, with this global `ident`.
fn hears(bob: &Host, ident: Option<&str>) -> SystemConfig {
    SystemConfig {
        listening: Listening {
            groups: vec![GROUP],
            volley_wait_s: 2.0,
            ..Listening::default()
        },
        autokey: Some(AutokeyConfig {
            ident: ident.map(str::to_owned),
            ..autokey(bob, 1)
        }),
        ..client_config(bob, Vec::new())
    }
}

/// A source of group `grp`, and one of its clients, two minutes after it began to listen.
fn heard(seed: u64) -> (World, Host, NodeId, NodeId) {
    let mut world = world(seed);
    let group = Group::new();
    let alice = group.server("alice", super::hosts::IFF);
    let bob = Host::new("bob", Kind::Plain, None, &[&group.parameters("grp")]);
    let source = add(&mut world, 1, &alice, tells(&alice, 1));
    world.run_until(60.0);
    // Who is not to prove its group would be anybody who says that it is trusted.
    let deaf = add(&mut world, 3, &bob, hears(&bob, None));
    let node = add(&mut world, 2, &bob, hears(&bob, Some("grp")));
    world.run_until(180.0);
    let all = world.status(deaf).expect("a machine").associations;
    assert!(all.is_empty(), "{all:?}");
    let status = known(&mut world, node);
    assert_eq!(status.identity, Some(super::hosts::IFF));
    let flags = status.status.word() & 0x1f00;
    assert_eq!(flags, 0x1f00, "{status:?} {:#?}", written(&world, node));
    (world, alice, source, node)
}

/// What a client goes without a source, seconds, from when the server is started anew until it has been
/// heard for five minutes without a break.
fn silence_after_restart(world: &mut World, node: NodeId) -> f64 {
    let begun_s = world.now_s();
    let mut heard_s = begun_s;
    while world.now_s() < heard_s + 300.0 {
        let at_s = world.now_s() + 1.0;
        world.run_until(at_s);
        // It is reached for eight intervals more: what counts is what is taken.
        let status = world.status(node).expect("a machine");
        let taken = status
            .associations
            .iter()
            .any(|it| it.reach & 1 != 0 && it.autokey.is_some());
        if !taken {
            heard_s = world.now_s();
        }
        assert!(
            world.now_s() < begun_s + 3600.0,
            "{:#?}",
            world.events(node)
        );
    }
    heard_s - begun_s
}

/// Ten silent intervals of 8 s, a volley, and the dance.
#[test]
fn a_broadcast_server_that_is_started_anew_is_heard_again() {
    for (seed, private_value) in [(31, 1), (32, 0x0dd_ba11)] {
        let (mut world, alice, source, node) = heard(seed);
        world.restart(source, tells(&alice, private_value));
        let silent_s = silence_after_restart(&mut world, node);
        let name = format!("autokey broadcast restart {private_value:x}");
        report(&name, &[("silent_s", silent_s)]);
        assert!(silent_s < 150.0, "{silent_s} {:#?}", written(&world, node));
        let status = known(&mut world, node);
        assert_eq!(status.identity, Some(super::hosts::IFF));
        let error_s = (world.error_s(node) - world.error_s(source)).abs();
        assert!(error_s < 0.002, "{error_s}");
    }
}

/// The source makes another host key and goes on: those who hear it ask it who it is, and forget nothing.
#[test]
fn a_broadcast_server_changes_its_host_key() {
    let (mut world, mut alice, source, node) = heard(35);
    let before = lost(&world, node);
    alice.roll();
    world.reload(source, tells(&alice, 1));
    // Two lists of 100 keys.
    for _ in 0..200 {
        let at_s = world.now_s() + 8.0;
        world.run_until(at_s);
        assert!(is_reached(&mut world, node), "{:#?}", world.events(node));
    }
    assert_eq!(lost(&world, node), before, "{:#?}", world.events(node));
    let lines = written(&world, node);
    let known_as = lines
        .iter()
        .filter(|it| it.starts_with("cert alice alice 0x5"));
    assert_eq!(known_as.count(), 2, "{lines:#?}");
    let status = known(&mut world, node);
    assert_eq!(status.identity, Some(super::hosts::IFF));
    assert_eq!(status.status.word() & 0x1f00, 0x1f00);
    let error_s = (world.error_s(node) - world.error_s(source)).abs();
    assert!(error_s < 0.001, "{error_s}");
}

#[test]
fn a_broadcast_server_is_heard() {
    let (mut world, _, source, node) = heard(13);
    // A list of 100 keys is used up, and the next one is followed.
    for _ in 0..20 {
        let until_s = world.now_s() + 60.0;
        world.run_until(until_s);
        assert!(is_reached(&mut world, node), "{:#?}", world.events(node));
    }
    let lines = written(&world, node);
    let lists = lines.iter().filter(|it| it.starts_with("auto ")).count();
    assert!(lists >= 2, "{lines:#?}");
    let error_s = (world.error_s(node) - world.error_s(source)).abs();
    report("autokey broadcast", &[("error_s", error_s)]);
    assert!(error_s < 0.001, "{error_s}");
}

/// A member whose server forgot the cookie is given up and found again, or begins anew in its place.
#[test]
fn a_member_that_is_refused_ends_or_begins_anew() {
    for on_crypto_nak in [true, false] {
        let mut world = world(23);
        let alice = Host::new("alice", Kind::Trusted, None, &[]);
        let bob = Host::new("bob", Kind::Plain, None, &[]);
        let source = world.add(NodeConfig {
            addresses: vec![address(1)],
            autokey: Some(Arc::clone(&alice.worker)),
            manycast: Some(Manycast::new(vec![GROUP], false)),
            ..NodeConfig::machine(
                "alice",
                ClockConfig::wrong_by(0.0, 0.0),
                server_config(&alice, 1),
            )
        });
        world.run_until(60.0);
        let search = AssociationConfig {
            kind: AssociationKind::ManycastClient,
            remote: Remote::Address(GROUP),
            hops: 4,
            ..line(1, None)
        };
        let config = SystemConfig {
            ephemeral_ends: EphemeralEnds {
                on_crypto_error: !on_crypto_nak,
                on_crypto_nak,
            },
            ..client_config(&bob, vec![search])
        };
        let node = add(&mut world, 2, &bob, config);
        world.run_until(180.0);
        assert!(is_reached(&mut world, node));
        world.restart(source, server_config(&alice, 2));
        world.run_until(1200.0);
        let count = |wanted: PeerEvent| {
            let all = world.events(node).iter();
            all.filter(|(_, it)| matches!(it, Event::Peer { what, .. } if *what == wanted))
                .count()
        };
        let refused = count(PeerEvent::CryptoRestart(CryptoRestart::CryptoNak));
        assert!(refused >= 1, "{:#?}", world.events(node));
        assert_eq!(count(PeerEvent::Demobilize) >= 1, on_crypto_nak);
        assert!(is_reached(&mut world, node), "{on_crypto_nak}: found again");
    }
}

#[test]
fn a_server_is_found_in_a_group() {
    let mut world = world(14);
    let alice = Host::new("alice", Kind::Trusted, None, &[]);
    let bob = Host::new("bob", Kind::Plain, None, &[]);
    world.add(NodeConfig {
        addresses: vec![address(1)],
        autokey: Some(Arc::clone(&alice.worker)),
        manycast: Some(Manycast::new(vec![GROUP], false)),
        ..NodeConfig::machine(
            "alice",
            ClockConfig::wrong_by(0.0, 0.0),
            server_config(&alice, 1),
        )
    });
    world.run_until(60.0);
    let search = AssociationConfig {
        kind: AssociationKind::ManycastClient,
        remote: Remote::Address(GROUP),
        hops: 4,
        ..line(1, None)
    };
    let node = add(&mut world, 2, &bob, client_config(&bob, vec![search]));
    world.run_until(180.0);
    let status = known(&mut world, node);
    report(
        "autokey manycast",
        &[("flags", f64::from(status.status.word() & 0xffff))],
    );
    assert_eq!(
        status.status.word() & 0x0f00,
        0x0f00,
        "{:#?}",
        written(&world, node)
    );
    assert!(is_reached(&mut world, node));
}
