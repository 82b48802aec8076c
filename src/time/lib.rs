//! Time arithmetic: NTP timestamps and short formats, durations, monotonic instants, leap seconds.
//!
//! This room reads no clock and does no I/O: every time enters as an argument. It knows nothing of
//! packets (that is `wire`) and decides nothing (that is `proto`).
#![forbid(unsafe_code)]

mod duration;
mod instant;
pub mod leap;
mod short;
mod timestamp;

pub use duration::NtpDuration;
pub use instant::{Instant, Now};
pub use short::NtpShort;
pub use timestamp::{NtpTimestamp, UNIX_EPOCH_IN_NTP_SECONDS};

/// Rate at which the error of an undisciplined clock is assumed to grow: 15 ppm (PHI, RFC 5905 §4).
pub const PHI_S_PER_S: f64 = 15e-6;
