//! Broadcast associations (RFC 5905 §3): a server that tells the time to many, and a client that
//! hears it, measures the path once in a while and then only listens.
mod emitter;
mod fresh;
mod hearing;
mod key_lists;
mod level;
mod listener;
mod one_way;
mod volley;

pub(crate) use emitter::Emitter;
pub(crate) use fresh::FirstPacket;
pub(crate) use key_lists::KeyLists;
pub(crate) use listener::{Listener, Road};

use crate::config::{AssociationConfig, Remote};

/// Poll exponents a broadcast may carry; another one is nobody's (CVE-2016-7428: the reference
/// aborts at less than 3).
pub(crate) const POLL_FIELD: core::ops::RangeInclusive<i8> = 3..=17;
/// However seldom a source says that it speaks, it is missed after eight intervals of at most this.
const EXPECTED_POLL_MAX: i8 = 12;

/// The interval to count with, log2 seconds.
fn expected_poll(field: i8) -> i8 {
    field.clamp(*POLL_FIELD.start(), EXPECTED_POLL_MAX)
}

/// The reference's letters for those who send to a group or to a broadcast address.
pub(super) fn letters(line: &AssociationConfig) -> &'static str {
    match line.remote {
        Remote::Address(address) if !address.is_multicast() => "BCST",
        _ => "MCST",
    }
}
