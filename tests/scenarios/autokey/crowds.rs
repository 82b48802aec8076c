//! Broadcast servers that speak Autokey, and servers that are found in a group.
use super::hosts::{Group, Host, Kind};
use super::{
    add, address, autokey, client_config, is_reached, known, line, server_config, written,
};
use crate::broadcast::{GROUP, broadcast_line};
use crate::build::{report, world};
use std::sync::Arc;
use truechimer_proto::config::{
    AssociationConfig, AssociationKind, AutokeyConfig, Listening, Remote, SystemConfig,
};
use truechimer_proto::server::Manycast;
use truechimer_sim::{ClockConfig, NodeConfig};

#[test]
fn a_broadcast_server_is_heard() {
    let mut world = world(13);
    let group = Group::new();
    let alice = group.server("alice", super::hosts::IFF);
    let bob = Host::new("bob", Kind::Plain, None, &[&group.parameters("grp")]);
    let tells = AssociationConfig {
        key: None,
        autokey: true,
        minpoll: 3,
        maxpoll: 3,
        ..broadcast_line(GROUP)
    };
    let config = SystemConfig {
        associations: vec![tells],
        ..server_config(&alice, 1)
    };
    let source = add(&mut world, 1, &alice, config);
    world.run_until(60.0);
    let hears = SystemConfig {
        listening: Listening {
            groups: vec![GROUP],
            volley_wait_s: 2.0,
            ..Listening::default()
        },
        ..client_config(&bob, Vec::new())
    };
    // Who is not to prove its group would be anybody who says that it is trusted.
    let deaf = add(&mut world, 3, &bob, hears.clone());
    let hears = SystemConfig {
        autokey: Some(AutokeyConfig {
            ident: Some("grp".to_owned()),
            ..autokey(&bob, 1)
        }),
        ..hears
    };
    let node = add(&mut world, 2, &bob, hears);
    world.run_until(120.0);
    let all = world.status(deaf).expect("a machine").associations;
    assert!(all.is_empty(), "{all:?}");
    let status = known(&mut world, node);
    assert_eq!(status.identity, Some(super::hosts::IFF));
    let flags = status.status.word() & 0x1f00;
    assert_eq!(flags, 0x1f00, "{status:?} {:#?}", written(&world, node));
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
