//! Seed 001 from beginning to end: its keys, its server's and its client's files, and what its
//! author saw with ntpq.

use super::{STRATUM, ip, went};
use truechimer_tests::support::command::finish;
use truechimer_tests::support::sniffer::Seen;
use truechimer_tests::support::truechimer::binary;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, Node, Side, Sniffer, Upstream, World};

const SERVER: &str = include_str!("../../../src/config/fixtures/seeds/001-whole-server.conf");
const CLIENT: &str = include_str!("../../../src/config/fixtures/seeds/001-client.conf");
const RESTRICT: &str = include_str!("../../../src/config/fixtures/seeds/001-restrict.conf");
const KEYS: &str = include_str!("../../../src/crypto/fixtures/ntp.keys.3319112185");

/// What must be another here: names of servers, networks, folders, and 64 s between packets.
fn here(typed: &str, upstream: Host<'_>) -> String {
    typed
        .replace(
            "server 0.pool.ntp.org",
            &format!("server {} iburst", upstream.v4()),
        )
        .replace("server 1.pool.ntp.org\n", "")
        .replace("server 2.pool.ntp.org\n", "")
        .replace("192.168.230.0", "10.77.0.0")
        .replace("ttl 2", "ttl 2 minpoll 3")
        .replace("/etc/", "LAB/")
        .replace("/var/lib/ntp/", "LAB/")
        .replace("/var/log/", "LAB/")
}

/// The client's host has one key of the sixteen, as in the seed.
fn one_key() -> String {
    let keys = KEYS
        .lines()
        .filter(|line| line.trim_start().starts_with("2 M"));
    keys.map(|line| format!("{line}\n")).collect()
}

/// From nothing heard, over the first packet, to a source that is followed, behind a router.
fn as_its_author_saw(from: Side, to: Side) {
    // The upstream is not of the network whose hosts must have a key.
    let world = World::campus(1, 2);
    let (server, own, upstream) = (world.host(1), world.host(2), world.host(3));
    let _router = world.route_multicast(&["224.0.1.1"]);
    let _upstream = Upstream::Chrony.start(upstream);
    let sniffer = Sniffer::start(own);
    own.write("ntp.keys", &one_key());
    let hurry = super::broadcast::hurry(to);
    let client = Node::start(to, own, &format!("{}{hurry}", here(CLIENT, upstream)));
    until_true("nothing to be heard", seconds(10), || {
        client
            .ntpq(&["-pn"])
            .contains("No association ID's returned")
    });

    server.write("ntp.keys", KEYS);
    let typed = here(SERVER, upstream);
    let config = match from {
        Side::Ours => typed,
        // The reference trusts the keys of the last of these lines alone.
        Side::Ntp4 | Side::Mended => typed + "trustedkey 1 2 7\n",
    };
    let mut source = Node::start(from, server, &config);
    the_client_gets_on(&mut source, client, &server.v4());
    the_packet_is_the_seeds(&sniffer, &server.v4());
}

fn the_client_gets_on(source: &mut Node<'_>, mut client: Node<'_>, server: &str) {
    let mut first = None;
    let rows = client.wait_rows("reach 37 and a star", seconds(150), |rows| {
        if first.is_none() {
            first = rows.first().cloned();
        }
        rows.iter().any(|row| row.tally == '*' && row.reach >= 0o37)
    });
    let first = first.map(|row| (row.tally, row.reach <= 1));
    assert_eq!(first, Some((' ', true)));
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = &rows[0];
    assert_eq!((row.remote.as_str(), row.kind), (server, 'b'), "{row:?}");
    assert_eq!((row.stratum, row.poll_s), (STRATUM + 1, 8), "{row:?}");
    assert!(row.offset_ms.abs() < 20.0, "{row:?}");
    let rows = source.rows();
    let group = rows.iter().find(|row| row.remote == "224.0.1.1");
    let said = group.map(|row| (row.stratum, row.reach, row.kind));
    assert_eq!(said, Some((16, 0, 'M')), "{rows:?}");
}

/// Flags 0x25, UDP of length 76, the key's number, nothing in two timestamps; and the volley.
fn the_packet_is_the_seeds(sniffer: &Sniffer, server: &str) {
    let sent = sniffer.ntp(|it| went(it, 5, server, "224.0.1.1"));
    for seen in &sent {
        assert_eq!(
            (seen.octets().len() + 8, seen.octet(0)),
            (76, 0x25),
            "{seen:?}"
        );
        assert_eq!((seen.octet(1), seen.octet(2)), (STRATUM + 1, 3), "{seen:?}");
        assert_eq!((seen.stamp(24), seen.stamp(32)), (0, 0), "{seen:?}");
        assert_eq!(seen.key_id(), Some(2), "{seen:?}");
    }
    let heard_s = sent.first().map_or(0.0, |it| it.at_s);
    let asked = |it: &Seen| it.mode() == Some(3) && it.target == ip(server);
    let volley = sniffer.ntp(asked);
    assert!(
        !volley.is_empty() && volley.iter().all(|it| it.at_s > heard_s),
        "{volley:?}"
    );
}

#[test]
fn the_reference_shows_its_author_the_reference() {
    as_its_author_saw(Side::Ntp4, Side::Ntp4);
}

/// The slip in its `restrict` line is told with its place and its remedy, and nothing starts.
#[test]
fn its_slip_is_explained() {
    let world = World::new(1);
    let host = world.host(1);
    let path = host.write("ntp.conf", RESTRICT);
    let mut command = host.native(&binary());
    command.arg("check").arg(&path);
    let said = finish(command);
    assert_ne!(said.code, Some(0), "{}", said.text);
    for part in ["ntp.conf:5:27", "did you mean `noquery`?"] {
        assert!(said.text.contains(part), "{part}: {}", said.text);
    }
}

#[test]
fn ours_shows_its_author_the_reference() {
    as_its_author_saw(Side::Ntp4, Side::Ours);
}

#[test]
fn the_reference_shows_its_author_ours() {
    as_its_author_saw(Side::Ours, Side::Ntp4);
}

#[test]
fn ours_shows_its_author_ours() {
    as_its_author_saw(Side::Ours, Side::Ours);
}
