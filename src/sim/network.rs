//! Paths between nodes: delay, jitter, loss, doubles and overtaking, each way its own.
use crate::node::NodeId;
use crate::random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// The delay that comes on top of the least, in units of a path's `jitter_s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// One queue: exponential, mean 1.
    Exponential,
    /// Many small delays: Gaussian of mean 3 and standard deviation 1, never below 0.
    Bell,
}

/// One direction of a path.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Routers on the way: a datagram to many needs one hop more than there are.
    pub routers: u8,
    /// Least delay, seconds.
    pub delay_s: f64,
    /// Scale of the delay on top, seconds.
    pub jitter_s: f64,
    /// How that delay is distributed.
    pub noise: Noise,
    /// Probability that a datagram is lost.
    pub loss: f64,
    /// Probability that it arrives twice.
    pub duplication: f64,
    /// Probability that it is held back for `held_back_s`, so that later ones overtake it.
    pub reordering: f64,
    /// See `reordering`, seconds.
    pub held_back_s: f64,
}

impl Path {
    /// A path with this least delay and mean jitter in seconds, and no other fault.
    pub const fn new(delay_s: f64, jitter_s: f64) -> Self {
        Self {
            routers: 0,
            delay_s,
            jitter_s,
            noise: Noise::Exponential,
            loss: 0.0,
            duplication: 0.0,
            reordering: 0.0,
            held_back_s: 0.5,
        }
    }

    /// The same with its jitter distributed so.
    #[must_use]
    pub const fn noisy(mut self, noise: Noise) -> Self {
        self.noise = noise;
        self
    }

    /// The same with so many routers on it.
    #[must_use]
    pub const fn routed(mut self, routers: u8) -> Self {
        self.routers = routers;
        self
    }

    /// The same with this probability of loss.
    #[must_use]
    pub const fn losing(mut self, loss: f64) -> Self {
        self.loss = loss;
        self
    }
}

impl Noise {
    fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Exponential => random.exponential(),
            Self::Bell => (3.0 + random.normal()).max(0.0),
        }
    }
}

impl Default for Path {
    /// A quiet campus.
    fn default() -> Self {
        Self::new(0.001, 0.000_1)
    }
}

/// What the network did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Datagrams handed to the network.
    pub sent: u64,
    /// Lost on a path or at a node that was cut off.
    pub lost: u64,
    /// Delivered a second time.
    pub doubled: u64,
}

pub(crate) struct Network {
    seed: u64,
    default: Path,
    paths: BTreeMap<(NodeId, NodeId), Path>,
    random: BTreeMap<(NodeId, NodeId), Random>,
    cut: BTreeSet<NodeId>,
    pub(crate) traffic: Traffic,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            default: Path::default(),
            paths: BTreeMap::new(),
            random: BTreeMap::new(),
            cut: BTreeSet::new(),
            traffic: Traffic::default(),
        }
    }

    pub(crate) const fn set_default(&mut self, path: Path) {
        self.default = path;
    }

    pub(crate) fn set(&mut self, from: NodeId, to: NodeId, path: Path) {
        self.paths.insert((from, to), path);
    }

    /// Whether a datagram to many gets there that may go so many hops.
    pub(crate) fn is_within(&self, hops: u8, from: NodeId, to: NodeId) -> bool {
        let path = self.paths.get(&(from, to)).unwrap_or(&self.default);
        path.routers < hops
    }

    pub(crate) fn cut(&mut self, node: NodeId) {
        self.cut.insert(node);
    }

    pub(crate) fn restore(&mut self, node: NodeId) {
        self.cut.remove(&node);
    }

    /// Delays after which a datagram arrives, in seconds: none, one or two.
    pub(crate) fn carry(&mut self, from: NodeId, to: NodeId) -> [Option<f64>; 2] {
        self.traffic.sent += 1;
        let path = self.paths.get(&(from, to)).unwrap_or(&self.default);
        let seed = self.seed;
        let stream = 1 << 32 | u64::from(from.0) << 16 | u64::from(to.0);
        let random = self
            .random
            .entry((from, to))
            .or_insert_with(|| Random::new(seed, stream));
        let mut delay_s = path.delay_s + path.jitter_s * path.noise.draw(random);
        if random.chance(path.reordering) {
            delay_s += path.held_back_s * random.uniform();
        }
        if random.chance(path.loss) || self.cut.contains(&from) || self.cut.contains(&to) {
            self.traffic.lost += 1;
            return [None, None];
        }
        let double = random.chance(path.duplication);
        let later_s = delay_s + path.jitter_s * path.noise.draw(random);
        self.traffic.doubled += u64::from(double);
        [Some(delay_s), double.then_some(later_s)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loses_and_doubles_as_told_and_differs_by_direction() {
        let (a, b) = (NodeId(0), NodeId(1));
        let mut network = Network::new(3);
        let there = Path {
            duplication: 0.5,
            ..Path::new(0.010, 0.001).losing(0.2)
        };
        network.set(a, b, there);
        network.set(b, a, Path::new(0.030, 0.0));
        let mut arrived = 0;
        for _ in 0..10_000 {
            for delay_s in network.carry(a, b).into_iter().flatten() {
                assert!(delay_s >= 0.010);
                arrived += 1;
            }
        }
        assert!((11_700..12_300).contains(&arrived), "{arrived}");
        assert!((1_800..2_200).contains(&network.traffic.lost));
        assert_eq!(network.carry(b, a), [Some(0.030), None]);
        network.cut(b);
        assert_eq!(network.carry(b, a), [None, None]);
        network.restore(b);
        assert_eq!(network.carry(b, a), [Some(0.030), None]);
    }
}
