use crate::NtpDuration;

/// Seconds from 1900-01-01 (the NTP prime epoch) to 1970-01-01 (the Unix epoch).
pub const UNIX_EPOCH_IN_NTP_SECONDS: i64 = 2_208_988_800;

/// 64-bit NTP timestamp (RFC 5905 §6): seconds in the high, fraction in the low 32 bits, era implied.
///
/// There is no `Ord`, because "later" only means something between neighbours:
///
/// ```compile_fail
/// use truechimer_time::NtpTimestamp;
/// let _ = NtpTimestamp::from_bits(1) < NtpTimestamp::from_bits(2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NtpTimestamp(u64);

impl NtpTimestamp {
    /// "Not known" on the wire (RFC 5905 §6).
    pub const ZERO: Self = Self(0);

    /// From the wire representation, units of 2^-32 s.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// To the wire representation, units of 2^-32 s.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Whether this is the "not known" value.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// From Unix time. The era is dropped; nanoseconds are rounded to the nearest 2^-32 s.
    ///
    /// ```
    /// use truechimer_time::NtpTimestamp;
    /// assert_eq!(NtpTimestamp::from_unix(0, 500_000_000).to_bits(), 0x83AA_7E80_8000_0000);
    /// ```
    #[expect(
        clippy::cast_sign_loss,
        reason = "seconds are taken modulo the 2^32 s era"
    )]
    pub const fn from_unix(seconds: i64, nanoseconds: u32) -> Self {
        let whole = (seconds.wrapping_add(UNIX_EPOCH_IN_NTP_SECONDS) as u64) << 32;
        let fraction = (((nanoseconds as u64) << 32) + 500_000_000) / 1_000_000_000;
        Self(whole.wrapping_add(fraction))
    }

    /// To Unix seconds and nanoseconds, in the era that puts it nearest to `pivot_unix_s`
    /// (RFC 5905 §6: within 68 years of it).
    ///
    /// ```
    /// use truechimer_time::NtpTimestamp;
    /// let next_era = NtpTimestamp::from_bits(7 << 32); // 2036-02-07 06:28:23 UTC
    /// assert_eq!(next_era.to_unix(1_800_000_000), (2_085_978_503, 0));
    /// ```
    pub const fn to_unix(self, pivot_unix_s: i64) -> (i64, u32) {
        let pivot = Self::from_unix(pivot_unix_s, 0);
        let apart = (self.0 >> 32).wrapping_sub(pivot.0 >> 32) as u32;
        let nanoseconds = (((self.0 & 0xFFFF_FFFF) * 1_000_000_000) >> 32) as u32;
        (
            pivot_unix_s.saturating_add(apart.cast_signed() as i64),
            nanoseconds,
        )
    }

    /// Seconds since 1900 modulo 2^32, as in file stamps and reference times.
    pub const fn seconds(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// `self - earlier`, right across an era boundary while the two are within 68 years.
    ///
    /// ```
    /// use truechimer_time::{NtpDuration, NtpTimestamp};
    /// let before = NtpTimestamp::from_bits(u64::MAX);
    /// let after = NtpTimestamp::from_bits(1);
    /// assert_eq!(after.since(before), NtpDuration::from_bits(2));
    /// ```
    pub const fn since(self, earlier: Self) -> NtpDuration {
        NtpDuration::from_bits(self.0.wrapping_sub(earlier.0).cast_signed())
    }

    /// This moment moved by a signed span, modulo the era.
    #[must_use]
    pub const fn plus(self, span: NtpDuration) -> Self {
        Self(self.0.wrapping_add(span.to_bits().cast_unsigned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_round_trip_in_both_eras() {
        for seconds in [
            0,
            1_700_000_000,
            2_085_978_495,
            2_085_978_496,
            3_000_000_000,
        ] {
            for nanoseconds in [0, 1, 499_999_999, 999_999_999] {
                let (s, ns) = NtpTimestamp::from_unix(seconds, nanoseconds).to_unix(seconds + 1000);
                assert_eq!(s, seconds);
                assert!(ns.abs_diff(nanoseconds) <= 1, "{ns} {nanoseconds}");
            }
        }
    }

    #[test]
    fn plus_undoes_since() {
        let a = NtpTimestamp::from_bits(0xFFFF_FFFF_0000_0000);
        let b = NtpTimestamp::from_bits(0x0000_0001_8000_0000);
        assert_eq!(a.plus(b.since(a)), b);
        assert!((b.since(a).to_seconds() - 2.5).abs() < 1e-9);
    }
}
