//! Interleaved mode for clients (RFC 9769 §2): who is told in the next reply when this one left.
//!
//! Nothing is remembered of clients that do not use it. Our stamps tell in their two lowest bits,
//! below a nanosecond, what they are, so that a request that echoes when we received the one before
//! is known for interleaved without a look at any table, and what ntpd echoes, when we replied, is not.
mod budget;
mod slot;
mod table;
#[cfg(all(test, not(loom)))]
mod tests;

pub use table::{Departure, DepartureTable};

use super::Counters;
use crate::snapshot::Snapshot;
use budget::Budget;
use core::net::IpAddr;
use slot::Slot;
use truechimer_time::{Now, NtpTimestamp};
use truechimer_wire::{Header, Mode};

/// The bits that tell what a stamp of ours is: less than a nanosecond.
const MARK: u64 = 3;
/// Of a transmit stamp; any with the lowest bit is one.
const TRANSMITTED: u64 = 3;
/// Of a receive stamp of a reply whose departure we asked for.
const NOTED: u64 = 2;

/// Which version of the protocol has the mode.
const VERSION: u8 = 4;
/// No client is silent for longer, seconds: the greatest poll interval.
const SILENCE_MAX_S: f64 = 131_072.0;
/// Departures a second, and in a row, that are asked for who has not shown yet that it is where it
/// says: each costs a third of a reply.
const CLAIMS_A_SECOND: u32 = 256;
/// The same for who has not even shown that it uses the mode.
const FIRSTS_A_SECOND: u32 = 16;

/// What a request is to the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// There was none, as far as it says.
    First,
    /// It echoes a receive stamp that may be ours, with or without a note of its departure.
    Echo { noted: bool },
    /// It uses no interleaved mode.
    Basic,
}

/// What one thread knows of interleaved mode.
#[derive(Debug)]
pub(super) struct Interleaver {
    firsts: Budget,
    claims: Budget,
    /// Asked for, and not yet taken.
    departure: Option<Departure>,
}

impl Interleaver {
    pub(super) fn new() -> Self {
        Self {
            firsts: Budget::new(FIRSTS_A_SECOND),
            claims: Budget::new(CLAIMS_A_SECOND),
            departure: None,
        }
    }

    /// The departure that the last reply is to be noted with.
    pub(super) const fn take_departure(&mut self) -> Option<Departure> {
        self.departure.take()
    }

    /// A reply that is not sent departs never.
    pub(super) fn forget(&mut self) {
        self.departure = None;
    }

    /// Makes the basic reply to a client's request an interleaved one, if the departure of the reply
    /// before is known, and has that of this one noted if somebody will use it.
    pub(super) fn weave(
        &mut self,
        (now, source, asked, snapshot): (Now, IpAddr, &Header, &Snapshot),
        table: &DepartureTable,
        header: &mut Header,
        counters: &mut Counters,
    ) {
        if asked.mode != Mode::Client || asked.version != VERSION {
            return;
        }
        let arrived = header.receive_time;
        header.receive_time = marked(arrived, 0);
        header.transmit_time = marked(header.transmit_time, TRANSMITTED);
        let (is_proven, left) = match kind(asked, arrived) {
            Kind::Basic => return,
            Kind::First if self.firsts.take(now.mono) => (false, None),
            Kind::First => return,
            Kind::Echo { noted } => {
                let who = table.who(source);
                let before = noted.then(|| table.take(&who, asked.origin_time)).flatten();
                // Only who got our reply knows the stamp.
                let is_proven = before.is_some();
                if !is_proven && !self.claims.take(now.mono) {
                    counters.departures_passed_over += 1;
                    return;
                }
                (
                    is_proven,
                    before.and_then(|it| it.left_since(snapshot.step_epoch)),
                )
            }
        };
        if let Some(left) = left {
            header.origin_time = asked.receive_time;
            header.transmit_time = left;
            counters.interleaved += 1;
        }
        let reply = Slot {
            receive: marked(arrived, NOTED),
            epoch: snapshot.step_epoch,
            seen: now.mono,
            is_proven,
            ..Slot::default()
        };
        let who = table.who(source);
        self.departure = table.note(&who, reply, now.wall);
        if self.departure.is_some() {
            header.receive_time = reply.receive;
            counters.departures_asked += 1;
        } else {
            counters.departures_passed_over += 1;
        }
    }
}

/// What a request is to the one before it.
fn kind(asked: &Header, arrived: NtpTimestamp) -> Kind {
    let (origin, receive) = (asked.origin_time, asked.receive_time);
    if origin.is_zero() && receive.is_zero() {
        return Kind::First;
    }
    // With two stamps that are the same the client could not tell in which mode the reply is.
    if receive.is_zero() || receive == asked.transmit_time || origin.to_bits() & 1 != 0 {
        return Kind::Basic;
    }
    let ago_s = arrived.since(origin).to_seconds();
    if !(0.0..SILENCE_MAX_S).contains(&ago_s) {
        return Kind::Basic;
    }
    Kind::Echo {
        noted: origin.to_bits() & MARK == NOTED,
    }
}

const fn marked(at: NtpTimestamp, mark: u64) -> NtpTimestamp {
    NtpTimestamp::from_bits(at.to_bits() & !MARK | mark)
}
