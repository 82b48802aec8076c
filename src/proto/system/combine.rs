//! The combine algorithm (RFC 5905 §11.2.3): survivors weighted by the inverse of their distance.
use super::cluster::Survivor;

/// The system offset and jitter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Combined {
    pub(crate) offset_s: f64,
    /// Age of the samples behind the offset, weighted as they are.
    pub(crate) age_s: f64,
    pub(crate) jitter_s: f64,
}

/// The weighted mean of the offsets, and the weighted scatter about `leader`'s, whose own select
/// jitter is added.
pub(crate) fn combine(survivors: &[Survivor], leader: &Survivor) -> Combined {
    let (mut weights, mut offsets, mut ages, mut squares) = (0.0, 0.0, 0.0, 0.0);
    for survivor in survivors {
        let it = &survivor.candidate;
        let weight = 1.0 / it.distance_s.max(f64::MIN_POSITIVE);
        weights += weight;
        offsets += weight * it.offset_s;
        ages += weight * it.age_s;
        squares += weight * (it.offset_s - leader.candidate.offset_s).powi(2);
    }
    let scatter = squares / weights + leader.select_jitter_s.powi(2);
    let offset_s = offsets / weights;
    if offset_s.is_finite() && scatter.is_finite() {
        Combined {
            offset_s,
            age_s: ages / weights,
            jitter_s: scatter.sqrt(),
        }
    } else {
        Combined {
            offset_s: leader.candidate.offset_s,
            age_s: leader.candidate.age_s,
            jitter_s: leader.candidate.jitter_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::candidate;
    use super::*;

    fn survivor(id: u16, offset_s: f64, distance_s: f64, select_jitter_s: f64) -> Survivor {
        Survivor {
            candidate: candidate(id, offset_s, distance_s),
            select_jitter_s,
        }
    }

    #[test]
    fn by_hand() {
        // Weights 100, 50, 25 for 1, 2, 4 ms: (100 + 100 + 100) / 175 ms.
        let mut all = [
            survivor(1, 0.001, 0.01, 0.002),
            survivor(2, 0.002, 0.02, 0.001),
            survivor(3, 0.004, 0.04, 0.003),
        ];
        for (survivor, age_s) in all.iter_mut().zip([0.0, 7.0, 14.0]) {
            survivor.candidate.age_s = age_s;
        }
        let combined = combine(&all, &all[0]);
        assert!((combined.age_s - 4.0).abs() < 1e-12, "(350 + 350) / 175");
        assert!((combined.offset_s - 0.3 / 175.0).abs() < 1e-12);
        // (0 + 50 * 1 + 25 * 9) / 175 square milliseconds, and 2 ms squared.
        let expected_s = ((275.0 / 175.0 + 4.0) * 1e-6_f64).sqrt();
        assert!((combined.jitter_s - expected_s).abs() < 1e-12);
    }

    #[test]
    fn one_alone_is_itself() {
        let one = survivor(1, 0.5, 0.01, 0.0);
        let combined = combine(&[one], &one);
        assert!((combined.offset_s - 0.5).abs() < 1e-12);
        assert!(combined.jitter_s.abs() < 1e-12);
    }
}
