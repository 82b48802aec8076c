//! What askers may cost who prove neither a key nor, being on this host, their address.
//!
//! Their requests may be forged to turn our answers against somebody else. Operators do open
//! queries to networks, and stock ntpq sends twelve octets and expects hundreds, so answers cannot be
//! held to the size of requests; they are held to so many octets a second to each address, and
//! to all together.
use core::net::IpAddr;
use truechimer_time::Instant;

/// Addresses kept apart.
const ADDRESSES: usize = 64;
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

/// The purses of strangers.
#[derive(Debug)]
pub(crate) struct Budget {
    all: Purse,
    each: Vec<(IpAddr, Purse)>,
}

impl Budget {
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            all: Purse::full(ALL, now),
            each: Vec::new(),
        }
    }

    /// Pays for so many octets to this address, or refuses.
    pub(crate) fn pay(&mut self, to: IpAddr, octets: usize, now: Instant) -> bool {
        let cost = f64::from(u32::try_from(octets).unwrap_or(u32::MAX));
        self.all.fill(ALL, now);
        let purse = self.purse(to.to_canonical(), now);
        purse.fill(ONE, now);
        if purse.octets < cost || self.all.octets < cost {
            return false;
        }
        self.purse(to.to_canonical(), now).octets -= cost;
        self.all.octets -= cost;
        true
    }

    /// Of the addresses known, the one silent longest makes room for a new one.
    fn purse(&mut self, to: IpAddr, now: Instant) -> &mut Purse {
        let known = self.each.iter().position(|(address, _)| *address == to);
        let place = known.unwrap_or_else(|| {
            if self.each.len() >= ADDRESSES {
                let oldest = (0..self.each.len()).min_by_key(|place| self.each[*place].1.at);
                self.each.swap_remove(oldest.unwrap_or(0));
            }
            self.each.push((to, Purse::full(ONE, now)));
            self.each.len() - 1
        });
        &mut self.each[place].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_victim_gets_so_much_and_no_more() {
        let start = Instant::from_nanoseconds(1_000_000_000);
        let mut budget = Budget::new(start);
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
    fn many_victims_share_one_purse() {
        let start = Instant::from_nanoseconds(1_000_000_000);
        let mut budget = Budget::new(start);
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
