//! The state of the system for people and programs.
use super::System;
use super::manycast::Hunt;
use super::pool::Pool;
use crate::association::{Association, Role, STRATUM_UNSPECIFIED, remote_name};
use crate::event::EventCounts;
use crate::packet::AssociationId;
use crate::status::{AssociationStatus, SystemStatus, Tally};
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpShort};
use truechimer_wire::ReferenceId;

impl System {
    /// Everything there is to show, as of `now`. Nonces and keys are not part of it.
    pub fn status(&self, now: Now) -> SystemStatus {
        let phi_s_per_s = self.config.tinker.dispersion_s_per_s;
        let it = &self.variables;
        let pools = self.pools.iter().map(|(id, pool)| show_pool(*id, pool));
        let associations = self
            .associations
            .values()
            .map(|association| self.show(association, now.mono));
        SystemStatus {
            leap: it.leap,
            stratum: it.stratum,
            precision: it.precision,
            root_delay: NtpShort::from_seconds(it.root_delay_s),
            root_dispersion: NtpShort::from_seconds(it.root_dispersion_at_s(now.mono, phi_s_per_s)),
            reference_id: it.reference_id,
            reference_time: it.reference_time,
            system_peer: it.peer,
            offset_s: it.offset_s,
            system_jitter_s: it.jitter_s,
            clock_jitter_s: self.discipline.jitter_s(),
            frequency_ppm: self.discipline.frequency_ppm(),
            wander_ppm: self.discipline.wander_ppm(),
            time_constant: self.discipline.time_constant(),
            tai_utc_s: self.leap.tai_utc_s(),
            steering: self.discipline.steering(),
            discipline_state: self.discipline.state_name(),
            events: self.events,
            unsolicited: self.unsolicited,
            associations: pools.chain(associations).collect(),
        }
    }

    /// The part of [`System::status`] that is about one association.
    pub(super) fn association_status(
        &self,
        now: Now,
        id: AssociationId,
    ) -> Option<AssociationStatus> {
        let association = self.associations.get(&id);
        let shown = association.map(|association| self.show(association, now.mono));
        shown.or_else(|| self.pools.get(&id).map(|pool| show_pool(id, pool)))
    }

    fn show(&self, association: &Association, now: Instant) -> AssociationStatus {
        let phi_s_per_s = self.config.tinker.dispersion_s_per_s;
        let Association { peer, counts, .. } = association;
        let filter = &association.filter;
        AssociationStatus {
            id: association.id,
            tally: association.tally,
            kind: match association.role {
                Role::Refclock(_) => 'l',
                Role::Server(_) | Role::Member { .. } => 'u',
                Role::Peer(_) => 's',
                Role::Passive(_) => 'S',
                Role::Broadcast(_) if is_to_group(association) => 'M',
                Role::Broadcast(_) => 'B',
                Role::BroadcastClient(_) => 'b',
            },
            remote: association.remote,
            name: association.name(),
            reference_id: peer.reference_id,
            stratum: peer.stratum,
            leap: peer.leap,
            when_s: association.heard.map(|heard| now.seconds_since(heard)),
            host_poll: association.poll.host_poll(),
            peer_poll: peer.poll,
            reach: association.poll.reach(),
            unreach: association.poll.unanswered(),
            delay_s: filter.delay_s(),
            offset_s: filter.offset_s(),
            dispersion_s: filter.dispersion_s(),
            jitter_s: filter.jitter_s(),
            root_distance_s: association.root_distance_s(
                now,
                phi_s_per_s,
                self.config.tos.mindist_s,
            ),
            root_delay: NtpShort::from_seconds(peer.root_delay_s),
            root_dispersion: NtpShort::from_seconds(peer.root_dispersion_s),
            flash: counts.flash,
            refused: counts.refused,
            unauthentic: counts.unauthentic,
            sent: counts.sent,
            received: counts.received,
            stamps: association.stamps,
            autokey: association.autokey.as_ref().map(|it| it.status()),
            events: association.events,
            filter: filter.stages(now, phi_s_per_s),
        }
    }
}

fn is_to_group(association: &Association) -> bool {
    association.remote.is_some_and(|it| it.ip().is_multicast())
}

/// A pool is a template: it has a name and nothing else to show; a manycast client has its group.
fn show_pool(id: AssociationId, pool: &Pool) -> AssociationStatus {
    let hunt = pool.hunt.as_ref();
    let counts = hunt.map(|hunt| hunt.counts).unwrap_or_default();
    AssociationStatus {
        id,
        tally: Tally::Reject,
        kind: if hunt.is_some() { 'a' } else { 'p' },
        remote: hunt.map(Hunt::group),
        name: remote_name(&pool.line),
        reference_id: ReferenceId::from_letters(if hunt.is_some() { "ACST" } else { "POOL" }),
        stratum: STRATUM_UNSPECIFIED,
        leap: LeapIndicator::NotSynchronized,
        when_s: None,
        host_poll: pool.line.minpoll,
        peer_poll: 0,
        reach: 0,
        unreach: 0,
        delay_s: 0.0,
        offset_s: 0.0,
        dispersion_s: 0.0,
        jitter_s: 0.0,
        root_distance_s: 0.0,
        root_delay: NtpShort::ZERO,
        root_dispersion: NtpShort::ZERO,
        flash: 0,
        refused: counts.refused,
        unauthentic: counts.unauthentic,
        sent: counts.sent,
        received: counts.received,
        stamps: None,
        autokey: None,
        events: EventCounts::default(),
        filter: Vec::new(),
    }
}
