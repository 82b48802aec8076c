//! The policy in force: what the operator said, while certain servers are in use and Autokey is
//! answered from certain values.
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_proto::autokey::service::Service;
use truechimer_proto::server::Policy;

pub(crate) struct Rules {
    servers: Vec<SocketAddr>,
    autokey: Option<Arc<Service>>,
    in_force: Arc<Policy>,
}

impl Rules {
    pub(crate) const fn new(policy: Arc<Policy>) -> Self {
        Self {
            servers: Vec::new(),
            autokey: None,
            in_force: policy,
        }
    }

    pub(crate) const fn in_force(&self) -> &Arc<Policy> {
        &self.in_force
    }

    pub(crate) fn replace(&mut self, policy: &Policy) {
        self.put_in_force(policy);
    }

    pub(crate) fn use_servers(&mut self, servers: Vec<SocketAddr>) {
        self.servers = servers;
        self.put_in_force(&Arc::clone(&self.in_force));
    }

    pub(crate) fn use_autokey(&mut self, service: Option<Arc<Service>>) {
        self.autokey = service;
        self.put_in_force(&Arc::clone(&self.in_force));
    }

    fn put_in_force(&mut self, policy: &Policy) {
        let policy = policy.with_sources(&self.servers);
        self.in_force = Arc::new(policy.with_autokey(self.autokey.clone()));
    }
}
