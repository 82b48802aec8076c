//! The other modes: peers, broadcast, multicast, manycast; and a server that begins anew.

use super::{DANCE, GQ, IFF, Part, certified, dances, grouped, pair, plays};
use std::thread;
use truechimer_tests::support::autokey::DONE;
use truechimer_tests::support::keygen::carry;
use truechimer_tests::support::wait::{seconds, until, until_true};
use truechimer_tests::support::{Node, Side, World};

/// Both are their own trusted hosts: a peer that has but the other's signature would be told its own
/// certificate, which nobody takes.
fn peers(world: &World, left: Side, right: Side) -> (Part<'_>, Part<'_>) {
    let (first, second) = pair(world, left, right);
    first.makes("-T -p firstpw");
    second.makes("-T -p secondpw");
    (first, second)
}

fn associations(node: &Node<'_>, address: &str) -> Option<String> {
    let row = node.rows().iter().position(|row| row.remote == address)?;
    Some(format!("&{}", row + 1))
}

/// One asks, the other makes a passive peer of it.
fn passive(passive: Side, active: Side) {
    let world = World::new(2);
    let (alice, bob) = peers(&world, passive, active);
    let mut source = alice.serves("crypto pw firstpw\n");
    let (here, there) = (alice.host.v4(), bob.host.v4());
    let line = format!("crypto pw secondpw\npeer {here} autokey minpoll 3 maxpoll 3\n");
    let mut active = bob.runs(&line);
    let row = dances_as_peers(&mut active, &here);
    assert_eq!(row, 's');
    let own = until("a passive peer", seconds(60), || {
        associations(&source, &there)
    });
    source.wait_flags(&own, DONE, DANCE);
    let rows = source.rows();
    let row = rows.iter().find(|row| row.remote == there);
    assert_eq!(row.map(|row| row.kind), Some('S'), "{rows:?}");
}

fn dances_as_peers(node: &mut Node<'_>, address: &str) -> char {
    dances(node, address, 0);
    node.rows()[0].kind
}

/// Each is told of the other.
fn active(source: Side, other: Side) {
    let world = World::new(2);
    let (alice, bob) = peers(&world, source, other);
    let (here, there) = (alice.host.v4(), bob.host.v4());
    let line = format!("crypto pw firstpw\npeer {there} autokey minpoll 3 maxpoll 3\n");
    let mut source = alice.serves(&line);
    let line = format!("crypto pw secondpw\npeer {here} autokey minpoll 3 maxpoll 3\n");
    let mut other = bob.runs(&line);
    let row = dances_as_peers(&mut other, &here);
    assert_eq!(row, 's');
    let own = associations(&source, &there).expect("the peer");
    source.wait_flags(&own, DONE, DANCE);
    tells_of_its_list(&other);
}

/// A list of keys was received, and from when it is.
fn tells_of_its_list(node: &Node<'_>) {
    let said = node.variables("&1");
    for name in ["initsequence", "initkey", "timestamp", "signature"] {
        assert!(said.contains_key(name), "no {name} in {said:?}");
    }
    let minute = &said["timestamp"];
    let is_minute = minute.len() == 12 && minute.bytes().all(|it| it.is_ascii_digit());
    assert!(is_minute, "{minute}");
}

/// Both are servers of group GR1 by this scheme, and each has the other prove it.
fn proven_peers(source: Side, other: Side, scheme: &str, flag: u32, name: &str) {
    let world = World::new(2);
    let (alice, bob) = pair(&world, source, other);
    alice.makes_scheme(&format!("-p firstpw -T {scheme} -i GR1"), "firstpw");
    let parameters = alice.exports("-e -p firstpw -i GR1");
    let key = alice.exports("-q secondpw -p firstpw -i GR1");
    bob.makes("-T -p secondpw -i GR1");
    carry(&key, bob.host, "-p secondpw --for GR1");
    if flag == GQ {
        // Its public value is in the certificate.
        bob.makes("-p secondpw -i GR1");
    }
    for part in [alice, bob] {
        carry(&parameters, part.host, "-p unused");
    }
    let (here, there) = (alice.host.v4(), bob.host.v4());
    let peer = |to| format!("peer {to} autokey minpoll 3 maxpoll 3 ident GR1\n");
    let line = format!("crypto pw firstpw ident GR1\n{}", peer(&there));
    let mut source = alice.serves(&line);
    let line = format!("crypto pw secondpw ident GR1\n{}", peer(&here));
    let mut other = bob.runs(&line);
    dances(&mut other, &here, flag);
    other.wait_crypto(&format!("{name} host1@GR1 fs "), seconds(10));
    let own = associations(&source, &there).expect("the peer");
    source.wait_flags(&own, DONE | flag, DANCE);
    source.wait_crypto(&format!("{name} host2@GR1 fs "), seconds(10));
}

/// IFF in a group, from `address`; the client goes on hearing it for a minute and a half, many
/// packets after its volley.
fn sent_to_many(server: Side, client: Side, address: &str, listen: &str) {
    let world = World::new(2);
    let (alice, bob) = grouped(&world, server, client, "-I");
    let line = format!("broadcast {address} autokey minpoll 3 maxpoll 3\n");
    let _source = alice.serves(&format!("crypto pw srvpw ident GR1\n{line}"));
    let hurry = crate::campus::hurry(client);
    let mut client = bob.runs(&format!("crypto pw clipw\nident GR1\n{hurry}{listen}\n"));
    let here = match address.contains(':') {
        true => alice.host.v6(),
        false => alice.host.v4(),
    };
    until_true("an association", DANCE, || client.rows().len() == 1);
    dances(&mut client, &here, IFF);
    client.wait_crypto("iff host1@GR1 fs ", seconds(10));
    tells_of_its_list(&client);
    for _ in 0..12 {
        thread::sleep(seconds(8));
        let rows = client.rows();
        let row = rows.iter().find(|row| row.remote == here);
        assert!(row.is_some_and(|row| row.reach & 7 != 0), "{rows:?}");
    }
    client.wait_follows(&here, seconds(5));
    assert_eq!(client.rows()[0].kind, 'b');
}

fn broadcast(server: Side, client: Side) {
    sent_to_many(server, client, "10.77.0.255", "broadcastclient");
}

fn multicast(server: Side, client: Side) {
    sent_to_many(server, client, "224.0.1.1", "multicastclient 224.0.1.1");
}

/// The client finds the server by asking a group.
fn manycast(server: Side, client: Side) {
    let world = World::new(2);
    let (alice, bob) = certified(&world, server, client);
    let _source = alice.serves("crypto pw srvpw\nmanycastserver 224.0.1.1\n");
    let line = "crypto pw clipw\nmanycastclient 224.0.1.1 autokey iburst minpoll 3 maxpoll 3\n";
    let mut client = bob.runs(line);
    let here = alice.host.v4();
    until_true("a server found", DANCE, || {
        associations(&client, &here).is_some()
    });
    let found = associations(&client, &here).expect("it was there");
    client.wait_flags(&found, DONE, DANCE);
    client.wait_follows(&here, seconds(60));
}

/// The server comes back with another private value, so that all cookies are of no use any more.
/// The reference's private value never changes, hence its client has to learn of ours.
fn restart(server: Side, client: Side) {
    let world = World::new(2);
    let (alice, bob) = certified(&world, server, client);
    let mut source = alice.serves("crypto pw srvpw\n");
    let here = alice.host.v4();
    let mut client = bob.asks(&here, "pw clipw", "");
    dances(&mut client, &here, 0);
    source.stop();
    let source = alice.serves("crypto pw srvpw\n");
    let heard = |node: &Node<'_>| node.rows().iter().any(|row| row.reach & 7 == 7);
    thread::sleep(seconds(24));
    until_true("the server heard again", DANCE, || heard(&client));
    assert_eq!(source.stratum(), super::STRATUM);
}

/// Either side of ours by IPv6, which the reference has done with itself by IPv4 above.
mod ipv6 {
    use super::sent_to_many;
    use truechimer_tests::support::Side;

    fn multicast(server: Side, client: Side) {
        sent_to_many(server, client, "ff05::101", "multicastclient ff05::101");
    }

    #[test]
    fn ours_serves_the_reference() {
        multicast(Side::Ours, Side::Mended);
    }

    #[test]
    fn the_reference_serves_ours() {
        multicast(Side::Mended, Side::Ours);
    }
}

plays!(passive, Mended);
plays!(active, Mended);
plays!(broadcast, Mended);
plays!(multicast, Mended);
plays!(manycast, Ntp4);
plays!(restart, Mended);

/// Between two of the reference, mended as they are, these do not come to an end: who learns the time of
/// the other stays at CERT. So ours is always the one that learns it.
mod proven {
    use super::{GQ, IFF, proven_peers};
    use truechimer_tests::support::Side;

    #[test]
    fn iff_of_ours() {
        proven_peers(Side::Ours, Side::Ours, "-I", IFF, "iff");
    }

    #[test]
    fn iff_of_the_reference() {
        proven_peers(Side::Mended, Side::Ours, "-I", IFF, "iff");
    }

    #[test]
    fn gq_of_ours() {
        proven_peers(Side::Ours, Side::Ours, "-G -b 512", GQ, "gq");
    }

    #[test]
    fn gq_of_the_reference() {
        proven_peers(Side::Mended, Side::Ours, "-G -b 512", GQ, "gq");
    }
}
