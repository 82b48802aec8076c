//! `broadcast` lines: what leaves, when, and through which interfaces.
use super::world::{Server, World, address, config, server_line};
use crate::association::tests::Ring;
use crate::authentication::{Authenticator, KeyId};
use crate::config::{AssociationConfig, AssociationKind, Remote};
use crate::event::PeerEvent;
use crate::host::{Departure, HostEvent};
use crate::packet::{Link, LinkId, Route, Stamp, StampClass, Transmit};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration, NtpShort, NtpTimestamp};
use truechimer_wire::{HEADER_LEN, Header, Mode, ReferenceId};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 1, 1));

fn route(link: LinkId) -> Route {
    Route::Broadcast {
        link,
        hops: 2,
        stamped: false,
    }
}

fn line(to: IpAddr) -> AssociationConfig {
    AssociationConfig {
        kind: AssociationKind::Broadcast,
        hops: 2,
        key: KeyId::symmetric(7),
        ..AssociationConfig::server(Remote::Address(to))
    }
}

fn link(id: u32, local: IpAddr, broadcast: Option<Ipv4Addr>, multicast: bool) -> Link {
    Link {
        id: LinkId(id),
        local,
        broadcast,
        multicast,
    }
}

/// Two networks of both families, loopback, and a tunnel that carries neither.
fn links() -> Vec<Link> {
    let v4 = |last| IpAddr::from([10, 0, last, 1]);
    let v6 = |last| IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last));
    vec![
        link(1, IpAddr::V4(Ipv4Addr::LOCALHOST), None, true),
        link(2, v4(2), Some(Ipv4Addr::new(10, 0, 2, 255)), true),
        link(2, v6(2), None, true),
        link(3, v4(3), Some(Ipv4Addr::new(10, 0, 3, 255)), true),
        link(3, v6(3), None, true),
        link(4, v4(4), None, false),
    ]
}

/// Synchronised since a minute, with these lines.
fn world(lines: &[AssociationConfig]) -> World {
    let mut all = vec![server_line(1)];
    all.extend_from_slice(lines);
    let mut world = World::new(config(all));
    world.serve(1, Server::default());
    world.host(HostEvent::Links(links()));
    world.run_s(30.0);
    world
}

/// Runs until the next round; its departures.
fn round(world: &mut World) -> (Instant, Vec<Departure>) {
    for _ in 0..10_000 {
        world.run_s(0.1);
        let departures = core::mem::take(&mut world.departures);
        if let Some((at, _)) = departures.first() {
            return (*at, departures.into_iter().map(|it| it.1).collect());
        }
    }
    panic!("no round");
}

fn compose(world: &mut World, departure: Departure) -> Transmit {
    let now = world.now();
    let transmit = world.system.compose(now, departure);
    transmit.expect("it knows the time")
}

fn header(transmit: &Transmit) -> Header {
    Header::parse(transmit.octets.first_chunk().expect("a header"))
}

#[test]
fn one_packet_through_each_interface_that_fits() {
    let broadcast = |ip: [u8; 4]| line(IpAddr::from(ip));
    for (line, wanted) in [
        (line(GROUP), vec![2, 3]),
        (broadcast([255; 4]), vec![2, 3]),
        (broadcast([10, 0, 3, 255]), vec![3]),
        (line("ff05::101".parse().expect("an address")), vec![2, 3]),
        (broadcast([10, 9, 9, 9]), vec![]),
    ] {
        let mut world = world(std::slice::from_ref(&line));
        if wanted.is_empty() {
            world.run_s(640.0);
            assert!(world.departures.is_empty());
            assert_eq!(world.peer_events(&PeerEvent::NoInterface), 1);
            continue;
        }
        let (_, departures) = round(&mut world);
        let through: Vec<u32> = departures
            .iter()
            .filter_map(|it| it.link.map(|link| link.0))
            .collect();
        assert_eq!(through, wanted);
        for departure in departures {
            let transmit = compose(&mut world, departure);
            let link = departure.link.expect("an interface");
            assert_eq!(transmit.route, route(link));
            let scope = match transmit.to {
                SocketAddr::V6(to) => SocketAddrV6::scope_id(&to),
                SocketAddr::V4(_) => link.0,
            };
            assert_eq!(scope, link.0);
        }
    }
}

/// The packet that seed 001 shows, field by field.
#[test]
fn the_packet_of_the_seed() {
    let mut world = world(&[line(GROUP)]);
    let (_, departures) = round(&mut world);
    let transmit = compose(&mut world, departures[0]);
    // "Length: 76" is that of UDP, whose header has eight octets.
    assert_eq!(transmit.octets.len() + 8, 76);
    assert_eq!(transmit.octets[0], 0x25);
    let header = header(&transmit);
    assert_eq!(
        (header.leap, header.version, header.mode),
        (LeapIndicator::NoWarning, 4, Mode::Broadcast)
    );
    assert_eq!((header.stratum, header.poll), (3, 6));
    assert_eq!(
        header.reference_id,
        ReferenceId::from_octets([192, 0, 2, 1])
    );
    assert_ne!(header.root_dispersion, NtpShort::ZERO);
    assert_eq!(header.origin_time, NtpTimestamp::ZERO);
    assert_eq!(header.receive_time, NtpTimestamp::ZERO);
    assert_eq!(header.transmit_time, world.now().wall);
    let (message, mac) = transmit.octets.split_at(HEADER_LEN);
    assert_eq!(mac[..4], [0, 0, 0, 7]);
    assert_eq!(mac[4..], Ring::digest(7, message));
    assert_eq!(transmit.to, SocketAddr::new(GROUP, 123));
}

#[test]
fn every_interval_by_the_schedule_and_only_while_synchronised() {
    let mut world = world(&[line(GROUP)]);
    let (first, _) = round(&mut world);
    for rounds in 1..20 {
        let (at, _) = round(&mut world);
        let off_s = at.seconds_since(first) - 64.0 * f64::from(rounds);
        assert!(off_s.abs() < 1e-6, "{off_s}");
    }
    world.host(HostEvent::ForeignStep(NtpDuration::from_seconds(5.0)));
    world.servers.clear();
    world.departures.clear();
    world.run_s(640.0);
    assert!(world.departures.is_empty(), "nobody knows the time");
}

#[test]
fn sixty_four_groups_are_due_in_one_go() {
    let line = AssociationConfig {
        minpoll: 4,
        ..line(GROUP)
    };
    let mut world = world(&[line]);
    let many = (0..64).map(|id| link(id, address(7), None, true)).collect();
    world.host(HostEvent::Links(many));
    world.departures.clear();
    let (_, departures) = round(&mut world);
    assert_eq!(departures.len(), 64);
    for departure in departures {
        compose(&mut world, departure);
    }
}

#[test]
fn interleaved_packets_tell_when_the_one_before_left() {
    let line = AssociationConfig {
        interleaved: true,
        ..line(IpAddr::from([10, 0, 2, 255]))
    };
    let mut world = world(&[line]);
    let (_, departures) = round(&mut world);
    let first = compose(&mut world, departures[0]);
    assert_eq!(header(&first).origin_time, NtpTimestamp::ZERO);
    let left = header(&first)
        .transmit_time
        .plus(NtpDuration::from_seconds(3e-5));
    world.system.handle_transmit_stamp(
        first.ticket,
        Stamp {
            at: left,
            class: StampClass::Hardware,
        },
    );
    let (_, departures) = round(&mut world);
    let second = compose(&mut world, departures[0]);
    assert_eq!(header(&second).origin_time, left);
    // The stamp of that one never comes.
    let (_, departures) = round(&mut world);
    let third = compose(&mut world, departures[0]);
    assert_eq!(header(&third).origin_time, NtpTimestamp::ZERO);
}

/// Its sockets are open before its first round and whenever an interface comes, and are told to ask
/// for stamps only if those are told on.
#[test]
fn who_does_not_know_the_time_says_nothing_and_is_ready() {
    let to = SocketAddr::new(GROUP, 123);
    for stamped in [true, false] {
        let mut line = line(GROUP);
        line.interleaved = stamped;
        let mut settings = config(vec![server_line(1), line]);
        let all = links();
        settings.links = all[..2].to_vec();
        let mut world = World::new(settings);
        world.drain();
        let ready = |world: &mut World| {
            let prepared = core::mem::take(&mut world.prepared);
            let ways = prepared.iter().map(|it| (it.to, it.route));
            ways.collect::<Vec<_>>()
        };
        let wanted = |link| {
            let route = Route::Broadcast {
                link: LinkId(link),
                hops: 2,
                stamped,
            };
            (to, route)
        };
        assert_eq!(ready(&mut world), [wanted(2)]);
        world.host(HostEvent::Links(all));
        assert_eq!(ready(&mut world), [wanted(2), wanted(3)]);
        world.run_s(200.0);
        assert_eq!(world.departures, []);
        world.serve(1, Server::default());
        round(&mut world);
        assert_eq!(ready(&mut world), []);
    }
}

#[test]
fn without_the_key_nothing_leaves() {
    let mut broken = line(GROUP);
    broken.key = KeyId::symmetric(9);
    let mut digest = [0; 16];
    assert_eq!(
        Ring.seal(broken.key.expect("a key"), &[], &mut digest),
        None
    );
    let mut world = world(&[broken]);
    let (_, departures) = round(&mut world);
    let now: Now = world.now();
    assert_eq!(world.system.compose(now, departures[0]), None);
}

/// `16 B - 64 0 0.000 ...`: it is no source, and nothing it sends to is a server of ours.
#[test]
fn its_row_and_its_place_among_the_sources() {
    let mut world = world(&[line(GROUP), line(IpAddr::from([10, 0, 2, 255]))]);
    world.run_s(600.0);
    let status = world.status();
    let rows: Vec<_> = status
        .associations
        .iter()
        .filter(|it| matches!(it.kind, 'M' | 'B'))
        .collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|it| (it.kind, it.reference_id.octets(), it.stratum, it.reach))
        .collect();
    assert!(shown.contains(&('M', *b"MCST", 16, 0)), "{shown:?}");
    assert!(shown.contains(&('B', *b"BCST", 16, 0)), "{shown:?}");
    assert!(
        rows.iter()
            .all(|it| it.when_s.is_none() && it.host_poll == 6)
    );
    assert_eq!(world.system.sources(), [SocketAddr::new(address(1), 123)]);
}
