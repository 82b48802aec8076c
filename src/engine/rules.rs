//! The policy in force: what the operator said, while certain servers are in use.
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_proto::server::Policy;

pub(crate) struct Rules {
    servers: Vec<SocketAddr>,
    in_force: Arc<Policy>,
}

impl Rules {
    pub(crate) const fn new(policy: Arc<Policy>) -> Self {
        Self {
            servers: Vec::new(),
            in_force: policy,
        }
    }

    pub(crate) const fn in_force(&self) -> &Arc<Policy> {
        &self.in_force
    }

    pub(crate) fn replace(&mut self, policy: &Policy) {
        self.in_force = Arc::new(policy.with_sources(&self.servers));
    }

    pub(crate) fn use_servers(&mut self, servers: Vec<SocketAddr>) {
        self.in_force = Arc::new(self.in_force.with_sources(&servers));
        self.servers = servers;
    }
}
