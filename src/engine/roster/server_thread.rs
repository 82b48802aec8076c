//! One server thread: receive a batch, answer it from the snapshot, send, count.
use super::plan::{Board, Door};
use super::{HandedOff, Shared};
use crate::clients::{kernels, ours};
use crate::counters::{Published, ServerCounts};
use crate::latch::Reader;
use core::time::Duration;
use crossbeam_channel::Sender;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use truechimer_proto::authentication::{Authenticator, NoKeys};
use truechimer_proto::packet::{Received, Via};
use truechimer_proto::server::{Policy, Responder, Verdict};
use truechimer_proto::snapshot::Snapshot;
use truechimer_sys::batch::Batch;
use truechimer_sys::clock;
use truechimer_sys::poll::PollSet;
use truechimer_sys::process::{self, Core};
use truechimer_sys::socket::Arrival;
use truechimer_time::{Instant, Now};
use truechimer_wire::PACKET_LEN_MAX;

/// Datagrams a system call moves at most.
const BATCH: usize = 64;
/// How late the end or a new plan may be noticed.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// What a server thread is given for life.
pub(super) struct Seat {
    pub(super) number: usize,
    pub(super) core: Option<Core>,
    pub(super) reader: Reader,
    pub(super) sender: Sender<HandedOff>,
    pub(super) shared: Arc<Shared>,
}

pub(super) struct ServerThread {
    seat: Seat,
    board: Arc<Board>,
    published: Arc<Published>,
    seen: u64,
    clerk: Clerk,
    doors: Vec<Door>,
    batch: Batch,
    set: PollSet,
}

/// All that one answer needs beside the datagram.
struct Clerk {
    responder: Responder,
    policy: Arc<Policy>,
    authenticator: Box<dyn Authenticator>,
    counts: ServerCounts,
}

impl ServerThread {
    pub(super) fn new(seat: Seat, board: Arc<Board>, published: Arc<Published>) -> Self {
        Self {
            seat,
            board,
            published,
            seen: 0,
            clerk: Clerk {
                responder: Responder::new(),
                policy: Arc::new(Policy::default()),
                authenticator: Box::new(NoKeys),
                counts: ServerCounts::default(),
            },
            doors: Vec::new(),
            batch: Batch::new(BATCH, PACKET_LEN_MAX),
            set: PollSet::with_capacity(16),
        }
    }

    pub(super) fn run(mut self) {
        if let Some(core) = self.seat.core {
            // Unpinned it serves as well, a little slower.
            process::pin_thread(core);
        }
        while !self.seat.shared.stop.load(Ordering::Acquire) {
            self.read_board();
            self.turn();
        }
    }

    fn read_board(&mut self) {
        let Some(plan) = self.board.take_news(&mut self.seen) else {
            return;
        };
        self.clerk.policy = plan.policy;
        if let Some(authenticator) = plan.authenticator {
            self.clerk.authenticator = authenticator;
        }
        self.doors = plan.doors;
    }

    fn turn(&mut self) {
        self.set.clear();
        for door in &self.doors {
            self.set.push(door.socket.as_ref());
        }
        if !matches!(self.set.wait(WAIT_MAX), Ok(1..)) {
            return;
        }
        for place in 0..self.doors.len() {
            if self.set.readiness(place).readable {
                self.serve(place);
            }
        }
        self.clerk.counts.protocol = *self.clerk.responder.counters();
        self.published.store(&self.clerk.counts);
    }

    /// Serves one address until it has no full batch left, but not so long that the others or
    /// the end would have to wait.
    fn serve(&mut self, place: usize) {
        let Some(door) = self.doors.get(place) else {
            return;
        };
        for _ in 0..BATCH {
            let Ok(1..) = self.batch.receive(&door.socket, false) else {
                // Empty after all, or the late refusal of an earlier reply.
                return;
            };
            let snapshot = self.seat.reader.read();
            let mono = clock::monotonic();
            let (clerk, seat) = (&mut self.clerk, &self.seat);
            let unreadable = self.batch.answer(&mut |arrival, out| {
                clerk.answer(&arrival, door, &snapshot, mono, seat, out)
            });
            self.clerk.counts.unreadable += unreadable as u64;
            self.clerk.counts.send_failed += self.batch.send(&door.socket).failed as u64;
            if !self.batch.was_full() {
                return;
            }
        }
    }
}

impl Clerk {
    /// `mono` is the batch's: it only ages the root dispersion, and a batch takes microseconds.
    /// The system clock is read for every reply, for that is its transmit stamp.
    fn answer(
        &mut self,
        arrival: &Arrival<'_>,
        door: &Door,
        snapshot: &Snapshot,
        mono: Instant,
        seat: &Seat,
        out: &mut [u8],
    ) -> usize {
        if door.unwanted {
            self.counts.unwanted += 1;
            return 0;
        }
        let now = Now {
            mono,
            wall: clock::wall(),
        };
        let received = Received {
            octets: arrival.octets,
            source: arrival.source,
            via: Via::Server(door.local),
            stamp: arrival.stamp.map_or_else(|| ours(now.wall), kernels),
        };
        let auth = self.authenticator.as_mut();
        match self
            .responder
            .answer(now, &received, snapshot, &self.policy, auth, out)
        {
            Verdict::Reply(len) => len,
            Verdict::Drop(_) => 0,
            Verdict::HandOff => {
                let handed = HandedOff {
                    octets: arrival.octets.into(),
                    source: arrival.source,
                    local: door.local,
                    stamp: received.stamp,
                };
                if !seat.shared.hand_off(&seat.sender, handed) {
                    self.counts.overflowed += 1;
                }
                0
            }
        }
    }
}
