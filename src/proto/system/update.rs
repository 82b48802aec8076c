//! The system update (RFC 5905 §11.2 `clock_select()`, §11.3 `clock_update()`).
use super::System;
use super::candidate::{Candidate, Yardstick, candidate, unfit};
use super::combine::Combined;
use super::mitigation::{LeapVotes, Terms, mitigate};
use super::orphan::{Kinship, kinship};
use crate::association::{Association, STRATUM_UNSPECIFIED};
use crate::discipline::{Estimate, Verdict};
use crate::event::PeerEvent;
use crate::host::{Exit, Output};
use crate::packet::AssociationId;
use crate::status::{PEER_TESTS, Tally};
use core::net::IpAddr;
use truechimer_time::Now;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::ReferenceId;

impl System {
    pub(super) fn is_synchronized(&self) -> bool {
        self.variables.leap != LeapIndicator::NotSynchronized
    }

    /// Decides anew who tells the truth and who leads, and sets the clock by it if that is news.
    pub(super) fn select(&mut self, now: Now) {
        if self.ended {
            return;
        }
        let (candidates, stand_in) = self.gather_candidates(now);
        if self.in_first_doubt(now, &candidates) {
            return;
        }
        let incumbent = self.variables.peer;
        let terms = Terms {
            tos: &self.config.tos,
            precision_s: self.precision_s(),
            stand_in,
            incumbent,
        };
        let selection = mitigate(&candidates, &terms, &mut self.clockhop);
        for id in &selection.survivors {
            if let Some(association) = self.associations.get_mut(id) {
                association.unwanted = 0;
            }
        }
        self.variables.survivors = selection.survivors.len();
        let Some((leader, combined)) = selection.leader else {
            self.lose_leader(now);
            self.set_tallies(&selection.tallies);
            return;
        };
        let used = self.associations.get(&leader.id);
        let used = used.and_then(|it| it.filter.used());
        if used.is_none() || used <= self.variables.epoch {
            return;
        }
        self.set_tallies(&selection.tallies);
        if incumbent != Some(leader.id) {
            let remote = self.associations.get(&leader.id);
            let remote = remote.map(Association::shown_remote).unwrap_or_default();
            self.tell(leader.id, remote, PeerEvent::SystemPeer);
        }
        self.variables.epoch = used;
        self.clock_update(now, &leader, combined, selection.votes);
    }

    /// The sources that pass the peer tests, and who may stand in for them: the LOCAL clock, or else
    /// an orphan parent.
    fn gather_candidates(&mut self, now: Now) -> (Vec<Candidate>, Option<Candidate>) {
        let by = Yardstick {
            now: now.mono,
            phi_s_per_s: self.config.tinker.dispersion_s_per_s,
            tos: &self.config.tos,
            own: &self.own,
        };
        let local_may_lead = self.local_may_lead(now);
        let mut candidates = Vec::new();
        let (mut stand_in, mut parents) = (None, Vec::new());
        for association in self.associations.values_mut() {
            let failed = unfit(association, &by);
            association.counts.flash = association.counts.flash & !PEER_TESTS | failed;
            if failed != 0 {
                continue;
            }
            let Some(candidate) = candidate(association, &by) else {
                continue;
            };
            if association.is_local() && self.config.steering.one_shot {
                continue;
            }
            match kinship(candidate.stratum, self.config.tos.orphan) {
                Kinship::Source if !association.is_local() || candidate.prefer => {
                    candidates.push(candidate);
                }
                Kinship::Source if local_may_lead => stand_in = stand_in.or(Some(candidate)),
                Kinship::Parent => parents.push(candidate),
                Kinship::Source | Kinship::Descendant => {}
            }
        }
        let stand_in = stand_in.or_else(|| self.best_parent(parents));
        (candidates, stand_in)
    }

    fn set_tallies(&mut self, tallies: &[(AssociationId, Tally)]) {
        for association in self.associations.values_mut() {
            association.tally = Tally::Reject;
        }
        for &(id, tally) in tallies {
            if let Some(association) = self.associations.get_mut(&id) {
                association.tally = tally;
            }
        }
    }

    fn clock_update(&mut self, now: Now, leader: &Candidate, combined: Combined, votes: LeapVotes) {
        let Some(estimate) = self.take_leader(now, leader, combined) else {
            return;
        };
        let local = self.associations.get(&leader.id);
        let verdict = if local.is_some_and(Association::is_local) {
            // It cannot tell our clock anything, and must not spend the pass of `-g` or pose as the
            // first synchronisation.
            Verdict::Slewed
        } else {
            self.discipline.update(now, &estimate)
        };
        if matches!(verdict, Verdict::Slewed | Verdict::Stepped { .. }) {
            self.record_loop(now, estimate.offset_s);
        }
        let poll = self.discipline.time_constant();
        if let Some(association) = self.associations.get_mut(&leader.id) {
            association.poll.reschedule(now.mono, poll, &mut self.rng);
        }
        self.pump(now);
        match verdict {
            // A step counts when the kernel has done it, which it may refuse.
            Verdict::Ignored | Verdict::Stepped { .. } => {}
            Verdict::Slewed => self.note_slew(now, votes),
            Verdict::Panic { offset_s } => self.end(Exit::Panic { offset_s }),
            Verdict::OneShot { offset_s, stepped } => {
                self.end(Exit::OneShotDone { offset_s, stepped });
            }
        }
        self.publish();
    }

    /// Takes over the leader's variables; what is left is the estimate for the discipline.
    fn take_leader(
        &mut self,
        now: Now,
        leader: &Candidate,
        combined: Combined,
    ) -> Option<Estimate> {
        let association = self.associations.get(&leader.id)?;
        let phi_s_per_s = self.config.tinker.dispersion_s_per_s;
        let peer = association.peer;
        let root_dispersion_s = peer.root_dispersion_s
            + association.filter.dispersion_at_s(now.mono, phi_s_per_s)
            + combined.jitter_s
            + combined.offset_s.abs();
        let root_delay_s = association.filter.delay_s() + peer.root_delay_s;
        let habits = association.poll.habits();
        let primary = peer.stratum == 0 || peer.stratum >= STRATUM_UNSPECIFIED;
        let remote = association.remote.map(|remote| remote.ip());
        let reference_id = match remote {
            Some(address) if !primary => self.reference_id_of(address),
            _ => peer.reference_id,
        };
        let it = &mut self.variables;
        it.peer = Some(leader.id);
        it.orphan = false;
        it.offset_s = combined.offset_s;
        it.jitter_s = combined.jitter_s;
        it.stratum = peer.stratum.saturating_add(1).min(STRATUM_UNSPECIFIED);
        it.reference_id = reference_id;
        it.root_delay_s = root_delay_s;
        it.root_dispersion_s = root_dispersion_s.max(self.config.tos.mindist_s);
        it.updated = now.mono;
        it.reference_time = peer.destination;
        Some(Estimate {
            offset_s: combined.offset_s,
            age_s: combined.age_s,
            jitter_s: combined.jitter_s,
            root_delay_s,
            root_dispersion_s: it.root_dispersion_s,
            minpoll: habits.minpoll,
            maxpoll: habits.maxpoll,
            leap: self.leap_today(now),
            tai_utc_s: self.leap.tai_utc_s(),
        })
    }

    /// What servers of ours are told we follow. Where MD5 is forbidden an IPv6 address is known by
    /// its last four octets.
    pub(super) fn reference_id_of(&mut self, address: IpAddr) -> ReferenceId {
        match address {
            IpAddr::V4(v4) => ReferenceId::from_octets(v4.octets()),
            IpAddr::V6(v6) => {
                let [.., a, b, c, d] = v6.octets();
                let digest = self.authenticator.reference_id_of(v6);
                ReferenceId::from_octets(digest.unwrap_or([a, b, c, d]))
            }
        }
    }

    pub(super) fn end(&mut self, exit: Exit) {
        self.ended = true;
        self.outbox.push(Output::Exit(exit));
    }

    /// The clock was stepped to `now` and no stamp from before means anything: every association begins
    /// anew, and nobody is served as if the time were known.
    pub(super) fn forget_time(&mut self, now: Now) {
        self.lose_leader(now);
        self.make_wait(now);
        self.variables.forget(now);
        self.clockhop = super::Clockhop::default();
        let precision_s = self.precision_s();
        for association in self.associations.values_mut() {
            association.restart(now.mono, "STEP", precision_s, &mut self.rng);
        }
        self.refresh_leap(now);
        if let Some(host) = &mut self.autokey {
            host.forget_time();
        }
    }
}
