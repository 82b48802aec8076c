//! What askers may cost who prove neither a key nor, being on this host, their address.
//!
//! Their requests may be forged to turn our answers against somebody else. Operators do open
//! queries to networks, and stock ntpq sends twelve octets and expects hundreds, so answers cannot be
//! held to the size of requests; they are held to so many octets a second to each address, and
//! to all together.
use core::hash::{Hash, Hasher};
use core::net::IpAddr;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use siphasher::sip::SipHasher13;
use truechimer_time::Instant;

/// Purses for single addresses.
const PURSES: usize = 256;
/// For one address: at once, and each second, octets.
const ONE: Rate = Rate {
    burst: 65_536.0,
    per_s: 2_048.0,
};
/// For all together, whoever they claim to be.
const ALL: Rate = Rate {
    burst: 262_144.0,
    per_s: 16_384.0,
};

#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: f64,
    per_s: f64,
}

#[derive(Clone, Copy, Debug)]
struct Purse {
    octets: f64,
    at: Instant,
}

impl Purse {
    const fn full(rate: Rate, now: Instant) -> Self {
        Self {
            octets: rate.burst,
            at: now,
        }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let gained = now.seconds_since(self.at) * rate.per_s;
        self.octets = (self.octets + gained).min(rate.burst);
        self.at = now;
    }
}

/// The purses of strangers. An address always pays from the same one, whoever else does: were a
/// purse given up for a new address, a crowd of forged ones would fill a victim's again and again.
#[derive(Debug)]
pub(crate) struct Budget {
    all: Purse,
    each: Vec<Purse>,
    hasher: SipHasher13,
}

impl Budget {
    pub(crate) fn new(now: Instant, rng: &mut ChaCha20Rng) -> Self {
        let mut key = [0; 16];
        rng.fill_bytes(&mut key);
        Self {
            all: Purse::full(ALL, now),
            each: vec![Purse::full(ONE, now); PURSES],
            hasher: SipHasher13::new_with_key(&key),
        }
    }

    /// Pays for so many octets to this address, or refuses.
    pub(crate) fn pay(&mut self, to: IpAddr, octets: usize, now: Instant) -> bool {
        let cost = f64::from(u32::try_from(octets).unwrap_or(u32::MAX));
        let Self { all, each, hasher } = self;
        let mut hasher = *hasher;
        to.to_canonical().hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % PURSES as u64).unwrap_or(0);
        let Some(one) = each.get_mut(place) else {
            return false;
        };
        all.fill(ALL, now);
        one.fill(ONE, now);
        if one.octets < cost || all.octets < cost {
            return false;
        }
        one.octets -= cost;
        all.octets -= cost;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    fn budget(start: Instant) -> Budget {
        Budget::new(start, &mut ChaCha20Rng::from_seed([7; 32]))
    }

    #[test]
    fn a_victim_gets_so_much_and_no_more() {
        let start = Instant::from_nanoseconds(1_000_000_000);
        let mut budget = budget(start);
        let victim = [192, 0, 2, 1].into();
        let mut paid = 0;
        for turn in 0..100_000_u32 {
            let now = start.plus_seconds(f64::from(turn) / 1000.0);
            if budget.pay(victim, 600, now) {
                paid += 600;
            }
        }
        assert!((250_000..=272_000).contains(&paid), "{paid} in 100 s");
    }

    #[test]
    fn a_crowd_of_others_does_not_fill_a_victims_purse_again() {
        let start = Instant::from_nanoseconds(1_000_000_000);
        let mut budget = budget(start);
        let victim = [192, 0, 2, 1].into();
        let mut paid = 0;
        for turn in 0..100_000_u32 {
            let now = start.plus_seconds(f64::from(turn) / 1000.0);
            let [_, _, high, low] = turn.to_be_bytes();
            budget.pay([10, 0, high, low].into(), 12, now);
            if turn % 100 == 0 && budget.pay(victim, 6000, now) {
                paid += 6000;
            }
        }
        assert!((100_000..=272_000).contains(&paid), "{paid} in 100 s");
    }

    #[test]
    fn many_victims_share_one_purse() {
        let start = Instant::from_nanoseconds(1_000_000_000);
        let mut budget = budget(start);
        let mut paid = 0;
        for turn in 0..100_000_u32 {
            let [_, _, high, low] = turn.to_be_bytes();
            if budget.pay([10, 0, high, low].into(), 600, start.plus_seconds(1.0)) {
                paid += 600;
            }
        }
        assert!(paid <= 262_144 + 16_384, "{paid}");
    }
}
