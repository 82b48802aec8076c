//! Names of servers and pools, and the addresses they get by them.
use super::System;
use super::lookup::{Learned, Lookup};
use crate::association::Role;
use crate::event::{PeerEvent, SystemEvent};
use crate::host::{Output, ResolveError, ResolveId};
use crate::packet::AssociationId;
use core::net::SocketAddr;
use truechimer_time::Now;

/// Questions out at one time.
const QUESTIONS_AT_MOST: usize = 16;
/// After a change of address the first request waits this long, seconds.
const CHANGE_PAUSE_S: f64 = 2.0;

impl System {
    /// Asks what is due, gives up on what was never answered.
    pub(super) fn run_lookups(&mut self, now: Now) {
        let due: Vec<AssociationId> = self
            .lookups
            .iter()
            .filter(|(_, it)| it.next().is_some_and(|next| next <= now.mono))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let out = self.lookups.values().filter(|it| it.is_asked()).count();
            let Some(lookup) = self.lookups.get_mut(&id) else {
                continue;
            };
            if let Some(learned) = lookup.expire(now.mono) {
                self.tell_failure(id, learned);
                continue;
            }
            if out >= QUESTIONS_AT_MOST {
                lookup.defer(now.mono);
                continue;
            }
            let request = ResolveId(self.next_resolve);
            if let Some(question) = lookup.ask(now.mono, request) {
                self.next_resolve = self.next_resolve.wrapping_add(1);
                self.outbox.push(Output::Resolve(question));
            }
        }
    }

    /// Takes an answer. One that nobody waits for any more is ignored.
    pub(super) fn handle_resolved(
        &mut self,
        now: Now,
        request: ResolveId,
        outcome: Result<Vec<SocketAddr>, ResolveError>,
    ) {
        let found = self.lookups.iter_mut().find(|(_, it)| it.awaits(request));
        let Some((&id, lookup)) = found else { return };
        let learned = lookup.learn(now.mono, outcome);
        self.tell_failure(id, learned);
        if learned != Learned::Addresses {
            return;
        }
        self.warn_of_ignored(id);
        if let Some(pool) = self.pools.get_mut(&id) {
            pool.hurry(now.mono);
        } else {
            self.settle_address(now, id);
        }
    }

    fn tell_failure(&mut self, id: AssociationId, learned: Learned) {
        if learned == Learned::FailedFirst {
            let name = self.lookups.get(&id).map(Lookup::name).unwrap_or_default();
            let event = SystemEvent::NameNotResolved(name.to_owned());
            self.tell_system(event);
        }
    }

    /// Gives a named server an address after its name was resolved: the first free one if it has
    /// none; another one if nobody answers at the one it has.
    fn settle_address(&mut self, now: Now, id: AssociationId) {
        let Some(association) = self.associations.get(&id) else {
            return;
        };
        if association.remote.is_some() && association.poll.reach() != 0 {
            return;
        }
        match self.next_address(id) {
            Some((address, _)) => self.change_address(now, id, address),
            None if association.remote.is_none() => {
                if let Some(lookup) = self.lookups.get_mut(&id) {
                    lookup.want(now.mono);
                }
            }
            None => {}
        }
    }

    /// Tries the next address at once when the present one cannot be reached; at the end of the list
    /// it waits for the next poll, so that a host without a network does not spin.
    /// True if there was one.
    pub(super) fn try_next_address(&mut self, now: Now, id: AssociationId) -> bool {
        let Some((address, false)) = self.next_address(id) else {
            return false;
        };
        self.change_address(now, id, address);
        true
    }

    /// Goes on to another known address, from the first again after the last; true if there is one.
    pub(super) fn leave_lost_address(&mut self, now: Now, id: AssociationId) -> bool {
        let Some((address, _)) = self.next_address(id) else {
            return false;
        };
        self.change_address(now, id, address);
        true
    }

    /// The next known address that no other line of the configuration uses, and whether the list began anew.
    pub(super) fn next_address(&self, id: AssociationId) -> Option<(SocketAddr, bool)> {
        let association = self.associations.get(&id)?;
        let named = matches!(
            association.role,
            Role::Server(_) | Role::Peer(_) | Role::Broadcast(_)
        );
        if !named {
            return None;
        }
        let is_peer = association.is_symmetric();
        let known = self.lookups.get(&id)?.known();
        let at = known.iter().position(|it| Some(*it) == association.remote);
        let after = at.map_or(0, |at| at + 1);
        let later = known.iter().skip(after).map(|it| (*it, false));
        let earlier = known.iter().take(after).map(|it| (*it, true));
        later
            .chain(earlier)
            .find(|(it, _)| !self.is_configured(*it, is_peer) && !self.is_ignored(*it))
    }

    fn change_address(&mut self, now: Now, id: AssociationId, remote: SocketAddr) {
        let precision_s = self.precision_s();
        self.evict_strangers(now, remote);
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let had_one = association.remote.is_some();
        association.remote = Some(remote);
        association.restart(now.mono, "INIT", precision_s, &mut self.rng);
        association.restart_autokey(now.mono, &mut self.rng);
        association.poll.forget_rate();
        let pause_s = if had_one { CHANGE_PAUSE_S } else { 0.0 };
        association.poll.resume(now.mono.plus_seconds(pause_s));
        let what = if had_one {
            PeerEvent::Restart
        } else {
            PeerEvent::Mobilize
        };
        self.tell(id, remote.ip().to_string(), what);
        self.warn_of_distrust(id, remote);
    }
}
