use crate::{NtpDuration, NtpTimestamp};
use core::time::Duration;

/// A moment on the local monotonic clock, nanoseconds since an arbitrary start.
///
/// It never steps, so timers and ages are kept in it; it says nothing about the time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// From nanoseconds since the clock's start.
    pub const fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// To nanoseconds since the clock's start.
    pub const fn to_nanoseconds(self) -> u64 {
        self.0
    }

    /// `self - earlier`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// `self - earlier` in seconds; zero if `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.since(earlier).as_secs_f64()
    }

    /// This moment moved forward, saturating.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "584 years of nanoseconds fit"
    )]
    pub const fn plus(self, span: Duration) -> Self {
        let nanoseconds = span.as_nanos();
        if nanoseconds > u64::MAX as u128 {
            Self(u64::MAX)
        } else {
            Self(self.0.saturating_add(nanoseconds as u64))
        }
    }

    /// This moment moved forward by seconds; negative and NaN count as zero.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts saturate"
    )]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self(self.0.saturating_add((seconds.max(0.0) * 1e9) as u64))
    }
}

/// One reading of both local clocks, taken together by whoever owns them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The monotonic clock.
    pub mono: Instant,
    /// The system clock (CLOCK_REALTIME), which may be wrong and may step.
    pub wall: NtpTimestamp,
}

impl Now {
    /// What the system clock read, or will read, at `mono` if nobody steps it meanwhile.
    pub fn wall_at(self, mono: Instant) -> NtpTimestamp {
        let (from, to) = (self.mono.0, mono.0);
        let apart = i64::try_from(from.abs_diff(to)).unwrap_or(i64::MAX);
        let span = NtpDuration::from_nanoseconds(apart);
        self.wall.plus(if to >= from { span } else { -span })
    }
}
