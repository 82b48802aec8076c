//! Autokey (RFC 5906): who is proven, who is not, and how long that takes. All keys are real, and all
//! that is done with them is done by the holder of keys of the daemon.
mod crowds;
mod groups;
mod hosts;
mod names;
mod peers;
mod refresh;
mod trails;

use crate::build::{report, world};
use core::net::{IpAddr, Ipv4Addr};
use hosts::{Group, Host, Kind};
use std::sync::Arc;
use truechimer_proto::autokey::facts::Generation;
use truechimer_proto::config::{
    AssociationConfig, AutokeyConfig, RefclockConfig, Remote, SystemConfig,
};
use truechimer_proto::event::{CryptoRestart, Event, PeerEvent};
use truechimer_proto::refclock::RefclockId;
use truechimer_proto::statistics::{Measured, Recording};
use truechimer_proto::status::AutokeyStatus;
use truechimer_sim::{ClockConfig, NodeConfig, NodeId, World};
use truechimer_wire::ReferenceId;

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 77, 0, last))
}

fn autokey(host: &Host, private_value: u32) -> AutokeyConfig {
    AutokeyConfig {
        host: Arc::new(host.facts.clone()),
        ident: None,
        automax: 12,
        private_values: vec![private_value],
        digest: "md5".to_owned(),
        insecure: false,
    }
}

/// `server 127.127.1.0`: as good as a receiver, so that it serves.
fn local_clock() -> RefclockConfig {
    RefclockConfig {
        id: RefclockId { driver: 1, unit: 0 },
        stratum: 5,
        reference_id: ReferenceId::from_letters("LOCL"),
        minpoll: 3,
        maxpoll: 3,
        prefer: true,
        always_true: false,
        noselect: false,
    }
}

fn recording() -> Recording {
    Recording {
        crypto: true,
        ..Recording::default()
    }
}

fn server_config(host: &Host, private_value: u32) -> SystemConfig {
    SystemConfig {
        refclocks: vec![local_clock()],
        autokey: Some(autokey(host, private_value)),
        recording: recording(),
        ..SystemConfig::default()
    }
}

fn line(to: u8, ident: Option<&str>) -> AssociationConfig {
    AssociationConfig {
        iburst: true,
        minpoll: 3,
        maxpoll: 6,
        autokey: true,
        ident: ident.map(str::to_owned),
        ..AssociationConfig::server(Remote::Address(address(to)))
    }
}

fn client_config(host: &Host, lines: Vec<AssociationConfig>) -> SystemConfig {
    SystemConfig {
        associations: lines,
        autokey: Some(autokey(host, 0x1234_5678)),
        recording: recording(),
        ..SystemConfig::default()
    }
}

/// The clock of the first is true, all others are to be set by it.
fn add(world: &mut World, last: u8, host: &Host, config: SystemConfig) -> NodeId {
    let clock = if last == 1 {
        ClockConfig::wrong_by(0.0, 0.0)
    } else {
        ClockConfig::wrong_by(0.02, 5.0)
    };
    world.add(NodeConfig {
        addresses: vec![address(last)],
        autokey: Some(Arc::clone(&host.worker)),
        ..NodeConfig::machine(&host.facts.name, clock, config)
    })
}

fn known(world: &mut World, node: NodeId) -> AutokeyStatus {
    let status = world.status(node).expect("a machine");
    let mut all = status.associations.into_iter().filter_map(|it| it.autokey);
    all.next().expect("an Autokey association")
}

fn is_reached(world: &mut World, node: NodeId) -> bool {
    let status = world.status(node).expect("a machine");
    let mut all = status.associations.into_iter();
    all.any(|it| it.autokey.is_some() && it.reach != 0)
}

/// What its operator was told that went wrong in a dance, each with the words.
fn troubles(world: &World, node: NodeId) -> Vec<String> {
    let events = world.events(node).iter();
    let told = events.filter_map(|(_, event)| match event {
        Event::Peer {
            what: what @ PeerEvent::CryptoTrouble(_),
            ..
        } => Some(what.to_string()),
        _ => None,
    });
    told.collect()
}

/// How often an association of it ended or began anew.
fn lost(world: &World, node: NodeId) -> usize {
    let events = world.events(node).iter();
    let lost = |(_, event): &&(f64, Event)| {
        let Event::Peer { what, .. } = event else {
            return false;
        };
        matches!(
            what,
            PeerEvent::Demobilize | PeerEvent::CryptoRestart(_) | PeerEvent::Unreachable
        )
    };
    events.filter(lost).count()
}

/// What the node wrote into cryptostats, without the words from `fs` or `ts` on, which change.
fn written(world: &World, node: NodeId) -> Vec<String> {
    let lines = world
        .records(node)
        .iter()
        .filter_map(|it| match &it.measured {
            Measured::Crypto { text, .. } => Some(text.clone()),
            _ => None,
        });
    lines.collect()
}

/// Seconds until the flags are these; 0 if they never are.
fn flags_after_s(world: &mut World, node: NodeId, flags: u32, within_s: f64) -> f64 {
    let start_s = world.now_s();
    while world.now_s() < start_s + within_s {
        let at_s = world.now_s() + 0.5;
        world.run_until(at_s);
        if known(world, node).status.word() & 0xffff == flags {
            return world.now_s() - start_s;
        }
    }
    0.0
}

/// A server that has been up for a while, and a client that begins now.
fn pair(seed: u64, server: &Host, client: &Host, ident: Option<&str>) -> (World, NodeId, NodeId) {
    let mut world = world(seed);
    let server_node = add(&mut world, 1, server, server_config(server, 0xfeed_beef));
    world.run_until(60.0);
    let config = client_config(client, vec![line(1, ident)]);
    let client_node = add(&mut world, 2, client, config);
    (world, server_node, client_node)
}

#[test]
fn every_scheme_that_there_is() {
    let group = Group::new();
    let plain = Host::new("bob", Kind::Plain, None, &[&group.parameters("grp")]);
    for (name, server, ident, flags) in [
        (
            "autokey tc",
            Host::new("alice", Kind::Trusted, None, &[]),
            None,
            0x7f03,
        ),
        (
            "autokey iff",
            group.server("alice", hosts::IFF),
            Some("grp"),
            0x7f23,
        ),
        (
            "autokey gq",
            group.server("alice", hosts::GQ),
            Some("grp"),
            0x7f43,
        ),
        (
            "autokey mv",
            group.server("alice", hosts::MV),
            Some("grp"),
            0x7f83,
        ),
    ] {
        let (mut world, _, client) = pair(3, &server, &plain, ident);
        let agreed_s = agreed_after_s(&mut world, client);
        let after_s = flags_after_s(&mut world, client, flags, 60.0);
        let complete_s = agreed_s + after_s;
        report(name, &[("agreed_s", agreed_s), ("complete_s", complete_s)]);
        assert!(agreed_s > 0.0, "{name}");
        assert!(after_s > 0.0, "{name}: {:?}", known(&mut world, client));
        assert!(complete_s < 15.0, "{name}: {complete_s}");
        assert!(is_reached(&mut world, client));
        let until_s = world.now_s() + 900.0;
        world.run_until(until_s);
        let error_s = world.error_s(client).abs();
        assert!(error_s < 0.002, "{name}: {error_s}");
    }
}

/// Seconds until the cookie is agreed.
fn agreed_after_s(world: &mut World, client: NodeId) -> f64 {
    let start_s = world.now_s();
    while world.now_s() < start_s + 60.0 {
        let at_s = world.now_s() + 0.25;
        world.run_until(at_s);
        if known(world, client).status.word() & 0x0c00 == 0x0c00 {
            return world.now_s() - start_s;
        }
    }
    0.0
}

#[test]
fn the_lines_are_the_references() {
    let server = Host::new("alice", Kind::Trusted, None, &[]);
    let client = Host::new("bob", Kind::Plain, None, &[]);
    let (mut world, _, node) = pair(4, &server, &client, None);
    world.run_until(120.0);
    let lines = written(&world, node);
    let begins = |words: &str| lines.iter().filter(|it| it.starts_with(words)).count();
    for (words, times) in [
        ("assoc ", 1),
        ("cert alice alice 0x5 sha256WithRSAEncryption (668) fs ", 1),
        ("cook ", 1),
        ("sign bob alice 0x4 sha256WithRSAEncryption (668) fs ", 1),
        ("leap TAI offset 0 at 0 expire 0 fs ", 1),
    ] {
        assert_eq!(begins(words), times, "{words}: {lines:#?}");
    }
}

#[test]
fn a_private_certificate_is_shared() {
    let server = Host::new("shared", Kind::Private, None, &[]);
    let (mut world, _, client) = pair(5, &server, &server, None);
    let after_s = flags_after_s(&mut world, client, 0x7f13, 60.0);
    report("autokey pc", &[("complete_s", after_s)]);
    assert!(after_s > 0.0, "{:?}", known(&mut world, client));
    assert!(is_reached(&mut world, client));
}

#[test]
fn who_cannot_prove_its_group_gives_no_time() {
    let (group, other) = (Group::new(), Group::new());
    let parameters = [&group.parameters("grp"), &other.parameters("other")];
    let plain = Host::new("bob", Kind::Plain, None, &parameters);
    let revoked = Host::new("bob", Kind::Plain, None, &[&group.revoked("grp")]);
    let trusted = Host::new("alice", Kind::Trusted, None, &[]);
    let iff = group.server("alice", hosts::IFF);
    let mv = group.server("alice", hosts::MV);
    for (name, server, client, ident, told) in [
        ("other parameters", &iff, &plain, "other", Some("10e")),
        ("no parameters", &iff, &plain, "nowhere", None),
        ("no scheme", &trusted, &plain, "grp", None),
        ("a revoked key", &mv, &revoked, "grp", Some("10e")),
    ] {
        let (mut world, _, node) = pair(6, server, client, Some(ident));
        world.run_until(400.0);
        let status = known(&mut world, node);
        assert_eq!(status.identity, None, "{name}");
        assert_eq!(status.status.word() & 0x0e00, 0, "{name}: {status:?}");
        assert!(!is_reached(&mut world, node), "{name}");
        let error_s = world.error_s(node);
        assert!(error_s.abs() > 0.015, "{name}: nobody set its clock");
        let troubles = troubles(&world, node);
        let words = told.map_or_else(String::new, |it| format!("bad_auth crypto {it} "));
        assert_eq!(troubles.is_empty(), told.is_none(), "{name}: {troubles:?}");
        let is_told = |it: &String| it.starts_with(&words) && it.contains(&format!("-i {ident} "));
        assert!(troubles.iter().all(is_told), "{name}: {troubles:?}");
        let lines = written(&world, node);
        let turns = lines.iter().filter(|it| it.starts_with("assoc ")).count();
        assert!(troubles.len() <= turns, "{name}: {turns} {troubles:?}");
    }
}

#[test]
fn who_has_no_time_for_keys_is_asked_again_and_not_at_once() {
    let group = Group::new();
    let server = group.server("alice", hosts::IFF);
    let mut client = Host::new("bob", Kind::Plain, None, &[&group.parameters("grp")]);
    // Of a reading that the holder of keys has not, so that it is always busy.
    client.facts.generation = Generation(9);
    let (mut world, _, node) = pair(13, &server, &client, Some("grp"));
    world.run_until(400.0);
    let status = known(&mut world, node);
    assert_eq!(status.host, "alice");
    assert_eq!(status.identity, None);
    assert!(!is_reached(&mut world, node));
}

#[test]
fn groups_keep_to_themselves() {
    let server = Host::new("alice@one", Kind::Trusted, None, &[]);
    let client = Host::new("bob@two", Kind::Plain, None, &[]);
    let (mut world, _, node) = pair(7, &server, &client, None);
    world.run_until(300.0);
    assert_eq!(
        known(&mut world, node).host,
        "",
        "not even its name is taken"
    );
    assert!(!is_reached(&mut world, node));
    let lines = written(&world, node);
    let told = |it: &String| it.ends_with("106 unsupported_identity_type");
    assert!(lines.iter().any(told), "{lines:#?}");
    let troubles = troubles(&world, node);
    let [told] = &troubles[..] else {
        panic!("once: {troubles:?}");
    };
    assert!(told.contains(" 106 "), "{told}");
}

#[test]
fn two_that_trust_each_other_alone_trust_nobody() {
    let mut world = world(9);
    let [bob, carol] = ["bob", "carol"].map(|name| Host::new(name, Kind::Plain, None, &[]));
    let bob_config = SystemConfig {
        refclocks: vec![local_clock()],
        ..client_config(&bob, vec![line(3, None)])
    };
    let bob_node = add(&mut world, 2, &bob, bob_config);
    let carol_node = add(
        &mut world,
        3,
        &carol,
        client_config(&carol, vec![line(2, None)]),
    );
    world.run_until(600.0);
    for node in [bob_node, carol_node] {
        assert_eq!(known(&mut world, node).status.word() & 0x0f00, 0);
        assert!(!is_reached(&mut world, node));
    }
}

#[test]
fn a_server_that_is_started_anew_is_known_again() {
    let server = Host::new("alice", Kind::Trusted, None, &[]);
    let client = Host::new("bob", Kind::Plain, None, &[]);
    let (mut world, server_node, node) = pair(10, &server, &client, None);
    world.run_until(200.0);
    assert!(is_reached(&mut world, node));
    world.restart(server_node, server_config(&server, 0x0dd_ba11));
    let begun_s = world.now_s();
    world.run_until(begun_s + 20.0);
    let again_s = flags_after_s(&mut world, node, 0x7f03, 200.0);
    report("autokey restart", &[("again_s", again_s)]);
    assert!(again_s > 0.0);
    let status = known(&mut world, node);
    assert!(status.naks >= 1 && status.naks <= 3, "{status:?}");
    let restarts = world.events(node).iter().filter(|(_, event)| {
        let why = PeerEvent::CryptoRestart(CryptoRestart::CryptoNak);
        matches!(event, Event::Peer { what, .. } if *what == why)
    });
    assert!((1..=3).contains(&restarts.count()));
    let until_s = world.now_s() + 60.0;
    world.run_until(until_s);
    assert!(is_reached(&mut world, node));
}
