//! Hosts in the middle of a trail: signed by the one above, asked by those below.
use super::hosts::{Host, Kind};
use super::{
    add, client_config, flags_after_s, is_reached, known, line, lost, server_config, written,
};
use crate::build::{report, world};
use truechimer_proto::config::SystemConfig;
use truechimer_sim::{NodeId, World};

/// alice, who is trusted and has the time, bob, who asks her, and carol, who asks bob; all flags are lit.
fn trail(seed: u64) -> (World, [Host; 2], [NodeId; 3]) {
    let mut world = world(seed);
    let alice = Host::new("alice", Kind::Trusted, None, &[]);
    let bob = Host::new("bob", Kind::Plain, None, &[]);
    let carol = Host::new("carol", Kind::Plain, None, &[]);
    let alice_node = add(&mut world, 1, &alice, server_config(&alice, 1));
    // All at once: carol's server is signed by nobody yet.
    let bob_node = add(&mut world, 2, &bob, middle(&bob));
    let config = client_config(&carol, vec![line(2, None)]);
    let carol_node = add(&mut world, 3, &carol, config);
    let bob_s = flags_after_s(&mut world, bob_node, 0x7f03, 120.0);
    // When it was met, bob had signed nothing yet: it does not tell of leap seconds.
    let carol_s = bob_s + flags_after_s(&mut world, carol_node, 0x7f01, 300.0);
    report("autokey trail", &[("bob_s", bob_s), ("carol_s", carol_s)]);
    assert!(
        bob_s > 0.0 && carol_s > bob_s,
        "{:#?} {:?}",
        written(&world, carol_node),
        known(&mut world, carol_node)
    );
    (world, [alice, bob], [alice_node, bob_node, carol_node])
}

fn middle(bob: &Host) -> SystemConfig {
    client_config(bob, vec![line(1, None)])
}

#[test]
fn a_trail_of_three() {
    let (mut world, _, [_, _, carol]) = trail(8);
    let lines = written(&world, carol);
    let begins = |words: &str| lines.iter().any(|it| it.starts_with(words));
    assert!(
        begins("cert bob alice ") && begins("cert alice alice 0x5"),
        "{lines:#?}"
    );
    assert!(is_reached(&mut world, carol));
}

/// How often the host in the middle was signed for.
fn signed(world: &World, bob: NodeId) -> usize {
    let lines = written(world, bob);
    let signed = lines.iter().filter(|it| it.starts_with("sign bob alice "));
    signed.count()
}

/// Seconds until the host in the middle is signed for once more, and until a newcomer has all of it.
fn signed_and_joined(world: &mut World, bob: NodeId, before: usize) -> (f64, f64) {
    let rolled_s = world.now_s();
    while signed(world, bob) == before && world.now_s() < rolled_s + 60.0 {
        let at_s = world.now_s() + 0.5;
        world.run_until(at_s);
    }
    let signed_s = world.now_s() - rolled_s;
    let dave = Host::new("dave", Kind::Plain, None, &[]);
    let config = client_config(&dave, vec![line(2, None)]);
    let node = add(world, 4, &dave, config);
    let newcomer_s = flags_after_s(world, node, 0x7f03, 60.0);
    assert!(newcomer_s > 0.0, "{:#?}", written(world, node));
    (signed_s, newcomer_s)
}

/// What was signed for the host in the middle is of no use with its new key, and it asks to be signed
/// anew before the next newcomer comes; who is there already notices nothing.
#[test]
fn a_host_in_the_middle_changes_its_host_key() {
    let (mut world, [_, mut bob], [_, bob_node, carol]) = trail(33);
    let begun_s = world.now_s();
    world.run_until(begun_s + 3600.0);
    assert_eq!(signed(&world, bob_node), 1);
    let before = lost(&world, carol);
    bob.roll();
    world.reload(bob_node, middle(&bob));
    let (signed_s, newcomer_s) = signed_and_joined(&mut world, bob_node, 1);
    report(
        "autokey trail, new key in the middle",
        &[("signed_s", signed_s), ("newcomer_s", newcomer_s)],
    );
    assert!(signed_s < 10.0, "{:#?}", written(&world, bob_node));
    for _ in 0..20 {
        let at_s = world.now_s() + 60.0;
        world.run_until(at_s);
        assert!(is_reached(&mut world, carol), "{:#?}", world.events(carol));
    }
    let still = (lost(&world, carol), signed(&world, bob_node));
    assert_eq!(still, (before, 2));
}

/// The host in the middle knows its server by the key before, until it is to be signed anew.
#[test]
fn two_hosts_of_a_trail_change_their_host_keys() {
    let (mut world, [mut alice, mut bob], [alice_node, bob_node, carol]) = trail(36);
    let begun_s = world.now_s();
    world.run_until(begun_s + 3600.0);
    alice.roll();
    world.reload(alice_node, server_config(&alice, 1));
    world.run_until(begun_s + 3700.0);
    let before = [bob_node, carol].map(|it| lost(&world, it));
    bob.roll();
    world.reload(bob_node, middle(&bob));
    let (signed_s, newcomer_s) = signed_and_joined(&mut world, bob_node, 1);
    report(
        "autokey trail, two new keys",
        &[("signed_s", signed_s), ("newcomer_s", newcomer_s)],
    );
    assert!(signed_s < 30.0, "{:#?}", written(&world, bob_node));
    assert_eq!([bob_node, carol].map(|it| lost(&world, it)), before);
}
