//! Associations come and go.
use super::System;
use super::lookup::Lookup;
use super::pool::Pool;
use crate::association::{Association, Role, remote_name};
use crate::config::{AssociationConfig, AssociationKind, RefclockConfig, Remote};
use crate::event::PeerEvent;
use crate::host::Output;
use crate::packet::AssociationId;
use core::net::SocketAddr;
use truechimer_time::{Instant, Now};

/// Most associations, pools and their members included.
pub(super) const ASSOCIATIONS_AT_MOST: usize = 256;

impl System {
    /// Mobilises one line, first asked at `first`.
    pub(super) fn mobilize(&mut self, now: Now, line: &AssociationConfig, first: Instant) {
        let id = self.new_id();
        let is_pool = matches!(
            line.kind,
            AssociationKind::Pool | AssociationKind::ManycastClient
        );
        // Rules are about those who send to us.
        let is_broadcast = line.kind == AssociationKind::Broadcast;
        if !is_pool
            && !is_broadcast
            && let Remote::Address(address) = line.remote
            && self.is_ignored(SocketAddr::new(address, line.port))
        {
            self.tell(id, remote_name(line), PeerEvent::Restricted);
            return;
        }
        let taken = match line.remote {
            Remote::Address(address) if !is_pool => {
                let remote = SocketAddr::new(address, line.port);
                self.evict_strangers(now, remote);
                self.is_configured(remote, line.kind == AssociationKind::Peer)
            }
            Remote::Address(_) => false,
            // A group has no name here.
            Remote::Name(_) => line.kind == AssociationKind::ManycastClient,
        };
        let full = self.associations.len() + self.pools.len() >= ASSOCIATIONS_AT_MOST;
        if full || taken {
            self.tell(id, remote_name(line), PeerEvent::Demobilize);
            return;
        }
        if line.kind == AssociationKind::ManycastClient {
            self.mobilize_hunt(id, line, first);
        } else if is_pool {
            self.lookups.insert(id, Lookup::new(line, now.mono));
            self.pools.insert(id, Pool::new(line.clone(), first));
        } else {
            let mut association = self.make_association(id, line, now, first);
            self.equip(now, &mut association);
            match line.remote {
                Remote::Address(address) => {
                    association.remote = Some(SocketAddr::new(address, line.port));
                }
                Remote::Name(_) => {
                    self.lookups.insert(id, Lookup::new(line, now.mono));
                }
            }
            self.associations.insert(id, association);
            self.prepare_rounds(id);
        }
        self.tell(id, remote_name(line), PeerEvent::Mobilize);
        if let Remote::Address(address) = line.remote
            && !is_pool
        {
            self.warn_of_distrust(id, SocketAddr::new(address, line.port));
        }
        // A pool may be of one address, which nobody has to resolve.
        self.warn_of_ignored(id);
        self.warn_of_keyless(id);
    }

    fn make_association(
        &self,
        id: AssociationId,
        line: &AssociationConfig,
        now: Now,
        first: Instant,
    ) -> Association {
        if line.kind == AssociationKind::Broadcast {
            return self.make_broadcaster(id, line, now, first);
        }
        let role = match line.kind {
            AssociationKind::Peer => Role::Peer(line.clone()),
            _ => Role::Server(line.clone()),
        };
        let precision_s = self.precision_s();
        let mut association = Association::server(id, role, line, now.mono, first, precision_s);
        self.ask_once(&mut association);
        association
    }

    /// Mobilises a reference clock.
    pub(super) fn mobilize_refclock(&mut self, now: Now, config: &RefclockConfig) {
        let id = self.new_id();
        let twice = self
            .associations
            .values()
            .any(|it| it.refclock_id() == Some(config.id));
        let full = self.associations.len() + self.pools.len() >= ASSOCIATIONS_AT_MOST;
        let what = if full || twice {
            PeerEvent::Demobilize
        } else {
            let precision = self.config.precision;
            let mut association = Association::refclock(id, config, now.mono, precision);
            self.ask_once(&mut association);
            self.associations.insert(id, association);
            PeerEvent::Mobilize
        };
        self.tell(id, config.id.label(), what);
    }

    /// Mobilises a pool's member at `remote`.
    pub(super) fn mobilize_member(
        &mut self,
        now: Now,
        pool: AssociationId,
        line: &AssociationConfig,
        remote: SocketAddr,
    ) {
        if self.associations.len() + self.pools.len() >= ASSOCIATIONS_AT_MOST {
            return;
        }
        let id = self.new_id();
        let role = Role::Member {
            pool,
            line: line.clone(),
        };
        let precision_s = self.precision_s();
        let mut member = Association::server(id, role, line, now.mono, now.mono, precision_s);
        member.remote = Some(remote);
        self.equip(now, &mut member);
        self.ask_once(&mut member);
        let shown = member.shown_remote();
        self.associations.insert(id, member);
        self.tell(id, shown, PeerEvent::Mobilize);
        self.warn_of_distrust(id, remote);
    }

    /// Ends an association and closes its socket.
    pub(super) fn demobilize(&mut self, now: Now, id: AssociationId) {
        self.lookups.remove(&id);
        let Some(association) = self.associations.get(&id) else {
            return;
        };
        if association.refclock_id().is_none() {
            self.outbox.push(Output::Close(id));
        }
        let remote = association.shown_remote();
        self.tell(id, remote, PeerEvent::Demobilize);
        self.associations.remove(&id);
        if self.variables.peer == Some(id) {
            self.lose_leader(now);
        }
    }

    /// Whether an association talks to this address already.
    pub(super) fn is_used(&self, remote: SocketAddr) -> bool {
        self.associations
            .values()
            .any(|it| it.remote == Some(remote))
    }

    /// Whether a line of the configuration holds this address, as a peer's or else as a server's: one may
    /// be both, and the reference tells them apart too. A pool's member only borrows an address.
    pub(super) fn is_configured(&self, remote: SocketAddr, is_peer: bool) -> bool {
        let mut all = self.associations.values();
        all.any(|it| {
            it.remote == Some(remote) && it.role.is_configured() && it.is_symmetric() == is_peer
        })
    }

    /// What nobody configured makes way for the line of the configuration that wants its address.
    pub(super) fn evict_strangers(&mut self, now: Now, remote: SocketAddr) {
        let all = self.associations.values();
        let strangers = all.filter(|it| it.remote == Some(remote) && !it.role.is_configured());
        let strangers: Vec<AssociationId> = strangers.map(|it| it.id).collect();
        for id in strangers {
            self.demobilize(now, id);
        }
    }

    /// Servers and pool members, reachable or not.
    pub(super) fn servers(&self) -> usize {
        let servers = self.associations.values();
        let servers = servers.filter(|it| it.refclock_id().is_none() && it.emitter.is_none());
        servers.count()
    }

    /// A number not in use, and not used lately.
    pub(super) fn new_id(&mut self) -> AssociationId {
        loop {
            self.next_id = self.next_id.wrapping_add(1);
            let id = AssociationId(self.next_id);
            let used = self.associations.contains_key(&id) || self.pools.contains_key(&id);
            if id.0 != 0 && !used {
                return id;
            }
        }
    }
}
