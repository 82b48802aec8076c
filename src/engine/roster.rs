//! The roster of server threads. Each has its own socket for every service address, its own
//! responder and keys, and reads the published snapshot; it waits for nobody, so a stalled clock
//! thread stops no answer.
mod intake;
mod plan;
mod server_thread;

pub(crate) use intake::CHUNK;
pub(crate) use server_thread::Manner;

use crate::MakeAuthenticator;
use crate::config::Listen;
use crate::counters::{Published, ServerCounts};
use crate::errands::{Errands, Finisher};
use crate::error::EngineError;
use crate::host::Host;
use crate::latch::{Publisher, latch};
use crate::listeners::{Changes, Listeners};
use crate::notice::Notice;
use crate::queries::{QUERIES_MAX, Query};
use crate::rings::{EngineReason, Rings};
use crate::rules::Rules;
use crate::traces::Tracer;
use core::net::SocketAddr;
use core::time::Duration;
use crossbeam_channel::{Receiver, Sender};
use plan::{Board, Plan};
use server_thread::ServerThread;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::service::Service;
use truechimer_proto::control::ControlRequest;
use truechimer_proto::packet::{Received, Stamp, Via};
use truechimer_proto::server::Policy;
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::system::System;
use truechimer_sys::clock;
use truechimer_sys::process::{self, Core};
use truechimer_sys::ring::IdleRing;
use truechimer_sys::wake::Wake;

/// Datagrams that wait for the clock thread, at most; what is more is dropped and counted.
const HANDED_OFF_MAX: usize = 256;
/// Of these, how many the clock thread takes in one turn.
const TAKEN_A_TURN: usize = 64;
/// How long the end waits for all threads together. One that is held up longer ends with the
/// process.
const FAREWELL: Duration = Duration::from_millis(250);
/// How often it looks whether they have ended.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A datagram that is the clock thread's business.
struct HandedOff {
    octets: Box<[u8]>,
    source: SocketAddr,
    local: SocketAddr,
    stamp: Stamp,
}

/// What all server threads and the clock thread share.
struct Shared {
    stop: AtomicBool,
    wake: Arc<Wake>,
    /// Set from the first ring until the clock thread has looked: one write rings for many.
    ringing: AtomicBool,
}

struct Member {
    board: Arc<Board>,
    published: Arc<Published>,
    /// Ends its wait, where it waits for its ring.
    wake: Option<Arc<Wake>>,
    handle: JoinHandle<()>,
}

impl Member {
    fn wake(&self) {
        if let Some(wake) = &self.wake {
            wake.wake();
        }
    }
}

pub(crate) struct Roster {
    listeners: Listeners,
    rules: Rules,
    publisher: Publisher,
    shared: Arc<Shared>,
    handed_off: Receiver<HandedOff>,
    queries: Receiver<Query>,
    members: Vec<Member>,
    /// Where there is a holder of keys.
    finisher: Option<Arc<Finisher>>,
    reason: EngineReason,
    /// Threads that began with a ring, and how many are known to have lost it.
    rings: usize,
    rings_lost: usize,
}

/// What a roster starts from.
pub(crate) struct Start {
    pub(crate) listeners: Listeners,
    pub(crate) policy: Arc<Policy>,
    pub(crate) snapshot: Snapshot,
    pub(crate) wake: Arc<Wake>,
    /// They are bound to, in turn; none for none.
    pub(crate) cores: Vec<Core>,
    /// One for each thread.
    pub(crate) seeds: Vec<[u8; 32]>,
    /// Opened beforehand.
    pub(crate) rings: Rings,
    pub(crate) manner: Manner,
    /// Where traces are wanted.
    pub(crate) tracer: Option<Tracer>,
    /// Where there is a holder of keys.
    pub(crate) errands: Option<Errands>,
}

impl Roster {
    /// Starts the threads, and binds the calling thread, which is the clock's, to the core after
    /// theirs.
    pub(crate) fn start(
        start: Start,
        make_authenticator: MakeAuthenticator<'_>,
        host: &mut dyn Host,
    ) -> Result<Self, EngineError> {
        let cores = start.cores;
        let core_of = |place: usize| -> Option<Core> {
            let place = place.checked_rem(cores.len())?;
            cores.get(place).copied()
        };
        let (publisher, reader) = latch(&start.snapshot);
        let (sender, handed_off) = crossbeam_channel::bounded(HANDED_OFF_MAX);
        let (asking, queries) = crossbeam_channel::bounded(QUERIES_MAX);
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            wake: start.wake,
            ringing: AtomicBool::new(false),
        });
        let mut roster = Self {
            listeners: start.listeners,
            rules: Rules::new(start.policy),
            publisher,
            shared,
            handed_off,
            queries,
            members: Vec::with_capacity(start.seeds.len()),
            finisher: start.errands.is_some().then(|| {
                let keys = make_authenticator();
                Arc::new(Finisher::new(keys, reader.clone()))
            }),
            reason: start.rings.reason,
            rings: start.rings.idle.len(),
            rings_lost: 0,
        };
        let threads = start.seeds.len();
        let mut rings = start.rings.idle.into_iter();
        for (number, seed) in start.seeds.into_iter().enumerate() {
            let seat = server_thread::Seat {
                number,
                core: core_of(number),
                reader: reader.clone(),
                sender: sender.clone(),
                queries: asking.clone(),
                shared: Arc::clone(&roster.shared),
                seed,
                tracer: start.tracer.clone(),
                errands: start.errands.clone().zip(roster.finisher.clone()),
                manner: start.manner,
            };
            let member = roster.hire(seat, rings.next(), make_authenticator())?;
            roster.members.push(member);
        }
        if let Some(core) = core_of(threads)
            && !process::pin_thread(core)
        {
            host.handle_notice(&Notice::NotPinned(threads));
        }
        Ok(roster)
    }

    fn hire(
        &self,
        seat: server_thread::Seat,
        ring: Option<IdleRing>,
        authenticator: Box<dyn Authenticator>,
    ) -> Result<Member, EngineError> {
        let plan = self.plan(seat.number, Some(authenticator));
        let board = Arc::new(Board::new(plan));
        let published = Arc::new(Published::default());
        let (its_board, its_counts) = (Arc::clone(&board), Arc::clone(&published));
        let wake = ring.as_ref().map(|_| Wake::new().map(Arc::new));
        let wake = wake.transpose().map_err(EngineError::Thread)?;
        published.store(&ServerCounts {
            rings: u64::from(ring.is_some()),
            ..ServerCounts::default()
        });
        let its_ring = ring.zip(wake.clone());
        let handle = std::thread::Builder::new()
            .name(format!("server-{}", seat.number))
            .spawn(move || ServerThread::new(seat, its_board, its_counts, its_ring).run())
            .map_err(EngineError::Thread)?;
        Ok(Member {
            board,
            published,
            wake,
            handle,
        })
    }

    fn plan(&self, number: usize, authenticator: Option<Box<dyn Authenticator>>) -> Plan {
        Plan {
            policy: Arc::clone(self.rules.in_force()),
            authenticator,
            doors: plan::doors(self.listeners.open(), number),
        }
    }

    /// The policy in force.
    pub(crate) const fn policy(&self) -> &Arc<Policy> {
        self.rules.in_force()
    }

    pub(crate) fn publish(&mut self, snapshot: &Snapshot) {
        self.publisher.publish(snapshot);
    }

    pub(crate) fn replace_policy(
        &mut self,
        policy: &Policy,
        make_authenticator: MakeAuthenticator<'_>,
    ) {
        self.rules.replace(policy);
        for (number, member) in self.members.iter().enumerate() {
            let keys = make_authenticator();
            member.board.post(self.plan(number, Some(keys)));
            member.wake();
        }
        if let Some(finisher) = &self.finisher {
            finisher.replace_keys(make_authenticator());
        }
    }

    pub(crate) fn use_autokey(&mut self, service: Option<Arc<Service>>) {
        self.rules.use_autokey(service);
        self.post();
    }

    pub(crate) fn use_servers(&mut self, servers: Vec<SocketAddr>) {
        self.rules.use_servers(servers);
        self.post();
    }

    pub(crate) fn replace_listen(&mut self, listen: Listen) {
        self.listeners.replace(listen);
    }

    /// New and lost sockets reach the threads with their next look at the board.
    pub(crate) fn rescan(&mut self, notices: &mut Vec<Notice>) -> Changes {
        let rings = self.members.iter().map(|one| one.published.load().rings);
        let lost = self.rings - rings.sum::<u64>().try_into().unwrap_or(0).min(self.rings);
        if lost > self.rings_lost {
            self.rings_lost = lost;
            notices.push(Notice::RingsLost(lost, self.members.len()));
        }
        let changes = self.listeners.rescan(notices);
        if changes.sockets {
            self.post();
        }
        changes
    }

    /// Posts the plan of now, with the keys they have.
    fn post(&self) {
        for (number, member) in self.members.iter().enumerate() {
            member.board.post(self.plan(number, None));
            member.wake();
        }
    }

    pub(crate) const fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// Why they use the engine they use.
    pub(crate) const fn reason(&self) -> &EngineReason {
        &self.reason
    }

    pub(crate) const fn threads(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn counts(&self) -> Vec<ServerCounts> {
        self.members
            .iter()
            .map(|member| member.published.load())
            .collect()
    }

    /// Of the replies of all of them that waited for a holder of keys.
    pub(crate) fn finished(&self) -> ServerCounts {
        let finisher = self.finisher.as_ref();
        finisher.map_or_else(ServerCounts::default, |it| it.counts())
    }

    pub(crate) fn wake(&self) -> &Wake {
        &self.shared.wake
    }

    /// Takes a turn's worth of what the threads handed off.
    pub(crate) fn take_handed_off(&mut self, system: &mut System) {
        // Hushed first: whoever hands off after this rings again.
        self.shared.wake.hush();
        self.shared.ringing.store(false, Ordering::Release);
        for handed in self.handed_off.try_iter().take(TAKEN_A_TURN) {
            let received = Received {
                octets: &handed.octets,
                source: handed.source,
                via: Via::Server(handed.local),
                stamp: handed.stamp,
            };
            system.handle_packet(clock::now(), &received);
        }
        if !self.handed_off.is_empty() {
            self.shared.ring();
        }
    }

    /// A control request that waits.
    pub(crate) fn take_query(&self) -> Option<Query> {
        self.queries.try_recv().ok()
    }

    /// Buffers to receive into.
    pub(crate) const fn buffers(&self) -> u64 {
        (self.members.len() * intake::BATCH) as u64
    }

    pub(crate) fn queries_waiting(&self) -> usize {
        self.queries.len()
    }

    /// Ends the threads, wherever they wait.
    pub(crate) fn stop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        for socket in self.listeners.open().iter().flat_map(|one| &one.sockets) {
            socket.shut_for_receiving();
        }
        for member in &self.members {
            member.wake();
        }
        let patience = clock::monotonic().plus(FAREWELL);
        for member in self.members.drain(..) {
            member.handle.thread().unpark();
            while !member.handle.is_finished() && clock::monotonic() < patience {
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }
}

impl Drop for Roster {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn ring(&self) {
        if !self.ringing.swap(true, Ordering::AcqRel) {
            self.wake.wake();
        }
    }

    /// Gives a control request to the clock thread; `false` if its queue is full.
    fn hand_query(&self, queries: &Sender<Query>, request: &ControlRequest<'_>) -> bool {
        let taken = queries.try_send(Query::new(request)).is_ok();
        self.ring();
        taken
    }

    /// Gives a datagram to the clock thread; `false` if its queue is full.
    fn hand_off(&self, sender: &Sender<HandedOff>, received: &Received<'_>) -> bool {
        let Via::Server(local) = received.via else {
            return false;
        };
        let handed = HandedOff {
            octets: received.octets.into(),
            source: received.source,
            local,
            stamp: received.stamp,
        };
        let taken = sender.try_send(handed).is_ok();
        self.ring();
        taken
    }
}
