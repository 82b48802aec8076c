//! chronyd beside either side: as a peer, interleaved or not, and as a source of broadcasts.

use super::broadcast::hurry;
use super::{STRATUM, follows, keyed, went};
use truechimer_tests::support::daemon::Daemon;
use truechimer_tests::support::upstreams::{chrony, wait_serving};
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, Node, Side, Sniffer, World, keys};

fn alone(host: Host<'_>, lines: &str) -> Daemon {
    host.write("chrony.keys", &keys::chrony_keys());
    let alone = "local stratum 3\nallow\nkeyfile /lab/chrony.keys\n";
    let mut daemon = chrony(host, &format!("{alone}{lines}"));
    wait_serving(host, &mut daemon, seconds(20));
    daemon
}

/// chronyd does not sign what it broadcasts, so the client must be told not to ask for that.
fn hears_its_broadcasts(side: Side) {
    let world = World::campus(2, 0);
    let (server, own) = (world.host(1), world.host(2));
    let _source = alone(server, "broadcast 8 10.77.0.255\n");
    let config = format!(
        "disable auth\n{}broadcastclient\nrestrict default\n",
        hurry(side)
    );
    let mut client = Node::start(side, own, &config);
    let row = follows(&mut client, &server.v4());
    assert_eq!((row.kind, row.stratum), ('b', STRATUM), "{row:?}");
}

#[test]
fn the_reference_hears_chronys_broadcasts() {
    hears_its_broadcasts(Side::Ntp4);
}

/// Each hears the other; who has no source of its own follows.
fn peers_with_it(side: Side, options: &str) {
    let world = World::campus(2, 0);
    let (theirs, own) = (world.host(1), world.host(2));
    let line = format!("peer {} key 1 minpoll 3 maxpoll 3 {options}\n", own.v4());
    let chronyd = alone(theirs, &line);
    let sniffer = Sniffer::start(own);
    let line = format!("peer {} key 1 minpoll 3 maxpoll 3 {options}\n", theirs.v4());
    let mut node = Node::start(
        side,
        own,
        &format!("{}{line}restrict default\n", keyed(own)),
    );
    let row = follows(&mut node, &theirs.v4());
    assert_eq!((row.kind, row.stratum), ('s', STRATUM), "{row:?}");
    until_true("chronyd to hear its peer", seconds(40), || {
        let said = chronyd
            .ask("/usr/bin/chronyc", &["-n", "-c", "sources"])
            .text;
        eprintln!("{said}");
        let words: Vec<_> = said.trim().split(',').collect();
        words.first() == Some(&"=") && words.get(5).is_some_and(|reach| *reach != "0")
    });
    let sent = sniffer.ntp(|it| went(it, 1, &theirs.v4(), &own.v4()));
    assert!(sent.iter().all(|it| it.key_id() == Some(1)), "{sent:?}");
}

#[test]
fn the_reference_peers_with_chrony() {
    peers_with_it(Side::Ntp4, "");
}

#[test]
fn ours_hears_chronys_broadcasts() {
    hears_its_broadcasts(Side::Ours);
}

#[test]
fn ours_peers_with_chrony() {
    peers_with_it(Side::Ours, "");
}

#[test]
fn ours_peers_with_chrony_interleaved() {
    peers_with_it(Side::Ours, "xleave");
}
