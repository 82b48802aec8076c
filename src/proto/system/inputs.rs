//! What the host reports: datagrams, stamps, failures, samples, adjustments.
use super::System;
use super::access::is_barred;
use super::broadcast::Arrival;
use super::tracing::proof;
use crate::association::{After, Heard, Role};
use crate::event::{PeerEvent, SystemEvent};
use crate::host::{Adjustment, Applied, HostEvent};
use crate::packet::{AssociationId, Received, SendFailure, Stamp, TxTicket, Via};
use crate::refclock::RefclockSample;
use crate::trace::{Match, Proof};
use core::net::{IpAddr, SocketAddr};
use truechimer_time::{Now, NtpDuration};

/// Silence about strangers after one was told of, seconds.
const STRANGERS_EVERY_S: f64 = 64.0;
/// How long an answer is waited for though the server is said to be unreachable, seconds.
const ANSWER_WITHIN_S: f64 = 2.0;

impl System {
    /// Takes a datagram: a reply on an association's socket, or what a server thread hands over.
    pub fn handle_packet(&mut self, now: Now, received: &Received<'_>) {
        if self.ended {
            return;
        }
        if self.is_near_leap(now) {
            return;
        }
        if let Via::Client(id) = received.via
            && self.pools.contains_key(&id)
        {
            self.take_answer(now, id, received);
            return;
        }
        let setting = self.setting();
        let synchronized = self.is_synchronized();
        let found = match received.via {
            Via::Client(id) => Some((id, Match::Association)),
            Via::Many { to, link, local } => {
                self.hear_many(now, Arrival { to, link, local }, received);
                return;
            }
            Via::Server(_) => self.peer_of(now, received),
        };
        let found = found.and_then(|(id, code)| Some((self.associations.get_mut(&id)?, code)));
        let found = found.filter(|(it, _)| it.refclock_id().is_none());
        let Some((association, code)) = found else {
            self.trace_packet(now, received, Match::Nothing, Proof::None);
            self.note_stranger(now, received.source);
            return;
        };
        let id = association.id;
        if let Some(autokey) = &mut association.autokey {
            autokey.lacks_time = !synchronized;
        }
        let steered = self.discipline.steered(now);
        let heard = if is_barred(association, &self.config) {
            association.refuse_restricted()
        } else if association.listener.is_some() {
            let authenticator = self.authenticator.as_mut();
            association.take_volley_packet(now, received, &setting, steered, authenticator)
        } else {
            association.take_packet(
                now,
                received,
                (&setting, steered),
                self.authenticator.as_mut(),
                &mut self.rng,
            )
        };
        let bursting = association.poll.bursting();
        let proof = match code {
            // It could not have made one otherwise.
            Match::NewPassive => Proof::Right,
            _ => proof(received, &heard),
        };
        self.trace_packet(now, received, code, proof);
        self.after(now, id, heard, bursting);
    }

    fn note_stranger(&mut self, now: Now, source: SocketAddr) {
        if self.may_tell_of_strangers(now) {
            self.tell_system(SystemEvent::StrangeDatagram(source));
        }
    }

    /// Whether nobody was told of strangers lately; then somebody is now.
    pub(super) fn may_tell_of_strangers(&mut self, now: Now) -> bool {
        let quiet = self
            .strangers_told
            .is_some_and(|told| now.mono.seconds_since(told) < STRANGERS_EVERY_S);
        if !quiet {
            self.strangers_told = Some(now.mono);
        }
        !quiet
    }

    pub(super) fn after(&mut self, now: Now, id: AssociationId, heard: Heard, bursting: bool) {
        let (said, renounced) = (heard.said, heard.renounced);
        let remote = self.associations.get(&id).map(|it| it.shown_remote());
        let named = match self.associations.get(&id).map(|it| &it.role) {
            Some(Role::Member { pool, .. }) => *pool,
            _ => id,
        };
        self.record_exchange(now, heard.raw);
        for event in heard.events {
            if event == PeerEvent::Reachable
                && let Some(lookup) = self.lookups.get_mut(&named)
            {
                lookup.is_fruitful();
            }
            self.tell(id, remote.clone().unwrap_or_default(), event);
        }
        self.trace_poll(now, id);
        if heard.fresh {
            self.record_peer(now, id);
        }
        match heard.after {
            After::Rest => {}
            After::Select => {
                // In a burst only the last sample counts, unless the clock was never set.
                if !bursting || !self.is_synchronized() {
                    self.select(now);
                }
            }
            After::Denied => {
                self.leave_denied(now, id);
                self.select(now);
                self.end_if_hopeless(now);
            }
        }
        for said in said {
            self.hear_spoken(now, id, &said);
        }
        if renounced {
            self.hear_crypto_nak(now, id);
        }
        self.pump(now);
        self.publish();
    }

    /// A pool has others to ask, a name may have other addresses; without one a configured server
    /// stays, silent, for the operator to see.
    fn leave_denied(&mut self, now: Now, id: AssociationId) {
        let Some(association) = self.associations.get(&id) else {
            return;
        };
        if let (Role::Member { pool, .. }, Some(remote)) = (&association.role, association.remote) {
            if let Some(pool) = self.pools.get_mut(pool) {
                pool.shun_for_a_day(remote.ip(), now.mono);
            }
            self.demobilize(now, id);
        } else if matches!(association.role, Role::Passive(_)) {
            self.demobilize(now, id);
        } else {
            self.try_next_address(now, id);
        }
    }

    /// Learns when a request left. A stamp for a request that is no longer outstanding is ignored.
    pub fn handle_transmit_stamp(&mut self, ticket: TxTicket, stamp: Stamp) {
        let TxTicket {
            association,
            sequence,
        } = ticket;
        if let Some(association) = self.associations.get_mut(&association) {
            association.note_departure(sequence, stamp);
        }
    }

    /// Learns which address of this host requests to a server leave from.
    pub fn note_local_address(&mut self, association: AssociationId, local: IpAddr) {
        if let Some(association) = self.associations.get_mut(&association) {
            association.local = Some(local);
        }
    }

    /// Learns that a request did not leave.
    pub fn handle_send_failure(&mut self, now: Now, ticket: TxTicket, _: SendFailure) {
        let id = ticket.association;
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        if association.emitter.is_some() {
            return;
        }
        let silent = association.poll.reach() == 0;
        if association.abandon(ticket.sequence) && silent && !self.ended {
            self.try_next_address(now, id);
        }
    }

    /// Learns that the network calls the server of a request that did leave unreachable. Anybody can
    /// forge that, so the answer is waited for all the same; a server that never answered is left for
    /// its next address if none has come after a moment.
    pub fn handle_unreachable(&mut self, now: Now, ticket: &TxTicket) {
        let id = ticket.association;
        let has_other = matches!(self.next_address(id), Some((_, false)));
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        let silent = association.poll.reach() == 0;
        if self.ended || !silent || !has_other || !association.awaits(ticket.sequence) {
            return;
        }
        association.said_unreachable = true;
        let moment = now.mono.plus_seconds(ANSWER_WITHIN_S);
        if association.due().is_some_and(|due| moment < due) {
            association.poll.resume(moment);
        }
    }

    /// Takes a measurement of a reference clock. The LOCAL clock is not listened to while another
    /// source leads, as it would only agree with itself, unless it is to be preferred.
    pub fn handle_refclock_sample(&mut self, now: Now, sample: RefclockSample) {
        if self.ended || self.is_near_leap(now) {
            return;
        }
        let setting = self.setting();
        let found = self
            .associations
            .values_mut()
            .find(|it| it.refclock_id() == Some(sample.id));
        let Some(association) = found else { return };
        let id = association.id;
        let dark = self.variables.peer.is_none_or(|leader| leader == id);
        if sample.id.is_local() && !dark && !association.options.prefer {
            return;
        }
        let heard = association.take_sample(now, &sample, &setting);
        self.after(now, id, heard, false);
    }

    /// Learns what the kernel made of an adjustment.
    pub fn handle_applied(&mut self, now: Now, applied: Applied) {
        self.discipline.handle_applied(now, &applied);
        let stepped = matches!(applied.adjustment, Adjustment::Step(_)) && applied.outcome.is_ok();
        if stepped && !self.ended {
            self.forget_time(now);
        }
        self.pump(now);
        self.publish();
    }

    /// Takes what the host has to say beside packets and time.
    pub fn handle_host(&mut self, now: Now, event: HostEvent) {
        match event {
            HostEvent::Resolved { request, outcome } => self.handle_resolved(now, request, outcome),
            HostEvent::Reconfigured {
                config,
                authenticator,
            } => self.reconfigure(now, *config, authenticator),
            HostEvent::Operated(done) => self.handle_done(now, done),
            HostEvent::LeapTable(table) => self.take_leap_table(now, Some(table)),
            HostEvent::OwnAddresses(addresses) => self.set_own_addresses(&addresses),
            HostEvent::PrivateValues(values) => self.use_private_values(values),
            HostEvent::Links(links) => self.use_links(now.mono, links),
            HostEvent::ForeignStep(by) => self.handle_foreign_step(now, by),
            HostEvent::Slept(span) => {
                self.leave_time(now, SystemEvent::Slept(span.to_seconds()));
            }
        }
        self.end_if_hopeless(now);
        self.run_orphan(now);
        self.pump(now);
        self.publish();
    }

    fn handle_foreign_step(&mut self, now: Now, by: NtpDuration) {
        if self.is_leap_step(now, by) {
            return;
        }
        self.leave_time(now, SystemEvent::ForeignStep(by.to_seconds()));
    }

    /// What was measured before is no measure of the clock any more.
    fn leave_time(&mut self, now: Now, why: SystemEvent) {
        self.discipline.handle_foreign_step(now);
        self.tell_system(why);
        self.forget_time(now);
    }
}
