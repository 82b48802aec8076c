//! One server thread: receive some, answer them from the snapshot, send, count.
use super::intake::{Intake, Patience, Polled, Portion, Ringed};
use super::plan::{Board, Door};
use super::{HandedOff, Shared};
use crate::clerk::{Clerk, Moment, Outcome};
use crate::counters::Published;
use crate::departures::{Asked, READ_AT_ONCE};
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
use truechimer_sys::batch::Sent;
use truechimer_sys::clock;
use truechimer_sys::departures::Departures;
use truechimer_sys::process::{self, Core};
use truechimer_sys::ring::IdleRing;
use truechimer_sys::socket::Arrival;
use truechimer_sys::wake::Wake;

/// How late a new plan may be noticed.
pub(super) const WAIT_MAX: Duration = Duration::from_millis(500);

/// How a thread waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Longest span to wait for more datagrams than the first; zero is never.
    pub(crate) linger: Duration,
    /// It does not sleep.
    pub(crate) spins: bool,
}

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
    pub(super) manner: Manner,
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
    /// Of each door.
    asked: Vec<Asked>,
    departures: Departures,
    intake: Intake,
    moment: Option<Moment>,
}

impl ServerThread {
    /// The calling thread becomes the one that the ring, if there is one, belongs to.
    pub(super) fn new(
        seat: Seat,
        board: Arc<Board>,
        published: Arc<Published>,
        ring: Option<(IdleRing, Arc<Wake>)>,
    ) -> Self {
        // The board has a plan from the start, so this policy answers nobody.
        let policy = Arc::new(Policy::default());
        let clerk = Clerk::new(policy, Box::new(NoKeys), seat.seed, seat.tracer.clone());
        let Manner { linger, spins } = seat.manner;
        let ring = ring.and_then(|(idle, wake)| idle.start(wake).ok());
        let intake = match ring {
            Some(ring) => Intake::Ring(Ringed::new(ring, Patience::new(linger), spins)),
            None => Intake::Poll(Polled::new(spins)),
        };
        Self {
            seat,
            board,
            published,
            seen: 0,
            clerk,
            doors: Vec::new(),
            asked: Vec::new(),
            departures: Departures::new(READ_AT_ONCE),
            intake,
            moment: None,
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
        let doors = self.use_doors(plan.doors);
        if self.intake.set_doors(&self.doors).is_err() {
            self.fall_back();
        }
        drop(doors);
    }

    /// Without its ring a thread serves as well, a little slower; the status says so.
    fn fall_back(&mut self) {
        self.intake = Intake::Poll(Polled::new(self.seat.manner.spins));
        // Of this kind it is never refused.
        let _ = self.intake.set_doors(&self.doors);
    }

    /// Doors that stay keep what waits at them; those there were are returned.
    fn use_doors(&mut self, doors: Vec<Door>) -> Vec<Door> {
        let before = core::mem::replace(&mut self.doors, doors);
        let mut had: Vec<_> = core::mem::take(&mut self.asked)
            .into_iter()
            .map(Some)
            .collect();
        let asked = self.doors.iter().map(|door| {
            let mut places = before.iter().zip(&mut had);
            let its = places.find(|(it, _)| Arc::ptr_eq(&it.socket, &door.socket));
            let its = its.and_then(|(_, asked)| asked.take());
            its.unwrap_or_else(|| Asked::new(&door.socket))
        });
        self.asked = asked.collect();
        before
    }

    fn turn(&mut self) {
        if self.intake.wait(&self.doors, WAIT_MAX).is_err() {
            self.fall_back();
        }
        self.clerk.counts.wakeups += 1;
        let mut is_useful = false;
        while let Some(portion) = self.intake.next(&self.doors) {
            is_useful = true;
            self.serve(portion);
        }
        self.clerk.counts.useful_wakeups += u64::from(is_useful);
        if !is_useful {
            // It may be for a stamp that came late: as long as one is not read there is no rest.
            self.note_departures();
        }
        self.clerk.counts.note_ring(self.intake.ring_counts());
        self.published.store(&self.clerk.counts());
    }

    /// Notes what the kernel says by now of the departures asked for.
    fn note_departures(&mut self) {
        let Some(table) = self.clerk.policy.departures() else {
            return;
        };
        let moment = Moment {
            snapshot: self.seat.reader.read(),
            mono: clock::monotonic(),
        };
        for (door, asked) in self.doors.iter().zip(&mut self.asked) {
            asked.read(&door.socket, &mut self.departures, moment.noting(table));
        }
    }

    fn serve(&mut self, portion: Portion) {
        let Some(door) = self.doors.get(portion.door) else {
            return;
        };
        door.traffic.note_received(portion.count);
        if portion.is_fresh {
            self.moment = None;
        }
        let moment = &*self.moment.get_or_insert_with(|| Moment {
            snapshot: self.seat.reader.read(),
            mono: clock::monotonic(),
        });
        let (clerk, seat) = (&mut self.clerk, &self.seat);
        let mut postbox = Postbox {
            door,
            asked: self.asked.get_mut(portion.door),
            departures: &mut self.departures,
            moment,
        };
        let unreadable = self.intake.answer(&mut |arrival, out| {
            match clerk.answer(&arrival, door.desk, moment, out) {
                Outcome::Reply(len) => return postbox.send(clerk, &arrival, out, len),
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
        let Sent { sent, failed } = self.intake.send(&door.socket);
        door.traffic.note_sent(sent, failed);
        self.clerk.counts.unreadable += unreadable as u64;
        self.clerk.counts.send_failed += failed as u64;
        let asked = self.asked.get_mut(portion.door);
        if let (Some(asked), Some(table)) = (
            asked.filter(|it| it.is_waiting()),
            self.clerk.policy.departures(),
        ) {
            asked.read(&door.socket, &mut self.departures, moment.noting(table));
        }
    }
}

/// Where a reply is sent at once, and asked when it left, if somebody will want to know.
struct Postbox<'a> {
    door: &'a Door,
    asked: Option<&'a mut Asked>,
    departures: &'a mut Departures,
    moment: &'a Moment,
}

impl Postbox<'_> {
    /// Returns how much of the reply is left to be sent together with others: all or nothing.
    fn send(&mut self, clerk: &mut Clerk, arrival: &Arrival<'_>, out: &[u8], len: usize) -> usize {
        let departure = clerk.take_departure();
        let (Some(departure), Some(asked)) = (departure, &mut self.asked) else {
            return len;
        };
        let Some(table) = clerk.policy.departures() else {
            return len;
        };
        let by = self.moment.noting(table);
        let reply = out.get(..len).unwrap_or_default();
        let letter = (self.door.socket.as_ref(), reply, arrival.source);
        let sent = asked.send(letter, departure, self.departures, by);
        let (sent, failed) = (usize::from(sent), usize::from(!sent));
        self.door.traffic.note_sent(sent, failed);
        clerk.counts.send_failed += failed as u64;
        0
    }
}
