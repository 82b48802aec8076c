//! The `restrict` lines and the servers we use: as in the reference, they bind every packet.
use super::System;
use super::lookup::Lookup;
use crate::association::{Association, Role, remote_name};
use crate::config::SystemConfig;
use crate::event::PeerEvent;
use crate::host::Output;
use crate::packet::AssociationId;
use crate::server::RestrictFlags;
use core::net::SocketAddr;

impl System {
    /// Servers in use, as the host was last told.
    pub fn sources(&self) -> &[SocketAddr] {
        &self.sources
    }

    /// Tells the host when the servers in use are not those it was told of.
    pub(super) fn tell_sources(&mut self) {
        let servers = self.associations.values();
        let servers = servers.filter(|it| it.refclock_id().is_none() && it.emitter.is_none());
        let servers = servers.filter_map(|it| it.remote);
        if !servers.clone().eq(self.sources.iter().copied()) {
            self.sources = servers.collect();
            self.outbox.push(Output::Sources(self.sources.clone()));
        }
    }

    /// Whether nothing may be asked of this address.
    pub(super) fn is_ignored(&self, server: SocketAddr) -> bool {
        flags(&self.config, server).contains(RestrictFlags::IGNORE)
    }

    /// Says once why a server without a key will never be believed.
    pub(super) fn warn_of_distrust(&mut self, id: AssociationId, server: SocketAddr) {
        let found = self.associations.get(&id);
        if found.is_some_and(|it| is_distrusted(it, &self.config)) {
            self.tell(id, server.ip().to_string(), PeerEvent::Untrusted);
        }
    }

    /// Says why a name, or a pool, gives no server, if it is for our own rules alone.
    pub(super) fn warn_of_ignored(&mut self, id: AssociationId) {
        let role = self.associations.get(&id).map(|it| &it.role);
        let line = match (self.pools.get(&id), role) {
            (Some(pool), _) => &pool.line,
            (None, Some(Role::Server(line) | Role::Peer(line))) => line,
            _ => return,
        };
        let known = self.lookups.get(&id).map(Lookup::known).unwrap_or_default();
        let ignored = |server: &SocketAddr| self.is_ignored(*server);
        if !known.is_empty() && known.iter().all(ignored) {
            self.tell(id, remote_name(line), PeerEvent::Restricted);
        }
    }
}

/// Whether the rules of this configuration keep an association from being of any use.
pub(super) fn is_barred(association: &Association, config: &SystemConfig) -> bool {
    let server = server_of(association);
    let ignored = |server| flags(config, server).contains(RestrictFlags::IGNORE);
    server.is_some_and(ignored) || is_distrusted(association, config)
}

/// Whether only authenticated replies may be taken and there can be none.
pub(super) fn is_distrusted(association: &Association, config: &SystemConfig) -> bool {
    let server = server_of(association);
    !association.is_keyed()
        && server.is_some_and(|it| flags(config, it).contains(RestrictFlags::NOTRUST))
}

/// Who sends to it; nobody to a reference clock, nor to one that only tells the time.
fn server_of(association: &Association) -> Option<SocketAddr> {
    let hears = association.refclock_id().is_none() && association.emitter.is_none();
    association.remote.filter(|_| hears)
}

fn flags(config: &SystemConfig, server: SocketAddr) -> RestrictFlags {
    config.access.flags_for_source(server)
}
