//! The cluster algorithm (RFC 5905 §11.2.2): drops outliers while that helps.
use super::candidate::Candidate;
use crate::packet::AssociationId;
use crate::status::Tally;

/// A truechimer and how far it lies from the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Survivor {
    pub(crate) candidate: Candidate,
    /// RMS difference of the other offsets to this one.
    pub(crate) select_jitter_s: f64,
}

/// How many to keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// NMIN: at least so many, if there are.
    pub(crate) minclock: usize,
    /// Beyond so many, what is dropped is a spare, not an outlier.
    pub(crate) maxclock: usize,
    pub(crate) precision_s: f64,
}

/// Survivors, and what became of the others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clustered {
    pub(crate) survivors: Vec<Survivor>,
    pub(crate) dropped: Vec<(AssociationId, Tally)>,
}

/// Drops the worst by select jitter times root distance, until dropping would not make the rest
/// agree better than the best of them agrees with itself. `prefer` and `true` sources stay.
pub(crate) fn cluster(truechimers: Vec<Candidate>, limits: Limits) -> Clustered {
    let mut survivors: Vec<Survivor> = truechimers
        .into_iter()
        .map(|candidate| Survivor {
            candidate,
            select_jitter_s: 0.0,
        })
        .collect();
    let mut dropped = Vec::new();
    loop {
        weigh(&mut survivors);
        let least_jitter_s = survivors
            .iter()
            .map(|it| it.candidate.jitter_s)
            .fold(f64::INFINITY, f64::min);
        let Some((index, worst)) = worst(&survivors) else {
            break;
        };
        let worth_it = worst.select_jitter_s.max(limits.precision_s) > least_jitter_s;
        let immune = worst.candidate.prefer || worst.candidate.always_true;
        if survivors.len() <= limits.minclock.max(1) || !worth_it || immune {
            break;
        }
        let spare = survivors.len() > limits.maxclock;
        let tally = if spare { Tally::Backup } else { Tally::Outlier };
        dropped.push((worst.candidate.id, tally));
        survivors.remove(index);
    }
    Clustered { survivors, dropped }
}

fn weigh(survivors: &mut [Survivor]) {
    let offsets: Vec<f64> = survivors.iter().map(|it| it.candidate.offset_s).collect();
    // One fewer than there are: the distance to itself is no distance.
    let others = offsets.iter().skip(1).fold(0.0, |sum: f64, _| sum + 1.0);
    for survivor in survivors {
        let own_s = survivor.candidate.offset_s;
        let squares: f64 = offsets
            .iter()
            .map(|offset_s| (offset_s - own_s).powi(2))
            .sum();
        survivor.select_jitter_s = if others > 0.0 {
            (squares / others).sqrt()
        } else {
            0.0
        };
    }
}

/// The first with the greatest metric.
fn worst(survivors: &[Survivor]) -> Option<(usize, Survivor)> {
    let mut worst: Option<(usize, Survivor)> = None;
    for (index, &survivor) in survivors.iter().enumerate() {
        let metric = survivor.select_jitter_s * survivor.candidate.distance_s;
        let beaten =
            worst.is_none_or(|(_, it)| metric > it.select_jitter_s * it.candidate.distance_s);
        if beaten {
            worst = Some((index, survivor));
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::candidate;
    use super::*;

    const LIMITS: Limits = Limits {
        minclock: 3,
        maxclock: 10,
        precision_s: 1e-6,
    };

    fn ids(survivors: &[Survivor]) -> Vec<u16> {
        survivors.iter().map(|it| it.candidate.id.0).collect()
    }

    fn four() -> Vec<Candidate> {
        // Offsets 0, 1, 2 and 9 ms, all 20 ms from the root, jitter 0.1 ms.
        [(1, 0.0), (2, 0.001), (3, 0.002), (4, 0.009)]
            .map(|(id, offset_s)| candidate(id, offset_s, 0.020))
            .to_vec()
    }

    #[test]
    fn select_jitter_by_hand() {
        let mut survivors: Vec<Survivor> = four()
            .into_iter()
            .map(|candidate| Survivor {
                candidate,
                select_jitter_s: 0.0,
            })
            .collect();
        weigh(&mut survivors);
        // From 0: sqrt((1 + 4 + 81) / 3) ms; from 9: sqrt((81 + 64 + 49) / 3) ms.
        assert!((survivors[0].select_jitter_s - 5.354e-3).abs() < 1e-6);
        assert!((survivors[3].select_jitter_s - 8.042e-3).abs() < 1e-6);
    }

    #[test]
    fn drops_the_outlier_down_to_minclock() {
        let clustered = cluster(four(), LIMITS);
        assert_eq!(ids(&clustered.survivors), [1, 2, 3]);
        assert_eq!(clustered.dropped, [(AssociationId(4), Tally::Outlier)]);
        // Of 0, 1, 2 ms: from 1 ms, sqrt(2 / 2) ms.
        assert!((clustered.survivors[1].select_jitter_s - 1e-3).abs() < 1e-9);
    }

    #[test]
    fn stops_when_jitter_explains_the_spread() {
        let mut noisy = four();
        for candidate in &mut noisy {
            candidate.jitter_s = 0.050;
        }
        assert_eq!(cluster(noisy, LIMITS).survivors.len(), 4);
    }

    #[test]
    fn prefer_and_true_are_immune() {
        let mut preferred = four();
        preferred[3].prefer = true;
        assert_eq!(cluster(preferred, LIMITS).survivors.len(), 4);
        let mut decreed = four();
        decreed[3].always_true = true;
        assert_eq!(cluster(decreed, LIMITS).survivors.len(), 4);
    }

    #[test]
    fn beyond_maxclock_it_is_a_spare() {
        let limits = Limits {
            maxclock: 3,
            ..LIMITS
        };
        let clustered = cluster(four(), limits);
        assert_eq!(clustered.dropped, [(AssociationId(4), Tally::Backup)]);
    }

    #[test]
    fn nobody() {
        assert!(cluster(Vec::new(), LIMITS).survivors.is_empty());
    }
}
