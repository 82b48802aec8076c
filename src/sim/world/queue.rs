use crate::node::NodeId;
use core::net::SocketAddr;
use std::collections::BTreeMap;
use truechimer_proto::host::{ResolveError, ResolveId};

/// Something that happens at a moment of true time.
pub(super) enum Happening {
    /// A node's timer.
    Wake(NodeId),
    /// A datagram reaches a node.
    Datagram {
        to: NodeId,
        source: SocketAddr,
        destination: SocketAddr,
        octets: Vec<u8>,
    },
    /// The resolver answers.
    Resolved {
        node: NodeId,
        request: ResolveId,
        outcome: Result<Vec<SocketAddr>, ResolveError>,
    },
    /// The next forged datagram of a flood.
    Flood(usize),
}

/// What is to come, in order of time, and of arrival here among equals.
#[derive(Default)]
pub(super) struct Queue {
    waiting: BTreeMap<(u64, u64), Happening>,
    sequence: u64,
    /// Where each node's timer stands: a node has one.
    timers: BTreeMap<NodeId, (u64, u64)>,
}

impl Queue {
    pub(super) fn push(&mut self, true_ns: u64, happening: Happening) {
        self.insert(true_ns, happening);
    }

    /// Sets a node's timer anew, or none.
    pub(super) fn set_timer(&mut self, node: NodeId, true_ns: Option<u64>) {
        if let Some(key) = self.timers.remove(&node) {
            self.waiting.remove(&key);
        }
        if let Some(true_ns) = true_ns {
            let key = self.insert(true_ns, Happening::Wake(node));
            self.timers.insert(node, key);
        }
    }

    pub(super) fn pop_until(&mut self, until_ns: u64) -> Option<(u64, Happening)> {
        let first = self.waiting.first_entry()?;
        let true_ns = first.key().0;
        (true_ns <= until_ns).then(|| (true_ns, first.remove()))
    }

    fn insert(&mut self, true_ns: u64, happening: Happening) -> (u64, u64) {
        self.sequence += 1;
        let key = (true_ns, self.sequence);
        self.waiting.insert(key, happening);
        key
    }
}
