//! Symmetric peers, of whom nobody believes the other before it is proven.
use super::hosts::{Host, Kind};
use super::{add, address, client_config, is_reached, line, local_clock, written};
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

/// Two peers, the first of which has time.
fn peers(
    seed: u64,
    second: Option<AssociationConfig>,
    flags: RestrictFlags,
) -> (World, NodeId, NodeId) {
    let mut world = world(seed);
    // Neither's trail may end at the other, or nobody's would.
    let [alice, bob] = ["alice", "bob"].map(|name| Host::new(name, Kind::Trusted, None, &[]));
    let peer = |to| AssociationConfig {
        kind: AssociationKind::Peer,
        iburst: false,
        ..line(to, None)
    };
    let has_time = SystemConfig {
        refclocks: vec![local_clock()],
        ..client_config(&alice, vec![peer(2)])
    };
    let alice_node = add(&mut world, 1, &alice, has_time);
    let bob_config = SystemConfig {
        access: peers_welcome(flags),
        ..client_config(&bob, second.into_iter().collect())
    };
    let bob_node = add(&mut world, 2, &bob, bob_config);
    (world, alice_node, bob_node)
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
    let error_s = world.error_s(nodes[1]).abs();
    assert!(error_s < 0.025, "{error_s}");
}

#[test]
fn symmetric_peers() {
    let peer = AssociationConfig {
        kind: AssociationKind::Peer,
        iburst: false,
        ..line(1, None)
    };
    let (mut world, alice, bob) = peers(11, Some(peer), RestrictFlags::NOQUERY);
    both_agree(&mut world, [alice, bob], "autokey peers");
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
