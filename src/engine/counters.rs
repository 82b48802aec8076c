use std::sync::atomic::{AtomicU64, Ordering};
use truechimer_proto::control::KeyFacts;
use truechimer_proto::server::{COUNTER_WORDS, Counters};
use truechimer_sys::ring::RingCounts;

/// Words of 64 bits that the engine counts beside the protocol.
const OWN_WORDS: usize = 17;

/// What one server thread has counted since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerCounts {
    /// What the protocol made of the datagrams it was shown.
    pub protocol: Counters,
    /// Datagrams for the clock thread that were dropped because its queue was full.
    pub overflowed: u64,
    /// Datagrams dropped by an `interface drop` rule.
    pub unwanted: u64,
    /// Datagrams too long, or from no IP address.
    pub unreadable: u64,
    /// Replies the kernel did not take.
    pub send_failed: u64,
    /// Replies that waited for a holder of keys, and left.
    pub finished: u64,
    /// Times the thread woke.
    pub wakeups: u64,
    /// Of these, for at least one datagram.
    pub useful_wakeups: u64,
    /// Use of the keys.
    pub keys: KeyFacts,
    /// Threads that receive through a ring now.
    pub rings: u64,
    /// Why receiving through rings had to be begun again.
    pub rearmed: RingCounts,
}

impl ServerCounts {
    /// The counts of another thread on top.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            protocol: self.protocol.plus(&other.protocol),
            overflowed: self.overflowed + other.overflowed,
            unwanted: self.unwanted + other.unwanted,
            unreadable: self.unreadable + other.unreadable,
            send_failed: self.send_failed + other.send_failed,
            finished: self.finished + other.finished,
            wakeups: self.wakeups + other.wakeups,
            useful_wakeups: self.useful_wakeups + other.useful_wakeups,
            keys: self.keys.plus(&other.keys),
            rings: self.rings + other.rings,
            rearmed: RingCounts {
                starved: self.rearmed.starved + other.rearmed.starved,
                cut_short: self.rearmed.cut_short + other.rearmed.cut_short,
                failed: self.rearmed.failed + other.rearmed.failed,
                cancelled: self.rearmed.cancelled + other.rearmed.cancelled,
            },
        }
    }

    /// Of a thread with a ring; one that has lost it keeps what was counted.
    pub(crate) const fn note_ring(&mut self, counts: Option<RingCounts>) {
        self.rings = counts.is_some() as u64;
        if let Some(counts) = counts {
            self.rearmed = counts;
        }
    }

    const fn own_words(&self) -> [u64; OWN_WORDS] {
        let (keys, rearmed) = (&self.keys, &self.rearmed);
        [
            self.overflowed,
            self.unwanted,
            self.unreadable,
            self.send_failed,
            self.finished,
            self.wakeups,
            self.useful_wakeups,
            keys.keys,
            keys.lookups,
            keys.not_found,
            keys.sealed,
            keys.checked,
            self.rings,
            rearmed.starved,
            rearmed.cut_short,
            rearmed.failed,
            rearmed.cancelled,
        ]
    }
}

/// A thread's counts, stored by it after each batch and read by anybody, without a lock; words
/// of one reading may be a batch apart.
#[derive(Debug)]
pub(crate) struct Published {
    protocol: [AtomicU64; COUNTER_WORDS],
    own: [AtomicU64; OWN_WORDS],
}

impl Default for Published {
    fn default() -> Self {
        Self {
            protocol: [const { AtomicU64::new(0) }; COUNTER_WORDS],
            own: [const { AtomicU64::new(0) }; OWN_WORDS],
        }
    }
}

impl Published {
    pub(crate) fn store(&self, counts: &ServerCounts) {
        for (cell, word) in self.protocol.iter().zip(counts.protocol.to_words()) {
            cell.store(word, Ordering::Relaxed);
        }
        for (cell, word) in self.own.iter().zip(counts.own_words()) {
            cell.store(word, Ordering::Relaxed);
        }
    }

    pub(crate) fn load(&self) -> ServerCounts {
        let read = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        let [
            overflowed,
            unwanted,
            unreadable,
            send_failed,
            finished,
            wakeups,
            useful_wakeups,
            keys,
            lookups,
            not_found,
            sealed,
            checked,
            rings,
            starved,
            cut_short,
            failed,
            cancelled,
        ] = self.own.each_ref().map(read);
        ServerCounts {
            protocol: Counters::from_words(self.protocol.each_ref().map(read)),
            overflowed,
            unwanted,
            unreadable,
            send_failed,
            finished,
            wakeups,
            useful_wakeups,
            keys: KeyFacts {
                keys,
                lookups,
                not_found,
                sealed,
                checked,
            },
            rings,
            rearmed: RingCounts {
                starved,
                cut_short,
                failed,
                cancelled,
            },
        }
    }
}
