//! Islands without a source: hosts agree on one of them, and let go of it when time comes back.
use crate::build::{START_UNIX_S, peer_events, report, status, system_events};
use core::net::{IpAddr, Ipv4Addr};
use truechimer_proto::config::{AssociationConfig, Remote, SystemConfig};
use truechimer_proto::event::{PeerEvent, SystemEvent};
use truechimer_sim::{ClockConfig, NodeConfig, NodeId, Path, World};
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::ReferenceId;

const WAIT_S: f64 = 60.0;
const ORPHAN: u8 = 6;

const fn host_address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, number))
}

const fn upstream_address() -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1))
}

/// An island of hosts that all ask one another, each with its orphan stratum and a clock of its own;
/// and an upstream that is away, which only some of them ask.
struct Island {
    world: World,
    hosts: Vec<NodeId>,
    upstream: NodeId,
}

impl Island {
    fn new(seed: u64, strata: &[u8], ask_upstream: &[u8]) -> Self {
        let mut world = World::new(seed, START_UNIX_S);
        world.default_path(Path::new(0.000_2, 0.000_02));
        let mut upstream = NodeConfig::primary("upstream", ClockConfig::wrong_by(0.0, 0.0));
        upstream.addresses = vec![upstream_address()];
        let upstream = world.add(upstream);
        world.cut(upstream);
        let count = u8::try_from(strata.len()).expect("few hosts");
        let mut hosts = Vec::new();
        for (number, stratum) in (1..=count).zip(strata) {
            let others = (1..=count).filter(|it| *it != number).map(host_address);
            let above = ask_upstream.contains(&number).then(upstream_address);
            let lines = others.chain(above).map(|address| AssociationConfig {
                minpoll: 4,
                maxpoll: 6,
                ..AssociationConfig::server(Remote::Address(address))
            });
            let mut config = SystemConfig {
                associations: lines.collect(),
                ..SystemConfig::default()
            };
            config.tos.orphan = Some(*stratum);
            config.tos.orphan_wait_s = WAIT_S;
            // Nobody's clock is right, and no two drift alike.
            let n = f64::from(number);
            let clock = ClockConfig::wrong_by(0.01 * n, 3.0 - n);
            let mut node = NodeConfig::machine(&format!("host-{number}"), clock, config);
            node.addresses = vec![host_address(number)];
            hosts.push(world.add(node));
        }
        Self {
            world,
            hosts,
            upstream,
        }
    }

    fn node(&self, number: u8) -> NodeId {
        self.hosts[usize::from(number) - 1]
    }

    fn run_for(&mut self, span_s: f64) {
        let until_s = self.world.now_s() + span_s;
        self.world.run_until(until_s);
    }

    /// Lets nothing pass between these hosts and all others, or all again.
    fn split(&mut self, group: &[u8], apart: bool) {
        let loss = if apart { 1.0 } else { 0.0 };
        let path = Path::new(0.000_2, 0.000_02).losing(loss);
        let (inside, outside): (Vec<NodeId>, Vec<NodeId>) =
            (self.hosts.iter()).partition(|it| group.iter().any(|n| self.node(*n) == **it));
        for (a, b) in inside
            .iter()
            .flat_map(|a| outside.iter().map(move |b| (*a, *b)))
        {
            self.world.path(a, b, path);
            self.world.path(b, a, path);
        }
    }

    /// That this one of a group leads and that all others of it follow it.
    fn assert_led_by(&mut self, parent: u8, stratum: u8, group: &[u8]) {
        let IpAddr::V4(address) = host_address(parent) else {
            panic!("IPv4")
        };
        for number in group {
            let node = self.node(*number);
            let shown = status(&mut self.world, node);
            assert_eq!(shown.leap, LeapIndicator::NoWarning, "host {number}");
            let (expected, id) = if *number == parent {
                (stratum, [127, 0, 0, 1])
            } else {
                (stratum + 1, address.octets())
            };
            let said = (shown.stratum, shown.reference_id);
            let wanted = (expected, ReferenceId::from_octets(id));
            assert_eq!(said, wanted, "host {number} of {group:?}");
        }
    }

    /// How far the clocks of a group are apart, seconds.
    fn spread_s(&mut self, group: &[u8]) -> f64 {
        let nodes: Vec<NodeId> = group.iter().map(|it| self.node(*it)).collect();
        let errors = nodes.iter().map(|it| self.world.error_s(*it));
        let errors: Vec<f64> = errors.collect();
        let most = errors.iter().copied().fold(f64::MIN, f64::max);
        most - errors.iter().copied().fold(f64::MAX, f64::min)
    }

    /// How often somebody changed whom it follows, after that moment.
    fn changes_after(&self, at_s: f64) -> usize {
        let leads =
            |(when_s, what): &(f64, PeerEvent)| *when_s > at_s && *what == PeerEvent::SystemPeer;
        let each = self.hosts.iter();
        let changes = each.map(|node| {
            peer_events(&self.world, *node)
                .iter()
                .filter(|it| leads(it))
                .count()
        });
        changes.sum::<usize>() + self.losses_after(at_s)
    }

    /// How often somebody lost its leader, or became one itself.
    fn losses_after(&self, at_s: f64) -> usize {
        let all = self.hosts.iter();
        all.map(|node| {
            let own = system_events(&self.world, *node).into_iter();
            let own = own.filter(|(when_s, what)| {
                let change = matches!(
                    what,
                    SystemEvent::OrphanParent(_) | SystemEvent::NoSystemPeer
                );
                *when_s > at_s && change
            });
            own.count()
        })
        .sum()
    }
}

const ALL: [u8; 5] = [1, 2, 3, 4, 5];

#[test]
fn five_isolated_hosts_follow_one_and_let_go_of_it() {
    let mut island = Island::new(71, &[ORPHAN; 5], &[2, 4]);
    island.run_for(WAIT_S - 5.0);
    for number in ALL {
        let node = island.node(number);
        let shown = status(&mut island.world, node);
        assert_eq!(shown.stratum, 16, "host {number} has not waited yet");
    }
    island.run_for(600.0);
    island.assert_led_by(1, ORPHAN, &ALL);
    island.run_for(3600.0);
    island.assert_led_by(1, ORPHAN, &ALL);
    let apart_s = island.spread_s(&ALL);
    assert!(apart_s < 0.002, "{apart_s}");

    let upstream = island.upstream;
    island.world.restore(upstream);
    let returned_s = island.world.now_s();
    island.run_for(7200.0);
    for number in ALL {
        let node = island.node(number);
        let shown = status(&mut island.world, node);
        let expected = if [2, 4].contains(&number) { 2 } else { 3 };
        assert_eq!(shown.stratum, expected, "host {number}");
        let parents = system_events(&island.world, node)
            .into_iter()
            .filter(|(at_s, what)| {
                *at_s > returned_s && matches!(what, SystemEvent::OrphanParent(_))
            });
        assert_eq!(parents.count(), 0, "host {number}");
        let error_s = island.world.error_s(node);
        assert!(error_s.abs() < 0.005, "host {number}: {error_s}");
    }
    report("orphans", &[("apart_ms", apart_s * 1e3)]);

    island.world.cut(upstream);
    island.run_for(3600.0);
    island.assert_led_by(1, ORPHAN, &ALL);
}

#[test]
fn an_island_is_split_and_joined() {
    let mut island = Island::new(72, &[ORPHAN; 5], &[]);
    island.run_for(1800.0);
    island.split(&[1, 4], true);
    island.run_for(3600.0);
    island.assert_led_by(1, ORPHAN, &[1, 4]);
    island.assert_led_by(2, ORPHAN, &[2, 3, 5]);
    island.split(&[1, 4], false);
    island.run_for(3600.0);
    island.assert_led_by(1, ORPHAN, &ALL);
}

#[test]
fn the_next_takes_over_from_a_parent_that_died() {
    let mut island = Island::new(73, &[ORPHAN; 5], &[]);
    island.run_for(1800.0);
    let parent = island.node(1);
    island.world.cut(parent);
    island.run_for(1800.0);
    island.assert_led_by(2, ORPHAN, &[2, 3, 4, 5]);
    island.world.restore(parent);
    island.run_for(1800.0);
    island.assert_led_by(1, ORPHAN, &ALL);
}

#[test]
fn a_week_without_flapping() {
    let mut island = Island::new(74, &[ORPHAN; 5], &[2]);
    island.run_for(3600.0);
    island.assert_led_by(1, ORPHAN, &ALL);
    let settled_s = island.world.now_s();
    island.run_for(7.0 * 86_400.0);
    island.assert_led_by(1, ORPHAN, &ALL);
    assert_eq!(island.changes_after(settled_s), 0);
    let apart_s = island.spread_s(&ALL);
    assert!(apart_s < 0.002, "{apart_s}");
}

#[test]
fn the_lowest_orphan_stratum_leads() {
    let mut island = Island::new(75, &[8, 8, 5, 5, 8], &[]);
    island.run_for(3600.0);
    let settled_s = island.world.now_s();
    for _ in 0..24 {
        island.run_for(3600.0);
        island.assert_led_by(3, 5, &[3, 4]);
        for number in [1, 2, 5] {
            // To them the parent is a source, and so is who follows it.
            let node = island.node(number);
            let shown = status(&mut island.world, node);
            assert!(
                (6..=7).contains(&shown.stratum),
                "host {number}: {}",
                shown.stratum
            );
        }
    }
    assert_eq!(island.losses_after(settled_s), 0);
}
