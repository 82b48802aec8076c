//! Clients that find their servers by asking a group, further away each time.

use super::{STRATUM, keyed, source};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Family, Node, Side, Sniffer, World};

/// Two servers in the client's network and one behind the router; three are wanted, so the ring
/// must grow until it is found.
fn finds_its_servers(servers: Side, client: Side, family: Family) {
    let group = match family {
        Family::V4 => "224.0.1.1",
        Family::V6 => "ff05::101",
    };
    let world = World::campus(3, 1);
    let _router = world.route_multicast(&[group]);
    let mut sources = Vec::new();
    for number in [1, 2, 4] {
        let own = world.host(number);
        let lines = format!("{}manycastserver {group}\n", keyed(own));
        sources.push(source(servers, own, &lines));
    }
    let own = world.host(3);
    let sniffer = Sniffer::start(own);
    let lines = "ttl 1 1 2 3\ntos minclock 3 maxclock 4\nrestrict default\n";
    let search = format!("manycastclient {group} key 1 minpoll 3\n");
    let config = [keyed(own), lines, &search].concat();
    let mut node = Node::start(client, own, &config);
    let rows = node.wait_rows("three servers and one followed", seconds(100), |rows| {
        let heard = rows.iter().filter(|row| row.reach > 1).count();
        heard == 3 && rows.iter().any(|row| row.tally == '*')
    });
    for source in &sources {
        let remote = source.host.address(family);
        let row = rows.iter().find(|row| row.remote == remote);
        let said = row.map(|row| (row.kind, row.stratum));
        assert_eq!(said, Some(('u', STRATUM)), "{rows:?}");
        assert_eq!(source.rows(), []);
    }
    let ring = rows.iter().find(|row| row.remote == group);
    let said = ring.map(|row| (row.kind, row.refid.as_str(), row.reach));
    assert_eq!(said, Some(('a', ".ACST.", 0)), "{rows:?}");
    the_ring_grew(&sniffer, &world.host(4).address(family));
}

/// From its own network to behind the router, and answers only when somebody hears.
fn the_ring_grew(sniffer: &Sniffer, distant: &str) {
    let asked = sniffer.ntp(|it| it.mode() == Some(3) && it.target.is_multicast());
    assert_eq!(asked.first().map(|it| it.ttl), Some(1), "{asked:?}");
    assert!(asked.iter().any(|it| it.ttl == 2), "{asked:?}");
    assert!(asked.iter().all(|it| it.key_id() == Some(1)), "{asked:?}");
    let grew_s = asked.iter().find(|it| it.ttl > 1).map_or(0.0, |it| it.at_s);
    let far = |it: &truechimer_tests::support::sniffer::Seen| {
        it.mode() == Some(4) && it.source.to_string() == distant
    };
    let early = sniffer.ntp(|it| far(it) && it.at_s < grew_s);
    assert!(early.is_empty(), "{early:?}");
    assert!(!sniffer.ntp(far).is_empty());
}

#[test]
fn the_reference_finds_the_reference() {
    finds_its_servers(Side::Ntp4, Side::Ntp4, Family::V4);
}

#[test]
fn the_reference_finds_us() {
    finds_its_servers(Side::Ours, Side::Ntp4, Family::V4);
}

#[test]
fn we_find_the_reference() {
    finds_its_servers(Side::Ntp4, Side::Ours, Family::V4);
}

#[test]
fn we_find_ourselves() {
    finds_its_servers(Side::Ours, Side::Ours, Family::V4);
}

#[test]
fn the_reference_finds_the_reference_over_six() {
    finds_its_servers(Side::Ntp4, Side::Ntp4, Family::V6);
}

#[test]
fn the_reference_finds_us_over_six() {
    finds_its_servers(Side::Ours, Side::Ntp4, Family::V6);
}

#[test]
fn we_find_the_reference_over_six() {
    finds_its_servers(Side::Ntp4, Side::Ours, Family::V6);
}

#[test]
fn we_find_ourselves_over_six() {
    finds_its_servers(Side::Ours, Side::Ours, Family::V6);
}
