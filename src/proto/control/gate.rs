//! How many control requests a server thread takes from whom.
use core::net::IpAddr;
use truechimer_time::Instant;

/// Askers kept apart; more share a bucket's place, and the newcomer takes it over.
const ASKERS: usize = 32;
/// Requests a second of one asker, in the long run.
const RATE_PER_S: f64 = 50.0;
/// Requests a second of all askers together: what they cost the clock thread stays well under a
/// hundredth of its time, so that fewer than one reply in a hundred can meet one of them.
const RATE_OF_ALL_PER_S: f64 = 100.0;
/// Requests at once.
const BURST: f64 = 200.0;

/// A token bucket for each of the askers heard last, and one for all. What they let through waits
/// in a bounded queue for the clock thread, which takes one a turn; one asker cannot fill it alone.
#[derive(Debug, Default)]
pub struct Gate {
    buckets: [Option<(IpAddr, Bucket)>; ASKERS],
    all: Option<Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    const fn full(now: Instant) -> Self {
        Self {
            tokens: BURST,
            at: now,
        }
    }

    fn fill(&mut self, now: Instant, rate_per_s: f64) {
        let gained = now.seconds_since(self.at) * rate_per_s;
        self.tokens = (self.tokens + gained).min(BURST);
        self.at = now;
    }
}

impl Gate {
    /// Whether a request from this address is let through now.
    pub fn admits(&mut self, asker: IpAddr, now: Instant) -> bool {
        let asker = asker.to_canonical();
        let all = self.all.get_or_insert_with(|| Bucket::full(now));
        all.fill(now, RATE_OF_ALL_PER_S);
        let Some(place) = self.buckets.get_mut(place(asker)) else {
            return false;
        };
        let (_, own) = match place {
            Some(kept) if kept.0 == asker => kept,
            _ => place.insert((asker, Bucket::full(now))),
        };
        own.fill(now, RATE_PER_S);
        let admitted = own.tokens >= 1.0 && all.tokens >= 1.0;
        if admitted {
            own.tokens -= 1.0;
            all.tokens -= 1.0;
        }
        admitted
    }
}

fn place(asker: IpAddr) -> usize {
    let octets = match asker {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    };
    let mixed = octets.iter().fold(0_usize, |sum, octet| {
        sum.wrapping_mul(31) ^ usize::from(*octet)
    });
    mixed % ASKERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_asker_is_slowed_and_another_is_not() {
        let mut gate = Gate::default();
        let now = Instant::from_nanoseconds(1_000_000_000);
        let flood = [127, 0, 0, 1].into();
        let passed = (0..50_000)
            .filter(|turn| gate.admits(flood, now.plus_seconds(f64::from(*turn) / 50_000.0)))
            .count();
        assert!((230..=260).contains(&passed), "{passed}");
        let later = now.plus_seconds(1.0);
        assert!(gate.admits([10, 0, 0, 9].into(), later));
        assert!(gate.admits(flood, now.plus_seconds(2.0)));
    }

    #[test]
    fn a_crowd_of_askers_is_slowed_together() {
        let mut gate = Gate::default();
        let now = Instant::from_nanoseconds(1_000_000_000);
        let passed = (0..50_000_u32)
            .filter(|turn| {
                let asker = (0x7F03_0000 | (turn % 1000)).to_be_bytes().into();
                gate.admits(asker, now.plus_seconds(f64::from(*turn) / 50_000.0))
            })
            .count();
        assert!((280..=310).contains(&passed), "{passed}");
    }
}
