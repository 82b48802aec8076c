//! The snapshot, published by one thread and read by all, as a two-slot latch of atomic words.
//!
//! A writer fills the slot nobody reads and then turns the latch, so a reader never waits for a
//! writer, not even for one that was stopped half way. Only a reader that was itself so slow
//! that the latch turned while it read starts over; the latch turns about once a second.
use truechimer_proto::snapshot::{SNAPSHOT_WORDS, Snapshot};

#[cfg(loom)]
use loom::sync::{
    Arc,
    atomic::{AtomicU64, Ordering, fence},
};
#[cfg(not(loom))]
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering, fence},
};

#[derive(Debug)]
struct Slots {
    /// How often the latch turned; its lowest bit names the slot to read.
    turns: AtomicU64,
    words: [[AtomicU64; SNAPSHOT_WORDS]; 2],
}

impl Slots {
    fn slot(&self, turns: u64) -> &[AtomicU64; SNAPSHOT_WORDS] {
        let [even, odd] = &self.words;
        if turns & 1 == 0 { even } else { odd }
    }
}

/// The one who publishes: not `Clone`, for there is one writer.
#[derive(Debug)]
pub struct Publisher(Arc<Slots>);

/// One who reads.
#[derive(Clone, Debug)]
pub struct Reader(Arc<Slots>);

/// A latch that holds `first`.
pub fn latch(first: &Snapshot) -> (Publisher, Reader) {
    let words = first.to_words();
    let slots = Arc::new(Slots {
        turns: AtomicU64::new(0),
        words: [words.map(AtomicU64::new), words.map(AtomicU64::new)],
    });
    (Publisher(Arc::clone(&slots)), Reader(slots))
}

impl Publisher {
    /// Replaces what readers see, whole.
    pub fn publish(&mut self, snapshot: &Snapshot) {
        let turns = self.0.turns.load(Ordering::Relaxed).wrapping_add(1);
        // A reader that sees a word written below must also see that the latch has turned since
        // that slot was current: the last turn is ordered before the words.
        fence(Ordering::Release);
        for (slot, word) in self.0.slot(turns).iter().zip(snapshot.to_words()) {
            slot.store(word, Ordering::Relaxed);
        }
        self.0.turns.store(turns, Ordering::Release);
    }
}

impl Reader {
    /// The snapshot published last.
    pub fn read(&self) -> Snapshot {
        loop {
            let turns = self.0.turns.load(Ordering::Acquire);
            let mut words = [0; SNAPSHOT_WORDS];
            for (word, slot) in words.iter_mut().zip(self.0.slot(turns)) {
                *word = slot.load(Ordering::Relaxed);
            }
            fence(Ordering::Acquire);
            if self.0.turns.load(Ordering::Relaxed) == turns {
                return Snapshot::from_words(words);
            }
            #[cfg(loom)]
            loom::thread::yield_now();
        }
    }
}

/// A snapshot whose every word tells its number.
#[cfg(test)]
fn numbered(number: u8) -> Snapshot {
    use truechimer_time::{Instant, NtpShort, NtpTimestamp};
    let mut snapshot = Snapshot::unsynchronized(-20);
    snapshot.stratum = number;
    snapshot.root_delay = NtpShort::from_bits(number.into());
    snapshot.reference_time = NtpTimestamp::from_bits(number.into());
    snapshot.updated = Instant::from_nanoseconds(number.into());
    snapshot.step_epoch = NtpTimestamp::from_bits(number.into());
    snapshot
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;

    /// In every order of every access that two publications and two readings can take, a reader
    /// sees one whole snapshot and never an older one than before.
    #[test]
    fn never_torn_and_never_backwards() {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(4);
        model.check(|| {
            let (mut publisher, reader) = latch(&numbered(1));
            let writer = loom::thread::spawn(move || {
                publisher.publish(&numbered(2));
                publisher.publish(&numbered(3));
            });
            let mut last = 1;
            for _ in 0..2 {
                let seen = reader.read();
                assert_eq!(seen, numbered(seen.stratum));
                assert!(seen.stratum >= last);
                last = seen.stratum;
            }
            writer.join().unwrap();
            assert_eq!(reader.read(), numbered(3));
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn never_torn_under_load() {
        let (mut publisher, reader) = latch(&numbered(0));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let (reader, done) = (reader.clone(), &done);
                    scope.spawn(move || {
                        let mut readings = 0_u64;
                        while !done.load(Ordering::Relaxed) {
                            let seen = reader.read();
                            assert_eq!(seen, numbered(seen.stratum));
                            readings += 1;
                        }
                        readings
                    })
                })
                .collect();
            for turn in 0..200_000_u32 {
                publisher.publish(&numbered(turn.to_le_bytes()[0]));
            }
            done.store(true, Ordering::Relaxed);
            for reader in readers {
                assert!(reader.join().unwrap() > 0);
            }
        });
    }
}
