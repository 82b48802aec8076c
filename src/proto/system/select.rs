//! The selection algorithm (RFC 5905 §11.2.1): who tells the truth, after Marzullo.
use super::candidate::Candidate;

/// The smallest interval that holds a point of every truechimer's correctness interval, in seconds
/// of offset; `None` if no majority agrees on one.
pub(crate) fn intersection(candidates: &[Candidate]) -> Option<(f64, f64)> {
    let intervals = candidates.iter().map(|it| (it.offset_s, it.distance_s));
    agreement(&intervals.collect::<Vec<_>>())
}

/// The same of offsets and distances, seconds: for whoever explains a selection from outside
/// (RFC 5905 §11.2.1).
pub fn agreement(intervals: &[(f64, f64)]) -> Option<(f64, f64)> {
    let mut endpoints: Vec<(f64, i8)> = intervals
        .iter()
        .flat_map(|&(offset_s, distance_s)| {
            [(offset_s - distance_s, -1), (offset_s + distance_s, 1)]
        })
        .collect();
    endpoints.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let count = intervals.len();
    (0..count)
        .take_while(|falsetickers| 2 * falsetickers < count)
        .map(|falsetickers| count - falsetickers)
        .find_map(|needed| {
            let low = first_held_by(needed, endpoints.iter().map(|&(at, kind)| (at, -kind)))?;
            let high = first_held_by(needed, endpoints.iter().rev().copied())?;
            (high > low).then_some((low, high))
        })
}

/// The first endpoint at which `needed` intervals are open; `+1` opens one, `-1` closes one.
fn first_held_by(needed: usize, endpoints: impl Iterator<Item = (f64, i8)>) -> Option<f64> {
    let mut open = 0_usize;
    for (at, kind) in endpoints {
        if kind > 0 {
            open += 1;
        } else {
            open = open.saturating_sub(1);
        }
        if open >= needed {
            return Some(at);
        }
    }
    None
}

/// A truechimer's correctness interval meets the intersection; a `true` source is one by decree.
pub(crate) fn is_truechimer(candidate: &Candidate, interval: Option<(f64, f64)>) -> bool {
    let meets = interval.is_some_and(|(low, high)| {
        candidate.offset_s + candidate.distance_s >= low
            && candidate.offset_s - candidate.distance_s <= high
    });
    meets || candidate.always_true
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::candidate;
    use super::*;

    fn truechimers(candidates: &[Candidate]) -> Vec<u16> {
        let interval = intersection(candidates);
        candidates
            .iter()
            .filter(|it| is_truechimer(it, interval))
            .map(|it| it.id.0)
            .collect()
    }

    #[test]
    fn a_falseticker_among_four() {
        let all = [
            candidate(1, 0.000, 0.010),
            candidate(2, 0.002, 0.012),
            candidate(3, 0.300, 0.015),
            candidate(4, -0.001, 0.011),
        ];
        assert_eq!(truechimers(&all), [1, 2, 4]);
        let (low, high) = intersection(&all).expect("three agree");
        assert!((low - -0.010).abs() < 1e-12, "{low}");
        assert!((high - 0.010).abs() < 1e-12, "{high}");
    }

    #[test]
    fn three_cliques_have_no_majority() {
        let all = [
            candidate(1, 0.0, 0.01),
            candidate(2, 0.001, 0.01),
            candidate(3, 1.0, 0.01),
            candidate(4, 1.001, 0.01),
            candidate(5, 2.0, 0.01),
            candidate(6, 2.001, 0.01),
        ];
        assert_eq!(intersection(&all), None);
        assert!(truechimers(&all).is_empty());
    }

    #[test]
    fn two_that_disagree_have_none() {
        let all = [candidate(1, 0.0, 0.01), candidate(2, 1.0, 0.01)];
        assert!(truechimers(&all).is_empty());
    }

    #[test]
    fn one_alone_is_believed() {
        assert_eq!(truechimers(&[candidate(1, 5.0, 0.01)]), [1]);
        assert!(truechimers(&[]).is_empty());
    }

    #[test]
    fn true_by_decree() {
        let mut all = [
            candidate(1, 0.0, 0.01),
            candidate(2, 0.001, 0.01),
            candidate(3, 1.0, 0.01),
        ];
        all[2].always_true = true;
        assert_eq!(truechimers(&all), [1, 2, 3]);
    }

    #[test]
    fn a_wide_interval_that_overlaps_is_no_lie() {
        let all = [
            candidate(1, 0.0, 0.010),
            candidate(2, 0.001, 0.010),
            candidate(3, 0.500, 0.495),
        ];
        assert_eq!(truechimers(&all), [1, 2, 3]);
    }
}
