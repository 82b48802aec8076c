//! Groups: how far a packet goes, who is sent it, and what the client's kernel tells the router.

use super::broadcast::hurry;
use super::{follows, keyed, source, went};
use std::thread;
use truechimer_tests::support::sniffer::{Payload, igmp};
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Node, Side, Sniffer, World};

/// 224.0.1.1 as in seed 001 passes one router, 224.0.1.2 none.
fn crosses_one_router(side: Side, lines: &str) {
    let world = World::campus(2, 1);
    let _router = world.route_multicast(&["224.0.1.1", "224.0.1.2"]);
    let (near, far) = (Sniffer::start(world.host(2)), Sniffer::start(world.host(3)));
    let own = world.host(1);
    let _source = source(side, own, &format!("{}{lines}", keyed(own)));
    for (group, ttl) in [("224.0.1.1", 2), ("224.0.1.2", 1)] {
        let wanted = |it: &_| went(it, 5, &own.v4(), group);
        let seen = near.wait_ntp("packets in its own network", 2, seconds(30), wanted);
        assert!(seen.iter().all(|it| it.ttl == ttl), "{seen:?}");
    }
    let passed = |it: &_| went(it, 5, &own.v4(), "224.0.1.1");
    let seen = far.wait_ntp("packets behind the router", 2, seconds(30), passed);
    assert!(seen.iter().all(|it| it.ttl == 1), "{seen:?}");
    let others = far.ntp(|it| it.mode() == Some(5) && !passed(it));
    assert!(others.is_empty(), "{others:?}");
}

/// The reference takes `ttl` for an index into the list that the command `ttl` sets: seed 001's
/// `ttl 2` leaves it as 64.
#[test]
fn the_reference_crosses_one_router_when_its_list_of_ttls_says_so() {
    let lines = "ttl 1 1 2\nbroadcast 224.0.1.2 key 2 ttl 1 minpoll 3\n";
    let lines = format!("{lines}broadcast 224.0.1.1 key 2 ttl 2 minpoll 3\n");
    crosses_one_router(Side::Ntp4, &lines);
}

/// The report at the start, again when the link was away, and the leave at the end, after which
/// the switch sends this host no more of it.
fn joins_and_leaves(side: Side) {
    let world = World::campus(3, 0);
    let (server, own) = (world.host(1), world.host(2));
    own.speak_igmp_v2();
    world.watch_groups();
    let (keys, lines) = (keyed(server), "broadcast 224.0.1.1 key 2 minpoll 3\n");
    let _source = source(Side::Ntp4, server, &format!("{keys}{lines}"));
    let sniffer = Sniffer::start(own);
    let config = format!(
        "{}{}multicastclient 224.0.1.1\nrestrict default\n",
        keyed(own),
        hurry(side)
    );
    let mut client = Node::start(side, own, &config);
    sniffer.wait_igmp(igmp::REPORT_V2, "224.0.1.1", 0.0, seconds(10));
    follows(&mut client, &server.v4());
    own.flap();
    let flapped_s = last_s(&sniffer);
    sniffer.wait_igmp(igmp::REPORT_V2, "224.0.1.1", flapped_s, seconds(20));
    heard_again(&sniffer, flapped_s);
    client.stop();
    let left = sniffer.wait_igmp(igmp::LEAVE_V2, "224.0.1.1", flapped_s, seconds(5));
    assert_eq!(left.target.to_string(), "224.0.0.2");
    // The switch asks once more whether anybody is left, and waits a second.
    thread::sleep(seconds(2));
    let pruned_s = last_s(&sniffer);
    thread::sleep(seconds(10));
    let heard = sniffer.ntp(|it| it.mode() == Some(5) && it.at_s > pruned_s);
    assert!(heard.is_empty(), "{heard:?}");
}

fn last_s(sniffer: &Sniffer) -> f64 {
    sniffer.seen().last().map_or(0.0, |it| it.at_s)
}

fn heard_again(sniffer: &Sniffer, after_s: f64) {
    until_true("the group to be heard again", seconds(30), || {
        !sniffer
            .ntp(|it| it.mode() == Some(5) && it.at_s > after_s)
            .is_empty()
    });
}

/// Queries come from the switch, and the host answers them with reports.
fn answers_queries(side: Side) {
    let world = World::campus(2, 0);
    let own = world.host(1);
    own.speak_igmp_v2();
    let sniffer = Sniffer::start(own);
    let _client = Node::start(side, own, "multicastclient 224.0.1.1\nrestrict default\n");
    sniffer.wait_igmp(igmp::REPORT_V2, "224.0.1.1", 0.0, seconds(10));
    thread::sleep(seconds(2));
    world.watch_groups();
    let query = sniffer.wait_igmp(igmp::QUERY, "0.0.0.0", 0.0, seconds(15));
    sniffer.wait_igmp(igmp::REPORT_V2, "224.0.1.1", query.at_s, seconds(15));
    let listener = |it: &_| matches!(it, Payload::Mld(..));
    assert!(sniffer.seen().iter().any(|it| listener(&it.payload)));
}

#[test]
fn the_reference_joins_and_leaves() {
    joins_and_leaves(Side::Ntp4);
}

#[test]
fn the_reference_answers_queries() {
    answers_queries(Side::Ntp4);
}

#[test]
fn ours_crosses_one_router_with_the_ttl_of_the_seed() {
    let lines =
        "broadcast 224.0.1.1 key 2 ttl 2 minpoll 3\nbroadcast 224.0.1.2 key 2 ttl 1 minpoll 3\n";
    crosses_one_router(Side::Ours, lines);
}

#[test]
fn ours_joins_and_leaves() {
    joins_and_leaves(Side::Ours);
}

#[test]
fn ours_answers_queries() {
    answers_queries(Side::Ours);
}

/// A new card has no memberships: the daemon must join again. The reference does not.
#[test]
fn ours_joins_on_a_new_card() {
    let world = World::campus(2, 0);
    let (server, own) = (world.host(1), world.host(2));
    world.watch_groups();
    let (keys, lines) = (keyed(server), "broadcast 224.0.1.1 key 2 minpoll 3\n");
    let _source = source(Side::Ntp4, server, &format!("{keys}{lines}"));
    let lines = format!("{}{}", keyed(own), hurry(Side::Ours));
    let config = format!("{lines}multicastclient 224.0.1.1\nrestrict default\n");
    let mut client = Node::start(Side::Ours, own, &config);
    follows(&mut client, &server.v4());
    own.unplug();
    own.plug();
    let sniffer = Sniffer::start(own);
    until_true("the group to be heard on the new card", seconds(60), || {
        let heard = |it: &_| went(it, 5, &server.v4(), "224.0.1.1");
        sniffer.ntp(heard).len() > 2
    });
    let reach = |client: &Node<'_>| client.rows().first().map(|row| row.reach);
    let before = reach(&client);
    until_true("it to count", seconds(60), || reach(&client) > before);
    follows(&mut client, &server.v4());
}

/// Both are listened to, one leads; when it falls silent the other does.
fn chooses_among_sources_of_one_group(side: Side) {
    let world = World::campus(3, 0);
    let own = world.host(3);
    let lines = "broadcast 224.0.1.1 key 2 minpoll 3\n";
    let mut sources = [1, 2].map(|number| {
        let host = world.host(number);
        source(Side::Ours, host, &format!("{}{lines}", keyed(host)))
    });
    let config = format!("{}{}", keyed(own), hurry(side));
    let config = format!("{config}multicastclient 224.0.1.1\nrestrict default\n");
    let mut client = Node::start(side, own, &config);
    let both = client.wait_rows("one to lead and one to help", seconds(240), |rows| {
        let marked = |tally| rows.iter().filter(|row| row.tally == tally).count();
        (rows.len(), marked('*'), marked('+')) == (2, 1, 1)
    });
    assert!(both.iter().all(|row| row.kind == 'b'), "{both:?}");
    let leader = both.iter().find(|row| row.tally == '*').expect("a leader");
    let [first, second] = &mut sources;
    let (leads, helps) = if leader.remote == first.host.v4() {
        (first, second)
    } else {
        (second, first)
    };
    leads.stop();
    follows(&mut client, &helps.host.v4());
}

#[test]
fn ours_chooses_among_sources_of_one_group() {
    chooses_among_sources_of_one_group(Side::Ours);
}

#[test]
fn the_reference_chooses_among_sources_of_one_group() {
    chooses_among_sources_of_one_group(Side::Ntp4);
}

/// With a foot in two networks, and no router's daemon: one packet on each at every poll, from the
/// address there and with a stamp of its own.
#[test]
fn ours_tells_every_network_it_has_a_foot_in() {
    let world = World::campus(1, 1);
    let (own, listeners) = (world.router(), [world.host(1), world.host(2)]);
    let lines = "broadcast 224.0.1.1 key 2 ttl 1 minpoll 3\n";
    let sniffers = listeners.map(Sniffer::start);
    let _source = source(Side::Ours, own, &format!("{}{lines}", keyed(own)));
    let mut stamps = Vec::new();
    for (network, sniffer) in ["10.77.", "10.78."].into_iter().zip(&sniffers) {
        let foot = own.v4().replace("10.77.", network);
        let wanted = |it: &_| went(it, 5, &foot, "224.0.1.1");
        let seen = sniffer.wait_ntp("three polls", 3, seconds(60), wanted);
        for pair in seen.windows(2) {
            let apart_s = pair[1].at_s - pair[0].at_s;
            assert!(apart_s > 4.0, "{apart_s} s between two packets: {seen:?}");
        }
        stamps.extend(seen.iter().map(|it| it.stamp(40)));
        let others = sniffer.ntp(|it| it.mode() == Some(5) && !wanted(it));
        assert!(others.is_empty(), "{others:?}");
    }
    let count = stamps.len();
    stamps.sort_unstable();
    stamps.dedup();
    assert_eq!(stamps.len(), count, "a stamp was sent twice");
}
