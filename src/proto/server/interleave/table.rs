//! The replies that left lately, or are about to, and whose departure somebody will ask for.
//!
//! One table of fixed size for all threads, since clients change their ports and so their threads. An
//! address has its places in eight sets next to each other, chosen by a hash whose key nobody
//! outside knows; of IPv6 a network of 64 bits counts as one address there, lest who has one fill the
//! table. In a full set who showed that it gets our replies makes room for nobody but its like, so
//! senders that are made up push out one another only.
use super::marked;
use super::slot::{SLOT_WORDS, Slot};
use crate::server::Counters;
use crate::server::guard::{self, AtomicU64, zeroed};
use crate::server::mru::bits;
use core::net::IpAddr;
use core::sync::atomic::{AtomicU64 as Count, Ordering};
use siphasher::sip::SipHasher13;
use truechimer_time::NtpTimestamp;

/// Replies in a set.
const WAYS: usize = 6;
/// Words of a set: its guard, its replies, and one to fill four cache lines.
const SET_WORDS: usize = 32;
/// Sets that the replies to one address are spread over.
const SPREAD: u64 = 8;
/// Who was silent for so long is gone, seconds.
const GONE_AFTER_S: f64 = 8192.0;
/// A departure this much after its reply was made is not of it, seconds.
const LATEST_S: f64 = 1.0;
/// Network part of an IPv6 address.
const NETWORK: u128 = !0 << 64;

/// A client as the table knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Who {
    tag: u64,
    place: u64,
}

#[cfg(all(test, not(loom)))]
impl Who {
    pub(super) const fn place(&self) -> u64 {
        self.place
    }
}

/// A reply on its way: whoever sends it keeps this until its departure is known.
///
/// Neither `Clone` nor `Copy`: a reply leaves once.
#[derive(Debug, PartialEq, Eq)]
pub struct Departure {
    tag: u64,
    place: u64,
    receive: NtpTimestamp,
    made: NtpTimestamp,
    epoch: NtpTimestamp,
}

/// The table.
#[derive(Debug)]
pub struct DepartureTable {
    sets: Box<[[AtomicU64; SET_WORDS]]>,
    hasher: SipHasher13,
    displaced: Count,
    refused: Count,
    unused: Count,
}

impl DepartureTable {
    /// Of at least this many replies, as far as memory can be had; it is touched only where clients
    /// are. The key must be random and stay secret.
    pub fn new(replies: usize, key: &[u8; 16]) -> Self {
        Self {
            sets: zeroed(replies.div_ceil(WAYS).max(1)),
            hasher: SipHasher13::new_with_key(key),
            displaced: Count::new(0),
            refused: Count::new(0),
            unused: Count::new(0),
        }
    }

    /// Most replies it can hold.
    pub const fn capacity(&self) -> usize {
        self.sets.len() * WAYS
    }

    /// Replies that made room for others before they were asked for.
    pub fn displaced(&self) -> u64 {
        self.displaced.load(Ordering::Relaxed)
    }

    /// Replies for which there was no room, or another thread was at it.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Departures that came to no use: too late, of a clock that was set since, or of a reply that is
    /// not remembered any more.
    pub fn unused(&self) -> u64 {
        self.unused.load(Ordering::Relaxed)
    }

    pub(super) fn who(&self, address: IpAddr) -> Who {
        let address = address.to_canonical();
        let place = match address {
            IpAddr::V4(_) => bits(address),
            IpAddr::V6(_) => bits(address) & NETWORK,
        };
        Who {
            tag: self.hasher.hash(&bits(address).to_ne_bytes()),
            place: self.hasher.hash(&place.to_ne_bytes()),
        }
    }

    /// Takes out the reply that had this receive stamp: each is asked for once.
    pub(super) fn take(&self, who: &Who, receive: NtpTimestamp) -> Option<Slot> {
        let set = self.set(who.place, receive)?;
        guard::try_write(set, |words| {
            let (slots, _) = words.as_chunks::<SLOT_WORDS>();
            let mut its = slots.iter().take(WAYS);
            let words = its.find(|words| Slot::is_at(words, who.tag, receive))?;
            let slot = Slot::load(words);
            Slot::default().store(words);
            Some(slot)
        })
        .flatten()
    }

    /// Remembers a reply that is about to leave, if there is room for it and none like it.
    pub(super) fn note(&self, who: &Who, reply: Slot, made: NtpTimestamp) -> Option<Departure> {
        let reply = Slot {
            tag: who.tag,
            ..reply
        };
        let noted = self.set(who.place, reply.receive).and_then(|set| {
            guard::try_write(set, |words| {
                let (slots, _) = words.as_chunks::<SLOT_WORDS>();
                self.store(slots, reply)
            })
        });
        if noted.flatten().is_none() {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(Departure {
            tag: who.tag,
            place: who.place,
            receive: reply.receive,
            made,
            epoch: reply.epoch,
        })
    }

    fn store(&self, slots: &[[AtomicU64; SLOT_WORDS]], reply: Slot) -> Option<()> {
        let mut place = None;
        for words in slots.iter().take(WAYS) {
            let there = Slot::load(words);
            // Two of one address in one moment could not be told apart.
            if (there.tag, there.receive) == (reply.tag, reply.receive) {
                return None;
            }
            let worth = (worth(&there, &reply), there.seen);
            if place.is_none_or(|(least, _)| worth < least) {
                place = Some((worth, words));
            }
        }
        let ((worth, _), words) = place?;
        if worth >= PROVEN && !reply.is_proven {
            return None;
        }
        self.displaced
            .fetch_add(u64::from(worth > FREE), Ordering::Relaxed);
        reply.store(words);
        Some(())
    }

    /// Learns when a reply left; `epoch` is when the clock was last stepped.
    pub fn note_departure(&self, departure: &Departure, left: NtpTimestamp, epoch: NtpTimestamp) {
        let held_s = left.since(departure.made).to_seconds();
        let is_its = epoch == departure.epoch && (0.0..LATEST_S).contains(&held_s);
        let set = self.set(departure.place, departure.receive);
        let noted = set.filter(|_| is_its).and_then(|set| {
            guard::try_write(set, |words| {
                let (slots, _) = words.as_chunks::<SLOT_WORDS>();
                let mut its = slots.iter().take(WAYS);
                let is_it = |words: &&[AtomicU64; SLOT_WORDS]| {
                    Slot::is_at(words, departure.tag, departure.receive)
                };
                let words = its.find(is_it)?;
                let slot = Slot {
                    left: marked(left, super::TRANSMITTED),
                    ..Slot::load(words)
                };
                slot.store(words);
                Some(())
            })
        });
        if noted.flatten().is_none() {
            self.unused.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Learns that nobody will know when a reply left.
    pub fn forget(&self, _: &Departure) {
        self.unused.fetch_add(1, Ordering::Relaxed);
    }

    /// What became of it all, with what the threads have counted, for people.
    pub(crate) fn in_words(&self, of: &Counters) -> String {
        let (told, asked) = (of.interleaved, of.departures_asked);
        let over = of.departures_passed_over;
        let (displaced, refused, unused) = (self.displaced(), self.refused(), self.unused());
        format!(
            "told {told}, asked {asked}, passed over {over}, displaced {displaced}, \
             refused {refused}, unused {unused}"
        )
    }

    /// The set of a reply. What spreads them is the receive stamp's noise, a few nanoseconds.
    fn set(&self, place: u64, receive: NtpTimestamp) -> Option<&[AtomicU64; SET_WORDS]> {
        let count = self.sets.len() as u64;
        let first = ((place >> 32) * count) >> 32;
        let set = (first + (receive.to_bits() >> 2) % SPREAD) % count;
        self.sets.get(usize::try_from(set).ok()?)
    }
}

const FREE: u8 = 0;
const PROVEN: u8 = 2;

/// How much is lost with this one when another comes.
fn worth(there: &Slot, newcomer: &Slot) -> u8 {
    if there.receive.is_zero() || newcomer.seen.seconds_since(there.seen) > GONE_AFTER_S {
        FREE
    } else if there.is_proven {
        PROVEN
    } else {
        1
    }
}
