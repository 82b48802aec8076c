//! When the LOCAL clock may stand in for those who know the time.
use super::System;
use crate::association::Role;
use crate::event::SystemEvent;
use truechimer_time::Now;

impl System {
    /// Nobody leads any more, whatever the cause.
    pub(super) fn lose_leader(&mut self, now: Now) {
        if self.variables.peer.take().is_some() {
            self.make_wait(now);
            self.tell_system(SystemEvent::NoSystemPeer);
        }
    }

    /// Gives the others time before the LOCAL clock stands in, or this host becomes an orphan.
    pub(super) const fn make_wait(&mut self, now: Now) {
        self.leaderless = now.mono;
    }

    /// Whether they had time enough (`tos orphanwait`).
    pub(super) fn waited_for_others(&self, now: Now) -> bool {
        now.mono.seconds_since(self.leaderless) >= self.config.tos.orphan_wait_s
    }

    /// Whether the LOCAL clock may stand in: waiting for better sources makes no sense where none
    /// is configured.
    pub(super) fn local_may_lead(&self, now: Now) -> bool {
        let others = self.associations.values().any(|it| {
            let source = !it.is_local() && !matches!(it.role, Role::Broadcast(_));
            source && !it.options.noselect
        });
        let expected = others || !self.pools.is_empty() || self.config.listening.hears_any();
        !expected || self.waited_for_others(now)
    }
}
