//! Mitigation (RFC 5905 §11.2): from candidates to the one that leads, and the offset to follow.
use super::candidate::Candidate;
use super::cluster::{Clustered, Limits, Survivor, cluster};
use super::combine::{Combined, combine};
use super::select::{intersection, is_truechimer};
use crate::config::Tos;
use crate::packet::AssociationId;
use crate::status::Tally;
use truechimer_time::leap::LeapIndicator;

/// What the survivors say of leap seconds. A reference clock's word counts for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeapVotes {
    pub(crate) add: usize,
    pub(crate) delete: usize,
    pub(crate) total: usize,
}

/// Outcome of the system process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selection {
    /// What became of everyone who was not rejected by the peer tests.
    pub(crate) tallies: Vec<(AssociationId, Tally)>,
    pub(crate) survivors: Vec<AssociationId>,
    /// Who leads, and the system offset and jitter; `None` if nobody is good enough.
    pub(crate) leader: Option<(Candidate, Combined)>,
    pub(crate) votes: LeapVotes,
}

/// What is given beside the candidates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) tos: &'a Tos,
    pub(crate) precision_s: f64,
    /// The LOCAL clock, if it may stand in when nobody else is left.
    pub(crate) stand_in: Option<Candidate>,
    /// Who leads so far.
    pub(crate) incumbent: Option<AssociationId>,
}

/// Keeps two equally good sources from taking turns: the incumbent stays while the challenger's
/// offset is nearer than a gate that halves each time it is asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clockhop {
    gate_s: f64,
}

impl Clockhop {
    fn keeps_incumbent(&mut self, apart_s: f64, mindist_s: f64) -> bool {
        if apart_s >= mindist_s {
            self.gate_s = 0.0;
            return false;
        }
        self.gate_s = if self.gate_s > 0.0 {
            self.gate_s / 2.0
        } else {
            mindist_s
        };
        if apart_s < self.gate_s {
            return true;
        }
        self.gate_s = 0.0;
        false
    }
}

/// Runs selection, clustering and combining over the sources that passed the peer tests.
pub(crate) fn mitigate(
    candidates: &[Candidate],
    terms: &Terms<'_>,
    clockhop: &mut Clockhop,
) -> Selection {
    let interval = intersection(candidates);
    let (truechimers, falsetickers): (Vec<Candidate>, Vec<Candidate>) = candidates
        .iter()
        .partition(|candidate| is_truechimer(candidate, interval));
    let mut tallies: Vec<(AssociationId, Tally)> = falsetickers
        .iter()
        .map(|it| (it.id, Tally::Falseticker))
        .collect();
    let Clustered { survivors, dropped } = gather(truechimers, terms);
    tallies.extend(dropped);
    tallies.extend(
        survivors
            .iter()
            .map(|it| (it.candidate.id, Tally::Candidate)),
    );
    let leader = lead(&survivors, terms, clockhop);
    if let Some((candidate, _)) = leader {
        tallies.push((candidate.id, Tally::SystemPeer));
    }
    Selection {
        tallies,
        votes: count_votes(&survivors),
        survivors: survivors.iter().map(|it| it.candidate.id).collect(),
        leader,
    }
}

fn gather(truechimers: Vec<Candidate>, terms: &Terms<'_>) -> Clustered {
    if truechimers.is_empty()
        && let Some(mut candidate) = terms.stand_in
    {
        candidate.distance_s = terms.tos.mindist_s;
        return Clustered {
            survivors: vec![Survivor {
                candidate,
                select_jitter_s: 0.0,
            }],
            dropped: Vec::new(),
        };
    }
    let limits = Limits {
        minclock: terms.tos.minclock,
        maxclock: terms.tos.maxclock,
        precision_s: terms.precision_s,
    };
    cluster(truechimers, limits)
}

fn lead(
    survivors: &[Survivor],
    terms: &Terms<'_>,
    clockhop: &mut Clockhop,
) -> Option<(Candidate, Combined)> {
    if survivors.len() < terms.tos.minsane {
        return None;
    }
    let metric = |it: &Survivor| {
        it.select_jitter_s * it.candidate.distance_s
            + f64::from(it.candidate.stratum) * terms.tos.mindist_s
    };
    let best = survivors
        .iter()
        .min_by(|a, b| metric(a).total_cmp(&metric(b)))?;
    if let Some(preferred) = survivors.iter().rev().find(|it| it.candidate.prefer) {
        clockhop.gate_s = 0.0;
        let it = preferred.candidate;
        let alone = Combined {
            offset_s: it.offset_s,
            age_s: it.age_s,
            jitter_s: it.jitter_s,
        };
        return Some((it, alone));
    }
    let combined = combine(survivors, best);
    let incumbent = survivors
        .iter()
        .find(|it| Some(it.candidate.id) == terms.incumbent)
        .filter(|it| it.candidate.id != best.candidate.id);
    let Some(incumbent) = incumbent else {
        clockhop.gate_s = 0.0;
        return Some((best.candidate, combined));
    };
    let apart_s = (best.candidate.offset_s - incumbent.candidate.offset_s).abs();
    let stays = clockhop.keeps_incumbent(apart_s, terms.tos.mindist_s);
    let leader = if stays { incumbent } else { best };
    Some((leader.candidate, combined))
}

fn count_votes(survivors: &[Survivor]) -> LeapVotes {
    let total = survivors.len();
    let count = |leap: LeapIndicator| {
        let saying = survivors.iter().filter(|it| it.candidate.leap == leap);
        let by_clock = saying.clone().any(|it| it.candidate.refclock);
        if by_clock { total } else { saying.count() }
    };
    LeapVotes {
        add: count(LeapIndicator::AddSecond),
        delete: count(LeapIndicator::DeleteSecond),
        total,
    }
}

#[cfg(test)]
mod tests;
