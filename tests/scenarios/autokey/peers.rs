//! Symmetric peers, of whom nobody believes the other before it is proven.
use super::hosts::{Group, Host, Kind};
use super::{
    add, address, client_config, is_reached, known, line, local_clock, lost, troubles, written,
};
use crate::build::{report, world};
use std::sync::Arc;
use truechimer_proto::config::{AssociationConfig, AssociationKind, SystemConfig};
use truechimer_proto::server::{AccessRule, Network, Policy, RestrictFlags};
use truechimer_sim::{NodeId, World};

/// `restrict default` with these words, without `noepeer`.
fn peers_welcome(flags: RestrictFlags) -> Arc<Policy> {
    let network = Network::new(address(0), 16).expect("a prefix");
    let rule = AccessRule::new(network, flags);
    Arc::new(Policy::new([rule], None))
}

/// `peer TO autokey`.
fn peer_line(to: u8, ident: Option<&str>) -> AssociationConfig {
    AssociationConfig {
        kind: AssociationKind::Peer,
        iburst: false,
        ..line(to, ident)
    }
}

/// A peer of the second that has the time by itself.
fn peer_with_time(host: &Host) -> SystemConfig {
    SystemConfig {
        refclocks: vec![local_clock()],
        ..client_config(host, vec![peer_line(2, None)])
    }
}

/// Two peers, the first of which has time.
fn peers(
    seed: u64,
    second: Option<AssociationConfig>,
    flags: RestrictFlags,
) -> (World, NodeId, NodeId) {
    // Neither's trail may end at the other, or nobody's would.
    let both = ["alice", "bob"].map(|name| Host::new(name, Kind::Trusted, None, &[]));
    peers_of(seed, &both, (peer_line(2, None), second), flags)
}

fn peers_of(
    seed: u64,
    [alice, bob]: &[Host; 2],
    (first, second): (AssociationConfig, Option<AssociationConfig>),
    flags: RestrictFlags,
) -> (World, NodeId, NodeId) {
    let mut world = world(seed);
    let has_time = SystemConfig {
        refclocks: vec![local_clock()],
        ..client_config(alice, vec![first])
    };
    let alice_node = add(&mut world, 1, alice, has_time);
    let bob_config = SystemConfig {
        access: peers_welcome(flags),
        ..client_config(bob, second.into_iter().collect())
    };
    let bob_node = add(&mut world, 2, bob, bob_config);
    (world, alice_node, bob_node)
}

/// One that has been alone for so long that it hardly asks any more; the other has to learn the time of
/// it before it can prove itself.
#[test]
fn a_peer_that_comes_late() {
    let both = ["alice", "bob"].map(|name| Host::new(name, Kind::Trusted, None, &[]));
    let [alice, bob] = &both;
    let mut world = world(19);
    let alice_node = add(&mut world, 1, alice, peer_with_time(alice));
    world.run_until(1000.0);
    let config = client_config(bob, vec![peer_line(1, None)]);
    let bob_node = add(&mut world, 2, bob, config);
    both_agree(&mut world, [alice_node, bob_node], "autokey late peer");
}

/// Either of two peers is started anew, long before the other would begin anew by itself.
#[test]
fn a_peer_that_is_started_anew_is_known_again() {
    let both = ["alice", "bob"].map(|name| Host::new(name, Kind::Trusted, None, &[]));
    let lines = (peer_line(2, None), Some(peer_line(1, None)));
    let flags = RestrictFlags::NOQUERY;
    let (mut world, alice, bob) = peers_of(20, &both, lines, flags);
    both_agree(&mut world, [alice, bob], "autokey peers");
    let with_time = peer_with_time(&both[0]);
    let without = SystemConfig {
        access: peers_welcome(flags),
        ..client_config(&both[1], vec![peer_line(1, None)])
    };
    for (node, config, name) in [
        (alice, with_time, "autokey peers, one restarted"),
        (bob, without, "autokey peers, the other"),
    ] {
        world.restart(node, config);
        both_agree(&mut world, [alice, bob], name);
    }
}

/// A peer makes another host key and goes on. The other asks it who it is, and neither loses the other.
#[test]
fn a_peer_changes_its_host_key() {
    let mut both = ["alice", "bob"].map(|name| Host::new(name, Kind::Trusted, None, &[]));
    let lines = (peer_line(2, None), Some(peer_line(1, None)));
    let flags = RestrictFlags::NOQUERY;
    let (mut world, alice, bob) = peers_of(34, &both, lines, flags);
    both_agree(&mut world, [alice, bob], "autokey peers");
    let before = [alice, bob].map(|it| lost(&world, it));
    both[0].roll();
    let config = peer_with_time(&both[0]);
    world.reload(alice, config);
    // Longer than the list of keys lasts that was signed with the old one.
    for _ in 0..100 {
        let at_s = world.now_s() + 60.0;
        world.run_until(at_s);
        for node in [alice, bob] {
            assert!(is_reached(&mut world, node), "{:#?}", world.events(node));
            let word = known(&mut world, node).status.word();
            assert_eq!(word & 0x0f00, 0x0f00, "{word:#x}");
        }
    }
    let after = [alice, bob].map(|it| lost(&world, it));
    assert_eq!(before, after, "{:#?}", world.events(bob));
    let lines = written(&world, bob);
    let known = lines
        .iter()
        .filter(|it| it.starts_with("cert alice alice 0x5"));
    assert_eq!(known.count(), 2, "{lines:#?}");
    let troubles = troubles(&world, bob);
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].contains(" 108 "), "{troubles:?}");
}

fn both_agree(world: &mut World, nodes: [NodeId; 2], name: &str) {
    let start_s = world.now_s();
    let mut done_s = [0.0; 2];
    while world.now_s() < start_s + 300.0 {
        let at_s = world.now_s() + 1.0;
        world.run_until(at_s);
        for (node, done_s) in nodes.into_iter().zip(&mut done_s) {
            let all = world.status(node).expect("a machine").associations;
            let agreed = all.into_iter().filter_map(|it| it.autokey);
            let mut agreed = agreed.filter(|it| it.status.word() & 0x1f00 == 0x1f00);
            if *done_s == 0.0 && agreed.next().is_some() {
                *done_s = world.now_s() - start_s;
            }
        }
    }
    report(name, &[("active_s", done_s[0]), ("other_s", done_s[1])]);
    for (node, done_s) in nodes.into_iter().zip(done_s) {
        assert!(done_s > 0.0, "{:#?}", written(world, node));
        assert!(is_reached(world, node), "{:#?}", world.events(node));
    }
    let until_s = world.now_s() + 900.0;
    world.run_until(until_s);
    let error_s = world.error_s(nodes[1]).abs();
    assert!(error_s < 0.002, "{error_s}");
}

#[test]
fn symmetric_peers() {
    let (mut world, alice, bob) = peers(11, Some(peer_line(1, None)), RestrictFlags::NOQUERY);
    both_agree(&mut world, [alice, bob], "autokey peers");
}

/// Each proves to be of the group.
#[test]
fn peers_of_a_group() {
    for (seed, name, scheme) in [
        (15, "autokey peers iff", super::hosts::IFF),
        (16, "autokey peers gq", super::hosts::GQ),
        (17, "autokey peers mv", super::hosts::MV),
    ] {
        let group = Group::new();
        let both = ["alice", "bob"].map(|name| group.peer(name, scheme));
        let lines = [2, 1].map(|to| peer_line(to, Some("grp")));
        let [first, second] = lines;
        let flags = RestrictFlags::NOQUERY;
        let (mut world, alice, bob) = peers_of(seed, &both, (first, Some(second)), flags);
        both_agree(&mut world, [alice, bob], name);
        for node in [alice, bob] {
            assert_eq!(known(&mut world, node).identity, Some(scheme), "{name}");
        }
    }
}

/// One of them is of no group: it is not believed, though it may believe the other.
#[test]
fn a_peer_that_is_of_no_group_gives_no_time() {
    let group = Group::new();
    let alice = Host::new("alice", Kind::Trusted, None, &[]);
    let both = [alice, group.peer("bob", super::hosts::IFF)];
    let (first, second) = (peer_line(2, None), peer_line(1, Some("grp")));
    let flags = RestrictFlags::NOQUERY;
    let (mut world, _, bob) = peers_of(18, &both, (first, Some(second)), flags);
    world.run_until(400.0);
    let status = known(&mut world, bob);
    assert_eq!((status.identity, status.status.word() & 0x0e00), (None, 0));
    assert!(!is_reached(&mut world, bob));
    assert!(world.error_s(bob).abs() > 0.015, "nobody set its clock");
}

#[test]
fn a_passive_peer() {
    let (mut world, alice, bob) = peers(12, None, RestrictFlags::NOQUERY);
    both_agree(&mut world, [alice, bob], "autokey passive");
}

/// What Autokey says first needs no secret, so it opens nothing that is closed to those without a key.
#[test]
fn who_proves_nothing_makes_no_peer_where_strangers_may_not() {
    let (mut world, _, bob) = peers(14, None, RestrictFlags::NOPEER);
    world.run_until(300.0);
    let status = world.status(bob).expect("a machine");
    assert!(status.associations.is_empty(), "{:?}", status.associations);
}

/// `server X autokey` and `peer X autokey` at once: two associations, each with a dance of its own.
#[test]
fn a_server_that_is_a_peer_too() {
    let both = ["alice", "bob"].map(|name| Host::new(name, Kind::Trusted, None, &[]));
    let [alice, bob] = &both;
    let mut world = world(42);
    add(&mut world, 1, alice, peer_with_time(alice));
    let config = client_config(bob, vec![line(1, None), peer_line(1, None)]);
    let node = add(&mut world, 2, bob, config);
    world.run_until(900.0);
    let all = world.status(node).expect("a machine").associations;
    assert_eq!(all.len(), 2);
    for it in &all {
        let flags = it.autokey.as_ref().map_or(0, |it| it.status.word());
        assert_eq!(flags & 0x1f00, 0x1f00, "{:#?}", written(&world, node));
        assert_ne!(it.reach, 0, "{:?}", it.remote);
    }
}
