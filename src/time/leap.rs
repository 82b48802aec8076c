//! Leap seconds: the announcement in packets and the table of `leap-seconds.list`.

mod list;
mod table;

pub use list::{LeapListError, LeapSecondsList, parse};
pub use table::{LeapEvent, LeapTable};

/// The two leap bits of a packet (RFC 5905 §7.3, figure 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LeapIndicator {
    /// 0: no leap second announced.
    NoWarning,
    /// 1: the last minute of the month has 61 seconds.
    AddSecond,
    /// 2: the last minute of the month has 59 seconds.
    DeleteSecond,
    /// 3: the clock was never set, or no longer counts as set.
    #[default]
    NotSynchronized,
}

impl LeapIndicator {
    /// From the two bits; higher bits are ignored.
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::NoWarning,
            1 => Self::AddSecond,
            2 => Self::DeleteSecond,
            _ => Self::NotSynchronized,
        }
    }

    /// To the two bits.
    pub const fn to_bits(self) -> u8 {
        match self {
            Self::NoWarning => 0,
            Self::AddSecond => 1,
            Self::DeleteSecond => 2,
            Self::NotSynchronized => 3,
        }
    }
}
