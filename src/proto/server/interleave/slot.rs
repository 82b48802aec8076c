//! One reply in five words.
use crate::server::guard::{AtomicU64, Ordering};
use truechimer_time::{Instant, NtpTimestamp};

/// Words of 64 bits a reply takes.
pub(super) const SLOT_WORDS: usize = 5;

/// A reply whose departure is to be told; a receive stamp of zero is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    /// A hash of the client's address.
    pub(super) tag: u64,
    /// T2, by which the client names it.
    pub(super) receive: NtpTimestamp,
    /// T3, zero as long as it is not known.
    pub(super) left: NtpTimestamp,
    /// When the clock was last stepped.
    pub(super) epoch: NtpTimestamp,
    pub(super) seen: Instant,
    /// The client showed that it gets our replies.
    pub(super) is_proven: bool,
}

impl Slot {
    pub(super) const fn from_words(words: &[u64; SLOT_WORDS]) -> Self {
        let [tag, receive, left, epoch, seen] = *words;
        Self {
            tag,
            receive: NtpTimestamp::from_bits(receive),
            left: NtpTimestamp::from_bits(left),
            epoch: NtpTimestamp::from_bits(epoch),
            seen: Instant::from_nanoseconds(seen >> 1),
            is_proven: seen & 1 != 0,
        }
    }

    pub(super) const fn to_words(self) -> [u64; SLOT_WORDS] {
        [
            self.tag,
            self.receive.to_bits(),
            self.left.to_bits(),
            self.epoch.to_bits(),
            self.seen.to_nanoseconds() << 1 | self.is_proven as u64,
        ]
    }

    pub(super) fn load(words: &[AtomicU64; SLOT_WORDS]) -> Self {
        Self::from_words(&words.each_ref().map(|word| word.load(Ordering::Relaxed)))
    }

    pub(super) fn store(self, words: &[AtomicU64; SLOT_WORDS]) {
        for (cell, word) in words.iter().zip(self.to_words()) {
            cell.store(word, Ordering::Relaxed);
        }
    }

    /// Whether these words hold this reply, without reading the others.
    pub(super) fn is_at(words: &[AtomicU64; SLOT_WORDS], tag: u64, receive: NtpTimestamp) -> bool {
        let [its_tag, its_receive, ..] = words;
        its_receive.load(Ordering::Relaxed) == receive.to_bits()
            && its_tag.load(Ordering::Relaxed) == tag
    }

    /// T3, if it is of the clock as it is set now.
    pub(super) fn left_since(&self, epoch: NtpTimestamp) -> Option<NtpTimestamp> {
        (!self.left.is_zero() && self.epoch == epoch).then_some(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        let words = [1, 2, 3, 4, 0x0102_0304_0506_0709];
        assert_eq!(Slot::from_words(&words).to_words(), words);
        assert_eq!(Slot::from_words(&[0; SLOT_WORDS]), Slot::default());
    }
}
