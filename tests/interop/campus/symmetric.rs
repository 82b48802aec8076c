//! Peers: active on both sides, passive on one, and what becomes of them without the right key.

use super::hostile::{sealed, v4};
use super::{STRATUM, follows, ip, keyed, source};
use truechimer_tests::support::forger::{forge, ntp};
use truechimer_tests::support::sniffer::Seen;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Node, Side, Sniffer, Upstream, World, keys};

/// Two active peers, each with an upstream of its own; one upstream dies, the time does not.
fn one_carries_the_other(left: Side, right: Side) {
    let world = World::campus(4, 0);
    let (first, second) = (world.host(1), world.host(2));
    let mut upstream = Upstream::Chrony.start(first);
    let _other = Upstream::Chrony.start(second);
    let sniffer = Sniffer::start(world.host(3));
    let (left_host, right_host) = (world.host(3), world.host(4));
    let start = |side, own, upstream, peer| {
        let config = format!(
            "{}server {upstream} iburst minpoll 3 maxpoll 3\n\
             peer {peer} key 1 minpoll 3 maxpoll 3\nrestrict default\n",
            keyed(own)
        );
        Node::start(side, own, &config)
    };
    let mut left = start(left, left_host, first.v4(), right_host.v4());
    let mut right = start(right, right_host, second.v4(), left_host.v4());
    for node in [&mut left, &mut right] {
        let rows = node.wait_rows("its upstream and its peer", seconds(80), |rows| {
            rows.len() == 2
                && rows.iter().all(|row| row.reach > 1)
                && rows.iter().any(|row| row.tally == '*')
        });
        assert!(rows.iter().any(|row| row.kind == 's'), "{rows:?}");
    }
    in_symmetric_active_mode(&sniffer, &left_host.v4(), &right_host.v4());

    upstream.kill();
    let row = left.wait_follows(&right_host.v4(), seconds(150));
    assert_eq!((row.kind, row.stratum), ('s', STRATUM + 1), "{row:?}");
    assert!(row.offset_ms.abs() < 20.0, "{row:?}");
    assert_eq!(left.stratum(), STRATUM + 2);
    assert_eq!(
        left.variables("0").get("leap").map(String::as_str),
        Some("00")
    );
    // Who is followed does not follow back.
    let row = right.wait_follows(&second.v4(), seconds(5));
    assert_eq!(row.stratum, STRATUM, "{row:?}");
}

/// Both in mode 1 from port 123 to port 123, with the key, each answering the other.
fn in_symmetric_active_mode(sniffer: &Sniffer, left: &str, right: &str) {
    let between = |it: &Seen| {
        let (from, to) = (it.source, it.target);
        (from == ip(left) && to == ip(right)) || (from == ip(right) && to == ip(left))
    };
    let seen = sniffer.ntp(between);
    assert!(seen.len() > 4, "{seen:?}");
    // Who is not up yet answers the first as it answers strangers.
    for it in &seen[2..] {
        assert_eq!((it.mode(), it.key_id()), (Some(1), Some(1)), "{it:?}");
        assert_eq!(it.octets().len(), 68, "{it:?}");
        assert_eq!(it.ports(), Some((123, 123)), "{it:?}");
    }
}

#[test]
fn the_reference_carries_the_reference() {
    one_carries_the_other(Side::Ntp4, Side::Ntp4);
}

/// An active peer makes a passive one of a host that was told of none.
fn makes_a_passive_peer(active: Side, passive: Side) {
    let world = World::campus(2, 0);
    let (server, own) = (world.host(1), world.host(2));
    let mut passive = source(passive, server, keyed(server));
    let before = passive.rows().len();
    let line = format!("peer {} key 1 minpoll 3\nrestrict default\n", server.v4());
    let mut active = Node::start(active, own, &format!("{}{line}", keyed(own)));
    let row = follows(&mut active, &server.v4());
    assert_eq!((row.kind, row.stratum), ('s', STRATUM), "{row:?}");
    let rows = passive.wait_rows("the passive peer", seconds(40), |rows| rows.len() > before);
    let row = rows.iter().find(|row| row.remote == own.v4());
    assert_eq!(row.map(|row| row.kind), Some('S'), "{rows:?}");
}

#[test]
fn the_reference_makes_a_passive_peer_of_the_reference() {
    makes_a_passive_peer(Side::Ntp4, Side::Ntp4);
}

/// What keeps a passive peer from coming to be: another secret, no key, a rule against it.
fn nobody_comes_to_be(active: Side, passive: Side, peer: &str, wrong: bool, rule: &str) {
    let world = World::campus(2, 0);
    let (server, own) = (world.host(1), world.host(2));
    let sniffer = Sniffer::start(server);
    let passive = source(passive, server, &format!("{}{rule}\n", keyed(server)));
    let before = passive.rows().len();
    let line = format!("peer {} {peer} minpoll 3\nrestrict default\n", server.v4());
    let loaded = keyed(own);
    if wrong {
        own.write("ntp.keys", &keys::wrong_keys());
    }
    let active = Node::start(active, own, &format!("{loaded}{line}"));
    let sent = |it: &Seen| it.mode() == Some(1) && it.source == ip(&own.v4());
    sniffer.wait_ntp("packets of the active peer", 3, seconds(60), sent);
    assert_eq!(passive.rows().len(), before, "{peer} {rule}");
    let rows = active.rows();
    assert!(rows.iter().all(|row| row.tally == ' '), "{rows:?}");
}

#[test]
fn no_peer_of_the_reference_without_the_right_key() {
    nobody_comes_to_be(Side::Ntp4, Side::Ntp4, "key 1", true, "");
}

#[test]
fn no_peer_of_the_reference_against_a_rule() {
    nobody_comes_to_be(
        Side::Ntp4,
        Side::Ntp4,
        "key 1",
        false,
        "restrict 10.77.0.2 noepeer",
    );
}

#[test]
fn no_peer_of_the_reference_above_the_limit() {
    let rule = "restrict 10.77.0.2 ippeerlimit 0";
    nobody_comes_to_be(Side::Ntp4, Side::Ntp4, "key 1", false, rule);
}

#[test]
fn no_peer_of_the_reference_without_a_key() {
    nobody_comes_to_be(Side::Ntp4, Side::Ntp4, "", false, "");
}

#[test]
fn ours_is_carried_by_the_reference() {
    one_carries_the_other(Side::Ours, Side::Ntp4);
}

#[test]
fn ours_carries_the_reference() {
    one_carries_the_other(Side::Ntp4, Side::Ours);
}

#[test]
fn ours_carries_ours() {
    one_carries_the_other(Side::Ours, Side::Ours);
}

#[test]
fn ours_makes_a_passive_peer_of_the_reference() {
    makes_a_passive_peer(Side::Ours, Side::Ntp4);
}

#[test]
fn the_reference_makes_a_passive_peer_of_ours() {
    makes_a_passive_peer(Side::Ntp4, Side::Ours);
}

#[test]
fn ours_makes_a_passive_peer_of_ours() {
    makes_a_passive_peer(Side::Ours, Side::Ours);
}

#[test]
fn no_peer_of_ours_without_the_right_key() {
    nobody_comes_to_be(Side::Ntp4, Side::Ours, "key 1", true, "");
}

#[test]
fn no_peer_of_ours_without_a_key() {
    nobody_comes_to_be(Side::Ntp4, Side::Ours, "", false, "");
}

#[test]
fn no_peer_of_ours_against_noepeer() {
    nobody_comes_to_be(
        Side::Ntp4,
        Side::Ours,
        "key 1",
        false,
        "restrict 10.77.0.2 noepeer",
    );
}

#[test]
fn no_peer_of_ours_above_the_limit() {
    nobody_comes_to_be(
        Side::Ntp4,
        Side::Ours,
        "key 1",
        false,
        "restrict 10.77.0.2 ippeerlimit 0",
    );
}

/// `nopeer` alone: whoever has the right key is a peer all the same, and nobody else is, not even
/// where no key is asked for.
fn nopeer_is_for_those_without_a_key(side: Side) {
    let rule = "disable auth\nrestrict 10.77.0.2 nopeer";
    nobody_comes_to_be(Side::Ntp4, side, "", false, rule);
    nobody_comes_to_be(Side::Ntp4, side, "key 1", true, rule);
    // Waits for the passive peer.
    let (made, _) = of_two_at_one_address(Side::Ntp4, side, "nopeer");
    assert!(made > 0);
}

#[test]
fn nopeer_of_the_reference() {
    nopeer_is_for_those_without_a_key(Side::Ntp4);
}

#[test]
fn nopeer_of_ours() {
    nopeer_is_for_those_without_a_key(Side::Ours);
}

/// Two peers of one address, as from behind a router that translates addresses: how many are in the
/// table under these words of a rule, and what was refused unasked, if ours tells.
fn of_two_at_one_address(active: Side, passive: Side, words: &str) -> (usize, String) {
    let world = World::campus(2, 0);
    let (server, own) = (world.host(1), world.host(2));
    let sniffer = Sniffer::start(server);
    let rule = format!("restrict {} {words}\n", own.v4());
    let mut passive = source(passive, server, &format!("{}{rule}", keyed(server)));
    let before = passive.rows().len();
    let line = format!("peer {} key 1 minpoll 3\nrestrict default\n", server.v4());
    let mut first = Node::start(active, own, &format!("{}{line}", keyed(own)));
    // Some 35 s usually, for it takes an echo of a peer that asks every 8 s.
    passive.wait_rows("the first", seconds(80), |rows| rows.len() == before + 1);
    let sent = |it: &Seen| it.mode() == Some(1) && it.source == ip(&own.v4());
    let seen = sniffer.wait_ntp("a packet of the first", 1, seconds(5), sent);
    // A second later than the first one's, so that it is no copy.
    let mut header = seen[seen.len() - 1].octets()[..48].to_vec();
    let later = seen[seen.len() - 1].stamp(40) + (1 << 32);
    header[40..48].copy_from_slice(&later.to_be_bytes());
    let mut second = ntp(v4(own), v4(server), sealed(&keys::ntp_keys(), 1, &header));
    second.source.set_port(1123);
    forge(own, &[second]);
    let from_there = |it: &Seen| sent(it) && it.ports() == Some((1123, 123));
    sniffer.wait_ntp("the packet of the second", 1, seconds(5), from_there);
    std::thread::sleep(seconds(2));
    assert!(first.daemon.lives());
    let told = passive.ntpq(&["-n", "-c", "rv 0 unsolicited"]);
    (passive.rows().len() - before, told)
}

#[test]
fn ours_takes_as_many_of_one_address_as_it_may() {
    use Side::{Ntp4, Ours};
    for (active, most) in [(Ntp4, 1), (Ntp4, 2), (Ours, 1)] {
        let (made, told) = of_two_at_one_address(active, Ours, &format!("ippeerlimit {most}"));
        assert!((1..=most).contains(&made), "{most}: {made}");
        assert_eq!(told.contains("1 peer_limit"), most == 1, "{most}: {told}");
    }
}
