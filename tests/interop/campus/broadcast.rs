//! A source that sends to a network and to groups, and clients of every sort that hear it.

use super::{STRATUM, follows, ip, keyed, source, went};
use truechimer_tests::support::sniffer::Seen;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Family, Node, Side, Sniffer, Upstream, World};

/// To a network and to groups, with keys of three kinds.
const BROADCASTS: &str = "broadcast 10.77.0.255 key 1 minpoll 3
broadcast 224.0.1.1 key 3 ttl 2 minpoll 3
broadcast ff05::101 key 3 ttl 2 minpoll 3
broadcast 224.0.1.2 key 2 minpoll 3
broadcast 255.255.255.255 key 1 minpoll 4
";

/// Who hears it: the host's number, its line, over what. Hosts 7 and 8 are behind the router.
const CLIENTS: [(u8, &str, Family); 5] = [
    (2, "broadcastclient", Family::V4),
    (3, "broadcastclient novolley", Family::V4),
    (4, "multicastclient 224.0.1.2", Family::V4),
    (7, "multicastclient 224.0.1.1", Family::V4),
    (8, "multicastclient ff05::101", Family::V6),
];

/// What a client of ours is told besides: it would else wait minutes, so that a thousand do not
/// ask at once.
pub(crate) fn hurry(side: Side) -> &'static str {
    match side {
        Side::Ours => "tos volleywait 0\n",
        Side::Ntp4 | Side::Mended => "",
    }
}

fn everyone_follows(from: Side, to: Side) {
    let world = World::campus(6, 2);
    let server = world.host(1);
    let _router = world.route_multicast(&["224.0.1.1", "ff05::101"]);
    let sniffer = Sniffer::start(server);
    let keys = keyed(server);
    let source = source(from, server, &format!("{keys}{BROADCASTS}"));
    let mut clients = Vec::new();
    for (number, line, family) in CLIENTS {
        let own = world.host(number);
        let config = format!("{}{}{line}\nrestrict default\n", keyed(own), hurry(to));
        clients.push((family, Node::start(to, own, &config)));
    }
    for (family, client) in &mut clients {
        let row = follows(client, &server.address(*family));
        assert_eq!((row.kind, row.stratum), ('b', STRATUM), "{row:?}");
    }
    sent_as_in_the_seed(&sniffer, &server.v4());
    asked_a_little_and_then_listened(&sniffer, &world, to);
    told_by_ntpq(&source);
}

/// The fields of seed 001's capture: version 4, mode 5, nothing asked, the MAC behind it.
fn sent_as_in_the_seed(sniffer: &Sniffer, server: &str) {
    for (target, key, poll) in [
        ("10.77.0.255", 1, 3),
        ("224.0.1.1", 3, 3),
        ("224.0.1.2", 2, 3),
        ("255.255.255.255", 1, 4),
    ] {
        let wanted = |it: &Seen| went(it, 5, server, target);
        let what = format!("broadcasts to {target}");
        for seen in sniffer.wait_ntp(&what, 2, seconds(40), wanted) {
            let mac_len = if key == 2 { 24 } else { 20 };
            assert_eq!(seen.octets().len(), 48 + mac_len, "{seen:?}");
            assert_eq!(seen.octet(0), 0x25, "{seen:?}");
            assert_eq!((seen.octet(1), seen.octet(2)), (STRATUM, poll), "{seen:?}");
            assert_eq!((seen.stamp(24), seen.stamp(32)), (0, 0), "{seen:?}");
            assert!(seen.stamp(40) != 0, "{seen:?}");
            assert_eq!(seen.key_id(), Some(key), "{seen:?}");
        }
    }
    let told = sniffer.told();
    assert!(told.contains("NTPv4, Broadcast, length 68"), "{told}");
    assert!(!told.contains("[|ntp]"), "{told}");
}

/// The volley measures the path with the key of the broadcast, and ends.
fn asked_a_little_and_then_listened(sniffer: &Sniffer, world: &World, to: Side) {
    for (number, line, family) in CLIENTS {
        let own = world.host(number).address(family);
        let asked = sniffer.ntp(|it| it.mode() == Some(3) && it.source == ip(&own));
        // The reference asks all the same.
        let silent = line.ends_with("novolley") && to == Side::Ours;
        let count = if silent { 0..=0 } else { 1..=12 };
        assert!(count.contains(&asked.len()), "{line}: {asked:?}");
        let keyed = |it: &Seen| it.key_id().is_some_and(|id| id != 0);
        assert!(asked.iter().all(keyed), "{line}: {asked:?}");
        let last_s = asked.last().map_or(0.0, |it| it.at_s);
        let now_s = sniffer.seen().last().map_or(0.0, |it| it.at_s);
        assert!(silent || now_s - last_s < 120.0, "{line}: {asked:?}");
    }
}

/// A line for each target, of the type that says so.
fn told_by_ntpq(source: &Node<'_>) {
    let rows = source.rows();
    for (target, kind, refid) in [
        ("10.77.0.255", 'B', ".BCST."),
        ("224.0.1.1", 'M', ".MCST."),
        ("ff05::101", 'M', ".MCST."),
        ("255.255.255.255", 'B', ".BCST."),
    ] {
        let row = rows.iter().find(|row| row.remote == target);
        let said = row.map(|row| (row.kind, row.refid.as_str(), row.stratum, row.reach));
        assert_eq!(said, Some((kind, refid, 16, 0)), "{rows:?}");
    }
}

#[test]
fn the_reference_hears_the_reference() {
    everyone_follows(Side::Ntp4, Side::Ntp4);
}

/// Nothing is sent before the time is known.
fn silent_until_synchronised(side: Side) {
    let world = World::campus(2, 0);
    let (own, upstream) = (world.host(1), world.host(2));
    let sniffer = Sniffer::start(own);
    let lines = "broadcast 10.77.0.255 minpoll 3\nbroadcast 224.0.1.1 minpoll 3\n";
    let server = format!("server {} iburst minpoll 3 maxpoll 3\n", upstream.v4());
    let mut source = Node::start(side, own, &format!("{server}{lines}restrict default\n"));
    let asked = |it: &Seen| it.mode() == Some(3);
    sniffer.wait_ntp("its own requests", 2, seconds(40), asked);
    assert!(sniffer.ntp(|it| it.mode() == Some(5)).is_empty());
    let _upstream = Upstream::Chrony.start(upstream);
    source.wait_follows(&upstream.v4(), seconds(60));
    for target in ["10.77.0.255", "224.0.1.1"] {
        let wanted = |it: &Seen| went(it, 5, &own.v4(), target);
        let sent = sniffer.wait_ntp("broadcasts", 3, seconds(40), wanted);
        for pair in sent.windows(2) {
            let apart_s = pair[1].at_s - pair[0].at_s;
            assert!((7.0..9.5).contains(&apart_s), "{pair:?}");
        }
        for seen in &sent {
            assert_eq!(
                (seen.octet(0) >> 6, seen.octet(1)),
                (0, STRATUM + 1),
                "{seen:?}"
            );
            assert!(seen.stamp(16) != 0 && seen.octets().len() == 48, "{seen:?}");
        }
    }
}

#[test]
fn the_reference_is_silent_until_it_knows_the_time() {
    silent_until_synchronised(Side::Ntp4);
}

/// Interleaved (RFC 9769 section 4): the origin timestamp is when the packet before truly left.
fn interleaved(from: Side, to: Side) {
    let world = World::campus(2, 0);
    let (server, own) = (world.host(1), world.host(2));
    let sniffer = Sniffer::start(server);
    let line = "broadcast 10.77.0.255 key 1 minpoll 3 xleave\n";
    let _source = source(from, server, &format!("{}{line}", keyed(server)));
    let lines = format!("{}{}broadcastclient\n", keyed(own), hurry(to));
    let mut client = Node::start(to, own, &format!("{lines}restrict default\n"));
    let row = follows(&mut client, &server.v4());
    assert_eq!(row.kind, 'b', "{row:?}");
    let wanted = |it: &Seen| went(it, 5, &server.v4(), "10.77.0.255");
    let sent = sniffer.wait_ntp("broadcasts", 3, seconds(40), wanted);
    for pair in sent.windows(2) {
        let before = pair[0].stamp(40);
        // A millisecond is 2^32/1000 of a timestamp's units.
        let later_ms = pair[1].stamp(24).wrapping_sub(before) as f64 / 4_294_967.3;
        eprintln!("left {later_ms:.3} ms after its transmit timestamp");
        assert!((0.0..50.0).contains(&later_ms), "{pair:?}");
    }
}

#[test]
fn the_reference_hears_the_reference_interleaved() {
    interleaved(Side::Ntp4, Side::Ntp4);
}

#[test]
fn ours_hears_the_reference() {
    everyone_follows(Side::Ntp4, Side::Ours);
}

#[test]
fn the_reference_hears_ours() {
    everyone_follows(Side::Ours, Side::Ntp4);
}

#[test]
fn ours_hears_ours() {
    everyone_follows(Side::Ours, Side::Ours);
}

#[test]
fn ours_is_silent_until_it_knows_the_time() {
    silent_until_synchronised(Side::Ours);
}

#[test]
fn ours_hears_the_reference_interleaved() {
    interleaved(Side::Ntp4, Side::Ours);
}

#[test]
fn the_reference_hears_ours_interleaved() {
    interleaved(Side::Ours, Side::Ntp4);
}

#[test]
fn ours_hears_ours_interleaved() {
    interleaved(Side::Ours, Side::Ours);
}
