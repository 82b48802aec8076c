use crate::NtpDuration;

/// 32-bit NTP short format (RFC 5905 §6): unsigned 16.16 seconds, for root delay and dispersion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NtpShort(u32);

impl NtpShort {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Nearly 65536 s.
    pub const MAX: Self = Self(u32::MAX);

    /// From the wire representation, units of 2^-16 s.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// To the wire representation, units of 2^-16 s.
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// From a span, rounded up so that an error bound never shrinks; saturates at both ends.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped first"
    )]
    pub fn from_duration(span: NtpDuration) -> Self {
        let units = span.to_bits().saturating_add(0xFFFF) >> 16;
        Self(units.clamp(0, i64::from(u32::MAX)) as u32)
    }

    /// From seconds, rounded up; saturates at both ends.
    pub fn from_seconds(seconds: f64) -> Self {
        Self::from_duration(NtpDuration::from_seconds(seconds))
    }

    /// To a span, exactly.
    pub fn to_duration(self) -> NtpDuration {
        NtpDuration::from_bits(i64::from(self.0) << 16)
    }

    /// To seconds, exactly.
    pub fn to_seconds(self) -> f64 {
        f64::from(self.0) / 65536.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_never_shrink() {
        for seconds in [0.0, 1e-9, 0.001, 1.5, 16.0, 65535.99] {
            assert!(NtpShort::from_seconds(seconds).to_seconds() >= seconds - 2e-10);
        }
        assert_eq!(NtpShort::from_seconds(-1.0), NtpShort::ZERO);
        assert_eq!(NtpShort::from_seconds(1e6), NtpShort::MAX);
    }
}
