//! Servers found in a group: near before far, no more than enough, again when they are lost, and
//! nobody who cannot prove what is asked for.
use crate::build::{machine, report, status, world};
use std::sync::Arc;
use truechimer_crypto::{KeyTable, keys};
use truechimer_proto::authentication::KeyId;
use truechimer_proto::config::{AssociationConfig, AssociationKind, Demand, Remote, SystemConfig};
use truechimer_proto::server::Manycast;
use truechimer_proto::status::Tally;
use truechimer_proto::unsolicited::Unsolicited;
use truechimer_sim::{ClockConfig, Manner, NodeConfig, NodeId, Path, World};

const GROUP: [u8; 4] = [239, 1, 1, 1];

/// A primary server that answers in the group, this wrong in seconds.
fn server(world: &mut World, offset_s: f64) -> NodeId {
    server_with(world, offset_s, None, Manner::Honest)
}

fn server_with(
    world: &mut World,
    offset_s: f64,
    keys: Option<Arc<KeyTable>>,
    manner: Manner,
) -> NodeId {
    let name = format!("server {offset_s} {:?}", world.now_s());
    world.add(NodeConfig {
        keys,
        manner,
        manycast: Some(Manycast::new([GROUP.into()], false)),
        ..NodeConfig::primary(&name, ClockConfig::wrong_by(offset_s, 0.0))
    })
}

/// `manycastclient 239.1.1.1 minpoll 4 maxpoll 6`, `ttl 1 2 4 8`.
fn hunting(maxclock: usize, key: Option<u32>) -> SystemConfig {
    let mut config = SystemConfig {
        associations: vec![AssociationConfig {
            kind: AssociationKind::ManycastClient,
            minpoll: 4,
            maxpoll: 6,
            hops: 255,
            key: key.and_then(KeyId::symmetric),
            ..AssociationConfig::server(Remote::Address(GROUP.into()))
        }],
        rings: vec![1, 2, 4, 8],
        auth: match key {
            Some(_) => Demand::Authentic,
            None => Demand::Anybody,
        },
        ..SystemConfig::default()
    };
    config.tos.maxclock = maxclock;
    config.tos.beacon_s = 1800.0;
    config
}

fn client(world: &mut World, config: SystemConfig) -> NodeId {
    machine(world, "client", ClockConfig::wrong_by(0.03, 15.0), config)
}

/// Puts so many routers between two nodes.
fn apart(world: &mut World, one: NodeId, other: NodeId, routers: u8) {
    let path = Path::new(0.001 + 0.002 * f64::from(routers), 0.000_1).routed(routers);
    world.path(one, other, path);
    world.path(other, one, path);
}

/// Which of these servers the client has associations with.
fn members(world: &mut World, client: NodeId, servers: &[NodeId]) -> Vec<usize> {
    let all = status(world, client).associations;
    let used = |node: &NodeId| {
        let address = world.address(*node);
        let mut remotes = all.iter().filter_map(|it| it.remote);
        remotes.any(|remote| remote.ip() == address)
    };
    (0..servers.len())
        .filter(|index| used(&servers[*index]))
        .collect()
}

/// Associations that are no template.
fn used(world: &mut World, client: NodeId) -> usize {
    let all = status(world, client).associations;
    all.iter().filter(|it| it.kind == 'u').count()
}

fn requests(world: &mut World, client: NodeId) -> u32 {
    let all = status(world, client).associations;
    let template = all.iter().find(|it| it.kind == 'a').expect("a template");
    template.sent
}

fn table(text: &[u8]) -> Arc<KeyTable> {
    let (file, complaints) = keys::parse(text);
    assert_eq!(complaints, []);
    Arc::new(KeyTable::new(file, KeyId::symmetric(7)))
}

#[test]
fn the_nearest_are_found_ring_by_ring() {
    let mut world = world(101);
    let servers: Vec<NodeId> = [0.0, 1e-5, -1e-5, 2e-5, -2e-5, 3e-5]
        .map(|offset_s| server(&mut world, offset_s))
        .to_vec();
    let client = client(&mut world, hunting(4, None));
    // Two on our net, two a router away, two in the next ring, two farther than anybody asks.
    for (server, routers) in servers.iter().zip([0, 0, 1, 1, 5, 9]) {
        apart(&mut world, client, *server, routers);
    }
    world.run_until(10.0);
    assert_eq!(members(&mut world, client, &servers), [0, 1]);
    world.run_until(30.0);
    assert_eq!(members(&mut world, client, &servers), [0, 1, 2, 3]);
    let settled_s = world
        .settles(client, 0.001, 900.0, 5400.0)
        .expect("settles");
    world.run_until(7200.0);
    assert_eq!(members(&mut world, client, &servers), [0, 1, 2, 3]);
    let asked = requests(&mut world, client);
    report(
        "manycast, nearest first",
        &[("settled_s", settled_s), ("rounds", f64::from(asked))],
    );
    // Two rings, and a beacon each half hour.
    assert!((4..=8).contains(&asked), "{asked}");
    assert_eq!(status(&mut world, client).stratum, 2);
    assert!(world.error_s(client).abs() < 0.001);
}

#[test]
fn many_servers_are_pruned_to_maxclock() {
    let mut world = world(102);
    let servers: Vec<NodeId> = (0..40_u8)
        .map(|index| server(&mut world, f64::from(index) * 1e-5))
        .collect();
    let client = client(&mut world, hunting(5, None));
    let mut most = 0;
    for step in 1..=720 {
        world.run_until(f64::from(step) * 20.0);
        most = most.max(used(&mut world, client));
    }
    report("manycast, forty answer", &[("most", figure(most as u64))]);
    assert!((5..=10).contains(&most), "a beacon may double them: {most}");
    assert!(members(&mut world, client, &servers).len() >= 5);
    assert!(world.error_s(client).abs() < 0.001);
}

#[test]
fn lost_servers_are_made_up_for_by_others() {
    let mut world = world(103);
    let near: Vec<NodeId> = (0..3).map(|_| server(&mut world, 0.0)).collect();
    let far: Vec<NodeId> = (0..3).map(|_| server(&mut world, 1e-5)).collect();
    let client = client(&mut world, hunting(3, None));
    for server in &near {
        apart(&mut world, client, *server, 0);
    }
    for server in &far {
        apart(&mut world, client, *server, 6);
    }
    world.run_until(3600.0);
    assert_eq!(members(&mut world, client, &near), [0, 1, 2]);
    assert!(members(&mut world, client, &far).is_empty());
    let before = requests(&mut world, client);
    for server in &near {
        world.cut(*server);
    }
    let found = (0..400).find(|minute| {
        world.run_until(3600.0 + 60.0 * f64::from(*minute));
        let shown = status(&mut world, client);
        let answering = shown.associations.iter().filter(|it| it.reach & 1 != 0);
        answering.count() == 3 && members(&mut world, client, &far).len() == 3
    });
    let found_min = f64::from(found.expect("the far ones are found"));
    let asked = requests(&mut world, client) - before;
    world.run_until(20_000.0);
    report(
        "manycast, lost and found",
        &[("found_min", found_min), ("rounds", f64::from(asked))],
    );
    assert!(world.error_s(client).abs() < 0.001);
    assert_eq!(status(&mut world, client).stratum, 2);
}

#[test]
fn hosts_that_are_both_make_no_loop() {
    // One with a source of its own, and two that look for servers and are servers: with `tos cohort`
    // and without.
    for (seed, cohort) in [(104, false), (105, true)] {
        let mut world = world(seed);
        let primary = server(&mut world, 0.0);
        let mut both = Vec::new();
        for name in ["one", "other"] {
            let mut config = hunting(3, None);
            config.tos.cohort = cohort;
            config.tos.minclock = 1;
            let clock = ClockConfig::wrong_by(0.01, 5.0);
            both.push(world.add(NodeConfig {
                manycast: Some(Manycast::new([GROUP.into()], cohort)),
                ..NodeConfig::machine(name, clock, config)
            }));
        }
        // The other cannot hear the primary: only by the one does it know the time.
        apart(&mut world, both[1], primary, 9);
        world.run_until(14_400.0);
        let strata = [0, 1].map(|index| status(&mut world, both[index]).stratum);
        assert_eq!(strata, [2, 3], "{cohort}");
        let mutual = members(&mut world, both[0], &both[1..]);
        assert!(mutual.is_empty(), "it follows us: {cohort}");
        assert!(world.error_s(both[1]).abs() < 0.002);
    }
}

#[test]
fn only_who_has_the_key_is_found() {
    let mut world = world(106);
    let held = table(b"7 AES128CMAC 2b7e151628aed2a6abf7158809cf4f3c\n");
    let other = table(b"7 AES128CMAC 00000000000000000000000000000000\n");
    let honest = Manner::Honest;
    let keyed: Vec<NodeId> = (0..3)
        .map(|_| server_with(&mut world, 0.0, Some(Arc::clone(&held)), honest))
        .collect();
    let liars = [
        server_with(&mut world, 60.0, None, honest),
        server_with(&mut world, 60.0, Some(other), honest),
    ];
    let replaying = server_with(&mut world, 60.0, Some(Arc::clone(&held)), Manner::Replay);
    let config = hunting(8, Some(7));
    let client = world.add(NodeConfig {
        keys: Some(held),
        ..NodeConfig::machine("client", ClockConfig::wrong_by(0.03, 15.0), config)
    });
    world.run_until(7200.0);
    assert_eq!(members(&mut world, client, &keyed), [0, 1, 2]);
    assert!(members(&mut world, client, &liars).is_empty());
    assert!(members(&mut world, client, &[replaying]).is_empty());
    let refused = world.unsolicited(client);
    let replayed = refused.of(Unsolicited::Unasked);
    report("manycast, keyed", &[("replayed", figure(replayed))]);
    assert!(replayed > 0, "an old round is over");
    // A wrong key gets no answer at all from a server, so nothing comes to be refused.
    assert_eq!(refused.of(Unsolicited::NotAuthentic), 0);
    assert!(world.error_s(client).abs() < 0.001);
}

fn figure(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[test]
fn a_crowd_that_is_not_there_drives_nobody_out() {
    let mut world = world(107);
    let servers: Vec<NodeId> = (0..3).map(|_| server(&mut world, 0.0)).collect();
    let forger = server_with(&mut world, 0.0, None, Manner::Crowd(0));
    let client = client(&mut world, hunting(4, None));
    world.run_until(3600.0);
    assert_eq!(members(&mut world, client, &servers), [0, 1, 2]);
    world.set_manner(forger, Manner::Crowd(5000));
    let mut most = 0;
    for step in 1..=300 {
        world.run_until(3600.0 + f64::from(step) * 60.0);
        most = most.max(used(&mut world, client));
        let good = members(&mut world, client, &servers);
        assert_eq!(good, [0, 1, 2], "at {} s", world.now_s());
    }
    let turned_away = world.unsolicited(client).of(Unsolicited::NoRoom);
    report(
        "manycast, five thousand ghosts",
        &[
            ("most", figure(most as u64)),
            ("no_room", figure(turned_away)),
        ],
    );
    assert!(most <= 8, "{most}");
    assert!(turned_away > 10_000, "{turned_away}");
    let shown = status(&mut world, client);
    assert!(
        shown
            .associations
            .iter()
            .any(|it| it.tally == Tally::SystemPeer)
    );
    assert!(world.error_s(client).abs() < 0.001);
}

#[test]
fn an_unkeyed_line_finds_nobody_while_auth_is_enabled() {
    let mut world = world(108);
    let servers: Vec<NodeId> = (0..3).map(|_| server(&mut world, 0.0)).collect();
    let mut config = hunting(4, None);
    config.auth = Demand::Authentic;
    let client = client(&mut world, config);
    world.run_until(3600.0);
    assert!(members(&mut world, client, &servers).is_empty());
    assert_eq!(requests(&mut world, client), 0);
    assert_eq!(world.answered(servers[0]), 0);
}
