//! What comes due: polls, pools, names, the discipline's second.
use super::System;
use super::candidate::{Yardstick, unfit};
use super::pool::Fate;
use crate::association::{Association, Role};
use crate::clock_filter::Filtered;
use crate::event::PeerEvent;
use crate::host::{Departure, Output};
use crate::packet::AssociationId;
use crate::status::PEER_TESTS;
use truechimer_time::{Instant, Now};

/// Polls without an answer after which a name is resolved anew.
const LOOKUP_AFTER_POLLS: u32 = 8;
/// Reach bits of a reference clock that must not all be clear.
const REFCLOCK_REACH: u8 = 0x0f;

impl Association {
    /// When this wants its turn; a server whose address is not known yet wants none, and a broadcast
    /// server that is heard is not polled.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.listener {
            Some(listener) => Some(listener.next()),
            None => {
                let polls = self.remote.and_then(|_| self.poll.next());
                polls.into_iter().chain(self.answer_due()).min()
            }
        }
    }
}

impl System {
    /// Does what has come due.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.ended {
            return;
        }
        if self
            .discipline
            .next_tick()
            .is_some_and(|due| due <= now.mono)
        {
            let phi_s_per_s = self.config.tinker.dispersion_s_per_s;
            let root_distance_s = self.variables.root_distance_at_s(now.mono, phi_s_per_s);
            self.discipline.tick(now, root_distance_s);
        }
        self.refresh_leap(now);
        self.run_lookups(now);
        self.run_pools(now);
        let due: Vec<AssociationId> = self
            .associations
            .values()
            .filter(|it| it.due().is_some_and(|due| due <= now.mono))
            .map(|it| it.id)
            .collect();
        for id in due {
            self.run_turn(now, id);
        }
        self.end_if_hopeless(now);
        self.run_orphan(now);
        self.pump(now);
        self.publish();
    }

    fn run_turn(&mut self, now: Now, id: AssociationId) {
        match self.associations.get(&id).map(|it| &it.role) {
            Some(Role::Broadcast(_)) => self.run_round(now, id),
            Some(Role::BroadcastClient(_)) => self.run_listener(now, id),
            _ => {
                if !self.run_answer(now, id) {
                    self.run_poll(now, id);
                }
            }
        }
    }

    fn run_poll(&mut self, now: Now, id: AssociationId) {
        let system_poll = self.discipline.time_constant();
        let setting = self.setting();
        let by = Yardstick {
            now: now.mono,
            phi_s_per_s: setting.phi_s_per_s,
            tos: &self.config.tos,
            own: &self.own,
        };
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        if association.poll.is_spent() {
            association.poll.stop();
            return;
        }
        let is_refclock = association.refclock_id().is_some();
        let fit = unfit(association, &by) == 0;
        let turn = association.poll.turn(now.mono, system_poll, fit);
        let mut events = Vec::new();
        let mut filtered = Filtered::Old;
        if turn.fresh {
            association.unwanted = association.unwanted.saturating_add(1);
            let faint = is_refclock && association.poll.reach() & REFCLOCK_REACH == 0;
            if turn.silent || faint {
                filtered = association.note_silence(now.mono, &setting);
            }
            if turn.lost {
                let failed = unfit(association, &by);
                association.counts.flash = association.counts.flash & !PEER_TESTS | failed;
                association.reach_changed = now.mono;
                events.push(PeerEvent::Unreachable);
            } else if turn.missed && !is_refclock {
                events.push(PeerEvent::NoReply);
            }
        }
        let remote = association.shown_remote();
        for event in events {
            self.tell(id, remote.clone(), event);
        }
        if turn.lost || filtered == Filtered::Empty {
            self.select(now);
        }
        if turn.fresh && (self.ends_turn(now, id) || self.refresh_autokey(now, id)) {
            return;
        }
        if !is_refclock {
            self.send_request(id, now);
        }
        if let Some(association) = self.associations.get_mut(&id) {
            let wanted = association.poll.host_poll();
            association.poll.reschedule(now.mono, wanted, &mut self.rng);
        }
        self.trace_poll(now, id);
    }

    /// Looks after a source that nobody needs or that does not answer; true if it is gone, or begins
    /// anew elsewhere.
    fn ends_turn(&mut self, now: Now, id: AssociationId) -> bool {
        if self.is_deserted(id) {
            self.demobilize(now, id);
            self.select(now);
            return true;
        }
        let never_answered = |it: &Association| it.said_unreachable && it.poll.reach() == 0;
        if self.associations.get(&id).is_some_and(never_answered) && self.try_next_address(now, id)
        {
            return true;
        }
        if self.is_lost(id)
            && let Some(lookup) = self.lookups.get_mut(&id)
        {
            lookup.want(now.mono);
            // Without news of the name, the addresses known are all there is.
            if lookup.is_failing() && self.leave_lost_address(now, id) {
                return true;
            }
        }
        match self.fate_of(now, id) {
            Fate::Stay => return false,
            Fate::Go => self.shun_dropped(now, id),
            Fate::Replace { pool, address } => {
                if let Some(pool) = self.pools.get_mut(&pool) {
                    pool.shun_awhile(address, now.mono);
                }
            }
        }
        self.demobilize(now, id);
        true
    }

    /// Whether a configured server has not answered for so long that its name is worth a look.
    fn is_lost(&self, id: AssociationId) -> bool {
        self.associations.get(&id).is_some_and(|it| {
            let silent = it.poll.reach() == 0 && it.poll.unanswered() >= LOOKUP_AFTER_POLLS;
            silent && matches!(it.role, Role::Server(_) | Role::Peer(_))
        })
    }

    pub(super) fn send_request(&mut self, id: AssociationId, now: Now) {
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        if association.autokey.is_some() && !self.prepare_autokey(now, id) {
            return;
        }
        let Some(association) = self.associations.get_mut(&id) else {
            return;
        };
        if association.is_symmetric() || association.autokey.is_some() {
            association.said_unreachable = false;
            association.poll.sent(now.mono);
            let departure = Departure {
                association: id,
                link: None,
            };
            self.outbox.push(Output::Compose(departure));
            return;
        }
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let mut events = Vec::new();
        let request = association.request(
            sequence,
            self.authenticator.as_mut(),
            &mut self.rng,
            &mut events,
        );
        let remote = association.shown_remote();
        if let Some(request) = request {
            association.poll.sent(now.mono);
            self.outbox.push(Output::Send(request));
        }
        for event in events {
            self.tell(id, remote.clone(), event);
        }
    }
}
