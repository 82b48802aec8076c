//! Whoever tells the time to many: who is heard, and what it cannot do.
use super::world::{World, address, config, link};
use crate::association::tests::Ring;
use crate::config::{Demand, Listening, SystemConfig};
use crate::host::HostEvent;
use crate::packet::{LinkId, Via};
use crate::server::{AccessRule, Network, Policy, RestrictFlags};
use crate::status::AssociationStatus;
use crate::unsolicited::Unsolicited;
use core::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::{Header, Mode, ReferenceId};

const EVERYBODY: [u8; 4] = [192, 0, 2, 255];
const INTERVAL_S: f64 = 64.0;

fn listening() -> SystemConfig {
    SystemConfig {
        listening: Listening {
            broadcast: true,
            novolley: true,
            delay_s: Some(0.004),
            ..Listening::default()
        },
        links: vec![link(2)],
        own_addresses: vec![address(200)],
        ..config(Vec::new())
    }
}

/// The operator's rules about everybody, and about servers in use.
fn ruled(default: AccessRule, source: Option<RestrictFlags>) -> SystemConfig {
    SystemConfig {
        access: Arc::new(Policy::new([default], source)),
        ..listening()
    }
}

fn default_rule(flags: RestrictFlags) -> AccessRule {
    AccessRule::new(Network::ANY_V4, flags)
}

/// What an honest server tells now.
fn told(world: &World) -> Header {
    let wall = world.now().wall;
    Header {
        leap: LeapIndicator::NoWarning,
        stratum: 2,
        poll: 6,
        precision: -20,
        reference_id: ReferenceId::from_octets([10, 9, 9, 9]),
        reference_time: wall.plus(NtpDuration::from_seconds(-7.0)),
        transmit_time: wall.plus(NtpDuration::from_seconds(-0.004)),
        ..Header::blank(4, Mode::Broadcast)
    }
}

fn by_broadcast(from: u8) -> (SocketAddr, Via) {
    let via = Via::Many {
        to: EVERYBODY.into(),
        link: LinkId(2),
        local: SocketAddr::new(address(200), 123),
    };
    (SocketAddr::new(address(from), 123), via)
}

fn hear_plain(world: &mut World, header: &Header, (source, via): (SocketAddr, Via)) {
    world.deliver(&header.to_octets(), source, via);
    world.drain();
}

fn hear(world: &mut World, header: &Header, (source, via): (SocketAddr, Via)) {
    let mut octets = header.to_octets().to_vec();
    let digest = Ring::digest(7, &octets);
    octets.extend_from_slice(&7_u32.to_be_bytes());
    octets.extend_from_slice(&digest);
    world.deliver(&octets, source, via);
    world.drain();
}

/// So many packets, one each interval, of a server with this address.
fn rounds(world: &mut World, from: u8, count: u32, twist: impl Fn(&mut Header)) {
    for _ in 0..count {
        world.run_s(INTERVAL_S);
        let mut header = told(world);
        twist(&mut header);
        hear(world, &header, by_broadcast(from));
    }
}

fn heard(world: &World) -> Vec<AssociationStatus> {
    world.status().associations
}

fn refused(world: &World, reason: Unsolicited) -> u64 {
    world.system.unsolicited().of(reason)
}

fn back_s(header: &mut Header, seconds: f64) {
    let by = NtpDuration::from_seconds(-seconds);
    header.transmit_time = header.transmit_time.plus(by);
    header.reference_time = header.reference_time.plus(by);
}

#[test]
fn a_leap_second_that_is_told_is_believed_and_passed_on() {
    let mut world = World::new(listening());
    // To the last of December, the day on which it is passed on.
    world.run_s(40.0 * 86_400.0 + 3600.0);
    rounds(&mut world, 1, 12, |_| ());
    assert_eq!(world.status().leap, LeapIndicator::NoWarning);
    let quiet = world.status().stratum;
    rounds(&mut world, 1, 12, |it| it.leap = LeapIndicator::AddSecond);
    assert_eq!((quiet, world.status().leap), (3, LeapIndicator::AddSecond));
    let served = world.published.last().map(|it| it.leap);
    assert_eq!(served, Some(LeapIndicator::AddSecond));
}

#[test]
fn a_server_set_back_is_believed_after_so_many_packets_and_never_unasked() {
    for (backstep_polls, wanted) in [(0, [3, 0]), (3, [2, 1])] {
        let mut config = listening();
        config.listening.backstep_polls = backstep_polls;
        let mut world = World::new(config);
        rounds(&mut world, 1, 4, |_| ());
        let before = refused(&world, Unsolicited::Reordered);
        rounds(&mut world, 1, 3, |it| back_s(it, 1000.0));
        let reordered = refused(&world, Unsolicited::Reordered) - before;
        let taken = 3 - reordered;
        assert_eq!([reordered, taken], wanted);
        // What was taken is what the next is judged by.
        let mut next = told(&world);
        back_s(&mut next, 900.0);
        hear(&mut world, &next, by_broadcast(1));
        let early = refused(&world, Unsolicited::TooSoon);
        assert_eq!(early, u64::from(backstep_polls > 0));
    }
}

#[test]
fn one_host_has_no_more_associations_than_it_may() {
    let rule = AccessRule {
        ip_peer_limit: Some(2),
        ..default_rule(RestrictFlags::NONE)
    };
    let mut world = World::new(ruled(rule, None));
    for port in 1000..1004 {
        world.run_s(1.0);
        let (source, via) = by_broadcast(1);
        let source = SocketAddr::new(source.ip(), port);
        let header = told(&world);
        hear(&mut world, &header, (source, via));
    }
    assert_eq!(heard(&world).len(), 2);
    assert_eq!(refused(&world, Unsolicited::PeerLimit), 2);
}

#[test]
fn no_more_servers_are_heard_than_there_is_room_for_and_room_comes_back() {
    let mut world = World::new(listening());
    for from in 1..=34 {
        world.run_s(1.0);
        let header = told(&world);
        hear(&mut world, &header, by_broadcast(from));
    }
    assert_eq!(heard(&world).len(), 32);
    assert_eq!(refused(&world, Unsolicited::NoRoom), 2);
    world.run_s(INTERVAL_S * 40.0);
    assert!(heard(&world).is_empty(), "silent for long");
    let header = told(&world);
    hear(&mut world, &header, by_broadcast(40));
    assert_eq!(heard(&world).len(), 1);
}

#[test]
fn a_group_of_ipv6_is_heard_and_no_other() {
    let group = |last| IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, last));
    let mut config = listening();
    config.listening.broadcast = false;
    config.listening.groups = vec![group(0x101)];
    let mut world = World::new(config);
    let near = |last| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last);
    let source = SocketAddr::V6(SocketAddrV6::new(near(1), 123, 0, 2));
    let via = |to| Via::Many {
        to,
        link: LinkId(2),
        local: SocketAddr::V6(SocketAddrV6::new(near(200), 123, 0, 2)),
    };
    for _ in 0..12 {
        world.run_s(INTERVAL_S);
        let header = told(&world);
        hear(&mut world, &header, (source, via(group(0x102))));
        hear(&mut world, &header, (source, via(EVERYBODY.into())));
        hear(&mut world, &header, (source, via(group(0x101))));
    }
    assert_eq!(refused(&world, Unsolicited::NotWanted), 24);
    let rows = heard(&world);
    assert_eq!((rows.len(), world.status().stratum), (1, 3));
    assert_eq!(rows[0].remote, Some(source), "with its interface");
}

/// `restrict default nopeer` and `restrict source`, as distributions write them.
#[test]
fn what_servers_in_use_may_lets_no_stranger_in() {
    let source = Some(RestrictFlags::NOMODIFY);
    for flags in [
        RestrictFlags::NOPEER,
        RestrictFlags::NOEPEER,
        RestrictFlags::IGNORE,
    ] {
        let mut config = ruled(default_rule(flags), source);
        config.auth = Demand::Anybody;
        let mut world = World::new(config);
        world.run_s(1.0);
        let header = told(&world);
        hear_plain(&mut world, &header, by_broadcast(1));
        assert!(heard(&world).is_empty(), "{flags:?}");
    }
    let mut world = World::new(ruled(default_rule(RestrictFlags::NOPEER), source));
    rounds(&mut world, 1, 1, |_| ());
    assert_eq!(heard(&world).len(), 1, "who has a key");
}

#[test]
fn who_may_not_be_heard_any_more_goes_on_reload() {
    for (flags, stays) in [
        (RestrictFlags::NOMODIFY, 1),
        (RestrictFlags::NOPEER, 1),
        (RestrictFlags::NOEPEER, 0),
    ] {
        let mut world = World::new(ruled(default_rule(RestrictFlags::NONE), None));
        rounds(&mut world, 1, 2, |_| ());
        assert_eq!(heard(&world).len(), 1);
        world.reload(ruled(default_rule(flags), None));
        assert_eq!(heard(&world).len(), stays, "{flags:?}");
    }
}

/// No MAC covers the sender: copies under other addresses must not outvote the one server.
#[test]
fn a_copy_of_a_servers_packet_makes_no_other_server() {
    let mut world = World::new(listening());
    rounds(&mut world, 1, 3, |_| ());
    let first = told(&world);
    hear(&mut world, &first, by_broadcast(2));
    assert_eq!(refused(&world, Unsolicited::Replayed), 1);
    rounds(&mut world, 1, 3, |_| ());
    for from in 2..10 {
        hear(&mut world, &first, by_broadcast(from));
    }
    assert_eq!(refused(&world, Unsolicited::Replayed), 9);
    assert_eq!(heard(&world).len(), 1);
}

/// The stamp that mends the packet before a step must not be held against its arrival on the clock
/// that is no more.
#[test]
fn a_step_between_interleaved_packets_is_no_offset() {
    let mut world = World::new(listening());
    let mut left = NtpTimestamp::ZERO;
    let round = |world: &mut World, left: &mut NtpTimestamp| {
        world.run_s(INTERVAL_S);
        let mut header = told(world);
        let by = NtpDuration::from_seconds(-world.error_s);
        header.transmit_time = header.transmit_time.plus(by);
        header.reference_time = header.reference_time.plus(by);
        header.origin_time = *left;
        *left = header.transmit_time.plus(NtpDuration::from_seconds(1e-5));
        hear(world, &header, by_broadcast(1));
    };
    for _ in 0..6 {
        round(&mut world, &mut left);
    }
    world.error_s += 5.0;
    world.host(HostEvent::ForeignStep(NtpDuration::from_seconds(5.0)));
    round(&mut world, &mut left);
    let offset_s = heard(&world)[0].offset_s;
    assert!((offset_s + 5.0).abs() < 0.1, "{offset_s}");
}
