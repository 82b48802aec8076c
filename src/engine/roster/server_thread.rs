//! One server thread: receive a batch, answer it from the snapshot, send, count.
use super::plan::{Board, Door};
use super::{HandedOff, Shared};
use crate::clerk::{Clerk, Moment, Outcome};
use crate::counters::Published;
use crate::errands::{Errands, Finisher};
use crate::latch::Reader;
use crate::queries::Query;
use crate::traces::Tracer;
use core::time::Duration;
use crossbeam_channel::Sender;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use truechimer_proto::authentication::NoKeys;
use truechimer_proto::server::{Parked, Policy};
use truechimer_sys::batch::{Batch, Sent};
use truechimer_sys::clock;
use truechimer_sys::poll::PollSet;
use truechimer_sys::process::{self, Core};
use truechimer_wire::PACKET_LEN_MAX;

/// Datagrams a system call moves at most.
pub(super) const BATCH: usize = 64;
/// Replies sent together at most. Their transmit stamps are written before the first of them
/// leaves, so this bounds how much too early the last one's is.
const CHUNK: usize = 8;
/// How late a new plan may be noticed.
const WAIT_MAX: Duration = Duration::from_millis(500);

/// What a server thread is given for life.
pub(super) struct Seat {
    pub(super) number: usize,
    pub(super) core: Option<Core>,
    pub(super) reader: Reader,
    pub(super) sender: Sender<HandedOff>,
    pub(super) queries: Sender<Query>,
    pub(super) shared: Arc<Shared>,
    /// For what its responder leaves to chance.
    pub(super) seed: [u8; 32],
    /// Where traces are wanted.
    pub(super) tracer: Option<Tracer>,
    /// Where there is a holder of keys.
    pub(super) errands: Option<(Errands, Arc<Finisher>)>,
}

impl Seat {
    /// Has the answer to a request made and sent from this door; `false` if there is no room.
    fn send_out(&self, parked: Box<Parked>, door: &Door) -> bool {
        let Some((errands, finisher)) = &self.errands else {
            return false;
        };
        let from = (Arc::clone(&door.socket), Arc::clone(&door.traffic));
        errands.send_from(parked, from, Arc::clone(finisher))
    }
}

pub(super) struct ServerThread {
    seat: Seat,
    board: Arc<Board>,
    published: Arc<Published>,
    seen: u64,
    clerk: Clerk,
    doors: Vec<Door>,
    /// There is one door, and receiving from it waits, which saves a call to wait.
    waits: bool,
    batch: Batch,
    set: PollSet,
}

impl ServerThread {
    pub(super) fn new(seat: Seat, board: Arc<Board>, published: Arc<Published>) -> Self {
        // The board has a plan from the start, so this policy answers nobody.
        let policy = Arc::new(Policy::default());
        let clerk = Clerk::new(policy, Box::new(NoKeys), seat.seed, seat.tracer.clone());
        Self {
            seat,
            board,
            published,
            seen: 0,
            clerk,
            doors: Vec::new(),
            waits: false,
            batch: Batch::new(BATCH, PACKET_LEN_MAX),
            set: PollSet::with_capacity(16),
        }
    }

    pub(super) fn run(mut self) {
        if let Some(core) = self.seat.core {
            // Unpinned it serves as well, a little slower.
            process::pin_thread(core);
        }
        // So it does in turn with others.
        let _ = process::run_promptly();
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
            self.clerk.replace_keys(authenticator);
        }
        self.doors = plan.doors;
        self.waits = match self.doors.as_slice() {
            [only] => only.socket.wait_on_receive(WAIT_MAX).is_ok(),
            _ => false,
        };
    }

    fn turn(&mut self) {
        if self.waits {
            self.serve(0, true);
        } else if self.doors.is_empty() {
            // No socket whose shutting would wake it; whoever ends it unparks it.
            std::thread::park_timeout(WAIT_MAX);
        } else {
            self.wait_and_serve();
        }
        self.clerk.counts.wakeups += 1;
        self.published.store(&self.clerk.counts());
    }

    fn wait_and_serve(&mut self) {
        self.set.clear();
        for door in &self.doors {
            self.set.push(door.socket.as_ref());
        }
        if !matches!(self.set.wait(WAIT_MAX), Ok(1..)) {
            return;
        }
        for place in 0..self.doors.len() {
            if self.set.readiness(place).readable {
                self.serve(place, false);
            }
        }
    }

    /// Serves one address until it has no full batch left, but not so long that the others or
    /// the end would have to wait.
    fn serve(&mut self, place: usize, wait: bool) {
        let Some(door) = self.doors.get(place) else {
            return;
        };
        for round in 0..BATCH {
            let wait = wait && round == 0;
            let Ok(received @ 1..) = self.batch.receive(&door.socket, wait) else {
                // Empty after all, or the late refusal of an earlier reply.
                return;
            };
            self.clerk.counts.useful_wakeups += u64::from(round == 0);
            door.traffic.note_received(received);
            let moment = Moment {
                snapshot: self.seat.reader.read(),
                mono: clock::monotonic(),
            };
            for first in (0..received).step_by(CHUNK) {
                let (clerk, seat) = (&mut self.clerk, &self.seat);
                let places = first..first + CHUNK;
                let unreadable = self.batch.answer(places, &mut |arrival, out| {
                    match clerk.answer(&arrival, door.desk, &moment, out) {
                        Outcome::Reply(len) => return len,
                        Outcome::HandOff(received) => {
                            let overflowed = !seat.shared.hand_off(&seat.sender, &received);
                            clerk.counts.overflowed += u64::from(overflowed);
                        }
                        Outcome::Query(request) => {
                            let overflowed = !seat.shared.hand_query(&seat.queries, &request);
                            clerk.counts.overflowed += u64::from(overflowed);
                        }
                        Outcome::Park(parked) => {
                            let overflowed = !seat.send_out(parked, door);
                            clerk.counts.overflowed += u64::from(overflowed);
                        }
                        Outcome::Nothing => {}
                    }
                    0
                });
                let Sent { sent, failed } = self.batch.send(&door.socket);
                door.traffic.note_sent(sent, failed);
                self.clerk.counts.unreadable += unreadable as u64;
                self.clerk.counts.send_failed += failed as u64;
            }
            if !self.batch.was_full() {
                return;
            }
        }
    }
}
