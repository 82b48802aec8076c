//! What does not wait for the poll: a dance in a burst, and what a server is to be asked because
//! something changed.
use super::{GUARD_S, HEADWAY_INTERVALS, PollProcess};
use truechimer_time::Instant;

/// Least time between an answer and the next request while a dance goes on in a burst. Servers of 4.2.8
/// count half a second up to a whole one, so to their `discard minimum` it is as long as two.
const STEP_GUARD_S: f64 = 1.5;

impl PollProcess {
    /// Has the next request of a burst leave a little sooner, counted from this answer: what a server
    /// sees between two requests is longer, however the way between shakes.
    pub(crate) fn hasten(&mut self, now: Instant) {
        let in_debt = self.headway_s(now) > HEADWAY_INTERVALS * self.minimum_s();
        if self.burst > 0 && !in_debt {
            let sooner = now.plus_seconds(STEP_GUARD_S.min(self.minimum_s()));
            self.next = self.next.map(|next| next.min(sooner));
        }
    }

    /// Asks next as soon as headway allows, burst or not.
    pub(crate) fn advance(&mut self, now: Instant) {
        let debt_s = self.headway_s(now) - HEADWAY_INTERVALS * self.minimum_s();
        let earliest = now.plus_seconds(debt_s.max(GUARD_S.min(self.minimum_s())));
        self.next = self.next.map(|next| next.min(earliest));
    }
}
