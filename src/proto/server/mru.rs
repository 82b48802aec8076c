//! Whom we have heard lately: the table of most recently used client addresses.
//!
//! Its size is fixed when it is made. Threads write and read it at the same time without waiting
//! for each other and without allocating; what many made-up addresses can do to it is to push
//! each other out. An address has its place in one of many small sets, chosen by a hash whose
//! key nobody outside knows, so that nobody can crowd a client out of its set on purpose.
mod slot;
#[cfg(all(test, not(loom)))]
mod tests;

use super::guard::{self, AtomicU64, zeroed};
use super::rates::Poured;
use super::{Rates, RestrictFlags};
use core::net::IpAddr;
use core::sync::atomic::{AtomicU64 as Count, Ordering};
use siphasher::sip::SipHasher13;
use slot::{SLOT_WORDS, Slot};
use truechimer_time::{Instant, NtpTimestamp};

/// Clients in a set.
const WAYS: usize = 7;
/// Words of a set: its guard, and its clients.
const SET_WORDS: usize = 1 + WAYS * SLOT_WORDS;
/// Octets of a set.
const SET_OCTETS: usize = SET_WORDS * 8;
/// One in so many requests over the limit is answered, at random: who asks in another's name so
/// as to have that one refused cannot silence it altogether.
const SPARED_ONE_IN: u64 = 5;
/// What comes before an IPv4 address written as IPv6 (RFC 4291 §2.5.5.2).
const MAPPED_PREFIX: u128 = 0xFFFF << 32;
/// Two kisses to one address are at least this far apart, seconds.
const KISSES_APART_S: f64 = 2.0;

/// A datagram as the table sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sighting {
    /// Sender.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// Version of the packet.
    pub version: u8,
    /// Mode of the packet.
    pub mode: u8,
    /// When it arrived.
    pub arrived: NtpTimestamp,
    /// The same on the clock that nobody steps.
    pub mono: Instant,
    /// The flags its sender has: `LIMITED` makes it subject to the limits, `KOD` to kisses.
    pub flags: RestrictFlags,
}

/// How a sender stands with the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Within them, or not subject to them.
    Within,
    /// Over them, but spared.
    Spared,
    /// Over them, and told so.
    Kissed,
    /// Over them.
    Over,
}

/// How the table is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `discard average` and `minimum`.
    pub rates: Rates,
    /// `mru maxage`: who was silent for longer makes room for anybody, seconds.
    pub maxage_s: u32,
    /// `discard monitor`: who was silent for less than `maxage` makes room with a probability
    /// that rises to 1 at this age, seconds.
    pub monitor_s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rates: Rates::default(),
            maxage_s: 64,
            monitor_s: 3000,
        }
    }
}

/// What is known of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MruEntry {
    /// Its address; IPv4 as such.
    pub address: IpAddr,
    /// Its port, of the last packet.
    pub port: u16,
    /// Version of the last packet.
    pub version: u8,
    /// Mode of the last packet.
    pub mode: u8,
    /// When the first packet arrived.
    pub first: NtpTimestamp,
    /// When the last one arrived.
    pub last: NtpTimestamp,
    /// `last` on the clock that nobody steps.
    pub seen: Instant,
    /// Packets between the two, both included; it stays at its greatest.
    pub count: u32,
    /// How many of them were over the limits and got no time; it stays at its greatest.
    pub dropped: u32,
    /// What is in its bucket, seconds: see [`Rates`].
    pub headway_s: u32,
    /// The flags it has; `LIMITED` only if the last packet was over the limits, `KOD` only if it was
    /// told so.
    pub flags: RestrictFlags,
}

/// The table.
#[derive(Debug)]
pub struct MruTable {
    sets: Box<[[AtomicU64; SET_WORDS]]>,
    hasher: SipHasher13,
    occupied: Count,
    displaced: Count,
    passed_over: Count,
}

impl MruTable {
    /// Of at least this many clients, as far as memory can be had; it is touched only where clients
    /// are. The key must be random and stay secret.
    pub fn new(clients: usize, key: &[u8; 16]) -> Self {
        Self {
            sets: zeroed(sets_for(clients)),
            hasher: SipHasher13::new_with_key(key),
            occupied: Count::new(0),
            displaced: Count::new(0),
            passed_over: Count::new(0),
        }
    }

    /// How many clients fit into so many octets.
    pub const fn clients_in(octets: usize) -> usize {
        octets / SET_OCTETS * WAYS
    }

    /// What [`MruTable::capacity`] is of a table for so many clients.
    pub fn capacity_for(clients: usize) -> usize {
        sets_for(clients) * WAYS
    }

    /// Most clients it can hold.
    pub const fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// Octets of a full table.
    pub const fn octets(&self) -> usize {
        self.sets.len() * SET_OCTETS
    }

    /// Clients in it. Nobody leaves but for another.
    pub fn occupied(&self) -> u64 {
        self.occupied.load(Ordering::Relaxed)
    }

    /// Clients that had to make room.
    pub fn displaced(&self) -> u64 {
        self.displaced.load(Ordering::Relaxed)
    }

    /// Datagrams that were not noted: their set was full of younger clients, or another thread was
    /// at it.
    pub fn passed_over(&self) -> u64 {
        self.passed_over.load(Ordering::Relaxed)
    }

    /// Sets, the unit in which the table is read.
    pub const fn sets(&self) -> usize {
        self.sets.len()
    }

    /// The clients of a set, all as of one moment; `None` if there is no such set, or if it
    /// was written so often meanwhile that it could not be read.
    pub fn read(&self, set: usize) -> Option<impl Iterator<Item = MruEntry> + use<>> {
        let words: [u64; WAYS * SLOT_WORDS] = guard::read(self.sets.get(set)?)?;
        let slots = (0..WAYS).filter_map(move |way| {
            let words = words.get(way * SLOT_WORDS..)?.first_chunk()?;
            Slot::from_words(words).entry()
        });
        Some(slots)
    }

    /// The set where an address has its place.
    pub fn set_of(&self, address: IpAddr) -> usize {
        self.place(bits(address.to_canonical())).0
    }

    /// What is known of an address.
    pub fn find(&self, address: IpAddr) -> Option<MruEntry> {
        let address = address.to_canonical();
        let (set, _) = self.place(bits(address));
        self.read(set)?.find(|entry| entry.address == address)
    }

    /// Notes a datagram, and tells how its sender stands with the limits. Who is not known yet, or
    /// cannot be noted, is within them.
    pub fn note(&self, sighting: &Sighting, limits: &Limits) -> Standing {
        let address = bits(sighting.address);
        let (set, hash) = self.place(address);
        let noted = self.sets.get(set).and_then(|set| {
            guard::try_write(set, |words| {
                let (slots, _) = words.as_chunks::<SLOT_WORDS>();
                match slots.iter().find(|slot| Slot::is_at(slot, address)) {
                    Some(slot) => Some(self.meet_again(slot, sighting, limits, hash)),
                    None => self.meet(slots, address, sighting, limits, hash),
                }
            })
        });
        noted.flatten().unwrap_or_else(|| {
            self.passed_over.fetch_add(1, Ordering::Relaxed);
            Standing::Within
        })
    }

    fn meet_again(
        &self,
        words: &[AtomicU64; SLOT_WORDS],
        sighting: &Sighting,
        limits: &Limits,
        hash: u64,
    ) -> Standing {
        let mut slot = Slot::load(words);
        let interval_s = whole_seconds(sighting.mono, slot.seen);
        let (leak_s, poured) = limits.rates.pour(slot.leak_s, interval_s);
        slot.leak_s = leak_s;
        let standing = match poured {
            _ if !sighting.flags.contains(RestrictFlags::LIMITED) => Standing::Within,
            Poured::Within => Standing::Within,
            Poured::Spilled if may_kiss(&slot, sighting) => Standing::Kissed,
            Poured::Spilled | Poured::Overflowing => {
                // The datagrams of a batch have one moment: each is to have a fate of its own.
                let hash = hash ^ u64::from(slot.count);
                if self.draw(hash, sighting.mono).is_multiple_of(SPARED_ONE_IN) {
                    Standing::Spared
                } else {
                    Standing::Over
                }
            }
        };
        let doused = RestrictFlags::LIMITED.with(RestrictFlags::KOD);
        slot.flags = match standing {
            Standing::Within | Standing::Spared => sighting.flags.without(doused),
            Standing::Over => sighting.flags.without(RestrictFlags::KOD),
            Standing::Kissed => {
                slot.kissed = sighting.mono;
                sighting.flags
            }
        };
        if matches!(standing, Standing::Over | Standing::Kissed) {
            slot.dropped = slot.dropped.saturating_add(1);
        }
        slot.count = slot.count.saturating_add(1);
        slot.see(sighting);
        slot.store(words);
        standing
    }

    /// Gives a newcomer a place, if one is to be had.
    fn meet(
        &self,
        slots: &[[AtomicU64; SLOT_WORDS]],
        address: u128,
        sighting: &Sighting,
        limits: &Limits,
        hash: u64,
    ) -> Option<Standing> {
        let worth = |words: &&[AtomicU64; SLOT_WORDS]| {
            let slot = Slot::load(words);
            (slot.worth(sighting.mono), slot.seen)
        };
        let words = slots.iter().min_by_key(worth)?;
        let there = Slot::load(words);
        if there.count == 0 {
            self.occupied.fetch_add(1, Ordering::Relaxed);
        } else {
            let age_s = sighting.mono.since(there.seen).as_secs();
            let is_young = age_s <= u64::from(limits.maxage_s);
            let chance = || self.draw(hash, sighting.mono) % u64::from(limits.monitor_s.max(1));
            if is_young && chance() >= age_s.max(1) {
                return None;
            }
            self.displaced.fetch_add(1, Ordering::Relaxed);
        }
        let doused = RestrictFlags::LIMITED.with(RestrictFlags::KOD);
        let mut slot = Slot {
            address,
            first: sighting.arrived,
            count: 1,
            flags: sighting.flags.without(doused),
            ..Slot::default()
        };
        slot.see(sighting);
        slot.store(words);
        Some(Standing::Within)
    }

    /// The set of an address, and its hash.
    fn place(&self, address: u128) -> (usize, u64) {
        // An IPv4 address alone takes a third less than within an IPv6 one.
        let hash = match u32::try_from(address ^ MAPPED_PREFIX) {
            Ok(v4) => self.hasher.hash(&v4.to_ne_bytes()),
            Err(_) => self.hasher.hash(&address.to_ne_bytes()),
        };
        // The high half scaled to the number of sets, which need not be a power of two.
        let set = ((hash >> 32) * self.sets.len() as u64) >> 32;
        (set as usize, hash)
    }

    /// A number that nobody outside can foresee.
    fn draw(&self, hash: u64, mono: Instant) -> u64 {
        let mixed = hash.wrapping_add(mono.to_nanoseconds().rotate_left(32));
        self.hasher.hash(&mixed.to_ne_bytes())
    }
}

impl Slot {
    const fn see(&mut self, sighting: &Sighting) {
        self.last = sighting.arrived;
        self.seen = sighting.mono;
        self.port = sighting.port;
        self.version = sighting.version;
        self.mode = sighting.mode;
    }
}

fn sets_for(clients: usize) -> usize {
    clients.div_ceil(WAYS).max(1)
}

fn may_kiss(slot: &Slot, sighting: &Sighting) -> bool {
    let never = slot.kissed == Instant::default();
    sighting.flags.contains(RestrictFlags::KOD)
        && (never || sighting.mono.seconds_since(slot.kissed) >= KISSES_APART_S)
}

/// Rounded, as the reference does it.
fn whole_seconds(now: Instant, before: Instant) -> u32 {
    let span = now.since(before) + core::time::Duration::from_millis(500);
    u32::try_from(span.as_secs()).unwrap_or(u32::MAX)
}

pub(super) const fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}
