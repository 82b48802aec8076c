//! The first setting of the clock: not by whoever happens to be heard first.
//!
//! While error bounds are still wide a falseticker overlaps with everybody, so three truechimers
//! cannot outvote it yet, and the clock would be stepped by its lie. Bounds narrow with every sample
//! of the first burst, so a little patience tells them apart.
use super::System;
use super::candidate::Candidate;
use crate::association::Association;
use crate::status::PacketTest;
use truechimer_time::Now;

/// Sources it takes for a majority against one.
const SOURCES_AT_LEAST: usize = 3;
/// Offsets this far apart, seconds, are a disagreement: the default step threshold.
const APART_S: f64 = 0.128;
/// After this long the clock is set by what there is, seconds.
const PATIENCE_S: f64 = 64.0;

impl System {
    /// Whether to wait before an unset clock is set for the first time.
    pub(super) fn in_first_doubt(&mut self, now: Now, candidates: &[Candidate]) -> bool {
        if self.is_synchronized() || !(self.unjudged(candidates) || disagree(candidates)) {
            self.first_doubt = None;
            return false;
        }
        let since = *self.first_doubt.get_or_insert(now.mono);
        now.mono.seconds_since(since) < PATIENCE_S
    }

    /// Whether sources that answer have too few samples yet to be heard.
    fn unjudged(&self, candidates: &[Candidate]) -> bool {
        let waits_only_for_samples = |it: &&Association| {
            let distant = PacketTest::PeerDistance.bit();
            !it.options.noselect && it.counts.flash == distant && it.poll.reach() != 0
        };
        let waiting = self.associations.values().filter(waits_only_for_samples);
        let waiting = waiting.count();
        waiting > 0 && !candidates.is_empty() && candidates.len() + waiting >= SOURCES_AT_LEAST
    }
}

/// Whether offsets differ by more than a step though error bounds still allow either.
fn disagree(candidates: &[Candidate]) -> bool {
    if candidates.len() < SOURCES_AT_LEAST {
        return false;
    }
    let offsets = candidates.iter().map(|it| it.offset_s);
    let (least, most) = offsets.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), at| {
        (least.min(at), most.max(at))
    });
    let widest_s = candidates
        .iter()
        .map(|it| it.distance_s)
        .fold(0.0, f64::max);
    most - least > APART_S && widest_s * 2.0 > most - least
}
