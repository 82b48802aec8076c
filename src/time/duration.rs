use core::ops::{Add, Neg, Sub};

/// Signed span, units of 2^-32 s (0.23 ns), +-68 years. Arithmetic saturates: a span that
/// long is refused elsewhere, and must not wrap into a small one on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpDuration(i64);

const UNITS_PER_S: f64 = 4_294_967_296.0;

impl NtpDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span.
    pub const MAX: Self = Self(i64::MAX);

    /// From raw units of 2^-32 s.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// To raw units of 2^-32 s.
    pub const fn to_bits(self) -> i64 {
        self.0
    }

    /// From seconds; out of range saturates and NaN becomes zero.
    ///
    /// ```
    /// use truechimer_time::NtpDuration;
    /// assert_eq!(NtpDuration::from_seconds(-0.5).to_nanoseconds(), -500_000_000);
    /// ```
    #[expect(
        clippy::cast_possible_truncation,
        reason = "float to integer casts saturate"
    )]
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * UNITS_PER_S).round() as i64)
    }

    /// To seconds; exact to 2^-32 s up to 24 days, to a part in 2^53 beyond.
    #[expect(clippy::cast_precision_loss, reason = "stated above")]
    pub fn to_seconds(self) -> f64 {
        self.0 as f64 / UNITS_PER_S
    }

    /// From nanoseconds, saturating.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        let wide = ((nanoseconds as i128) << 32) / 1_000_000_000;
        Self(clamp(wide))
    }

    /// To nanoseconds, rounded to the nearest.
    pub const fn to_nanoseconds(self) -> i64 {
        clamp((self.0 as i128 * 1_000_000_000 + (1 << 31)) >> 32)
    }

    /// A power of two seconds, as poll exponents and precisions are given (RFC 5905 §7.3).
    pub fn from_log2(exponent: i8) -> Self {
        Self::from_seconds(f64::from(exponent).exp2())
    }

    /// Midpoint of two spans, without overflow.
    #[must_use]
    pub const fn midpoint(self, other: Self) -> Self {
        Self(self.0.midpoint(other.0))
    }

    /// Magnitude.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped first")]
const fn clamp(wide: i128) -> i64 {
    if wide > i64::MAX as i128 {
        i64::MAX
    } else if wide < i64::MIN as i128 {
        i64::MIN
    } else {
        wide as i64
    }
}

impl Add for NtpDuration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for NtpDuration {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for NtpDuration {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_nanoseconds_agree() {
        for ns in [0, 1, -1, 128_000_000, -999_999_999, 1_000_000_000_000] {
            assert!(
                NtpDuration::from_nanoseconds(ns)
                    .to_nanoseconds()
                    .abs_diff(ns)
                    <= 1
            );
        }
        assert_eq!(NtpDuration::from_seconds(f64::INFINITY), NtpDuration::MAX);
        assert_eq!(NtpDuration::from_seconds(f64::NAN), NtpDuration::ZERO);
        assert_eq!(NtpDuration::from_nanoseconds(i64::MAX), NtpDuration::MAX);
    }

    #[test]
    fn saturates() {
        assert_eq!(
            NtpDuration::MAX + NtpDuration::from_bits(1),
            NtpDuration::MAX
        );
        assert_eq!(NtpDuration::from_log2(-1).to_nanoseconds(), 500_000_000);
    }
}
