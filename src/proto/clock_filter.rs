//! The clock filter (RFC 5905 §10): of the last eight samples of one source, the best.
//!
//! It follows the reference daemon where that differs from the RFC: samples older than the Allan
//! intercept are ordered by delay plus dispersion, and while the discipline still settles the
//! newest sample counts, not the one with the least delay.
use truechimer_time::Instant;

/// NSTAGE: samples kept.
pub(crate) const STAGES: usize = 8;
/// MAXDISP: dispersion of a stage that holds nothing, seconds.
pub(crate) const MAX_DISPERSION_S: f64 = 16.0;
/// FWEIGHT of the reference: each stage counts half of the one before.
const STAGE_WEIGHT: f64 = 0.5;
/// SGATE: a popcorn spike is this many jitters away.
const SPIKE_GATE: f64 = 3.0;

/// One measurement of a source (RFC 5905 §8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Source minus us.
    pub(crate) offset_s: f64,
    /// Round trip.
    pub(crate) delay_s: f64,
    /// Error bound when it was taken.
    pub(crate) dispersion_s: f64,
}

/// What the filter needs to know of the rest of the world.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// PHI, growth of the error.
    pub(crate) phi_s_per_s: f64,
    /// Allan intercept.
    pub(crate) allan_s: f64,
    /// MAXDIST.
    pub(crate) maxdist_s: f64,
    /// Precision of the system clock.
    pub(crate) precision_s: f64,
    /// The poll interval of the source.
    pub(crate) poll_s: f64,
    /// The discipline still takes out the first offset: no sorting.
    pub(crate) settling: bool,
}

/// What came of a new sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Filtered {
    /// No stage holds anything usable any more.
    Empty,
    /// Farther from the last offset than the jitter explains, in seconds: passed over.
    Popcorn(f64),
    /// The best sample is one that was used before.
    Old,
    /// The best sample is a new one.
    Fresh,
}

#[derive(Clone, Copy, Debug)]
struct Stage {
    sample: Sample,
    taken: Instant,
}

/// The shift register and what it yields: the peer variables of RFC 5905 §9.1 that come from it.
#[derive(Clone, Debug)]
pub(crate) struct ClockFilter {
    /// Newest first.
    stages: [Stage; STAGES],
    /// When the dispersions of the stages were true.
    updated: Instant,
    /// When the last sample used was taken.
    used: Option<Instant>,
    estimate: Sample,
    /// When the sample of the estimate was taken.
    taken: Instant,
    jitter_s: f64,
}

impl ClockFilter {
    /// Nothing measured yet.
    pub(crate) fn new(now: Instant, precision_s: f64) -> Self {
        let nothing = Sample {
            offset_s: 0.0,
            delay_s: 0.0,
            dispersion_s: MAX_DISPERSION_S,
        };
        Self {
            stages: [Stage {
                sample: nothing,
                taken: now,
            }; STAGES],
            updated: now,
            used: None,
            estimate: nothing,
            taken: now,
            jitter_s: precision_s,
        }
    }

    /// Shifts in "heard nothing", so that a silent source's samples are crowded out. What was
    /// measured last stays; silence is no measurement.
    pub(crate) fn push_silence(&mut self, now: Instant, setting: &Setting) -> Filtered {
        let silence = Sample {
            offset_s: 0.0,
            delay_s: 0.0,
            dispersion_s: MAX_DISPERSION_S,
        };
        self.shift(now, silence, setting);
        let order = self.order(now, setting);
        self.sum_dispersion(&order);
        if count_usable(&order, setting.maxdist_s) == 0 {
            self.jitter_s = 0.0;
            return Filtered::Empty;
        }
        Filtered::Old
    }

    /// Filter dispersion (RFC 5905 §10): every stage weighs half of the one before it in the order.
    fn sum_dispersion(&mut self, order: &[(f64, usize); STAGES]) {
        self.estimate.dispersion_s = order.iter().rev().fold(0.0, |sum, &(_, index)| {
            STAGE_WEIGHT * (sum + self.stages[index].sample.dispersion_s)
        });
    }

    /// Fills every stage with a sample of a source that always says the same: to wait until the
    /// empty stages have gone would only make it look worse than it is.
    pub(crate) fn prime(&mut self, now: Instant, sample: Sample) {
        self.stages = [Stage { sample, taken: now }; STAGES];
        self.updated = now;
    }

    /// Shifts in a sample and chooses anew.
    pub(crate) fn push(&mut self, now: Instant, sample: Sample, setting: &Setting) -> Filtered {
        self.shift(now, sample, setting);
        let order = self.order(now, setting);
        let usable = count_usable(&order, setting.maxdist_s);
        let best = self.stages[order[0].1];
        self.sum_dispersion(&order);
        let squares: f64 = order[..usable]
            .iter()
            .map(|&(_, index)| self.stages[index].sample.offset_s - best.sample.offset_s)
            .map(|apart_s| apart_s * apart_s)
            .sum();
        if usable == 0 {
            self.jitter_s = 0.0;
            return Filtered::Empty;
        }
        let apart_s = (self.estimate.offset_s - best.sample.offset_s).abs();
        self.estimate.offset_s = best.sample.offset_s;
        self.estimate.delay_s = best.sample.delay_s;
        self.taken = best.taken;
        self.jitter_s = (squares / divisor(usable)).sqrt().max(setting.precision_s);
        self.admit(best, apart_s, setting)
    }

    /// The popcorn gate, and no sample twice: stale data unsettles the discipline.
    fn admit(&mut self, best: Stage, apart_s: f64, setting: &Setting) -> Filtered {
        let soon = self
            .used
            .is_some_and(|used| best.taken.seconds_since(used) < 2.0 * setting.poll_s);
        if soon
            && self.estimate.dispersion_s < setting.maxdist_s
            && best.sample.dispersion_s < setting.maxdist_s
            && apart_s > SPIKE_GATE * self.jitter_s
        {
            return Filtered::Popcorn(apart_s);
        }
        if self.used.is_some_and(|used| best.taken <= used) {
            return Filtered::Old;
        }
        self.used = Some(best.taken);
        Filtered::Fresh
    }

    fn shift(&mut self, now: Instant, sample: Sample, setting: &Setting) {
        let grown_s = setting.phi_s_per_s * now.seconds_since(self.updated);
        self.updated = now;
        self.stages.rotate_right(1);
        for stage in &mut self.stages[1..] {
            let aged_s = stage.sample.dispersion_s + grown_s;
            stage.sample.dispersion_s = aged_s.min(MAX_DISPERSION_S);
        }
        self.stages[0] = Stage { sample, taken: now };
    }

    /// Distance and index of every stage, best first.
    fn order(&self, now: Instant, setting: &Setting) -> [(f64, usize); STAGES] {
        let mut order = [(0.0, 0); STAGES];
        for (index, (slot, stage)) in order.iter_mut().zip(&self.stages).enumerate() {
            let Sample {
                delay_s,
                dispersion_s,
                ..
            } = stage.sample;
            let distance_s = if dispersion_s >= MAX_DISPERSION_S {
                MAX_DISPERSION_S
            } else if now.seconds_since(stage.taken) > setting.allan_s {
                delay_s + dispersion_s
            } else {
                delay_s
            };
            *slot = (distance_s, index);
        }
        if !setting.settling {
            order.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        order
    }

    /// Offset of the source, seconds.
    pub(crate) const fn offset_s(&self) -> f64 {
        self.estimate.offset_s
    }

    /// Round trip to the source, seconds.
    pub(crate) const fn delay_s(&self) -> f64 {
        self.estimate.delay_s
    }

    /// Filter dispersion when the last sample came, seconds.
    pub(crate) const fn dispersion_s(&self) -> f64 {
        self.estimate.dispersion_s
    }

    /// Filter dispersion now, seconds.
    pub(crate) fn dispersion_at_s(&self, now: Instant, phi_s_per_s: f64) -> f64 {
        self.estimate.dispersion_s + phi_s_per_s * now.seconds_since(self.updated)
    }

    /// RMS difference of the usable samples to the best one, seconds.
    pub(crate) const fn jitter_s(&self) -> f64 {
        self.jitter_s
    }

    /// How long ago the offset was measured, seconds.
    pub(crate) fn age_s(&self, now: Instant) -> f64 {
        now.seconds_since(self.taken)
    }

    /// When the sample was taken that was used last.
    pub(crate) const fn used(&self) -> Option<Instant> {
        self.used
    }

    /// Offset, delay and dispersion of every stage, newest first, dispersions aged to `now`.
    pub(crate) fn stages(&self, now: Instant, phi_s_per_s: f64) -> Vec<(f64, f64, f64)> {
        let grown_s = phi_s_per_s * now.seconds_since(self.updated);
        self.stages
            .iter()
            .map(|stage| {
                let aged_s = stage.sample.dispersion_s + grown_s;
                (
                    stage.sample.offset_s,
                    stage.sample.delay_s,
                    aged_s.min(MAX_DISPERSION_S),
                )
            })
            .collect()
    }
}

/// Stages that count for the jitter: two at least, of the others those nearer than MAXDIST.
fn count_usable(order: &[(f64, usize); STAGES], maxdist_s: f64) -> usize {
    order.iter().fold(0, |usable, &(distance_s, _)| {
        let skipped = distance_s >= MAX_DISPERSION_S || (usable >= 2 && distance_s >= maxdist_s);
        if skipped { usable } else { usable + 1 }
    })
}

/// At most eight, so exact; one less than the samples, as one of them is the reference.
fn divisor(usable: usize) -> f64 {
    (1..usable).fold(0.0, |sum: f64, _| sum + 1.0).max(1.0)
}

#[cfg(test)]
mod tests;
