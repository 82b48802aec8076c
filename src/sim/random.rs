use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// Numbers that depend only on a world's seed and a stream, so that one node or path more leaves
/// the luck of the others as it was.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub(crate) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }

    /// Even over 0..1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are left")]
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0, standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (core::f64::consts::TAU * self.uniform()).cos()
    }

    /// Mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.uniform() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let mut random = Random::new(1, 2);
        let (mut normal, mut square, mut exponential) = (0.0, 0.0, 0.0);
        for _ in 0..100_000 {
            let value = random.normal();
            normal += value;
            square += value * value;
            exponential += random.exponential();
        }
        assert!((normal / 1e5).abs() < 0.02);
        assert!((square / 1e5 - 1.0).abs() < 0.03);
        assert!((exponential / 1e5 - 1.0).abs() < 0.02);
    }

    #[test]
    fn streams_differ_and_repeat() {
        let first = |seed, stream| Random::new(seed, stream).bits();
        assert_eq!(first(5, 1), first(5, 1));
        assert_ne!(first(5, 1), first(5, 2));
        assert_ne!(first(5, 1), first(6, 1));
    }
}
