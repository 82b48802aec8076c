//! Worlds and configurations as the scenarios need them.
use truechimer_proto::config::{AssociationConfig, Remote, Steering, SystemConfig};
use truechimer_proto::event::{Event, PeerEvent, SystemEvent};
use truechimer_proto::status::{AssociationStatus, SystemStatus};
use truechimer_sim::{ClockConfig, NodeConfig, NodeId, Path, World};

/// 2026-11-01 00:00 UTC.
pub(crate) const START_UNIX_S: i64 = 1_793_491_200;

/// A world whose paths have 4 ms of delay and 0.2 ms of jitter each way.
pub(crate) fn world(seed: u64) -> World {
    let mut world = World::new(seed, START_UNIX_S);
    world.default_path(Path::new(0.004, 0.000_2));
    world
}

/// Adds primary servers with these errors of their clocks in seconds.
pub(crate) fn primaries(world: &mut World, offsets_s: &[f64]) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    for (index, offset_s) in offsets_s.iter().enumerate() {
        let clock = ClockConfig::wrong_by(*offset_s, 0.0);
        nodes.push(world.add(NodeConfig::primary(&format!("primary-{index}"), clock)));
    }
    nodes
}

/// `server ADDRESS iburst minpoll 4 maxpoll 6` for each node: with the default polls RFC 5905's loop
/// takes hours to settle, and most scenarios are not about that.
pub(crate) fn client_of(world: &World, servers: &[NodeId]) -> SystemConfig {
    let associations = servers
        .iter()
        .map(|server| AssociationConfig {
            iburst: true,
            minpoll: 4,
            maxpoll: 6,
            ..AssociationConfig::server(Remote::Address(world.address(*server)))
        })
        .collect();
    SystemConfig {
        associations,
        ..SystemConfig::default()
    }
}

/// `disable kernel`.
pub(crate) fn user_space() -> Steering {
    Steering {
        kernel: false,
        ..Steering::default()
    }
}

/// Adds a machine.
pub(crate) fn machine(
    world: &mut World,
    name: &str,
    clock: ClockConfig,
    config: SystemConfig,
) -> NodeId {
    world.add(NodeConfig::machine(name, clock, config))
}

pub(crate) fn status(world: &mut World, node: NodeId) -> SystemStatus {
    world.status(node).expect("a machine")
}

/// The association with this server.
pub(crate) fn association(world: &mut World, node: NodeId, server: NodeId) -> AssociationStatus {
    let address = world.address(server);
    let all = status(world, node).associations;
    let mut with_server = all.into_iter().filter(|association| {
        association
            .remote
            .is_some_and(|remote| remote.ip() == address)
    });
    with_server.next().expect("an association with that server")
}

pub(crate) fn peer_events(world: &World, node: NodeId) -> Vec<(f64, PeerEvent)> {
    let events = world.events(node).iter();
    events
        .filter_map(|(at_s, event)| match event {
            Event::Peer { what, .. } => Some((*at_s, *what)),
            Event::System(_) => None,
        })
        .collect()
}

pub(crate) fn system_events(world: &World, node: NodeId) -> Vec<(f64, SystemEvent)> {
    let events = world.events(node).iter();
    events
        .filter_map(|(at_s, event)| match event {
            Event::System(what) => Some((*at_s, what.clone())),
            Event::Peer { .. } => None,
        })
        .collect()
}

/// One line of the table of results; figures in the unit their name ends in.
pub(crate) fn report(scenario: &str, figures: &[(&str, f64)]) {
    let figures: Vec<_> = figures
        .iter()
        .map(|(name, value)| format!("{name} {value:.6}"))
        .collect();
    println!("{scenario:<36} {}", figures.join("  "));
}
