//! What strangers may cost: one table for all server threads, without a lock. Public-key operations
//! are a thousand times dearer than a reply, and no key is needed to ask for one (RFC 5906
//! §12.2, "clogging").
use super::echo;
use super::names::{Names, Namesakes};
use core::hash::{Hash, Hasher};
use core::net::{IpAddr, Ipv6Addr};
use core::sync::atomic::{AtomicU64, Ordering};
use siphasher::sip::SipHasher13;
use std::sync::Arc;
use truechimer_time::{Instant, NtpTimestamp};

/// Buckets of single addresses; those that share one share its rate.
const BUCKETS: usize = 1024;
/// Jobs of strangers under way at once.
const UNDER_WAY: usize = 128;
/// For all together: jobs a second, and at once.
const ALL: Rate = Rate::new(500, 100);
/// For one address. A client asks for three in its life, a site behind one address for some more.
const ONE: Rate = Rate::new(10, 32);

/// Tries of former private values by all together: each costs what a plain reply does.
const FORMER: Rate = Rate::new(20_000, 2_000);

/// So many at once, and one more after each interval.
#[derive(Clone, Copy, Debug)]
struct Rate {
    interval_ns: u64,
    burst_ns: u64,
}

impl Rate {
    const fn new(per_s: u64, burst: u64) -> Self {
        let interval_ns = 1_000_000_000 / per_s;
        Self {
            interval_ns,
            burst_ns: interval_ns * burst,
        }
    }
}

/// A leaky bucket in one word: when it will be empty, nanoseconds.
#[derive(Debug, Default)]
struct Bucket(AtomicU64);

impl Bucket {
    fn admits(&self, rate: Rate, now_ns: u64) -> bool {
        let pour = |empty_ns: u64| {
            let filled_ns = empty_ns.max(now_ns) + rate.interval_ns;
            (filled_ns <= now_ns + rate.burst_ns).then_some(filled_ns)
        };
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pour)
            .is_ok()
    }
}

/// Why no job is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The same is being done for the same asker.
    Duplicate,
    /// This address asked too often.
    Rate,
    /// All together did, or as many as may be are under way.
    Busy,
}

/// The bounds of Autokey's askers; outlives every `Service`.
#[derive(Debug)]
pub struct Bounds {
    hasher: SipHasher13,
    all: Bucket,
    former: Bucket,
    each: Box<[Bucket]>,
    /// Fingerprints of jobs under way, 0 where there is none.
    under_way: Box<[AtomicU64]>,
    names: Names,
}

impl Bounds {
    /// With a secret, so that nobody can choose whose bucket it shares or make a proof of an address.
    pub fn new(secret: [u8; 16]) -> Arc<Self> {
        Arc::new(Self {
            hasher: SipHasher13::new_with_key(&secret),
            all: Bucket::default(),
            former: Bucket::default(),
            each: (0..BUCKETS).map(|_| Bucket::default()).collect(),
            under_way: (0..UNDER_WAY).map(|_| AtomicU64::new(0)).collect(),
            names: Names::default(),
        })
    }

    /// A transmit stamp that proves the address of who sends it back.
    pub(super) fn mark(&self, stamp: NtpTimestamp, precision: i8, to: IpAddr) -> NtpTimestamp {
        echo::marked(self.hasher, stamp, precision, to)
    }

    /// Whether an origin stamp proves its sender's address.
    pub(super) fn is_proven(
        &self,
        origin: NtpTimestamp,
        precision: i8,
        from: IpAddr,
        now: NtpTimestamp,
    ) -> bool {
        echo::is_echo(self.hasher, origin, precision, from, now)
    }

    /// Whether a former private value may be tried now.
    pub(super) fn may_try_former(&self, now: Instant) -> bool {
        self.former.admits(FORMER, now.to_nanoseconds())
    }

    /// Admits a job that an asker asked for by this field, until what is returned is dropped.
    pub(crate) fn admit(
        self: &Arc<Self>,
        asker: IpAddr,
        field: &[u8],
        now: Instant,
    ) -> Result<UnderWay, Refused> {
        let print = self.fingerprint(asker, field);
        let is_under_way = |it: &AtomicU64| it.load(Ordering::Relaxed) == print;
        if self.under_way.iter().any(is_under_way) {
            return Err(Refused::Duplicate);
        }
        let now_ns = now.to_nanoseconds();
        // The own bucket first: who is over its own rate does not use up that of all.
        if !self.bucket(asker).admits(ONE, now_ns) {
            return Err(Refused::Rate);
        }
        if !self.all.admits(ALL, now_ns) {
            return Err(Refused::Busy);
        }
        let take = |it: &AtomicU64| {
            it.compare_exchange(0, print, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        let place = self.under_way.iter().position(take).ok_or(Refused::Busy)?;
        Ok(UnderWay {
            bounds: Arc::clone(self),
            place,
        })
    }

    /// Whether a peer that the operator named may be answered now: by its own rate alone, so that no
    /// stranger takes its turn.
    pub(crate) fn admits_peer(&self, peer: IpAddr, now: Instant) -> bool {
        self.bucket(peer).admits(ONE, now.to_nanoseconds())
    }

    /// Whose certificates were signed.
    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    /// Two hosts of one name, if that is news.
    pub(crate) fn take_namesakes(&self) -> Option<Namesakes> {
        self.names.take_news()
    }

    fn bucket(&self, asker: IpAddr) -> &Bucket {
        let mut hasher = self.hasher;
        network_of(asker).hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % BUCKETS as u64).unwrap_or(0);
        &self.each[place]
    }

    fn fingerprint(&self, asker: IpAddr, field: &[u8]) -> u64 {
        let mut hasher = self.hasher;
        asker.hash(&mut hasher);
        field.hash(&mut hasher);
        hasher.finish() | 1
    }
}

/// Whose an address is: whoever has one of IPv6 has the 2^64 of its network.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

/// A job of a stranger, until it is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay {
    bounds: Arc<Bounds>,
    place: usize,
}

impl UnderWay {
    pub(super) const fn bounds(&self) -> &Arc<Bounds> {
        &self.bounds
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.bounds.under_way[self.place].store(0, Ordering::Relaxed);
    }
}
