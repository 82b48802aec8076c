//! `broadcast` lines: every interval one packet through each interface that fits.
use super::super::System;
use crate::association::{Association, Emitter, Role, append_mac};
use crate::config::AssociationConfig;
use crate::event::PeerEvent;
use crate::host::{Departure, Output};
use crate::packet::{AssociationId, Destination, Link, LinkId, Route, Transmit};
use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use truechimer_time::{Instant, Now, NtpTimestamp};
use truechimer_wire::Mode;

impl System {
    /// The association of a `broadcast` line, whose first round is at `first`.
    pub(in super::super) fn make_broadcaster(
        &self,
        id: AssociationId,
        line: &AssociationConfig,
        now: Now,
        first: Instant,
    ) -> Association {
        let role = Role::Broadcast(line.clone());
        let precision_s = self.precision_s();
        let mut association = Association::server(id, role, line, now.mono, first, precision_s);
        // It is no source of time.
        association.options.noselect = true;
        association.poll.follow(line.minpoll);
        association.emitter = Some(Box::new(Emitter::default()));
        association
    }

    /// A round is due: all its packets leave together, and the next is one interval later, by the
    /// schedule and not by when this one was seen to. Who does not know the time says nothing.
    pub(in super::super) fn run_round(&mut self, now: Now, id: AssociationId) {
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let interval_s = f64::from(association.poll.host_poll()).exp2();
        let due = association.poll.next().unwrap_or(now.mono);
        let mut next = due.plus_seconds(interval_s);
        if next <= now.mono {
            // Rounds that were slept through are not made up for.
            next = now.mono.plus_seconds(interval_s);
        }
        association.poll.resume(next);
        if !self.is_synchronized() {
            return;
        }
        let Some(to) = self.associations.get(&id).and_then(|it| it.remote) else {
            return;
        };
        let links: Vec<LinkId> = links_for(&self.config.links, to.ip());
        self.note_home(id, links.is_empty());
        for link in self.with_keys(now, id, links) {
            self.outbox.push(Output::Compose(Departure {
                association: id,
                link: Some(link),
            }));
        }
    }

    /// Has the sockets of a `broadcast` line opened before its first round: one for each interface
    /// takes longer than a packet may be late.
    pub(in super::super) fn prepare_rounds(&mut self, id: AssociationId) {
        let Some(association) = self.associations.get(&id) else {
            return;
        };
        let (Role::Broadcast(line), Some(remote)) = (&association.role, association.remote) else {
            return;
        };
        for link in links_for(&self.config.links, remote.ip()) {
            let destination = Destination {
                to: scoped(remote, link),
                route: route(line, link),
            };
            self.outbox.push(Output::Prepare(id, destination));
        }
    }

    /// Says once that a line reaches nobody.
    fn note_home(&mut self, id: AssociationId, homeless: bool) {
        let links = &self.config.links;
        let is_there = |link| links.iter().any(|it| it.id == link);
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let name = association.name();
        let Some(emitter) = &mut association.emitter else {
            return;
        };
        emitter.keep(is_there);
        let was = core::mem::replace(&mut emitter.homeless, homeless);
        if homeless && !was {
            self.tell(id, name, PeerEvent::NoInterface);
        }
    }

    /// A broadcast (RFC 5905 §7.3, mode 5): what we know of the time, and no stamps but our own.
    /// With `xleave` the origin field holds when the packet before truly left through this
    /// interface (RFC 9769 §4).
    pub(in super::super) fn compose_broadcast(
        &mut self,
        now: Now,
        id: AssociationId,
        link: LinkId,
    ) -> Option<Transmit> {
        if !self.is_synchronized() || self.is_near_leap(now) {
            return None;
        }
        let snapshot = self.variables.snapshot();
        let association = self.associations.get_mut(&id)?;
        let Role::Broadcast(line) = &association.role else {
            return None;
        };
        let remote = association.remote?;
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let left = association.emitter.as_mut()?.begin(link, sequence);
        let mut header = snapshot.header(line.version, Mode::Broadcast, now);
        header.poll = association.poll.host_poll();
        header.origin_time = left
            .filter(|_| line.interleaved)
            .unwrap_or(NtpTimestamp::ZERO);
        let route = route(line, link);
        let mut octets = header.to_octets().to_vec();
        let speaks_autokey = line.autokey;
        let key = association.options.key.filter(|_| !speaks_autokey);
        if speaks_autokey && !self.append_autokey(&mut octets, id, link) {
            return None;
        }
        let association = self.associations.get_mut(&id)?;
        if let Some(key) = key
            && !append_mac(&mut octets, key, self.authenticator.as_mut())
        {
            let mut events = Vec::new();
            association.miss_key(key, &mut events);
            let name = association.name();
            for event in events {
                self.tell(id, name.clone(), event);
            }
            return None;
        }
        Some(association.departs(octets, scoped(remote, link), route, sequence))
    }
}

const fn route(line: &AssociationConfig, link: LinkId) -> Route {
    Route::Broadcast {
        link,
        hops: line.hops,
        stamped: line.interleaved,
    }
}

/// The interfaces through which an address of many is reached: those that have the broadcast
/// address, all with broadcast for 255.255.255.255, all with multicast for a group.
fn links_for(links: &[Link], to: IpAddr) -> Vec<LinkId> {
    let fits = |link: &&Link| {
        if link.local.is_loopback() || link.local.is_ipv4() != to.is_ipv4() {
            return false;
        }
        match to {
            to if to.is_multicast() => link.multicast,
            IpAddr::V4(Ipv4Addr::BROADCAST) => link.broadcast.is_some(),
            IpAddr::V4(to) => link.broadcast == Some(to),
            IpAddr::V6(_) => false,
        }
    };
    let mut chosen: Vec<LinkId> = links.iter().filter(fits).map(|link| link.id).collect();
    // An interface of two addresses in one net is two links.
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// A group of IPv6 is one of an interface.
fn scoped(to: SocketAddr, link: LinkId) -> SocketAddr {
    match to {
        SocketAddr::V6(v6) => SocketAddr::V6(SocketAddrV6::new(
            *v6.ip(),
            v6.port(),
            v6.flowinfo(),
            link.0,
        )),
        SocketAddr::V4(_) => to,
    }
}
