//! Who answers requests: the clock thread itself, or a roster of threads beside it.
use crate::MakeAuthenticator;
use crate::clerk::{Clerk, Desk, Moment, Outcome};
use crate::config::Listen;
use crate::counters::ServerCounts;
use crate::errands::Errands;
use crate::listeners::{Changes, Listener, Listeners};
use crate::notice::Notice;
use crate::queries::{QUERIES_MAX, Query};
use crate::rings::EngineReason;
use crate::roster::Roster;
use crate::rules::Rules;
use crate::traces::Tracer;
use core::net::SocketAddr;
use std::collections::VecDeque;
use std::sync::Arc;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::job::Done;
use truechimer_proto::autokey::service::Service;
use truechimer_proto::packet::Via;
use truechimer_proto::server::{Parked, Policy};
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::system::System;
use truechimer_sys::batch::Batch;
use truechimer_sys::clock;
use truechimer_sys::poll::PollSet;
use truechimer_sys::socket::Arrival;
use truechimer_wire::PACKET_LEN_MAX;

/// Datagrams received at once: few, for the clock waits meanwhile.
const BATCH: usize = 16;

pub(crate) enum Serving {
    Here(Box<Here>),
    Threads(Box<Beside>),
}

/// Serving by the clock thread itself.
pub(crate) struct Here {
    listeners: Listeners,
    rules: Rules,
    counter: Counter,
    batch: Batch,
}

/// Serving by threads beside the clock thread, which serves what comes to its own sockets.
pub(crate) struct Beside {
    roster: Roster,
    counter: Counter,
}

/// Where the clock thread itself serves.
pub(crate) struct Counter {
    clerk: Clerk,
    queries: VecDeque<Query>,
    errands: Option<Errands>,
    /// Jobs that holders of keys have, of this thread's.
    out: usize,
}

impl Serving {
    pub(crate) fn here(listeners: Listeners, policy: Arc<Policy>, counter: Counter) -> Self {
        Self::Here(Box::new(Here {
            listeners,
            rules: Rules::new(policy),
            counter,
            batch: Batch::new(BATCH, PACKET_LEN_MAX),
        }))
    }

    pub(crate) fn beside(roster: Roster, counter: Counter) -> Self {
        Self::Threads(Box::new(Beside { roster, counter }))
    }

    pub(super) fn replace_policy(
        &mut self,
        policy: &Policy,
        make_authenticator: MakeAuthenticator<'_>,
    ) {
        match self {
            Self::Here(here) => {
                here.rules.replace(policy);
                here.counter.clerk.policy = Arc::clone(here.rules.in_force());
                here.counter.clerk.replace_keys(make_authenticator());
            }
            Self::Threads(beside) => {
                beside.roster.replace_policy(policy, make_authenticator);
                beside.counter.clerk.policy = Arc::clone(beside.roster.policy());
                beside.counter.clerk.replace_keys(make_authenticator());
            }
        }
    }

    /// Has the rules of servers bind these from now on, and no others.
    pub(super) fn use_servers(&mut self, servers: Vec<SocketAddr>) {
        match self {
            Self::Here(here) => {
                here.rules.use_servers(servers);
                here.counter.clerk.policy = Arc::clone(here.rules.in_force());
            }
            Self::Threads(beside) => {
                beside.roster.use_servers(servers);
                beside.counter.clerk.policy = Arc::clone(beside.roster.policy());
            }
        }
    }

    /// Has Autokey answered from this from now on.
    pub(super) fn use_autokey(&mut self, service: Option<Arc<Service>>) {
        match self {
            Self::Here(here) => {
                here.rules.use_autokey(service);
                here.counter.clerk.policy = Arc::clone(here.rules.in_force());
            }
            Self::Threads(beside) => {
                beside.roster.use_autokey(service);
                beside.counter.clerk.policy = Arc::clone(beside.roster.policy());
            }
        }
    }

    /// A job of the clock thread's is out with a holder of keys.
    pub(super) const fn note_sent_out(&mut self) {
        self.counter_mut().out += 1;
    }

    /// It came back.
    pub(super) const fn note_come_back(&mut self) {
        let counter = self.counter_mut();
        counter.out = counter.out.saturating_sub(1);
    }

    /// Whether any is out.
    pub(super) const fn is_out(&self) -> bool {
        match self {
            Self::Here(here) => here.counter.out > 0,
            Self::Threads(beside) => beside.counter.out > 0,
        }
    }

    const fn counter_mut(&mut self) -> &mut Counter {
        match self {
            Self::Here(here) => &mut here.counter,
            Self::Threads(beside) => &mut beside.counter,
        }
    }

    /// Sends the reply to a request of the clock thread's own that waited for a holder of keys.
    pub(super) fn finish(&mut self, parked: &Parked, done: &Done, system: &System) {
        let (counter, listeners) = match self {
            Self::Here(here) => (&mut here.counter, &here.listeners),
            Self::Threads(beside) => (&mut beside.counter, beside.roster.listeners()),
        };
        let (Via::Server(local) | Via::Many { local, .. }) = parked.via() else {
            return;
        };
        let moment = Moment {
            snapshot: system.snapshot(),
            mono: clock::monotonic(),
        };
        let mut out = [0; PACKET_LEN_MAX];
        let Some(len) = counter.clerk.finish(parked, done, &moment, &mut out) else {
            return;
        };
        let reply = out.get(..len).unwrap_or_default();
        let listener = listeners.at(local);
        let sent = listener.is_some_and(|it| it.reply(reply, parked.source()));
        let counts = &mut counter.clerk.counts;
        counts.finished += u64::from(sent);
        counts.send_failed += u64::from(!sent);
    }

    /// Wants other addresses from the next rescan on.
    pub(super) fn replace_listen(&mut self, listen: Listen) {
        match self {
            Self::Here(here) => here.listeners.replace(listen),
            Self::Threads(beside) => beside.roster.replace_listen(listen),
        }
    }

    /// Nobody else reads what is published in the one-thread form: `System` is asked for each
    /// turn's snapshot itself.
    pub(super) fn publish(&mut self, snapshot: &Snapshot) {
        if let Self::Threads(beside) = self {
            beside.roster.publish(snapshot);
        }
    }

    /// Looks up the addresses of this host again.
    pub(super) fn rescan(&mut self, notices: &mut Vec<Notice>) -> Changes {
        match self {
            Self::Here(here) => here.listeners.rescan(notices),
            Self::Threads(beside) => beside.roster.rescan(notices),
        }
    }

    /// Whether an address that is wanted is not served.
    pub(super) const fn is_failing(&self) -> bool {
        self.listeners().is_failing()
    }

    pub(super) const fn listeners(&self) -> &Listeners {
        match self {
            Self::Here(here) => &here.listeners,
            Self::Threads(beside) => beside.roster.listeners(),
        }
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners().addresses()
    }

    pub(super) fn open(&self) -> &[Listener] {
        self.listeners().open()
    }

    /// A control request that waits.
    pub(super) fn take_query(&mut self) -> Option<Query> {
        match self {
            Self::Here(here) => here.counter.queries.pop_front(),
            Self::Threads(beside) => {
                let own = beside.counter.queries.pop_front();
                own.or_else(|| beside.roster.take_query())
            }
        }
    }

    pub(super) fn queries_waiting(&self) -> usize {
        match self {
            Self::Here(here) => here.counter.queries.len(),
            Self::Threads(beside) => beside.counter.queries.len() + beside.roster.queries_waiting(),
        }
    }

    /// Buffers to receive into.
    pub(super) fn buffers(&self) -> u64 {
        self.roster().map_or(BATCH as u64, Roster::buffers)
    }

    pub(super) const fn roster(&self) -> Option<&Roster> {
        match self {
            Self::Here(_) => None,
            Self::Threads(beside) => Some(&beside.roster),
        }
    }

    pub(super) fn engine_reason(&self) -> EngineReason {
        let roster = self.roster();
        roster.map_or(EngineReason::OneThread, |it| it.reason().clone())
    }

    /// Of each server thread, and last of the clock thread itself.
    pub(super) fn counts(&self) -> Vec<ServerCounts> {
        match self {
            Self::Here(here) => vec![here.counter.clerk.counts()],
            Self::Threads(beside) => {
                let mut all = beside.roster.counts();
                let own = beside.counter.clerk.counts();
                all.push(own.plus(&beside.roster.finished()));
                all
            }
        }
    }

    pub(super) fn add_to(&self, set: &mut PollSet) {
        match self {
            Self::Here(here) => {
                for socket in here.listeners.open().iter().flat_map(|one| &one.sockets) {
                    set.push(socket.as_ref());
                }
            }
            Self::Threads(beside) => {
                set.push(beside.roster.wake());
            }
        }
    }

    /// Serves what the last wait found ready; its places begin at `first`.
    pub(super) fn handle_ready(&mut self, set: &PollSet, first: usize, system: &mut System) {
        match self {
            Self::Here(here) => here.handle_ready(set, first, system),
            Self::Threads(beside) if set.readiness(first).readable => {
                beside.roster.take_handed_off(system);
            }
            Self::Threads(_) => {}
        }
    }

    /// Serves a datagram that came to another socket of the clock thread; the reply leaves from the
    /// service socket of its desk.
    pub(super) fn answer(&mut self, arrival: &Arrival<'_>, desk: Desk, system: &mut System) {
        let (counter, listeners) = match self {
            Self::Here(here) => (&mut here.counter, &here.listeners),
            Self::Threads(beside) => (&mut beside.counter, beside.roster.listeners()),
        };
        let moment = Moment {
            snapshot: system.snapshot(),
            mono: clock::monotonic(),
        };
        let mut out = [0; PACKET_LEN_MAX];
        let listener = listeners.at(desk.local);
        counter.attend(arrival, desk, &moment, &mut out, listener, system);
    }

    pub(super) fn stop(&mut self) {
        if let Self::Threads(beside) = self {
            beside.roster.stop();
        }
    }
}

impl Counter {
    pub(crate) fn new(
        policy: Arc<Policy>,
        authenticator: Box<dyn Authenticator>,
        seed: [u8; 32],
        (tracer, errands): (Option<Tracer>, Option<Errands>),
    ) -> Self {
        Self {
            clerk: Clerk::new(policy, authenticator, seed, tracer),
            queries: VecDeque::new(),
            errands,
            out: 0,
        }
    }

    /// Does what there is to do about a datagram; a reply leaves from the listener.
    fn attend(
        &mut self,
        arrival: &Arrival<'_>,
        desk: Desk,
        moment: &Moment,
        out: &mut [u8],
        listener: Option<&Listener>,
        system: &mut System,
    ) {
        let clerk = &mut self.clerk;
        match clerk.answer(arrival, desk, moment, out) {
            Outcome::Reply(len) => {
                let reply = out.get(..len).unwrap_or_default();
                let sent = listener.is_some_and(|it| it.reply(reply, arrival.source));
                clerk.counts.send_failed += u64::from(!sent);
            }
            Outcome::HandOff(received) => system.handle_packet(clock::now(), &received),
            Outcome::Query(request) if self.queries.len() < QUERIES_MAX => {
                self.queries.push_back(Query::new(&request));
            }
            Outcome::Query(_) => clerk.counts.overflowed += 1,
            Outcome::Park(parked) => {
                let errands = self.errands.as_ref();
                if errands.is_some_and(|errands| errands.send_asked(parked)) {
                    self.out += 1;
                } else {
                    clerk.counts.overflowed += 1;
                }
            }
            Outcome::Nothing => {}
        }
    }
}

impl Here {
    fn handle_ready(&mut self, set: &PollSet, first: usize, system: &mut System) {
        let Self {
            listeners,
            counter,
            batch,
            ..
        } = self;
        for (place, listener) in (first..).zip(listeners.open()) {
            if set.readiness(place).readable {
                serve(listener, counter, batch, system);
            }
        }
    }
}

/// Receives once, for the preload simulator has one datagram for each readiness, and sends each
/// reply by itself, for it does not know sendmmsg(2).
fn serve(listener: &Listener, counter: &mut Counter, batch: &mut Batch, system: &mut System) {
    let Some(socket) = listener.sockets.first() else {
        return;
    };
    let Ok(received @ 1..) = batch.receive(socket, false) else {
        // Nothing there after all, or the late refusal of an earlier reply.
        return;
    };
    listener.traffic.note_received(received);
    let moment = Moment {
        snapshot: system.snapshot(),
        mono: clock::monotonic(),
    };
    let unreadable = batch.answer(0..BATCH, &mut |arrival, out| {
        let desk = listener.desk();
        counter.attend(&arrival, desk, &moment, out, Some(listener), system);
        0
    });
    counter.clerk.counts.unreadable += unreadable as u64;
}
