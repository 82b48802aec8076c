//! Six days: associations begin anew by themselves, private values are renewed, and nobody is lost.
use super::hosts::{Group, Host, Kind};
use super::{add, client_config, is_reached, known, line, pair, server_config};
use crate::build::{report, world};
use truechimer_proto::config::AssociationConfig;
use truechimer_proto::event::{CryptoRestart, Event, PeerEvent};
use truechimer_sim::{NodeId, World};

/// After so long an association begins anew, seconds.
const REFRESH_S: f64 = 524_288.0;
/// Between two private values, seconds.
const REVOKE_S: f64 = 131_072.0;

/// When it began anew for this reason.
fn begun_anew(world: &World, node: NodeId, why: CryptoRestart) -> Vec<f64> {
    let wanted = PeerEvent::CryptoRestart(why);
    let events = world.events(node).iter();
    let at = events.filter(|(_, it)| matches!(it, Event::Peer { what, .. } if *what == wanted));
    at.map(|(at_s, _)| *at_s).collect()
}

/// Runs until a moment and says how far from each other two clocks were on the way at most, looked at
/// every `step_s`.
fn worst_until(world: &mut World, [one, other]: [NodeId; 2], until_s: f64, step_s: f64) -> f64 {
    let mut worst_s = 0.0_f64;
    while world.now_s() < until_s {
        let at_s = (world.now_s() + step_s).min(until_s);
        world.run_until(at_s);
        worst_s = worst_s.max((world.error_s(one) - world.error_s(other)).abs());
    }
    worst_s
}

#[test]
fn a_client_begins_anew_after_six_days_and_keeps_its_time() {
    let group = Group::new();
    let server = group.server("alice", super::hosts::IFF);
    let client = Host::new("bob", Kind::Plain, None, &[&group.parameters("grp")]);
    let (mut world, source, node) = pair(21, &server, &client, Some("grp"));
    world.run_until(3600.0);
    let start_s = 60.0;
    let cookies = |world: &World| {
        let lines = super::written(world, node);
        lines.iter().filter(|it| it.starts_with("cook ")).count()
    };
    let before_s = worst_until(
        &mut world,
        [source, node],
        start_s + REFRESH_S - 60.0,
        600.0,
    );
    assert!(begun_anew(&world, node, CryptoRestart::Refresh).is_empty());
    assert_eq!(cookies(&world), 1);
    // The next poll is a minute away at most.
    let during_s = worst_until(&mut world, [source, node], start_s + REFRESH_S + 300.0, 1.0);
    let anew = begun_anew(&world, node, CryptoRestart::Refresh);
    let [at_s] = anew[..] else {
        panic!("once: {anew:?}");
    };
    let late_s = at_s - start_s - REFRESH_S;
    assert!((0.0..=130.0).contains(&late_s), "{late_s}");
    assert_eq!(cookies(&world), 2, "{:#?}", super::written(&world, node));
    let status = known(&mut world, node);
    assert_eq!(status.identity, Some(super::hosts::IFF), "proven again");
    assert_eq!(status.status.word() & 0xffff, 0x7f23);
    assert_eq!((status.naks, is_reached(&mut world, node)), (0, true));
    let figures = [
        ("before_s", before_s),
        ("during_s", during_s),
        ("late_s", late_s),
    ];
    report("autokey refresh", &figures);
    assert!(
        during_s < before_s.max(0.002),
        "{during_s} after {before_s}"
    );
}

/// The server's private value changes each 2^17 s, as `revoke` has it; the client keeps its cookie until
/// it begins anew.
#[test]
fn new_private_values_cost_no_association() {
    let server = Host::new("alice", Kind::Trusted, None, &[]);
    let client = Host::new("bob", Kind::Plain, None, &[]);
    let (mut world, server_node, node) = pair(22, &server, &client, None);
    let mut values = vec![0xfeed_beef];
    let mut at_s = 60.0;
    for value in 1..=5 {
        at_s += REVOKE_S;
        worst_until(&mut world, [server_node, node], at_s, 600.0);
        assert!(is_reached(&mut world, node), "before value {value}");
        values.insert(0, value);
        world.use_private_values(server_node, values.clone());
    }
    worst_until(&mut world, [server_node, node], at_s + 600.0, 600.0);
    assert!(is_reached(&mut world, node));
    assert_eq!(begun_anew(&world, node, CryptoRestart::CryptoNak), [0.0; 0]);
    assert_eq!(begun_anew(&world, node, CryptoRestart::Refresh).len(), 1);
    assert_eq!(known(&mut world, node).naks, 0);
    let lines = super::written(&world, node);
    let of_cookie = lines.iter().filter_map(|it| it.strip_prefix("cook "));
    let cookies: Vec<_> = of_cookie.map(|it| it.split(' ').next()).collect();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert_ne!(cookies[0], cookies[1], "of another private value");
}

/// The older one of two peers does so; the other is told at once that nobody knows it there any more, and
/// begins anew too. They find each other again.
#[test]
fn peers_begin_anew_and_agree_again() {
    let mut world = world(23);
    let group = Group::new();
    let [alice, bob] = ["alice", "bob"].map(|name| group.peer(name, super::hosts::IFF));
    let peer = |to| AssociationConfig {
        kind: truechimer_proto::config::AssociationKind::Peer,
        iburst: false,
        ..line(to, Some("grp"))
    };
    let mut has_time = client_config(&alice, vec![peer(2)]);
    has_time.refclocks = server_config(&alice, 1).refclocks;
    let alice_node = add(&mut world, 1, &alice, has_time);
    world.run_until(100.0);
    let bob_node = add(&mut world, 2, &bob, client_config(&bob, vec![peer(1)]));
    let mut silent_s = 0.0;
    worst_until(&mut world, [alice_node, bob_node], REFRESH_S - 600.0, 600.0);
    while world.now_s() < REFRESH_S + 1800.0 {
        let at_s = world.now_s() + 1.0;
        world.run_until(at_s);
        if !is_reached(&mut world, bob_node) {
            silent_s += 1.0;
        }
    }
    report("autokey refresh of peers", &[("silent_s", silent_s)]);
    let begun = |node, why| begun_anew(&world, node, why).len();
    assert_eq!(begun(alice_node, CryptoRestart::Refresh), 1);
    assert_eq!(begun(bob_node, CryptoRestart::Error), 1);
    assert_eq!(begun(alice_node, CryptoRestart::Error), 0);
    for node in [alice_node, bob_node] {
        assert!(
            is_reached(&mut world, node),
            "{:#?}",
            super::written(&world, node)
        );
        let word = known(&mut world, node).status.word();
        assert_eq!(word & 0x1f00, 0x1f00, "{word:#x}");
    }
    assert!(silent_s < 240.0, "{silent_s} s without a source");
    let apart_s = (world.error_s(bob_node) - world.error_s(alice_node)).abs();
    assert!(apart_s < 0.002, "{apart_s}");
}
