use super::{BATCH, CHUNK, Portion};
use crate::roster::plan::Door;
use crate::roster::server_thread::WAIT_MAX;
use core::time::Duration;
use truechimer_sys::batch::{Batch, Sent};
use truechimer_sys::clock;
use truechimer_sys::poll::PollSet;
use truechimer_sys::socket::{Arrival, Socket};
use truechimer_wire::PACKET_LEN_MAX;

/// Waits in poll(2), or with one door in recvmmsg(2), which saves a call.
pub(in crate::roster) struct Polled {
    batch: Batch,
    set: PollSet,
    spins: bool,
    /// There is one door, and receiving from it waits.
    waits: bool,
    /// The door in turn, and batches taken from it since the wait.
    door: usize,
    rounds: usize,
    /// Datagrams of the batch, how many were shown before the portion, and the portion's.
    received: usize,
    first: usize,
    count: usize,
}

impl Polled {
    pub(in crate::roster) fn new(spins: bool) -> Self {
        Self {
            batch: Batch::new(BATCH, PACKET_LEN_MAX),
            set: PollSet::with_capacity(16),
            spins,
            waits: false,
            door: 0,
            rounds: 0,
            received: 0,
            first: 0,
            count: 0,
        }
    }

    pub(super) fn set_doors(&mut self, doors: &[Door]) {
        self.waits = match doors {
            [only] if !self.spins => only.socket.wait_on_receive(WAIT_MAX).is_ok(),
            _ => false,
        };
    }

    pub(super) fn wait(&mut self, doors: &[Door], longest: Duration) {
        (self.door, self.rounds, self.received) = (0, 0, 0);
        (self.first, self.count) = (0, 0);
        if let (true, Some(only)) = (self.waits, doors.first()) {
            self.receive(&only.socket, true);
            return;
        }
        if doors.is_empty() {
            // No socket whose shutting would wake it; whoever ends it unparks it.
            std::thread::park_timeout(longest);
            return;
        }
        self.set.clear();
        for door in doors {
            self.set.push(door.socket.as_ref());
        }
        let until = clock::monotonic().plus(longest);
        loop {
            let longest = if self.spins { Duration::ZERO } else { longest };
            let ready = self.set.wait(longest);
            if !self.spins || !matches!(ready, Ok(0)) || clock::monotonic() >= until {
                return;
            }
        }
    }

    /// Takes a batch; none if there is nothing after all, or the late refusal of an earlier reply.
    fn receive(&mut self, socket: &Socket, wait: bool) {
        self.received = self.batch.receive(socket, wait).unwrap_or(0);
        self.rounds += 1;
        (self.first, self.count) = (0, 0);
    }

    /// Each door until it has no full batch left, but not so long that the others or the end would
    /// have to wait.
    pub(super) fn next(&mut self, doors: &[Door]) -> Option<Portion> {
        self.first += self.count;
        self.count = 0;
        while self.first >= self.received {
            let is_begun = self.rounds > 0;
            let is_done = is_begun && !(self.batch.was_full() && self.rounds < BATCH);
            if is_done {
                (self.door, self.rounds) = (self.door + 1, 0);
            }
            let door = doors.get(self.door)?;
            let is_ready = self.waits || self.set.readiness(self.door).readable;
            if self.rounds > 0 || (is_ready && !self.waits) {
                self.receive(&door.socket, false);
            } else {
                (self.door, self.rounds) = (self.door + 1, 0);
            }
        }
        self.count = (self.received - self.first).min(CHUNK);
        Some(Portion {
            door: self.door,
            count: self.count,
            is_fresh: self.first == 0,
        })
    }

    pub(super) fn answer(
        &mut self,
        reply: &mut dyn FnMut(Arrival<'_>, &mut [u8]) -> usize,
    ) -> usize {
        let places = self.first..self.first + self.count;
        self.batch.answer(places, reply)
    }

    pub(super) fn send(&mut self, socket: &Socket) -> Sent {
        self.batch.send(socket)
    }
}
