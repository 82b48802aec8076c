//! What server threads need to answer: a few words, published whole on each system update.
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpShort, NtpTimestamp};
use truechimer_wire::{Header, Mode, ReferenceId};

/// What stands for "not synchronized" inside; on the wire that is 0.
const STRATUM_UNSYNCHRONIZED: u8 = 16;
/// Words of 64 bits a snapshot packs into, for a latch made of atomics.
pub const SNAPSHOT_WORDS: usize = 5;

/// The system variables of RFC 5905 §11.1 that a reply carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Leap second announced, or not synchronized.
    pub leap: LeapIndicator,
    /// 1..=15, 16 when not synchronized.
    pub stratum: u8,
    /// log2 seconds.
    pub precision: i8,
    /// Total delay to the primary source.
    pub root_delay: NtpShort,
    /// Total dispersion at `updated`; readers age it themselves.
    pub root_dispersion: NtpShort,
    /// Of the system peer.
    pub reference_id: ReferenceId,
    /// When the clock was last corrected.
    pub reference_time: NtpTimestamp,
    /// When `root_dispersion` was true.
    pub updated: Instant,
    /// No stamp from before this moment of the system clock may meet one after it: the clock
    /// was stepped then. Zero if it never was.
    pub step_epoch: NtpTimestamp,
}

impl Snapshot {
    /// What an unsynchronized server says.
    pub const fn unsynchronized(precision: i8) -> Self {
        Self {
            leap: LeapIndicator::NotSynchronized,
            stratum: 16,
            precision,
            root_delay: NtpShort::ZERO,
            root_dispersion: NtpShort::ZERO,
            reference_id: ReferenceId::from_octets(*b"INIT"),
            reference_time: NtpTimestamp::ZERO,
            updated: Instant::from_nanoseconds(0),
            step_epoch: NtpTimestamp::ZERO,
        }
    }

    /// The header of a packet that leaves now: the system variables and T3, all else zero.
    pub(crate) fn header(&self, version: u8, mode: Mode, now: Now) -> Header {
        Header {
            leap: self.leap,
            stratum: if self.stratum >= STRATUM_UNSYNCHRONIZED {
                0
            } else {
                self.stratum
            },
            precision: self.precision,
            root_delay: self.root_delay,
            root_dispersion: self.root_dispersion_at(now.mono),
            reference_id: self.reference_id,
            reference_time: self.reference_time,
            transmit_time: now.wall,
            ..Header::blank(version, mode)
        }
    }

    /// Root dispersion now: it grows at `PHI` while nobody publishes.
    pub fn root_dispersion_at(&self, mono: Instant) -> NtpShort {
        let aged_s = truechimer_time::PHI_S_PER_S * mono.seconds_since(self.updated);
        NtpShort::from_seconds(self.root_dispersion.to_seconds() + aged_s)
    }

    /// Packed for a latch of atomic words.
    pub const fn to_words(&self) -> [u64; SNAPSHOT_WORDS] {
        let [a, b, c, d] = self.reference_id.octets();
        let small = [
            self.leap.to_bits(),
            self.stratum,
            self.precision.cast_unsigned(),
            0,
            a,
            b,
            c,
            d,
        ];
        let delay = self.root_delay.to_bits() as u64;
        let dispersion = self.root_dispersion.to_bits() as u64;
        [
            u64::from_be_bytes(small),
            delay << 32 | dispersion,
            self.reference_time.to_bits(),
            self.updated.to_nanoseconds(),
            self.step_epoch.to_bits(),
        ]
    }

    /// Unpacked; total, for any words are a snapshot.
    pub const fn from_words(words: [u64; SNAPSHOT_WORDS]) -> Self {
        let [leap, stratum, precision, _, a, b, c, d] = words[0].to_be_bytes();
        let [e, f, g, h, i, j, k, l] = words[1].to_be_bytes();
        Self {
            leap: LeapIndicator::from_bits(leap),
            stratum,
            precision: precision.cast_signed(),
            root_delay: NtpShort::from_bits(u32::from_be_bytes([e, f, g, h])),
            root_dispersion: NtpShort::from_bits(u32::from_be_bytes([i, j, k, l])),
            reference_id: ReferenceId::from_octets([a, b, c, d]),
            reference_time: NtpTimestamp::from_bits(words[2]),
            updated: Instant::from_nanoseconds(words[3]),
            step_epoch: NtpTimestamp::from_bits(words[4]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_back() {
        let snapshot = Snapshot {
            leap: LeapIndicator::DeleteSecond,
            stratum: 7,
            precision: -23,
            root_delay: NtpShort::from_bits(0x1234_5678),
            root_dispersion: NtpShort::from_bits(0x9ABC_DEF0),
            reference_id: ReferenceId::from_letters("GPS"),
            reference_time: NtpTimestamp::from_bits(0x0102_0304_0506_0708),
            updated: Instant::from_nanoseconds(99),
            step_epoch: NtpTimestamp::from_bits(0xF1F2_F3F4_F5F6_F7F8),
        };
        assert_eq!(Snapshot::from_words(snapshot.to_words()), snapshot);
    }

    #[test]
    fn dispersion_ages_at_phi() {
        let mut snapshot = Snapshot::unsynchronized(-20);
        snapshot.root_dispersion = NtpShort::from_seconds(0.5);
        let later = snapshot.updated.plus_seconds(100_000.0);
        assert!((snapshot.root_dispersion_at(later).to_seconds() - 2.0).abs() < 1e-4);
    }
}
