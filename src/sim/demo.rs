//! What `truechimer demo` shows: four servers, one of them a falseticker, and three clients.
use crate::clock::ClockConfig;
use crate::network::Path;
use crate::node::{NodeConfig, NodeId};
use crate::world::World;
use core::net::SocketAddr;
use truechimer_proto::config::{AssociationConfig, Remote, SystemConfig};
use truechimer_proto::status::SystemStatus;

/// Where the demonstration begins: 2026-11-01 00:00 UTC.
const START_UNIX_S: i64 = 1_793_491_200;
/// Virtual seconds after which all clients have settled.
pub const LENGTH_S: f64 = 3600.0;
/// Name and how wrong its clock is, seconds.
const SERVERS: [(&str, f64); 4] = [
    ("truth-1", 0.0),
    ("truth-2", 0.000_02),
    ("truth-3", -0.000_03),
    ("liar", 0.3),
];
/// This many of them tell the truth, the rest come up late: in its first seconds every client's
/// error bounds are so wide that a lie of 300 ms fits in.
const TRUTHFUL: usize = 3;
/// When the liar comes up, virtual seconds.
pub const LIAR_FROM_S: f64 = 60.0;
/// Name, offset in seconds, frequency error in ppm.
const CLIENTS: [(&str, f64, f64); 3] = [
    ("ahead", 0.4, 50.0),
    ("behind", -2.0, -30.0),
    ("fast", 0.005, 120.0),
];

/// The demonstration under way.
pub struct Demo {
    world: World,
    clients: Vec<NodeId>,
    servers: Vec<NodeId>,
}

/// A client at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientView {
    /// Its name.
    pub name: String,
    /// How wrong its clock began, seconds.
    pub began_offset_s: f64,
    /// How wrong its oscillator is, ppm.
    pub oscillator_ppm: f64,
    /// Its clock minus true time, seconds: what no real client can know of itself.
    pub error_s: f64,
    /// How fast its steered clock still gains, ppm.
    pub frequency_error_ppm: f64,
    /// What it says of itself.
    pub status: SystemStatus,
}

/// A server of the demonstration.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerView {
    /// Its name.
    pub name: String,
    /// Where clients find it.
    pub address: SocketAddr,
    /// Its clock minus true time, seconds.
    pub error_s: f64,
    /// Requests answered.
    pub answered: u64,
}

impl Demo {
    /// From a seed; the same seed shows the same.
    pub fn new(seed: u64) -> Self {
        let mut world = World::new(seed, START_UNIX_S);
        world.default_path(Path::new(0.004, 0.000_2));
        let servers: Vec<_> = SERVERS
            .iter()
            .map(|(name, offset_s)| {
                world.add(NodeConfig::primary(
                    name,
                    ClockConfig::wrong_by(*offset_s, 0.0),
                ))
            })
            .collect();
        for server in servers.iter().skip(TRUTHFUL) {
            world.cut(*server);
        }
        let clients = CLIENTS
            .iter()
            .map(|(name, offset_s, frequency_ppm)| {
                let clock = ClockConfig::wrong_by(*offset_s, *frequency_ppm).wandering(0.000_1);
                world.add(NodeConfig::machine(name, clock, client_of(&SERVERS)))
            })
            .collect();
        Self {
            world,
            clients,
            servers,
        }
    }

    /// Lets virtual time go on to this many seconds after the start.
    pub fn step(&mut self, until_s: f64) {
        self.world.run_until(until_s.min(LIAR_FROM_S));
        if until_s >= LIAR_FROM_S {
            for server in self.servers.iter().skip(TRUTHFUL) {
                self.world.restore(*server);
            }
        }
        self.world.run_until(until_s);
    }

    /// Virtual seconds since the start.
    pub fn now_s(&self) -> f64 {
        self.world.now_s()
    }

    /// The clients now.
    pub fn clients(&mut self) -> Vec<ClientView> {
        let world = &mut self.world;
        let mut views = Vec::with_capacity(self.clients.len());
        for (node, (name, began_offset_s, oscillator_ppm)) in self.clients.iter().zip(CLIENTS) {
            let error_s = world.error_s(*node);
            let frequency_error_ppm = world.frequency_error_ppm(*node);
            if let Some(status) = world.status(*node) {
                views.push(ClientView {
                    name: name.to_owned(),
                    began_offset_s,
                    oscillator_ppm,
                    error_s,
                    frequency_error_ppm,
                    status,
                });
            }
        }
        views
    }

    /// The servers now.
    pub fn servers(&mut self) -> Vec<ServerView> {
        let world = &mut self.world;
        let view = |node: &NodeId| ServerView {
            name: world.node_name(*node).to_owned(),
            address: SocketAddr::new(world.address(*node), crate::NTP_PORT),
            error_s: world.error_s(*node),
            answered: world.answered(*node),
        };
        self.servers.iter().map(view).collect()
    }
}

/// A client as an operator would configure it: four lines of
/// `server NAME iburst minpoll 4 maxpoll 6`, so that an hour shows it all.
fn client_of(servers: &[(&str, f64)]) -> SystemConfig {
    let associations = servers
        .iter()
        .map(|(name, _)| AssociationConfig {
            iburst: true,
            minpoll: 4,
            maxpoll: 6,
            ..AssociationConfig::server(Remote::Name((*name).to_owned()))
        })
        .collect();
    SystemConfig {
        associations,
        ..SystemConfig::default()
    }
}
