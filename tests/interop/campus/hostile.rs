//! Packets in a source's or a peer's name that it did not send, or sent long ago: none changes
//! anything, and ours says what each was.

use super::broadcast::hurry;
use super::{follows, ip, keyed, source, went};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::thread;
use truechimer_crypto::{KeyTable, Keyring};
use truechimer_proto::authentication::{Authenticator, KeyId};
use truechimer_tests::support::command::finish;
use truechimer_tests::support::forger::{forge, ntp};
use truechimer_tests::support::sniffer::Seen;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Host, Node, Side, Sniffer, World, keys, truechimer};

/// Five seconds, in the upper half of a timestamp.
const LATER: u64 = 5 << 32;

/// A header with its MAC behind it, by a key of this file.
pub(super) fn sealed(keys: &str, id: u32, header: &[u8]) -> Vec<u8> {
    let (file, _) = truechimer_crypto::keys::parse(keys.as_bytes());
    let key = KeyId::symmetric(id).expect("a symmetric key");
    let mut keyring = Keyring::new(Arc::new(KeyTable::new(file, [key])));
    let mut digest = [0; 64];
    let len = keyring.seal(key, header, &mut digest).expect("sealed");
    [header, &id.to_be_bytes(), &digest[..len]].concat()
}

/// The header of a true packet whose time is five seconds later: a lie that would show.
fn lie(of: &Seen) -> Vec<u8> {
    let mut header = of.octets()[..48].to_vec();
    header[40..48].copy_from_slice(&(of.stamp(40) + LATER).to_be_bytes());
    header
}

fn with(mut header: Vec<u8>, at: usize, octet: u8) -> Vec<u8> {
    header[at] = octet;
    header
}

pub(super) fn v4(host: Host<'_>) -> Ipv4Addr {
    match ip(&host.v4()) {
        std::net::IpAddr::V4(address) => address,
        std::net::IpAddr::V6(address) => panic!("{address}"),
    }
}

/// In the source's name, with the reason for which ours refuses each.
fn forgeries(older: &Seen, last: &Seen) -> Vec<(&'static str, Vec<u8>)> {
    let right = keys::ntp_keys();
    vec![
        ("no_mac", lie(last)),
        ("not_authentic", sealed(&keys::wrong_keys(), 1, &lie(last))),
        ("not_authentic", with(sealed(&right, 1, &lie(last)), 60, 0)),
        ("replayed", last.octets().to_vec()),
        ("reordered", older.octets().to_vec()),
    ]
}

/// These need the key, and are sent to ours alone: a poll exponent below 3 ends the reference.
fn of_who_has_the_key(last: &Seen) -> Vec<(&'static str, Vec<u8>)> {
    let right = keys::ntp_keys();
    vec![
        ("poll_field", sealed(&right, 1, &with(lie(last), 2, 0))),
        ("poll_field", sealed(&right, 1, &with(lie(last), 2, 200))),
    ]
}

/// Each reason with how many there were.
fn counted_by_reason(client: &Node<'_>, lies: &[(&str, Vec<u8>)]) {
    let told = client.ntpq(&["-n", "-c", "rv 0 unsolicited"]);
    for (reason, _) in lies {
        let count = lies.iter().filter(|(other, _)| other == reason).count();
        assert!(
            told.contains(&format!("{count} {reason}")),
            "{reason}: {told}"
        );
    }
}

fn forged_broadcasts_change_nothing(side: Side) {
    let world = World::campus(3, 0);
    let (server, own, liar) = (world.host(1), world.host(2), world.host(3));
    let broadcast = "broadcast 10.77.0.255 key 1 minpoll 3\n";
    let _source = source(Side::Ntp4, server, &format!("{}{broadcast}", keyed(server)));
    let sniffer = Sniffer::start(own);
    let config = format!(
        "{}{}broadcastclient\nrestrict default\n",
        keyed(own),
        hurry(side)
    );
    let mut client = Node::start(side, own, &config);
    follows(&mut client, &server.v4());
    let truly = |it: &Seen| went(it, 5, &server.v4(), "10.77.0.255");
    let before = sniffer.wait_ntp("true packets", 2, seconds(30), truly);
    let [.., older, last] = before.as_slice() else {
        panic!("{before:?}");
    };
    let mut lies = forgeries(older, last);
    if side == Side::Ours {
        lies.extend(of_who_has_the_key(last));
    }
    let target = Ipv4Addr::new(10, 77, 0, 255);
    let packets = lies
        .iter()
        .map(|(_, octets)| ntp(v4(server), target, octets.clone()));
    forge(liar, &packets.collect::<Vec<_>>());
    let all = before.len() + lies.len();
    sniffer.wait_ntp("the lies to arrive", all, seconds(5), truly);
    thread::sleep(seconds(1));
    if side == Side::Ours {
        counted_by_reason(&client, &lies);
    }
    let rows = client.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(
        rows[0].offset_ms.abs() < 20.0 && rows[0].tally == '*',
        "{rows:?}"
    );
    // The next true one is taken as if nothing had been.
    let reach = rows[0].reach;
    client.wait_rows("the next true packets", seconds(40), |rows| {
        rows.len() == 1 && rows[0].tally == '*' && rows[0].reach > reach
    });
    follows(&mut client, &server.v4());
}

#[test]
fn forged_broadcasts_change_nothing_in_the_reference() {
    forged_broadcasts_change_nothing(Side::Ntp4);
}

/// Between two peers that a third host speaks for.
fn forged_peers_change_nothing(side: Side) {
    let world = World::campus(3, 0);
    let (server, own, liar) = (world.host(1), world.host(2), world.host(3));
    let peer = |other: Host<'_>| format!("peer {} key 1 minpoll 3 maxpoll 3\n", other.v4());
    let _source = source(
        Side::Ntp4,
        server,
        &format!("{}{}", keyed(server), peer(own)),
    );
    let sniffer = Sniffer::start(own);
    let config = format!("{}{}restrict default\n", keyed(own), peer(server));
    let mut node = Node::start(side, own, &config);
    follows(&mut node, &server.v4());
    let truly = |it: &Seen| went(it, 1, &server.v4(), &own.v4());
    let before = sniffer.wait_ntp("true packets", 3, seconds(40), truly);
    let [.., older, last] = before.as_slice() else {
        panic!("{before:?}");
    };
    let lies = forgeries(older, last);
    let packets = lies
        .iter()
        .map(|(_, octets)| ntp(v4(server), v4(own), octets.clone()));
    forge(liar, &packets.collect::<Vec<_>>());
    // A stranger who would be a peer, without a key.
    forge(liar, &[ntp(v4(liar), v4(own), lie(last))]);
    thread::sleep(seconds(1));
    if side == Side::Ours {
        node.daemon.signal("USR1");
        let counts = "refused: pkt_dup 1, pkt_bogus 1, pkt_auth 3 (no_mac 1, wrong_digest 2)";
        node.daemon.wait_log(&[counts], seconds(5));
    }
    let rows = node.rows();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let reach = rows[0].reach;
    node.wait_rows("the next true packets", seconds(60), |rows| {
        rows.len() == 1 && rows[0].tally == '*' && rows[0].reach > reach
    });
    follows(&mut node, &server.v4());
}

#[test]
fn forged_peers_change_nothing_in_the_reference() {
    forged_peers_change_nothing(Side::Ntp4);
}

#[test]
fn forged_broadcasts_change_nothing_in_ours() {
    forged_broadcasts_change_nothing(Side::Ours);
}

#[test]
fn forged_peers_change_nothing_in_ours() {
    forged_peers_change_nothing(Side::Ours);
}

/// A lie with the right key in the listener's own name, as a mirror or a loop of switches sends it.
#[test]
fn our_own_packet_that_comes_back_changes_nothing_in_ours() {
    let world = World::campus(3, 0);
    let (server, own, mirror) = (world.host(1), world.host(2), world.host(3));
    // Else the kernel itself drops what has a sender of this host.
    own.sysctl("ipv4.conf.all.accept_local=1");
    own.sysctl("ipv4.conf.eth0.accept_local=1");
    let broadcast = "broadcast 10.77.0.255 key 1 minpoll 3\n";
    let _source = source(Side::Ntp4, server, &format!("{}{broadcast}", keyed(server)));
    let sniffer = Sniffer::start(own);
    let config = format!("{}{}", keyed(own), hurry(Side::Ours));
    let config = format!("{config}broadcastclient\nrestrict default\n");
    let mut client = Node::start(Side::Ours, own, &config);
    follows(&mut client, &server.v4());
    let truly = |it: &Seen| went(it, 5, &server.v4(), "10.77.0.255");
    let last = sniffer.wait_ntp("a true packet", 1, seconds(30), truly);
    let octets = sealed(&keys::ntp_keys(), 1, &lie(&last[last.len() - 1]));
    let target = Ipv4Addr::new(10, 77, 0, 255);
    forge(mirror, &[ntp(v4(own), target, octets.clone())]);
    thread::sleep(seconds(1));
    counted_by_reason(&client, &[("looped_back", octets)]);
    let mut status = own.native(&truechimer::binary());
    status.args(["status", "-n", "127.0.0.1", "--json"]);
    let told = finish(status).stdout;
    assert!(
        told.contains(r#""unsolicited":{"looped_back":1}"#),
        "{told}"
    );
    let row = follows(&mut client, &server.v4());
    client.wait_rows("the next true packets", seconds(40), |rows| {
        rows.len() == 1 && rows[0].tally == '*' && rows[0].reach > row.reach
    });
}
