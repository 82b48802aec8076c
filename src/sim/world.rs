//! A world: nodes, paths, names, and the only queue by which time goes on.

mod many;
mod queue;
mod turn;

use crate::hostile::Flood;
use crate::names::Names;
use crate::network::{Network, Path, Traffic};
use crate::node::{Manner, Node, NodeConfig, NodeId};
use crate::random::Random;
use crate::truth::Truth;
use core::net::{IpAddr, Ipv4Addr};
pub(crate) use many::links;
pub use many::{BROADCAST, Datagram};
use queue::{Happening, Queue};
use std::collections::BTreeMap;
use truechimer_proto::config::SystemConfig;
use truechimer_proto::event::{Event, Report};
use truechimer_proto::host::{Exit, HostEvent};
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::statistics::Record;
use truechimer_proto::status::SystemStatus;
use truechimer_time::{Now, NtpDuration, NtpTimestamp};

/// UDP port of every server.
pub const NTP_PORT: u16 = 123;

/// A deterministic world. Two worlds built by the same calls from the same seed behave alike to
/// the last bit.
pub struct World {
    seed: u64,
    truth: Truth,
    true_ns: u64,
    queue: Queue,
    nodes: Vec<Node>,
    by_address: BTreeMap<IpAddr, NodeId>,
    network: Network,
    names: Names,
    floods: Vec<Flood>,
    random: Random,
    told_to_many: Option<Datagram>,
}

impl World {
    /// An empty world at this Unix time.
    pub fn new(seed: u64, start_unix_s: i64) -> Self {
        Self {
            seed,
            truth: Truth::new(start_unix_s),
            true_ns: 0,
            queue: Queue::default(),
            nodes: Vec::new(),
            by_address: BTreeMap::new(),
            network: Network::new(seed),
            names: Names::default(),
            floods: Vec::new(),
            random: Random::new(seed, 0),
            told_to_many: None,
        }
    }

    /// What makes it repeatable.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Adds a node, which starts now. Its name resolves to its addresses.
    pub fn add(&mut self, mut config: NodeConfig) -> NodeId {
        let index = u16::try_from(self.nodes.len()).unwrap_or(u16::MAX);
        let id = NodeId(index);
        if config.addresses.is_empty() {
            let [high, low] = (index + 1).to_be_bytes();
            config.addresses = vec![IpAddr::V4(Ipv4Addr::new(10, 0, high, low))];
        }
        for address in &config.addresses {
            self.by_address.insert(*address, id);
        }
        self.names.set(&config.name, config.addresses.clone());
        let random = Random::new(self.seed, 2 << 32 | u64::from(index));
        let clock = Random::new(self.seed, 3 << 32 | u64::from(index));
        self.nodes.push(Node::new(
            config,
            (self.true_ns, &self.truth),
            random,
            clock,
        ));
        self.turn(id);
        id
    }

    /// The path of every pair not told otherwise.
    pub const fn default_path(&mut self, path: Path) {
        self.network.set_default(path);
    }

    /// The path from one node to another; the way back is its own.
    pub fn path(&mut self, from: NodeId, to: NodeId, path: Path) {
        self.network.set(from, to, path);
    }

    /// Has a node's replies leave so long after they are made, on average: its kernel knows when, and its
    /// next reply may tell (RFC 9769).
    pub fn leaves_late(&mut self, node: NodeId, late_s: f64) {
        self.nodes[usize::from(node.0)].server.leave_late(late_s);
    }

    /// Pulls a node's cable.
    pub fn cut(&mut self, node: NodeId) {
        self.network.cut(node);
    }

    /// Plugs it in again.
    pub fn restore(&mut self, node: NodeId) {
        self.network.restore(node);
    }

    /// Lets a name resolve to these addresses.
    pub fn name(&mut self, name: &str, addresses: &[IpAddr]) {
        self.names.set(name, addresses.to_vec());
    }

    /// Whether the resolver is dead.
    pub const fn names_dead(&mut self, dead: bool) {
        self.names.set_dead(dead);
    }

    /// How many names were asked for.
    pub const fn names_asked(&self) -> u64 {
        self.names.asked
    }

    /// Lets UTC gain (+1) or lose (-1) a second before this Unix time; in order of time.
    pub fn leap(&mut self, at_unix_s: i64, change_s: i32) {
        self.truth.add_leap(at_unix_s, change_s);
    }

    /// Changes how a node's server treats requests.
    pub fn set_manner(&mut self, node: NodeId, manner: Manner) {
        self.nodes[usize::from(node.0)].server.manner = manner;
    }

    /// Begins a flood.
    pub fn flood(&mut self, flood: Flood) {
        self.floods.push(flood);
        let index = self.floods.len() - 1;
        self.queue.push(self.true_ns, Happening::Flood(index));
    }

    /// Somebody sets a node's clock behind the daemon's back, and the daemon's host notices.
    pub fn step_clock(&mut self, node: NodeId, offset: NtpDuration) {
        let now = self.now(node);
        let entry = &mut self.nodes[usize::from(node.0)];
        entry.clock.step(offset);
        let now = Now {
            wall: now.wall.plus(offset),
            ..now
        };
        if let Some(client) = &mut entry.client {
            client
                .system
                .handle_host(now, HostEvent::ForeignStep(offset));
        }
        self.turn(node);
    }

    /// A machine's host makes new private values of Autokey's cookies, the one in use first.
    pub fn use_private_values(&mut self, node: NodeId, values: Vec<u32>) {
        self.tell(node, HostEvent::PrivateValues(values));
    }

    /// A machine's daemon reads its configuration again.
    pub fn reload(&mut self, node: NodeId, config: SystemConfig) {
        let event = self.nodes[usize::from(node.0)].reread(config);
        self.tell(node, event);
    }

    /// A machine's daemon ends without a word, and another starts with this configuration.
    pub fn restart(&mut self, node: NodeId, config: SystemConfig) {
        let now = self.now(node);
        self.nodes[usize::from(node.0)].restart(now, config);
        self.turn(node);
    }

    /// A node's oscillator changes its frequency at once, as when its fan stops: ppm on top of
    /// what it was.
    pub fn jolt(&mut self, node: NodeId, change_ppm: f64) {
        self.now(node);
        self.nodes[usize::from(node.0)].clock.jolt(change_ppm);
        self.turn(node);
    }

    /// Lets true time go on to this many seconds after the start; never back.
    pub fn run_until(&mut self, at_s: f64) {
        let until_ns = nanoseconds(at_s).max(self.true_ns);
        while let Some((true_ns, happening)) = self.queue.pop_until(until_ns) {
            self.true_ns = true_ns;
            self.happen(happening);
        }
        self.true_ns = until_ns;
    }

    /// True seconds since the start.
    #[expect(clippy::cast_precision_loss, reason = "for people and tables")]
    pub fn now_s(&self) -> f64 {
        self.true_ns as f64 * 1e-9
    }

    /// A node's clock minus true time, seconds.
    pub fn error_s(&mut self, node: NodeId) -> f64 {
        let now = self.now(node);
        now.wall.since(self.truth.wall(self.true_ns)).to_seconds()
    }

    /// How fast a node's clock gains on true time, ppm.
    pub fn frequency_error_ppm(&mut self, node: NodeId) -> f64 {
        self.now(node);
        self.nodes[usize::from(node.0)].clock.frequency_error_ppm()
    }

    /// What a machine says of itself; `None` of a primary server.
    pub fn status(&mut self, node: NodeId) -> Option<SystemStatus> {
        let now = self.now(node);
        let client = self.nodes[usize::from(node.0)].client.as_ref()?;
        Some(client.system.status(now))
    }

    /// What a node's server answers from.
    pub fn snapshot(&mut self, node: NodeId) -> Snapshot {
        let now = self.now(node);
        self.nodes[usize::from(node.0)].snapshot(now, self.true_ns, &self.truth)
    }

    /// A node's name.
    pub fn node_name(&self, node: NodeId) -> &str {
        &self.nodes[usize::from(node.0)].name
    }

    /// A node's first address.
    pub fn address(&self, node: NodeId) -> IpAddr {
        self.nodes[usize::from(node.0)].addresses[0]
    }

    /// What a machine told its operator, with true time in seconds.
    pub fn events(&self, node: NodeId) -> &[(f64, Event)] {
        &self.nodes[usize::from(node.0)].journal.events
    }

    /// The same as it was told, by the machine's own clock.
    pub fn reports(&self, node: NodeId) -> &[(NtpTimestamp, Report)] {
        &self.nodes[usize::from(node.0)].journal.reports
    }

    /// What a machine recorded for its statistics files.
    pub fn records(&self, node: NodeId) -> &[Record] {
        &self.nodes[usize::from(node.0)].journal.records
    }

    /// Why and when its daemon ended, if it did.
    pub fn exit(&self, node: NodeId) -> Option<(f64, Exit)> {
        self.nodes[usize::from(node.0)].journal.exit
    }

    /// The frequency last kept for its next start, ppm.
    pub fn stored_freq_ppm(&self, node: NodeId) -> Option<f64> {
        self.nodes[usize::from(node.0)].journal.stored_freq_ppm
    }

    /// Requests a node's server answered.
    pub fn answered(&self, node: NodeId) -> u64 {
        self.nodes[usize::from(node.0)].server.answered
    }

    /// What the network did so far.
    pub const fn traffic(&self) -> Traffic {
        self.network.traffic
    }

    fn now(&mut self, node: NodeId) -> Now {
        self.nodes[usize::from(node.0)]
            .clock
            .now(self.true_ns, &self.truth)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "the world that failed had seed {}, at {} s",
                self.seed,
                self.now_s()
            );
        }
    }
}

/// Seconds to nanoseconds; negative and NaN count as zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts saturate"
)]
fn nanoseconds(seconds: f64) -> u64 {
    (seconds.max(0.0) * 1e9).round() as u64
}
