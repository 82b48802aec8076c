//! What a reference clock measured.
use super::{Association, Heard};
use crate::clock_filter::{Sample, Setting};
use crate::event::PeerEvent;
use crate::refclock::RefclockSample;
use truechimer_time::Now;
use truechimer_time::leap::LeapIndicator;

impl Association {
    /// Takes a measurement of a reference clock (the reference's `refclock_receive`).
    pub(crate) fn take_sample(
        &mut self,
        now: Now,
        sample: &RefclockSample,
        base: &Setting,
    ) -> Heard {
        let mut heard = Heard::default();
        self.counts.received = self.counts.received.saturating_add(1);
        self.peer.leap = sample.leap;
        if sample.leap == LeapIndicator::NotSynchronized {
            return heard;
        }
        let first = self.poll.reach() == 0;
        if first {
            heard.events.push(PeerEvent::Reachable);
            self.reach_changed = now.mono;
        }
        self.poll.reached();
        self.heard = Some(now.mono);
        self.peer.destination = now.wall;
        self.peer.root_dispersion_s = sample.dispersion.to_seconds().max(0.0);
        let jitter_s = if sample.jitter_s.is_finite() {
            sample.jitter_s.max(base.precision_s)
        } else {
            base.precision_s
        };
        let measured = Sample {
            offset_s: sample.offset.to_seconds(),
            delay_s: 0.0,
            dispersion_s: jitter_s,
        };
        if first && sample.id.is_local() {
            self.filter.prime(now.mono, measured);
        }
        let setting = self.setting(base);
        heard.take(self.filter.push(now.mono, measured, &setting));
        heard
    }
}
