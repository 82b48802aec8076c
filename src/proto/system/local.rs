//! When the LOCAL clock may stand in for those who know the time.
use super::System;
use crate::event::SystemEvent;
use truechimer_time::Now;

/// How long the LOCAL clock waits for better sources, seconds (`tos orphanwait` of the reference).
const LOCAL_WAIT_S: f64 = 300.0;

impl System {
    /// Nobody leads any more, whatever the cause.
    pub(super) fn lose_leader(&mut self, now: Now) {
        if self.variables.peer.take().is_some() {
            self.make_local_wait(now);
            self.tell_system(SystemEvent::NoSystemPeer);
        }
    }

    /// Gives the others time before the LOCAL clock stands in.
    pub(super) fn make_local_wait(&mut self, now: Now) {
        self.local_from = now.mono.plus_seconds(self.local_wait_s());
    }

    /// Waiting for better sources makes no sense where none is configured.
    fn local_wait_s(&self) -> f64 {
        let mut all = self.associations.values();
        let others = all.any(|it| !it.is_local() && !it.options.noselect);
        if others || !self.pools.is_empty() {
            LOCAL_WAIT_S
        } else {
            0.0
        }
    }
}
