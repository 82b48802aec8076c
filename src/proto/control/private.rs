//! Private requests (mode 7): what each demands, and how answers are written.
mod freshness;
mod lines;
mod peers;
mod requirements;
mod rules;
mod system;

pub(crate) use freshness::Freshness;
pub(crate) use lines::{Unwritable, fudge, keys, peer, switches};
pub(crate) use peers::{info, list, stats, summary};
pub(crate) use requirements::Requirements;
pub use rules::Rule;
pub(crate) use rules::{reference_flags, restriction, restrictions};
pub(crate) use system::{
    authentication, clock, control, discipline, interfaces, io, kernel, memory, packets, system,
    timer,
};

use crate::authentication::KeyId;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the operator decided about private requests, where they are answered at all (`enable mode7`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrivateConfig {
    /// `requestkey`; without it nothing can be changed.
    pub key: Option<KeyId>,
    /// What `enable` and `disable` say, as `truechimer_wire::private::system_flags`.
    pub flags: u8,
}

/// Units of 2^-16.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
fn fixed(number: f64) -> i32 {
    (number * 65536.0) as i32
}

/// A count in 32 bits, as the reference cuts them.
#[expect(clippy::cast_possible_truncation, reason = "the counter wraps")]
const fn low(count: u64) -> u32 {
    count as u32
}

/// A count in 16 bits, or the greatest.
fn few(count: u64) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// The mask of so many leading ones.
fn mask(family_of: IpAddr, prefix_bits: u8) -> IpAddr {
    let ones = |width: u32, all: u128| {
        let host_bits = width.saturating_sub(prefix_bits.into());
        all.checked_shl(host_bits).unwrap_or(0)
    };
    match family_of {
        IpAddr::V4(_) => {
            let bits = ones(32, u128::from(u32::MAX)) & u128::from(u32::MAX);
            IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(bits).unwrap_or(0)))
        }
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(ones(128, u128::MAX))),
    }
}
