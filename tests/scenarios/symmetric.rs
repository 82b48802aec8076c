//! Symmetric peers: each is the other's reserve.
use crate::build::{association, peer_events, report, status, world};
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use truechimer_crypto::{KeyTable, keys};
use truechimer_proto::authentication::KeyId;
use truechimer_proto::config::{AssociationConfig, AssociationKind, Remote, SystemConfig};
use truechimer_proto::event::PeerEvent;
use truechimer_proto::server::{AccessRule, Network, Policy, RestrictFlags};
use truechimer_proto::status::{PacketTest, SystemStatus, Tally};
use truechimer_sim::{ClockConfig, Flood, Forgery, NTP_PORT, NodeConfig, NodeId, World};

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;

/// Two machines that are peers, each with a primary server of its own.
struct Pair {
    world: World,
    upstreams: [NodeId; 2],
    peers: [NodeId; 2],
    configs: [SystemConfig; 2],
}

#[derive(Clone, Copy, Default)]
struct Wish {
    keyed: bool,
    interleaved: bool,
    /// Poll limits of the first one; of the second they are one greater.
    uneven: bool,
}

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 1, 0, last))
}

fn line(to: IpAddr) -> AssociationConfig {
    AssociationConfig {
        minpoll: 4,
        maxpoll: 6,
        ..AssociationConfig::server(Remote::Address(to))
    }
}

fn peer_line(to: IpAddr, wish: Wish) -> AssociationConfig {
    AssociationConfig {
        kind: AssociationKind::Peer,
        key: KeyId::symmetric(7).filter(|_| wish.keyed),
        interleaved: wish.interleaved,
        ..line(to)
    }
}

fn key_table() -> Arc<KeyTable> {
    let (file, complaints) = keys::parse(b"7 SHA1 0123456789abcdef0123456789abcdef01234567\n");
    assert_eq!(complaints, []);
    Arc::new(KeyTable::new(file, KeyId::symmetric(7)))
}

fn node(number: u8, name: &str, clock: ClockConfig, config: SystemConfig) -> NodeConfig {
    NodeConfig {
        addresses: vec![address(number)],
        keys: Some(key_table()),
        ..NodeConfig::machine(name, clock, config)
    }
}

impl Pair {
    fn new(seed: u64, wish: Wish) -> Self {
        let mut world = world(seed);
        let upstreams = [("north", 11, 0.000_03), ("south", 12, -0.000_03)].map(|it| {
            let (name, number, offset_s) = it;
            world.add(NodeConfig {
                addresses: vec![address(number)],
                ..NodeConfig::primary(name, ClockConfig::wrong_by(offset_s, 0.0))
            })
        });
        let configs = [(11, 2), (12, 1)].map(|(upstream, other)| {
            let server = AssociationConfig {
                iburst: true,
                ..line(address(upstream))
            };
            let mut peer = peer_line(address(other), wish);
            if wish.uneven && other == 1 {
                (peer.minpoll, peer.maxpoll) = (6, 7);
            }
            SystemConfig {
                associations: vec![server, peer],
                ..SystemConfig::default()
            }
        });
        let clocks = [(0.3, 20.0), (-0.2, -15.0)]
            .map(|(offset_s, ppm)| ClockConfig::wrong_by(offset_s, ppm).wandering(0.000_1));
        let [first, second] = [0, 1].map(|at| {
            let number = if at == 0 { 1 } else { 2 };
            let name = ["east", "west"][at];
            world.add(node(number, name, clocks[at], configs[at].clone()))
        });
        Self {
            world,
            upstreams,
            peers: [first, second],
            configs,
        }
    }

    fn leader(&mut self, at: usize) -> Option<SocketAddr> {
        let shown = status(&mut self.world, self.peers[at]);
        let leads =
            |it: &&truechimer_proto::status::AssociationStatus| Some(it.id) == shown.system_peer;
        shown
            .associations
            .iter()
            .find(leads)
            .and_then(|it| it.remote)
    }

    fn status(&mut self, at: usize) -> SystemStatus {
        status(&mut self.world, self.peers[at])
    }

    /// How the first sees the second, or the other way round.
    fn seen_by(&mut self, at: usize) -> truechimer_proto::status::AssociationStatus {
        association(&mut self.world, self.peers[at], self.peers[1 - at])
    }
}

/// Either upstream is pulled: the peer takes over, with the time of the other upstream, and no loop
/// forms. It comes back: all is as before.
fn pulled(seed: u64, wish: Wish) {
    let mut pair = Pair::new(seed, wish);
    pair.world.run_until(4.0 * HOUR_S);
    let mut worst_s: f64 = 0.0;
    for at in [0, 1] {
        let start_s = pair.world.now_s();
        let upstream = pair.upstreams[at];
        assert_eq!(pair.status(at).stratum, 2);
        pair.world.cut(upstream);
        pair.world.run_until(start_s + HOUR_S);
        for _ in 0..6 {
            let until_s = pair.world.now_s() + HOUR_S;
            let held = pair.world.record(pair.peers[at], until_s, 10.0);
            worst_s = worst_s.max(held.error_s.max);
            let other = pair.world.address(pair.peers[1 - at]);
            assert_eq!(pair.leader(at).map(|it| it.ip()), Some(other));
            assert_eq!(pair.status(at).stratum, 3, "behind the other");
            let seen = pair.seen_by(1 - at);
            assert_ne!(seen.flash & PacketTest::PeerLoop.bit(), 0, "it follows us");
            assert_eq!(seen.tally, Tally::Reject);
        }
        pair.world.restore(upstream);
        let until_s = pair.world.now_s() + 4.0 * HOUR_S;
        pair.world.run_until(until_s);
        assert_eq!(pair.status(at).stratum, 2, "its own upstream again");
    }
    report("either upstream pulled", &[("max_ms", worst_s * 1e3)]);
    assert!(worst_s < 0.001, "{worst_s}");
}

#[test]
fn a_pair_outlives_either_upstream() {
    pulled(61, Wish::default());
}

#[test]
fn a_keyed_pair_outlives_either_upstream() {
    let wish = Wish {
        keyed: true,
        ..Wish::default()
    };
    pulled(62, wish);
}

#[test]
fn an_interleaved_pair_outlives_either_upstream() {
    let wish = Wish {
        keyed: true,
        interleaved: true,
        ..Wish::default()
    };
    pulled(63, wish);
}

/// A week of a pair: each stays with its own upstream, and the two do not pull each other about.
#[test]
fn a_week_without_oscillation() {
    let wish = Wish {
        keyed: true,
        ..Wish::default()
    };
    let mut pair = Pair::new(64, wish);
    pair.world.run_until(DAY_S);
    let leaders = [0, 1].map(|at| pair.leader(at));
    let mut spreads = Vec::new();
    for day in 2..=7 {
        let until_s = f64::from(day) * DAY_S;
        let at = usize::from(day % 2 == 0);
        let record = pair.world.record(pair.peers[at], until_s, 60.0);
        spreads.push((
            record.error_s.rms,
            record.error_s.max,
            record.frequency_ppm.max,
        ));
    }
    for (at, leader) in leaders.into_iter().enumerate() {
        assert_eq!(pair.leader(at), leader);
        assert_eq!(pair.seen_by(at).reach | 1, 0o377);
        let events = peer_events(&pair.world, pair.peers[at]);
        let hops = |it: &&(f64, PeerEvent)| it.0 > DAY_S && it.1 == PeerEvent::SystemPeer;
        let hops = events.iter().filter(hops).count();
        assert!(hops <= 20, "{hops} changes of leader");
    }
    let worst = |of: fn(&(f64, f64, f64)) -> f64| spreads.iter().map(of).fold(0.0, f64::max);
    report(
        "a pair for a week",
        &[
            ("rms_ms", worst(|it| it.0) * 1e3),
            ("max_ms", worst(|it| it.1) * 1e3),
            ("frequency_ppm", worst(|it| it.2)),
        ],
    );
    assert!(worst(|it| it.1) < 0.000_5, "{spreads:?}");
    // What grows from day to day would be an oscillation.
    let rms_s: Vec<f64> = spreads.iter().map(|it| it.0).collect();
    let late = rms_s[4].max(rms_s[5]);
    assert!(late < 1.5 * rms_s[0].max(rms_s[1]), "{rms_s:?}");
}

#[test]
fn the_lesser_poll_interval_of_both_counts() {
    let wish = Wish {
        uneven: true,
        ..Wish::default()
    };
    let mut pair = Pair::new(65, wish);
    pair.world.run_until(12.0 * HOUR_S);
    let sent = [0, 1].map(|at| pair.seen_by(at).sent);
    pair.world.run_until(36.0 * HOUR_S);
    let spans = [0, 1].map(|at| DAY_S / f64::from(pair.seen_by(at).sent - sent[at]));
    let refused = [0, 1].map(|at| pair.seen_by(at).refused[PacketTest::Bogus as usize]);
    report(
        "uneven polls",
        &[("first_s", spans[0]), ("second_s", spans[1])],
    );
    for span_s in spans {
        assert!((60.0..72.0).contains(&span_s), "{spans:?}");
    }
    assert!(refused.iter().all(|count| *count < 100), "{refused:?}");
    for at in [0, 1] {
        assert_eq!(pair.seen_by(at).reach | 1, 0o377);
    }
}

#[test]
fn one_side_starts_anew() {
    for keyed in [false, true] {
        let wish = Wish {
            keyed,
            ..Wish::default()
        };
        let mut pair = Pair::new(66, wish);
        pair.world.run_until(4.0 * HOUR_S);
        let config = pair.configs[0].clone();
        pair.world.restart(pair.peers[0], config);
        let restarted_s = pair.world.now_s();
        let mut back_s = None;
        while back_s.is_none() && pair.world.now_s() < restarted_s + 1800.0 {
            let until_s = pair.world.now_s() + 1.0;
            pair.world.run_until(until_s);
            let since_s = pair.world.now_s() - restarted_s;
            let heard = [0, 1].map(|at| pair.seen_by(at).when_s.is_some_and(|it| it < since_s));
            back_s = (heard == [true; 2]).then_some(since_s);
        }
        let back_s = back_s.expect("they find each other again");
        report("a peer starts anew", &[("back_s", back_s)]);
        assert!(back_s < 300.0, "{back_s}");
    }
}

/// Forged packets of the peer must not move a keyed clock by a bit; an unkeyed one must stay with the
/// truth all the same.
#[test]
fn forged_packets_of_the_peer() {
    for keyed in [true, false] {
        let wish = Wish {
            keyed,
            interleaved: true,
            ..Wish::default()
        };
        let until_s = 12.0 * HOUR_S;
        let run = |flooded: bool| {
            let mut pair = Pair::new(67, wish);
            pair.world.run_until(4.0 * HOUR_S);
            let target = pair.peers[0];
            let pretends = SocketAddr::new(pair.world.address(pair.peers[1]), NTP_PORT);
            if flooded {
                pair.world.flood(Flood {
                    target,
                    pretends,
                    forgery: Forgery::OfPeer { offset_s: 1.0 },
                    every_s: 0.5,
                    until_s,
                });
            }
            let record = pair.world.record(target, until_s, 10.0);
            (record, pair.seen_by(0))
        };
        let (quiet, unharmed) = run(false);
        let (loud, flooded) = run(true);
        assert!(flooded.refused.iter().sum::<u32>() > 10_000);
        if keyed {
            assert_eq!(flooded.reach, unharmed.reach);
            assert_eq!(loud, quiet, "the clock took notice");
            assert_eq!(flooded.sent, unharmed.sent);
            assert_eq!(flooded.filter, unharmed.filter);
        } else {
            assert_eq!(flooded.reach | 1, 0o377);
            assert!(loud.error_s.max < 0.001, "{loud:?}");
        }
    }
}

/// A machine without a `peer` line, whose operator lets those of 10.1.0.0/16 be peers.
fn host(permits: bool, limit: Option<u32>) -> SystemConfig {
    let network = Network::new(address(0), 16).expect("a prefix");
    let flags = if permits {
        RestrictFlags::NOQUERY
    } else {
        RestrictFlags::NOEPEER
    };
    let rule = AccessRule {
        ip_peer_limit: limit,
        ..AccessRule::new(network, flags)
    };
    SystemConfig {
        associations: vec![line(address(11))],
        access: Arc::new(Policy::new([rule], None)),
        ..SystemConfig::default()
    }
}

/// A guest with a `peer` line, and its host; gives both, settled.
fn guest_of(seed: u64, wish: Wish, host: SystemConfig) -> (World, NodeId, NodeId) {
    let mut world = world(seed);
    world.add(NodeConfig {
        addresses: vec![address(11)],
        ..NodeConfig::primary("north", ClockConfig::wrong_by(0.0, 0.0))
    });
    let config = SystemConfig {
        associations: vec![peer_line(address(2), wish)],
        ..SystemConfig::default()
    };
    let guest = world.add(node(1, "guest", ClockConfig::wrong_by(0.1, 30.0), config));
    let host = world.add(node(2, "host", ClockConfig::wrong_by(0.0, 5.0), host));
    world.run_until(2.0 * HOUR_S);
    (world, guest, host)
}

#[test]
fn a_keyed_guest_gets_a_passive_association_where_the_rules_say_so() {
    let keyed = Wish {
        keyed: true,
        ..Wish::default()
    };
    let passive = |world: &mut World, host| {
        let all = status(world, host).associations;
        all.into_iter()
            .filter(|it| it.kind == 'S')
            .collect::<Vec<_>>()
    };
    let (mut world, guest, there) = guest_of(68, keyed, host(true, None));
    let found = passive(&mut world, there);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].remote, Some(SocketAddr::new(address(1), NTP_PORT)));
    assert_eq!(found[0].reach | 1, 0o377);
    assert!(world.error_s(guest).abs() < 0.001);
    // The guest is gone: so is the association, after a while.
    world.cut(guest);
    world.run_until(4.0 * HOUR_S);
    assert!(passive(&mut world, there).is_empty());
    for (seed, wish, rules) in [
        (69, keyed, host(false, None)),
        (70, keyed, host(true, Some(0))),
        (71, Wish::default(), host(true, None)),
        (
            72,
            keyed,
            SystemConfig {
                access: Arc::default(),
                ..host(true, None)
            },
        ),
    ] {
        let (mut world, guest, there) = guest_of(seed, wish, rules);
        assert!(passive(&mut world, there).is_empty(), "{seed}");
        assert!(
            world.error_s(guest).abs() < 0.001,
            "it gets the time all the same"
        );
    }
}
