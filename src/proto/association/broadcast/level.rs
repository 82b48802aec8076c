//! What several one-way differences say together.

/// The longer end of the values is so many times as far from the median as the shorter: a queue.
const TAIL: f64 = 2.0;
/// Of fewer values nobody can tell.
const TAIL_PACKETS: usize = 7;
/// Halves of the window this many standard errors apart do not belong together.
const HALVES_APART: f64 = 3.5;
/// Scatter nobody believes to be less, seconds.
pub(super) const SCATTER_LEAST_S: f64 = 1e-6;

/// Scatter of a path of which only one packet is known, seconds.
const SCATTER_UNKNOWN_S: f64 = 0.005;

/// A figure for each of the two ways to make a level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Both {
    pub(super) better_half: f64,
    pub(super) all: f64,
}

impl Both {
    pub(super) fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            better_half: change(self.better_half),
            all: change(self.all),
        }
    }

    pub(super) fn with(self, other: Self, join: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            better_half: join(self.better_half, other.better_half),
            all: join(self.all, other.all),
        }
    }
}

/// The level of the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) at_s: Both,
    /// Of one packet.
    pub(super) scatter_s: f64,
    pub(super) packets: usize,
}

impl Level {
    /// Of the level itself.
    pub(super) fn error_s(&self) -> f64 {
        self.scatter_s / count(self.packets).sqrt()
    }
}

/// The newest values, as many as speak of the same: where the older half contradicts the newer one,
/// the frequency was wrong or the path another, and it is left out.
pub(super) fn consistent(values: &[f64]) -> &[f64] {
    let mut kept = values;
    while kept.len() >= 4 {
        let (newer, older) = kept.split_at(kept.len() / 2);
        let bound_s = HALVES_APART * scatter_s(kept) * 2.0 / count(kept.len()).sqrt();
        if (mean(newer) - mean(older)).abs() <= bound_s {
            break;
        }
        kept = newer;
    }
    kept
}

pub(super) fn level(values: &[f64]) -> Option<Level> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let better = sorted.get(..sorted.len().div_ceil(2))?;
    (!better.is_empty()).then(|| Level {
        at_s: Both {
            better_half: mean(better),
            all: mean(values),
        },
        scatter_s: scatter_s(values),
        packets: values.len(),
    })
}

/// Whether values have a long tail of those that were held up.
pub(super) fn has_tail(values: &[f64]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(worst), Some(median), Some(best)) if sorted.len() >= TAIL_PACKETS => {
            median - worst > TAIL * (best - median)
        }
        // The better half is the lesser risk.
        _ => true,
    }
}

/// Standard deviation of one value, from neighbours: a drift hardly shows in it.
fn scatter_s(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return SCATTER_UNKNOWN_S;
    }
    let squares: Vec<f64> = values
        .windows(2)
        .map(|pair| (pair[0] - pair[1]).powi(2) / 2.0)
        .collect();
    mean(&squares).sqrt().max(SCATTER_LEAST_S)
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len()).max(1.0)
}

/// At most a window's length, so exact.
pub(super) fn count(values: usize) -> f64 {
    u32::try_from(values).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// -1 to 1, then the same far below.
    fn jumped() -> Vec<f64> {
        let near = (0..8).map(|at| f64::from(at % 3) - 1.0);
        let far = (0..8).map(|at| f64::from(at % 3) - 101.0);
        near.chain(far).collect()
    }

    #[test]
    fn what_contradicts_the_newest_is_left_out() {
        let values = jumped();
        assert_eq!(consistent(&values), &values[..8]);
        assert_eq!(consistent(&values[..8]), &values[..8]);
        let drifting: Vec<f64> = (0..16).map(|at| -10.0 * f64::from(at)).collect();
        assert!(consistent(&drifting).len() <= 4);
    }

    #[test]
    fn the_better_half_and_all() {
        let level = level(&[-4.0, 0.0, -2.0, 0.0]).expect("values");
        assert_eq!((level.at_s.better_half, level.at_s.all), (0.0, -1.5));
        assert!(super::level(&[]).is_none());
    }

    #[test]
    fn queues_have_a_tail_and_sums_of_delays_none() {
        let queue: Vec<f64> = (1..32).map(|at| (f64::from(at) / 32.0).ln()).collect();
        let sums: Vec<f64> = (0..31).map(|at| f64::from(at) - 15.0).collect();
        assert!(has_tail(&queue));
        assert!(!has_tail(&sums));
    }
}
