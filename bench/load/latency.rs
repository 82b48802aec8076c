//! Times from request to reply, in buckets a sixteenth apart.

/// Buckets for each power of two.
const STEPS: u64 = 16;
/// Up to 2^36 ns, more than a minute.
const BUCKETS: usize = 33 * 16;

/// How many replies took how long.
#[derive(Clone)]
pub(crate) struct Latencies {
    buckets: Box<[u64]>,
    count: u64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            buckets: vec![0; BUCKETS].into_boxed_slice(),
            count: 0,
        }
    }
}

impl Latencies {
    pub(crate) fn add(&mut self, ns: u64) {
        let last = self.buckets.len() - 1;
        self.buckets[bucket(ns).min(last)] += 1;
        self.count += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (own, others) in self.buckets.iter_mut().zip(&other.buckets) {
            *own += others;
        }
        self.count += other.count;
    }

    /// The time that so many of a thousand replies did not exceed, microseconds; `None` without any.
    pub(crate) fn permille_us(&self, permille: u64) -> Option<f64> {
        let rank = (self.count * permille).div_ceil(1000).max(1);
        let mut below = 0;
        let reached = self.buckets.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(upper_end(reached) / 1e3)
    }
}

fn bucket(ns: u64) -> usize {
    let ns = ns.max(STEPS);
    let octave = ns.ilog2() - STEPS.ilog2();
    let step = (ns >> octave) - STEPS;
    usize::try_from(u64::from(octave) * STEPS + step).unwrap_or(usize::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred buckets")]
fn upper_end(bucket: usize) -> f64 {
    let (octave, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    ((STEPS + step + 1) << octave) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_sixteenth() {
        let mut all = Latencies::default();
        assert_eq!(all.permille_us(500), None);
        for us in 1..=1000 {
            all.add(us * 1000);
        }
        for (permille, exact) in [(500, 500.0), (990, 990.0), (1000, 1000.0)] {
            let said = all.permille_us(permille).unwrap();
            assert!((exact..=exact * 1.07).contains(&said), "{said} for {exact}");
        }
        let mut twice = all.clone();
        twice.merge(&all);
        assert_eq!(twice.permille_us(990), all.permille_us(990));
    }

    #[test]
    fn any_time_has_a_bucket() {
        let mut all = Latencies::default();
        all.add(0);
        all.add(u64::MAX);
        assert!(all.permille_us(1).unwrap() < 0.1);
        assert!(all.permille_us(1000).is_some());
    }
}
