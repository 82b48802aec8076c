//! How a server thread's datagrams come in: by poll(2) and recvmmsg(2), or through a ring.
mod linger;
mod polled;
mod ringed;

pub(super) use linger::Patience;
pub(super) use polled::Polled;
pub(super) use ringed::Ringed;

use super::plan::Door;
use core::time::Duration;
use std::io;
use truechimer_sys::batch::Sent;
use truechimer_sys::ring::RingCounts;
use truechimer_sys::socket::{Arrival, Socket};

/// Datagrams a system call moves at most.
pub(in crate::roster) const BATCH: usize = 64;
/// Replies sent together at most. Their transmit stamps are written before the first of them
/// leaves, so this bounds how much too early the last one's is.
pub(crate) const CHUNK: usize = 8;

/// Datagrams that came to one door, to be answered and replied to together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Portion {
    pub(super) door: usize,
    pub(super) count: usize,
    /// Others have been served since the last one that was: time has passed.
    pub(super) is_fresh: bool,
}

/// Either way in. They are few, so an answer's way is chosen by a match and not by a table.
#[expect(
    clippy::large_enum_variant,
    reason = "one for each thread, for as long as it runs"
)]
pub(super) enum Intake {
    Poll(Polled),
    Ring(Ringed),
}

impl Intake {
    /// Receives at these doors from now on.
    pub(super) fn set_doors(&mut self, doors: &[Door]) -> io::Result<()> {
        match self {
            Self::Poll(polled) => {
                polled.set_doors(doors);
                Ok(())
            }
            Self::Ring(ringed) => ringed.set_doors(doors),
        }
    }

    /// Waits for datagrams, `longest` at most.
    ///
    /// # Errors
    /// When this way in has closed.
    pub(super) fn wait(&mut self, doors: &[Door], longest: Duration) -> io::Result<()> {
        match self {
            Self::Poll(polled) => {
                polled.wait(doors, longest);
                Ok(())
            }
            Self::Ring(ringed) => ringed.wait(longest),
        }
    }

    /// The next datagrams since the wait; `None` when it is time for another one.
    pub(super) fn next(&mut self, doors: &[Door]) -> Option<Portion> {
        match self {
            Self::Poll(polled) => polled.next(doors),
            Self::Ring(ringed) => ringed.next(),
        }
    }

    /// Shows each datagram of the portion to `reply`; returns how many were unreadable.
    pub(super) fn answer(
        &mut self,
        reply: &mut dyn FnMut(Arrival<'_>, &mut [u8]) -> usize,
    ) -> usize {
        match self {
            Self::Poll(polled) => polled.answer(reply),
            Self::Ring(ringed) => ringed.ring.answer(reply),
        }
    }

    /// Sends the portion's replies.
    pub(super) fn send(&mut self, socket: &Socket) -> Sent {
        match self {
            Self::Poll(polled) => polled.send(socket),
            Self::Ring(ringed) => ringed.ring.send(socket),
        }
    }

    /// Why a ring had to begin again; `None` without one.
    pub(super) const fn ring_counts(&self) -> Option<RingCounts> {
        match self {
            Self::Poll(_) => None,
            Self::Ring(ringed) => Some(ringed.ring.counts()),
        }
    }
}
