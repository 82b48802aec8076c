//! Servers are looked for in a group; answers that prove nothing change nothing.
use super::world::{Server, World, address, config, link};
use crate::authentication::{AuthFailure, KeyId};
use crate::config::{AssociationConfig, AssociationKind, Demand, Remote, SystemConfig};
use crate::event::PeerEvent;
use crate::host::{Exit, HostEvent};
use crate::server::{AccessRule, Network, Policy, RestrictFlags};
use crate::status::{AssociationStatus, PacketTest, Tally};
use crate::unsolicited::Unsolicited;
use core::net::IpAddr;
use std::sync::Arc;
use truechimer_time::NtpTimestamp;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::ReferenceId;

const GROUP: [u8; 4] = [239, 1, 1, 1];

/// `manycastclient 239.1.1.1`, with rings of 1, 2 and 8 hops.
fn hunting(maxclock: usize, key: Option<u32>) -> SystemConfig {
    let line = AssociationConfig {
        kind: AssociationKind::ManycastClient,
        key: key.and_then(KeyId::symmetric),
        hops: 255,
        ..AssociationConfig::server(Remote::Address(IpAddr::from(GROUP)))
    };
    let mut config = config(vec![line]);
    config.tos.maxclock = maxclock;
    config.rings = vec![1, 2, 8];
    config.links = vec![link(2)];
    config.auth = match key {
        Some(_) => Demand::Authentic,
        None => Demand::Anybody,
    };
    config
}

/// A world with these servers, each so many hops away.
fn world(config: SystemConfig, servers: &[(u8, u8)]) -> World {
    let mut world = World::new(config);
    for (last, hops) in servers {
        world.serve(*last, Server::default());
        world.group.members.insert(*last, *hops);
    }
    world
}

fn template(world: &World) -> AssociationStatus {
    let all = world.status().associations;
    all.into_iter().find(|it| it.kind == 'a').expect("there")
}

fn hops(world: &World) -> Vec<u8> {
    world.group.rounds.iter().map(|round| round.0).collect()
}

fn refused(world: &World, reason: Unsolicited) -> u64 {
    world.system.unsolicited().of(reason)
}

#[test]
fn the_nearest_are_found_first_and_the_search_ends_when_there_are_enough() {
    let mut world = world(hunting(3, None), &[(1, 8), (2, 1), (3, 2), (4, 2), (5, 8)]);
    world.run_s(30.0);
    assert_eq!(world.members(), [2], "the template is no member");
    world.run_s(4000.0);
    assert_eq!(world.members(), [2, 3, 4]);
    assert_eq!(hops(&world)[..2], [1, 2]);
    assert_eq!(world.status().stratum, 3);
    let shown = template(&world);
    assert_eq!(shown.reference_id, ReferenceId::from_letters("ACST"));
    assert_eq!((shown.stratum, shown.reach), (16, 0));
    // As ntpd 4.2.8p15 shows it: configured, broadcast, one event, which is the first.
    let word = world.system.peer_status_word(shown.id).map(|it| it.word());
    assert_eq!(word, Some(0x8811));
    let group = shown.remote.map(|it| it.ip());
    assert_eq!(group, Some(IpAddr::from(GROUP)));
    assert_eq!(shown.sent as usize, world.group.rounds.len());
    // Three are enough: but for the beacon nobody is bothered.
    assert!(world.group.rounds.len() <= 4, "{:?}", hops(&world));
}

#[test]
fn a_search_in_vain_goes_on_wide() {
    let mut world = world(hunting(3, None), &[]);
    world.run_s(64.0 * 8.0);
    assert_eq!(hops(&world)[..5], [1, 2, 8, 8, 8]);
    let asked: Vec<_> = world.group.rounds.iter().map(|round| round.1).collect();
    for pair in asked.windows(2) {
        let apart_s = pair[1].seconds_since(pair[0]);
        assert!((64.0..=68.1).contains(&apart_s), "{apart_s}");
    }
}

#[test]
fn the_dead_are_made_up_for() {
    let mut world = world(hunting(4, None), &[(1, 1), (2, 1), (3, 1), (4, 1)]);
    world.run_s(600.0);
    assert_eq!(world.members(), [1, 2, 3, 4]);
    for last in [1, 2, 3] {
        world.servers.get_mut(&address(last)).expect("there").alive = false;
    }
    for last in [6, 7, 8] {
        world.serve(last, Server::default());
        world.group.members.insert(last, 2);
    }
    world.run_s(20_000.0);
    assert_eq!(world.members(), [4, 6, 7, 8]);
}

#[test]
fn all_of_one_kind_of_loss() {
    // Nobody answers any more: the search is taken up, and those known are kept.
    let mut world = world(hunting(3, None), &[(1, 1), (2, 1), (3, 1)]);
    world.run_s(2000.0);
    let before = world.group.rounds.len();
    for last in 1..=3 {
        world.servers.get_mut(&address(last)).expect("there").alive = false;
    }
    world.run_s(12_000.0);
    assert_eq!(world.members(), [1, 2, 3]);
    assert!(world.group.rounds.len() > before + 60);
    for last in 1..=3 {
        world.servers.get_mut(&address(last)).expect("there").alive = true;
    }
    world.run_s(4000.0);
    let led = (1..=3).any(|last| world.tally(last) == Some(Tally::SystemPeer));
    assert!(led);
}

#[test]
fn the_beacon_finds_better_ones_and_the_worst_go() {
    let mut config = hunting(3, None);
    config.tos.beacon_s = 1800.0;
    let mut world = world(config, &[(1, 1), (2, 1), (3, 1)]);
    for last in 1..=3 {
        let far = Server {
            offset_s: f64::from(last) * 0.02,
            way_s: 0.2,
            ..Server::default()
        };
        world.serve(last, far);
    }
    world.run_s(1700.0);
    assert_eq!(world.members(), [1, 2, 3]);
    for last in [11, 12, 13] {
        world.serve(last, Server::default());
        world.group.members.insert(last, 1);
    }
    world.run_until(|world| world.members() == [1, 2, 3, 11, 12, 13]);
    world.run_until(|world| world.members() == [11, 12, 13]);
    // Whom it dropped is not taken from the next round at once.
    world.run_s(3000.0);
    assert_eq!(world.members(), [11, 12, 13]);
    let beacons = world.group.rounds.len();
    assert!((3..=8).contains(&beacons), "{beacons}");
}

#[test]
fn no_link_no_word_until_there_is_one() {
    let mut config = hunting(3, None);
    config.links.clear();
    let mut world = world(config, &[(1, 1)]);
    world.run_s(100.0);
    assert!(world.group.rounds.is_empty());
    world.host(HostEvent::Links(vec![link(2), link(3)]));
    world.run_s(1.5);
    assert_eq!(hops(&world), [1, 1], "once through each");
    assert_eq!(world.members(), [1]);
}

#[test]
fn a_key_is_asked_for_unless_the_operator_says_otherwise() {
    let mut keyless = hunting(3, None);
    keyless.auth = Demand::Authentic;
    let mut world_without = world(keyless, &[(1, 1)]);
    world_without.run_s(500.0);
    assert!(world_without.group.rounds.is_empty());
    assert_eq!(world_without.peer_events(&PeerEvent::Keyless), 1);
    let mut keyed = world(hunting(3, Some(7)), &[(1, 1)]);
    keyed.group.key = Some(7);
    keyed.run_s(10.0);
    assert_eq!(keyed.members(), [1]);
    for (key, reason, failure) in [
        (None, Unsolicited::NoMac, AuthFailure::NoMac),
        (Some(8), Unsolicited::NotAuthentic, AuthFailure::OtherKey),
        (Some(9), Unsolicited::NotAuthentic, AuthFailure::OtherKey),
    ] {
        let mut hostile = world(hunting(3, Some(7)), &[(1, 1), (2, 1)]);
        hostile.group.key = key;
        hostile.run_s(10.0);
        assert_eq!(hostile.members(), [0_u8; 0], "{key:?}");
        assert_eq!(refused(&hostile, reason), 2);
        let shown = template(&hostile);
        assert_eq!(shown.unauthentic[failure as usize], 2);
    }
}

#[test]
fn a_key_that_is_not_there_is_missed_once() {
    let mut world = world(hunting(3, Some(9)), &[(1, 1)]);
    world.run_s(1000.0);
    assert!(world.group.rounds.is_empty());
    let missed = PeerEvent::BadAuthentication {
        key: KeyId::symmetric(9).expect("in range"),
        failure: AuthFailure::UnknownKey,
    };
    assert_eq!(world.peer_events(&missed), 1);
}

#[test]
fn only_answers_to_this_round_count() {
    let mut world = world(hunting(3, None), &[]);
    world.run_s(10.0);
    let (old, via) = world.group.last.expect("asked");
    world.run_s(64.0);
    let (current, _) = world.group.last.expect("asked again");
    assert_ne!(old.transmit_time, current.transmit_time);
    world.serve(1, Server::default());
    world.answer(1, &old, via);
    let mut zero = current;
    zero.transmit_time = NtpTimestamp::ZERO;
    world.answer(1, &zero, via);
    world.run_s(5.0);
    assert_eq!(world.members(), [0_u8; 0]);
    assert_eq!(refused(&world, Unsolicited::Unasked), 2);
    world.answer(1, &current, via);
    world.run_s(5.0);
    assert_eq!(world.members(), [1], "the same, in time");
}

#[test]
fn what_is_of_no_use_is_not_taken() {
    type Change = fn(&mut Server);
    let mut config = hunting(3, None);
    (config.tos.floor, config.tos.ceiling) = (2, 5);
    config.own_addresses = vec![address(200)];
    let mut world = world(config, &[]);
    world.run_s(1.0);
    let (request, via) = world.group.last.expect("asked");
    let cases: [(u8, Unsolicited, Change); 5] = [
        (1, Unsolicited::NotSynchronized, |it| {
            it.leap = LeapIndicator::NotSynchronized;
        }),
        (2, Unsolicited::NotSynchronized, |it| it.kiss = Some("DENY")),
        (3, Unsolicited::NotWanted, |it| it.stratum = 1),
        (4, Unsolicited::NotWanted, |it| it.stratum = 5),
        (5, Unsolicited::NoHelp, |it| {
            it.reference_id = ReferenceId::from_octets([192, 0, 2, 200]);
        }),
    ];
    for (last, reason, change) in cases {
        let mut server = Server::default();
        change(&mut server);
        world.serve(last, server);
        let before = refused(&world, reason);
        world.answer(last, &request, via);
        assert_eq!(refused(&world, reason), before + 1, "{last}");
    }
    world.serve(200, Server::default());
    world.answer(200, &request, via);
    assert_eq!(refused(&world, Unsolicited::LoopedBack), 1);
    world.run_s(10.0);
    assert_eq!(world.members(), [0_u8; 0]);
    world.run_s(1000.0);
    assert!(world.group.rounds.len() > 10, "a kiss stops no search");
}

#[test]
fn servers_farther_than_ours_need_cohort() {
    for (cohort, strata) in [(false, [2, 3]), (true, [2, 4])] {
        let mut config = hunting(4, None);
        config.tos.cohort = cohort;
        config.tos.minclock = 1;
        let mut world = world(config, &[(2, 1)]);
        // We are of stratum 3 by now.
        world.run_until(|world| world.status().stratum == 3);
        for stratum in 3..=5 {
            let server = Server {
                stratum,
                ..Server::default()
            };
            world.serve(stratum, server);
            world.group.members.insert(stratum, 2);
        }
        world.run_s(400.0);
        let expected: Vec<u8> = (strata[0]..=strata[1]).collect();
        assert_eq!(world.members(), expected, "{cohort}");
        assert!(refused(&world, Unsolicited::NoHelp) > 0);
    }
}

#[test]
fn rules_about_the_sender_bind() {
    let with = |flags, key| {
        let mut config = hunting(3, key);
        config.auth = Demand::Anybody;
        let rule = AccessRule::new(Network::ANY_V4, flags);
        config.access = Arc::new(Policy::new([rule], None));
        let mut world = world(config, &[(1, 1)]);
        world.group.key = key;
        world.run_s(10.0);
        world
    };
    let ignored = with(RestrictFlags::IGNORE, None);
    assert_eq!(refused(&ignored, Unsolicited::Restricted), 1);
    for flags in [RestrictFlags::NOTRUST, RestrictFlags::NOPEER] {
        let unkeyed = with(flags, None);
        assert_eq!(unkeyed.members(), [0_u8; 0], "{flags:?}");
        assert_eq!(refused(&unkeyed, Unsolicited::NoMac), 1);
        let keyed = with(flags, Some(7));
        assert_eq!(keyed.members(), [1]);
    }
}

#[test]
fn a_flood_of_answers_is_bounded_and_evicts_nobody_good() {
    let mut config = hunting(4, None);
    config.tos.beacon_s = 600.0;
    let mut world = world(config, &[(1, 1), (2, 1), (3, 1)]);
    world.run_s(1000.0);
    assert_eq!(world.members(), [1, 2, 3]);
    for _ in 0..40 {
        // Somebody on the link sees each request, and answers as whoever comes to mind.
        let (request, via) = world.group.last.expect("asked");
        let server = Server::default();
        for last in 20..=199 {
            let said = world.reply(&request, server);
            world.answer_from(address(last), &said, via);
        }
        world.run_s(500.0);
        let members = world.members();
        assert!(members.len() <= 8, "{members:?}");
        assert!([1, 2, 3].iter().all(|good| members.contains(good)));
    }
    assert!(refused(&world, Unsolicited::NoRoom) > 1000);
    let led = (1..=3).any(|last| world.tally(last) == Some(Tally::SystemPeer));
    assert!(led);
}

#[test]
fn another_port_is_another_program() {
    let mut world = world(hunting(3, None), &[]);
    world.run_s(1.0);
    let (request, via) = world.group.last.expect("asked");
    let said = world.reply(&request, Server::default());
    let octets = said.to_octets();
    world.deliver(&octets, (address(1), 5000).into(), via);
    world.deliver(&octets[..20], (address(1), 123).into(), via);
    assert_eq!(refused(&world, Unsolicited::NotWanted), 1);
    assert_eq!(refused(&world, Unsolicited::Malformed), 1);
    assert_eq!(template(&world).refused[PacketTest::Header as usize], 1);
    world.run_s(10.0);
    assert_eq!(world.members(), [0_u8; 0]);
}

#[test]
fn a_one_shot_ends_when_the_widest_ring_is_silent() {
    let mut config = hunting(3, None);
    config.steering.enabled = true;
    config.steering.one_shot = true;
    let mut found = world(config.clone(), &[(1, 2)]);
    found.run_s(400.0);
    assert!(matches!(found.exits[..], [Exit::OneShotDone { .. }]));
    let mut none = world(config, &[]);
    none.run_s(64.0 * 2.0);
    assert_eq!(none.exits, []);
    none.run_s(64.0 * 4.0);
    assert_eq!(none.exits, [Exit::NoServers]);
}

#[test]
fn a_template_goes_with_its_line_and_its_members_with_it() {
    let mut world = world(hunting(3, None), &[(1, 1), (2, 1)]);
    world.run_s(10.0);
    assert_eq!(world.members(), [1, 2]);
    let mut other = hunting(3, None);
    other.rings = vec![4];
    world.reload(other.clone());
    world.run_s(70.0);
    assert_eq!(world.members(), [1, 2], "the line is the same");
    assert_eq!(hops(&world).last(), Some(&4), "its rings are not");
    other.associations.clear();
    world.reload(other);
    world.run_s(10.0);
    assert_eq!(world.status().associations, []);
    assert_eq!(world.closed.len(), 3, "the template has a socket too");
}
