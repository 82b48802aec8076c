//! One client in nine words.
use super::MruEntry;
use crate::server::RestrictFlags;
use crate::server::guard::{AtomicU64, Ordering};
use core::net::{IpAddr, Ipv6Addr};
use truechimer_time::{Instant, NtpTimestamp};

/// Words of 64 bits a client takes.
pub(super) const SLOT_WORDS: usize = 9;

/// A client as the table keeps it; a count of 0 means nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    /// IPv4 as mapped IPv6.
    pub(super) address: u128,
    pub(super) first: NtpTimestamp,
    pub(super) last: NtpTimestamp,
    /// `last` on the clock that nobody steps.
    pub(super) seen: Instant,
    pub(super) count: u32,
    pub(super) port: u16,
    pub(super) version: u8,
    pub(super) mode: u8,
    pub(super) flags: RestrictFlags,
    pub(super) leak_s: u32,
    pub(super) dropped: u32,
    /// When the last kiss was sent; 0 is never.
    pub(super) kissed: Instant,
}

impl Slot {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "halves and fields are cut out"
    )]
    pub(super) fn from_words(words: &[u64; SLOT_WORDS]) -> Self {
        let [high, low, first, last, seen, who, state, dropped, kissed] = *words;
        Self {
            address: u128::from(high) << 64 | u128::from(low),
            first: NtpTimestamp::from_bits(first),
            last: NtpTimestamp::from_bits(last),
            seen: Instant::from_nanoseconds(seen),
            count: (who >> 32) as u32,
            port: (who >> 16) as u16,
            version: (who >> 8) as u8,
            mode: who as u8,
            flags: RestrictFlags::from_bits((state >> 32) as u32),
            leak_s: state as u32,
            dropped: dropped as u32,
            kissed: Instant::from_nanoseconds(kissed),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the address is cut in two")]
    pub(super) fn to_words(self) -> [u64; SLOT_WORDS] {
        let who = u64::from(self.count) << 32
            | u64::from(self.port) << 16
            | u64::from(self.version) << 8
            | u64::from(self.mode);
        [
            (self.address >> 64) as u64,
            self.address as u64,
            self.first.to_bits(),
            self.last.to_bits(),
            self.seen.to_nanoseconds(),
            who,
            u64::from(self.flags.to_bits()) << 32 | u64::from(self.leak_s),
            u64::from(self.dropped),
            self.kissed.to_nanoseconds(),
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

    /// Whether these words hold this address, without reading the others.
    #[expect(clippy::cast_possible_truncation, reason = "the address is cut in two")]
    pub(super) fn is_at(words: &[AtomicU64; SLOT_WORDS], address: u128) -> bool {
        let [high, low, ..] = words;
        low.load(Ordering::Relaxed) == address as u64
            && high.load(Ordering::Relaxed) == (address >> 64) as u64
    }

    pub(super) fn entry(&self) -> Option<MruEntry> {
        (self.count > 0).then(|| MruEntry {
            address: IpAddr::V6(Ipv6Addr::from_bits(self.address)).to_canonical(),
            port: self.port,
            version: self.version,
            mode: self.mode,
            first: self.first,
            last: self.last,
            seen: self.seen,
            count: self.count,
            dropped: self.dropped,
            headway_s: self.leak_s,
            flags: self.flags,
        })
    }

    /// How much is lost with this one: somebody seen once is nobody's client yet; among the others
    /// age counts against number, so that those long gone make room.
    pub(super) fn worth(&self, now: Instant) -> u64 {
        let age_s = now.since(self.seen).as_secs();
        match self.count {
            0 => 0,
            1 => 1,
            count => {
                let often = 4 * u64::from(count.ilog2());
                let long_ago = u64::from((age_s + 1).ilog2());
                (64 + often).saturating_sub(long_ago).max(2)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        let mut word = 0x0102_0304_0506_0708_u64;
        let words = [(); SLOT_WORDS].map(|()| {
            word = word.rotate_left(8).wrapping_add(0x11);
            word
        });
        let mut words = words;
        words[7] &= 0xFFFF_FFFF;
        let slot = Slot::from_words(&words);
        assert_eq!(slot.to_words(), words);
        assert_eq!(Slot::from_words(&[0; SLOT_WORDS]), Slot::default());
        assert_eq!(Slot::default().entry(), None);
    }

    #[test]
    fn the_seldom_and_the_long_gone_are_worth_least() {
        let slot = |count, seen_s: u64| Slot {
            count,
            seen: Instant::from_nanoseconds(seen_s * 1_000_000_000),
            ..Slot::default()
        };
        let now = Instant::from_nanoseconds(100_000_000_000_000);
        let worth = |count, age_s: u64| slot(count, 100_000 - age_s).worth(now);
        assert!(worth(0, 0) < worth(1, 9000));
        assert_eq!(worth(1, 9000), worth(1, 0));
        assert!(worth(1, 0) < worth(2, 90_000));
        assert!(
            worth(2, 0) < worth(16, 1024),
            "who asks twice and an hourly client"
        );
        assert!(worth(16, 90_000) < worth(16, 64));
    }
}
