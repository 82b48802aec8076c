//! One server of two groups, and clients of either.

use super::{DANCE, IFF, Part, dances};
use std::thread;
use std::time::Duration;
use truechimer_tests::support::keygen::carry;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Node, Side, World};

const BOTH: &str = "crypto pw srvpw ident GR1\ncrypto ident GR2\n";

/// Keys of two groups, for clients whose parameters are returned. By ours: the reference links a
/// group's key to the host's name only, and loses its public value.
fn two_groups(part: Part<'_>) -> [String; 2] {
    ["GR1", "GR2"].map(|group| {
        part.makes(&format!("-T -I -p srvpw -i {group}"));
        // A challenge tells its group by the second in which the key was made.
        thread::sleep(Duration::from_millis(1100));
        part.exports(&format!("-e -p srvpw -i {group}"))
    })
}

/// A client of a group, which its own name says or not.
fn joins<'a>(part: Part<'a>, keys: &str, export: &str, server: &str, group: &str) -> Node<'a> {
    part.makes(keys);
    carry(export, part.host, "-p clipw");
    part.asks(server, "pw clipw", &format!("ident {group}"))
}

#[test]
fn clients_of_both_groups_at_once() {
    let world = World::new(5);
    let alice = Part::new(Side::Ours, world.host(1));
    let exports = two_groups(alice);
    let source = alice.serves(BOTH);
    let here = alice.host.v4();
    let plays = [
        (2, Side::Ntp4, 0, "-H -p clipw", "iff host1@GR"),
        (3, Side::Ntp4, 1, "-H -p clipw -i GR2", "iff host1@GR2 fs "),
        (4, Side::Ours, 1, "-H -p clipw", "iff host1@GR"),
        (5, Side::Ours, 0, "-H -p clipw -i GR1", "iff host1@GR1 fs "),
    ];
    let mut clients = plays.map(|(number, side, group, keys, _)| {
        let part = Part::new(side, world.host(number));
        let name = ["GR1", "GR2"][group];
        joins(part, keys, &exports[group], &here, name)
    });
    for (client, (_, _, _, _, proof)) in clients.iter_mut().zip(plays) {
        dances(client, &here, IFF);
        client.wait_crypto(proof, seconds(10));
    }
    let setup = source.cryptostats();
    assert!(
        setup.contains("IFFkey_GR1") && setup.contains("IFFkey_GR2"),
        "{setup}"
    );
}

/// Of the groups that the reference's `crypto ident` names, the last one counts.
#[test]
fn the_reference_is_of_the_last_group_alone() {
    let world = World::new(3);
    let keys = Part::new(Side::Ours, world.host(1));
    let exports = two_groups(keys);
    // A certificate that names no group: the reference's server answers nobody of another.
    keys.makes("-T -p srvpw -i host1");
    let alice = Part::new(Side::Ntp4, keys.host);
    let _source = alice.serves(BOTH);
    let here = alice.host.v4();
    let [bob, carol] = [2, 3].map(|number| Part::new(Side::Ntp4, world.host(number)));
    let mut first = joins(bob, "-H -p clipw", &exports[0], &here, "GR1");
    let mut last = joins(carol, "-H -p clipw", &exports[1], &here, "GR2");
    dances(&mut last, &here, IFF);
    first.wait_crypto(" 103 bad_filestamp", DANCE);
    super::refused::stays_out(&first);
}
