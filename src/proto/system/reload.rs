//! A new configuration: what did not change goes on, with all it has learned.
use super::System;
use super::access::is_barred;
use super::candidate::OwnAddress;
use crate::association::{Association, Role, remote_name};
use crate::authentication::Authenticator;
use crate::config::{AssociationConfig, RefclockConfig, SystemConfig};
use crate::event::PeerEvent;
use crate::host::Output;
use crate::packet::AssociationId;
use crate::server::RestrictFlags;
use core::net::IpAddr;
use truechimer_time::Now;

/// Seconds between the first requests to different servers.
const FIRST_POLL_SPACING_S: f64 = 1.0;
/// Addresses of this host looked at for loops.
const OWN_ADDRESSES_AT_MOST: usize = 256;

impl System {
    /// Takes a configuration that was read again.
    pub(super) fn reconfigure(
        &mut self,
        now: Now,
        config: SystemConfig,
        authenticator: Box<dyn Authenticator>,
    ) {
        let used = self.authenticator.usage();
        self.retired_keys = self.retired_keys.plus(&used).retired();
        self.authenticator = authenticator;
        self.discipline
            .reconfigure(now, config.steering, config.tinker);
        self.configure(now, config);
        self.revive_denied(now);
        self.select(now);
    }

    /// The operator may have come to terms with a server that told us to go away.
    fn revive_denied(&mut self, now: Now) {
        let precision_s = self.precision_s();
        for association in self.associations.values_mut() {
            if association.poll.next().is_none() {
                association.restart(now.mono, "INIT", precision_s, &mut self.rng);
                association.restart_autokey(now.mono, &mut self.rng);
                association.poll.resume(now.mono);
            }
        }
    }

    /// Makes the associations those of `config`, keeping every one whose line is still there.
    pub(super) fn configure(&mut self, now: Now, mut config: SystemConfig) {
        if config.links.is_empty() {
            // The host tells of them when they change, not with each configuration.
            config.links = core::mem::take(&mut self.config.links);
        }
        self.variables.precision = config.precision;
        self.set_own_addresses(&config.own_addresses);
        self.take_leap_table(now, config.leap_table.clone());
        self.use_autokey(config.autokey.clone());
        let mut lines: Vec<Option<&AssociationConfig>> =
            config.associations.iter().map(Some).collect();
        let mut clocks: Vec<Option<&RefclockConfig>> = config.refclocks.iter().map(Some).collect();
        let gone: Vec<AssociationId> = self
            .associations
            .values()
            // What the rules forbid now goes, and its line begins anew under them.
            .filter(|it| match &it.role {
                Role::Server(line) | Role::Peer(line) | Role::Broadcast(line) => {
                    is_barred(it, &config) || !strike(&mut lines, line)
                }
                Role::Refclock(clock) => !strike(&mut clocks, clock),
                Role::Passive(_) => is_barred(it, &config) || may_not_stay(it, &config),
                Role::Member { .. } => is_barred(it, &config),
                Role::BroadcastClient(_) => {
                    is_barred(it, &config) || Self::is_unwanted(it, &config)
                }
            })
            .map(|it| it.id)
            .collect();
        let drained: Vec<AssociationId> = self
            .pools
            .iter()
            .filter(|(_, pool)| !strike(&mut lines, &pool.line))
            .map(|(id, _)| *id)
            .collect();
        let lines: Vec<AssociationConfig> = lines.into_iter().flatten().cloned().collect();
        let clocks: Vec<RefclockConfig> = clocks.into_iter().flatten().cloned().collect();
        self.config = config;
        self.retrace_rings();
        let led = self.variables.peer.is_some();
        for id in gone {
            self.demobilize(now, id);
        }
        for id in drained {
            self.drain(now, id);
        }
        for clock in &clocks {
            self.mobilize_refclock(now, clock);
        }
        let mut first = now.mono;
        for line in &lines {
            self.mobilize(now, line, first);
            first = first.plus_seconds(FIRST_POLL_SPACING_S);
        }
        // The new lines count too among those the LOCAL clock waits for.
        if !self.is_synchronized() || (led && self.variables.peer.is_none()) {
            self.make_wait(now);
        }
    }

    /// Ends a pool and its members.
    fn drain(&mut self, now: Now, id: AssociationId) {
        let members: Vec<AssociationId> = self
            .associations
            .values()
            .filter(|it| matches!(it.role, Role::Member { pool, .. } if pool == id))
            .map(|it| it.id)
            .collect();
        for member in members {
            self.demobilize(now, member);
        }
        self.lookups.remove(&id);
        if let Some(pool) = self.pools.remove(&id) {
            if pool.hunt.is_some() {
                self.outbox.push(Output::Close(id));
            }
            self.tell(id, remote_name(&pool.line), PeerEvent::Demobilize);
        }
    }

    /// Learns the addresses of this host.
    pub(super) fn set_own_addresses(&mut self, addresses: &[IpAddr]) {
        self.own = addresses
            .iter()
            .take(OWN_ADDRESSES_AT_MOST)
            .map(|&address| OwnAddress {
                address,
                reference_id: self.reference_id_of(address),
            })
            .collect();
    }
}

/// Whether the rules do not let this peer have a passive association any more.
fn may_not_stay(peer: &Association, config: &SystemConfig) -> bool {
    let flags = peer.remote.map(|it| config.access.flags_for(it));
    flags.is_some_and(|flags| flags.contains(RestrictFlags::NOEPEER))
}

/// Strikes one equal entry off the list; false if there is none.
fn strike<T: PartialEq>(list: &mut [Option<&T>], wanted: &T) -> bool {
    let found = list.iter_mut().find(|it| **it == Some(wanted));
    found.and_then(Option::take).is_some()
}
