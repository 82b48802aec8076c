//! A host of the world: a clock, production code, and how it is configured.

mod client;
mod server;

pub(crate) use client::Client;
pub(crate) use server::Answer;
pub use server::Manner;

use crate::clock::{Clock, ClockConfig};
use crate::random::Random;
use crate::truth::Truth;
use core::net::IpAddr;
use server::Server;
use std::sync::Arc;
use truechimer_crypto::autokey::{AutokeyDigest, Worker};
use truechimer_crypto::{KeyTable, Keyring, keys};
use truechimer_proto::authentication::{Authenticator, NoKeys};
use truechimer_proto::autokey::job::{CryptoJob, Done, Failure};
use truechimer_proto::config::{Listening, SystemConfig};
use truechimer_proto::event::{Event, Report};
use truechimer_proto::host::{Exit, HostEvent};
use truechimer_proto::server::Manycast;
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::statistics::Record;
use truechimer_time::{Now, NtpTimestamp};

/// Clock precision of a node whose configuration says nothing, log2 seconds.
const PRECISION: i8 = -23;

/// A node of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u16);

/// What a node is.
#[derive(Clone, Debug)]
pub enum Role {
    /// A primary server: the real responder over a clock nobody steers, as if an ideal receiver
    /// stood beside it. Its clock is true time and whatever `ClockConfig` says is wrong with it.
    Primary {
        /// Stratum claimed.
        stratum: u8,
        /// Error bound claimed, seconds.
        root_dispersion_s: f64,
        /// How long before a leap second of the world it announces it, seconds.
        announces_leap_s: i64,
    },
    /// A whole machine: system, discipline and responder.
    Machine(Box<SystemConfig>),
}

impl Role {
    /// A stratum 1 server that announces leap seconds a day ahead.
    pub const fn primary() -> Self {
        Self::Primary {
            stratum: 1,
            root_dispersion_s: 0.000_1,
            announces_leap_s: 86_400,
        }
    }
}

/// How to make a node.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// For people, and for the world's resolver.
    pub name: String,
    /// Its addresses; one is made up if there is none.
    pub addresses: Vec<IpAddr>,
    /// Its clock.
    pub clock: ClockConfig,
    /// What runs on it.
    pub role: Role,
    /// Keys it holds.
    pub keys: Option<Arc<KeyTable>>,
    /// Holds its keys of Autokey, and does at once what they are asked for.
    pub autokey: Option<Arc<Worker>>,
    /// Whether its kernel lets it adjust the clock.
    pub may_steer: bool,
    /// How its server treats requests.
    pub manner: Manner,
    /// In which groups its server answers.
    pub manycast: Option<Manycast>,
}

impl NodeConfig {
    /// A primary server with this clock.
    pub fn primary(name: &str, clock: ClockConfig) -> Self {
        Self::new(name, clock, Role::primary())
    }

    /// A machine running `System` and `Responder`.
    pub fn machine(name: &str, clock: ClockConfig, config: SystemConfig) -> Self {
        Self::new(name, clock, Role::Machine(Box::new(config)))
    }

    fn new(name: &str, clock: ClockConfig, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            addresses: Vec::new(),
            clock,
            role,
            keys: None,
            autokey: None,
            may_steer: true,
            manner: Manner::Honest,
            manycast: None,
        }
    }
}

/// Everything a node holds.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) addresses: Vec<IpAddr>,
    keys: Keys,
    pub(crate) clock: Clock,
    pub(crate) may_steer: bool,
    pub(crate) random: Random,
    pub(crate) server: Server,
    pub(crate) client: Option<Client>,
    pub(crate) journal: Journal,
    /// What its sockets for many would hear.
    pub(crate) listening: Listening,
}

/// What a node had to say.
#[derive(Default)]
pub(crate) struct Journal {
    /// True time in seconds and what happened then.
    pub(crate) events: Vec<(f64, Event)>,
    /// The same by the node's own clock, as told.
    pub(crate) reports: Vec<(NtpTimestamp, Report)>,
    pub(crate) records: Vec<Record>,
    pub(crate) stored_freq_ppm: Option<f64>,
    pub(crate) exit: Option<(f64, Exit)>,
}

impl Node {
    pub(crate) fn new(
        config: NodeConfig,
        at: (u64, &Truth),
        mut random: Random,
        clock: Random,
    ) -> Self {
        let (true_ns, truth) = at;
        let keeps_utc = matches!(config.role, Role::Primary { .. });
        let mut clock = Clock::new(config.clock, truth, clock, keeps_utc);
        let now = clock.now(true_ns, truth);
        let addresses = config.addresses;
        let keys = Keys {
            table: config.keys,
            autokey: config.autokey,
        };
        let server = Server::new(
            &config.role,
            config.manner,
            config.manycast,
            keys.authenticator(),
        );
        let mut listening = Listening::default();
        let client = match config.role {
            Role::Primary { .. } => None,
            Role::Machine(system) => {
                listening.clone_from(&system.listening);
                let system = at_home(*system, &addresses);
                let seed = random.seed();
                Some(Client::new(now, system, seed, keys.authenticator()))
            }
        };
        Self {
            name: config.name,
            addresses,
            keys,
            clock,
            may_steer: config.may_steer,
            random,
            server,
            client,
            journal: Journal::default(),
            listening,
        }
    }

    /// What its daemon is told of a configuration that was read again.
    pub(crate) fn reread(&self, config: SystemConfig) -> HostEvent {
        HostEvent::Reconfigured {
            config: Box::new(at_home(config, &self.addresses)),
            authenticator: self.keys.authenticator(),
        }
    }

    /// Another daemon in place of the one there was.
    pub(crate) fn restart(&mut self, now: Now, config: SystemConfig) {
        let config = at_home(config, &self.addresses);
        let keys = self.keys.authenticator();
        let seed = self.random.seed();
        self.client = self
            .client
            .take()
            .map(|_| Client::new(now, config, seed, keys));
    }

    /// What its server answers from now.
    pub(crate) fn snapshot(&self, now: Now, true_ns: u64, truth: &Truth) -> Snapshot {
        match &self.client {
            Some(client) => client.snapshot,
            None => self.server.primary_snapshot(now, true_ns, truth),
        }
    }
}

/// A configuration with what a host knows of itself.
fn at_home(mut config: SystemConfig, addresses: &[IpAddr]) -> SystemConfig {
    config.own_addresses = addresses.to_vec();
    config.links = crate::world::links(addresses);
    if config.precision == 0 {
        config.precision = PRECISION;
    }
    config
}

/// The keys of a node.
struct Keys {
    table: Option<Arc<KeyTable>>,
    autokey: Option<Arc<Worker>>,
}

fn none() -> Arc<KeyTable> {
    let (nothing, _) = keys::parse(b"");
    Arc::new(KeyTable::new(nothing, None))
}

impl Keys {
    fn authenticator(&self) -> Box<dyn Authenticator> {
        if self.autokey.is_none() && self.table.is_none() {
            return Box::new(NoKeys);
        }
        let keyring = Keyring::new(self.table.clone().unwrap_or_else(none));
        let digest = AutokeyDigest::from_name("MD5").ok();
        Box::new(match digest.filter(|_| self.autokey.is_some()) {
            Some(digest) => keyring.with_autokey_digest(digest),
            None => keyring,
        })
    }
}

impl Node {
    /// Does what needs keys, as fast as thought.
    pub(crate) fn perform(&self, job: &CryptoJob) -> Done {
        let worker = self.keys.autokey.as_ref();
        worker.map_or(Done::Failed(Failure::Busy), |it| it.perform(job))
    }
}
