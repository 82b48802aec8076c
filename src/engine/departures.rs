//! Replies whose departure the kernel was asked for, of one socket of one server thread.
//!
//! The kernel numbers them, and tells by its number when one left. Where a number may be wrong, since a
//! datagram was refused that may have had one, all that wait are given up and the count begins anew: a
//! departure that is not known makes a basic reply, one of another reply would make a wrong one.
use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use truechimer_proto::server::{Departure, DepartureTable};
use truechimer_sys::departures::Departures;
use truechimer_sys::socket::Socket;
use truechimer_time::{Instant, NtpTimestamp};

/// Replies that wait for their stamp, at most.
const WAITING_MAX: usize = 64;
/// Departures read at a time.
pub(crate) const READ_AT_ONCE: usize = 64;
/// Reads in a row, at most.
const READS_MAX: usize = 4;
/// Who waits for longer waits in vain, seconds.
const IN_VAIN_AFTER_S: f64 = 2.0;
/// After the count began anew nothing is asked for so long: a datagram of before that still waits in a queue
/// would leave under the number of a new one. The table believes no departure later than a second.
const REST: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Waiting {
    number: u32,
    departure: Departure,
    since: Instant,
}

/// Those of one socket.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Whether the kernel can tell departures at all.
    is_told: bool,
    next: u32,
    rests_until: Option<Instant>,
    waiting: VecDeque<Waiting>,
}

/// Where departures become known, and when.
#[derive(Clone, Copy)]
pub(crate) struct Noting<'a> {
    pub(crate) table: &'a DepartureTable,
    /// When the clock was last stepped.
    pub(crate) epoch: NtpTimestamp,
    pub(crate) mono: Instant,
}

impl Asked {
    pub(crate) fn new(socket: &Socket) -> Self {
        Self {
            is_told: socket.stamp_on_request(),
            next: 0,
            rests_until: None,
            waiting: VecDeque::with_capacity(WAITING_MAX),
        }
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Sends a reply and asks when it leaves; whether the kernel took it.
    pub(crate) fn send(
        &mut self,
        (socket, octets, to): (&Socket, &[u8], SocketAddr),
        departure: Departure,
        reader: &mut Departures,
        by: Noting<'_>,
    ) -> bool {
        let rests = self.rests_until.is_some_and(|until| by.mono < until);
        if !self.is_told || rests {
            by.table.forget(&departure);
            return socket.send_to(octets, to).is_ok();
        }
        if socket.send_asking(octets, to).is_err() {
            by.table.forget(&departure);
            self.begin_anew(socket, reader, by);
            return false;
        }
        if self.waiting.len() >= WAITING_MAX
            && let Some(oldest) = self.waiting.pop_front()
        {
            by.table.forget(&oldest.departure);
        }
        self.waiting.push_back(Waiting {
            number: self.next,
            departure,
            since: by.mono,
        });
        self.next = self.next.wrapping_add(1);
        true
    }

    /// Notes the departures that are known by now. What was asked for in vain is given up.
    pub(crate) fn read(&mut self, socket: &Socket, reader: &mut Departures, by: Noting<'_>) {
        let waiting = &mut self.waiting;
        read_all(socket, reader, &mut |number, left| {
            let place = waiting.iter().position(|it| Some(it.number) == number);
            if let Some(its) = place.and_then(|place| waiting.remove(place)) {
                by.table.note_departure(&its.departure, left, by.epoch);
            }
        });
        self.waiting.retain(|it| {
            let may_come = by.mono.seconds_since(it.since) <= IN_VAIN_AFTER_S;
            if !may_come {
                by.table.forget(&it.departure);
            }
            may_come
        });
    }

    fn begin_anew(&mut self, socket: &Socket, reader: &mut Departures, by: Noting<'_>) {
        for it in self.waiting.drain(..) {
            by.table.forget(&it.departure);
        }
        read_all(socket, reader, &mut |_, _| ());
        self.is_told = socket.stamp_on_request();
        self.next = 0;
        self.rests_until = Some(by.mono.plus(REST));
    }
}

fn read_all(
    socket: &Socket,
    reader: &mut Departures,
    each: &mut dyn FnMut(Option<u32>, NtpTimestamp),
) {
    for _ in 0..READS_MAX {
        if reader.read(socket, each) < READ_AT_ONCE {
            return;
        }
    }
}
