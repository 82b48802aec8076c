//! How many control requests a server thread takes from whom.
use core::net::IpAddr;
use truechimer_time::Instant;

/// Askers kept apart; more share a bucket's place, and the newcomer takes it over.
const ASKERS: usize = 32;
/// Requests a second, in the long run.
const RATE_PER_S: f64 = 100.0;
/// Requests at once.
const BURST: f64 = 200.0;

/// A token bucket for each of the askers heard last. What it lets through waits in a bounded queue
/// for the clock thread, which takes one a turn; the gate keeps one asker from filling it alone.
#[derive(Debug)]
pub struct Gate {
    buckets: [Option<Bucket>; ASKERS],
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    asker: IpAddr,
    tokens: f64,
    at: Instant,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            buckets: [None; ASKERS],
        }
    }
}

impl Gate {
    /// Whether a request from this address is let through now.
    pub fn admits(&mut self, asker: IpAddr, now: Instant) -> bool {
        let asker = asker.to_canonical();
        let Some(place) = self.buckets.get_mut(place(asker)) else {
            return false;
        };
        let fresh = Bucket {
            asker,
            tokens: BURST,
            at: now,
        };
        let bucket = match place {
            Some(bucket) if bucket.asker == asker => bucket,
            _ => place.insert(fresh),
        };
        let gained = now.seconds_since(bucket.at) * RATE_PER_S;
        bucket.tokens = (bucket.tokens + gained).min(BURST);
        bucket.at = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
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
        assert!((250..=310).contains(&passed), "{passed}");
        let later = now.plus_seconds(1.0);
        assert!(gate.admits([10, 0, 0, 9].into(), later));
        assert!(gate.admits(flood, now.plus_seconds(2.0)));
    }
}
