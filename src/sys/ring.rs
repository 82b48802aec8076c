//! One io_uring for a server thread: sockets that receive without being asked again, into buffers
//! given beforehand, and replies by sendmmsg(2), which is cheaper than a submission for each
//! (ADR 0040).
//!
//! Whose memory is whose: a buffer is the kernel's from the moment it is offered until a completion
//! names it, and ours from then until it is offered again (`Buffers`). A request may complete as long
//! as its slot is `Armed` or `Leaving`, and the memory outlives it.
mod buffers;
mod idle;
mod message;
mod requests;
mod slots;

pub use idle::{IdleRing, Refused, RingSize};

use crate::batch::{NO_VECTOR, Sent, no_header, send_all};
use crate::socket::{Arrival, Socket};
use crate::wake::Wake;
use buffers::Buffers;
use core::time::Duration;
use io_uring::types::{SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue};
use slots::{CANCEL, Slots, State, WAKE};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Ends by an error in a row, without a datagram between them, after which a socket is given up.
const BARREN_MAX: u32 = 64;
/// Completions a lingering wait asks for: more than there will be, so that time ends it.
const LINGER_FOR: usize = 64;
/// How often a spinning wait looks at a clock.
const SPINS_A_LOOK: u32 = 256;
/// Why receiving had to be begun again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingCounts {
    /// All buffers were in use.
    pub starved: u64,
    /// The queue of completions was full, or the kernel ended it for reasons of its own.
    pub cut_short: u64,
    /// An error of the socket, such as a late refusal of a reply.
    pub failed: u64,
    /// It was cancelled, but not by us.
    pub cancelled: u64,
}

/// How to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Until the first datagram.
    First,
    /// So long in any case, that more may come; then until the first. Where the kernel cannot, before
    /// 6.12, as `First`.
    Linger(Duration),
    /// Without sleeping.
    Spin,
}

/// Datagrams that came to one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Portion {
    /// Which, in the list of sockets.
    pub place: usize,
    /// How many.
    pub count: usize,
}

/// A ring at work. It belongs to the thread that started it.
pub struct Ring {
    uring: IoUring,
    buffers: Buffers,
    /// Read by the kernel when a request begins.
    template: Box<libc::msghdr>,
    slots: Slots,
    wake: Arc<Wake>,
    is_wake_armed: bool,
    /// Whether any slot is `Idle`.
    is_any_idle: bool,
    counts: RingCounts,
    fault: Option<io::Error>,
    /// Of the portion shown: its slot, and the buffers.
    slot: usize,
    shown: Vec<u16>,
    portion_max: usize,
    /// A completion taken off the queue that belongs to the next portion.
    next: Option<cqueue::Entry>,
    octets_each: usize,
    replies: Box<[u8]>,
    reply_lens: Box<[usize]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
}

impl IdleRing {
    /// Has the calling thread run it, and no other; `wake` ends its waits.
    ///
    /// # Errors
    /// The kernel's.
    pub fn start(self, wake: Arc<Wake>) -> io::Result<Ring> {
        let Self {
            uring,
            buffers,
            size,
        } = self;
        uring.submitter().register_enable_rings()?;
        let portion = size.portion;
        Ok(Ring {
            uring,
            buffers,
            template: Box::new(message::template()),
            slots: Slots::new(size.sockets),
            wake,
            is_wake_armed: false,
            is_any_idle: false,
            counts: RingCounts::default(),
            fault: None,
            slot: 0,
            shown: Vec::with_capacity(portion),
            portion_max: portion,
            next: None,
            octets_each: size.octets_each,
            replies: vec![0; portion * size.octets_each].into_boxed_slice(),
            reply_lens: vec![0; portion].into_boxed_slice(),
            vectors: vec![NO_VECTOR; portion].into_boxed_slice(),
            headers: vec![no_header(); portion].into_boxed_slice(),
        })
    }
}

impl Ring {
    /// Waits until there are datagrams, `longest` is over, a signal came or somebody woke us.
    ///
    /// # Errors
    /// When this ring receives no longer.
    pub fn wait(&mut self, longest: Duration, waiting: Waiting) -> io::Result<()> {
        self.give_back();
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        self.arm()?;
        if self.next.is_some() || !self.uring.completion().is_empty() {
            return Ok(());
        }
        if waiting == Waiting::Spin {
            self.spin(longest);
            return match self.uring.submit() {
                Ok(_) => Ok(()),
                Err(error) => tolerate(error),
            };
        }
        let timeout = Timespec::from(longest);
        let mut how = SubmitArgs::new().timespec(&timeout);
        let mut want = 1;
        if let Waiting::Linger(span) = waiting
            && self.uring.params().is_feature_min_timeout()
        {
            how = how.min_wait_usec(u32::try_from(span.as_micros()).unwrap_or(u32::MAX));
            want = LINGER_FOR;
        }
        match self.uring.submitter().submit_with_args(want, &how) {
            Ok(_) => Ok(()),
            Err(error) => tolerate(error),
        }
    }

    /// The kernel sets a flag when there is work for us.
    fn spin(&mut self, longest: Duration) {
        let until = Instant::now() + longest;
        let mut spins = 0_u32;
        while !self.uring.submission().taskrun() && self.uring.completion().is_empty() {
            core::hint::spin_loop();
            spins = spins.wrapping_add(1);
            if spins.is_multiple_of(SPINS_A_LOOK) && Instant::now() >= until {
                return;
            }
        }
    }

    /// Shows the next datagrams that wait, all of one socket; what was shown before is forgotten.
    pub fn receive(&mut self) -> Option<Portion> {
        self.give_back();
        while self.shown.len() < self.portion_max {
            let next = self.next.take();
            let Some(entry) = next.or_else(|| self.uring.completion().next()) else {
                break;
            };
            let number = match entry.user_data() {
                WAKE => {
                    self.wake.hush();
                    self.is_wake_armed = cqueue::more(entry.flags());
                    continue;
                }
                CANCEL => continue,
                user_data => self.slots.owner(user_data),
            };
            let Some(number) = number else {
                self.note_stray(&entry);
                continue;
            };
            if !self.shown.is_empty() && number != self.slot {
                self.next = Some(entry);
                break;
            }
            self.note(number, &entry);
        }
        let slot = self.slots.get(self.slot)?;
        (!self.shown.is_empty()).then_some(Portion {
            place: slot.place,
            count: self.shown.len(),
        })
    }

    /// A completion of one of our sockets.
    fn note(&mut self, number: usize, entry: &cqueue::Entry) {
        let buffer = cqueue::buffer_select(entry.flags());
        let buffer = buffer.filter(|buffer| self.buffers.take(*buffer));
        let Some(slot) = self.slots.get_mut(number) else {
            return;
        };
        let has_datagram = entry.result() >= 0 && buffer.is_some();
        if has_datagram {
            slot.barren = 0;
        }
        let is_shown = has_datagram && slot.is_receiving();
        if !cqueue::more(entry.flags()) {
            if slot.state == State::Leaving {
                slot.state = State::Free;
            } else {
                slot.state = State::Idle;
                self.note_end(number, entry.result());
            }
        }
        match buffer {
            Some(buffer) if is_shown => {
                self.slot = number;
                self.shown.push(buffer);
            }
            Some(buffer) => {
                self.buffers.offer(buffer);
                self.buffers.publish();
            }
            None => {}
        }
    }

    /// Receiving has ended without our wish.
    fn note_end(&mut self, number: usize, result: i32) {
        self.is_any_idle = true;
        match -result {
            libc::ENOBUFS => self.counts.starved += 1,
            libc::ECANCELED => self.counts.cancelled += 1,
            error @ 1.. => {
                self.counts.failed += 1;
                if let Some(slot) = self.slots.get_mut(number) {
                    slot.barren += 1;
                    if slot.barren >= BARREN_MAX {
                        self.fault = Some(io::Error::from_raw_os_error(error));
                    }
                }
            }
            _ => self.counts.cut_short += 1,
        }
    }

    /// A completion of a socket that was left and has a successor already.
    fn note_stray(&mut self, entry: &cqueue::Entry) {
        let buffer = cqueue::buffer_select(entry.flags());
        if let Some(buffer) = buffer.filter(|buffer| self.buffers.take(*buffer)) {
            self.buffers.offer(buffer);
            self.buffers.publish();
        }
    }

    /// Shows each datagram of the portion, with room for a reply, to `reply`, which returns the length
    /// of its reply or 0. Returns how many were too long or without an IP source, and so not shown.
    pub fn answer(&mut self, reply: &mut dyn FnMut(Arrival<'_>, &mut [u8]) -> usize) -> usize {
        let mut unreadable = 0;
        let outs = self.replies.chunks_exact_mut(self.octets_each);
        for ((buffer, out), len) in self.shown.iter().zip(outs).zip(&mut self.reply_lens) {
            let octets = self.buffers.get(*buffer);
            match octets.and_then(|octets| message::read(octets, &self.template)) {
                Some(arrival) => *len = reply(arrival, out).min(self.octets_each),
                None => unreadable += 1,
            }
        }
        unreadable
    }

    /// Sends the replies made since it was last called to where the datagrams came from, without
    /// waiting: what the kernel has no room for is dropped and counted.
    pub fn send(&mut self, socket: &Socket) -> Sent {
        let mut armed = 0;
        let replies = self.replies.chunks_exact_mut(self.octets_each);
        for ((buffer, reply), len) in self.shown.iter().zip(replies).zip(&self.reply_lens) {
            let source = self.buffers.get(*buffer).and_then(message::raw_source);
            let Some((source, source_len)) = source.filter(|_| *len > 0) else {
                continue;
            };
            let vector = &mut self.vectors[armed];
            vector.iov_base = reply.as_mut_ptr().cast();
            vector.iov_len = *len;
            let header = &mut self.headers[armed].msg_hdr;
            header.msg_name = source.as_ptr().cast_mut().cast();
            header.msg_namelen = source_len;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            armed += 1;
        }
        // SAFETY: so many were armed just now, with pointers into `replies` and `vectors`, which
        // `self`, exclusively borrowed, owns, and into buffers that are held until `give_back`; of
        // these the kernel only reads the addresses.
        let outcome = unsafe { send_all(socket, &mut self.headers[..armed]) };
        self.reply_lens.fill(0);
        outcome
    }

    /// Gives the buffers of the portion back to the kernel.
    fn give_back(&mut self) {
        if self.shown.is_empty() {
            return;
        }
        for buffer in self.shown.drain(..) {
            self.buffers.offer(buffer);
        }
        self.buffers.publish();
        self.reply_lens.fill(0);
    }

    /// Why receiving had to be begun again, so far.
    pub const fn counts(&self) -> RingCounts {
        self.counts
    }
}

/// What a wait may end with besides completions: its time, a signal, a full queue of completions.
fn tolerate(error: io::Error) -> io::Result<()> {
    match error.raw_os_error() {
        Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN) => Ok(()),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests;
