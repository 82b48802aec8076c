//! Who answers requests: the clock thread itself, or a roster of threads beside it.
use crate::MakeAuthenticator;
use crate::clerk::{Clerk, Moment, Outcome};
use crate::config::Listen;
use crate::counters::ServerCounts;
use crate::host::Notice;
use crate::listeners::{Listener, Listeners};
use crate::queries::{QUERIES_MAX, Query};
use crate::roster::Roster;
use crate::rules::Rules;
use core::net::{IpAddr, SocketAddr};
use std::collections::VecDeque;
use std::sync::Arc;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::server::Policy;
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::system::System;
use truechimer_sys::batch::Batch;
use truechimer_sys::clock;
use truechimer_sys::poll::PollSet;
use truechimer_sys::socket::Socket;
use truechimer_wire::PACKET_LEN_MAX;

/// Datagrams received at once: few, for the clock waits meanwhile.
const BATCH: usize = 16;

pub(crate) enum Serving {
    Here(Box<Here>),
    Threads(Box<Roster>),
}

/// Serving by the clock thread itself.
pub(crate) struct Here {
    listeners: Listeners,
    rules: Rules,
    clerk: Clerk,
    batch: Batch,
    queries: VecDeque<Query>,
}

impl Serving {
    pub(crate) fn here(
        listeners: Listeners,
        policy: Arc<Policy>,
        authenticator: Box<dyn Authenticator>,
        seed: [u8; 32],
    ) -> Self {
        Self::Here(Box::new(Here {
            listeners,
            rules: Rules::new(Arc::clone(&policy)),
            clerk: Clerk::new(policy, authenticator, seed),
            batch: Batch::new(BATCH, PACKET_LEN_MAX),
            queries: VecDeque::new(),
        }))
    }

    pub(super) fn replace_policy(
        &mut self,
        policy: &Policy,
        make_authenticator: MakeAuthenticator<'_>,
    ) {
        match self {
            Self::Here(here) => {
                here.rules.replace(policy);
                here.clerk.policy = Arc::clone(here.rules.in_force());
                here.clerk.replace_keys(make_authenticator());
            }
            Self::Threads(roster) => roster.replace_policy(policy, make_authenticator),
        }
    }

    /// Has the rules of servers bind these from now on, and no others.
    pub(super) fn use_servers(&mut self, servers: Vec<SocketAddr>) {
        match self {
            Self::Here(here) => {
                here.rules.use_servers(servers);
                here.clerk.policy = Arc::clone(here.rules.in_force());
            }
            Self::Threads(roster) => roster.use_servers(servers),
        }
    }

    /// Wants other addresses from the next rescan on.
    pub(super) fn replace_listen(&mut self, listen: Listen) {
        match self {
            Self::Here(here) => here.listeners.replace(listen),
            Self::Threads(roster) => roster.replace_listen(listen),
        }
    }

    /// Nobody else reads what is published in the one-thread form: `System` is asked for each
    /// turn's snapshot itself.
    pub(super) fn publish(&mut self, snapshot: &Snapshot) {
        if let Self::Threads(roster) = self {
            roster.publish(snapshot);
        }
    }

    /// Looks up the addresses of this host again, and returns them if they changed.
    pub(super) fn rescan(&mut self, notices: &mut Vec<Notice>) -> Option<Vec<IpAddr>> {
        let changes = match self {
            Self::Here(here) => here.listeners.rescan(notices),
            Self::Threads(roster) => roster.rescan(notices),
        };
        changes
            .own_addresses
            .then(|| self.listeners().own_addresses().to_vec())
    }

    /// Whether an address that is wanted is not served.
    pub(super) const fn is_failing(&self) -> bool {
        self.listeners().is_failing()
    }

    const fn listeners(&self) -> &Listeners {
        match self {
            Self::Here(here) => &here.listeners,
            Self::Threads(roster) => roster.listeners(),
        }
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners().addresses()
    }

    pub(super) fn open(&self) -> &[Listener] {
        self.listeners().open()
    }

    pub(super) fn listener_at(&self, local: SocketAddr) -> Option<&Listener> {
        self.open()
            .iter()
            .find(|listener| listener.address == local)
    }

    /// A control request that waits.
    pub(super) fn take_query(&mut self) -> Option<Query> {
        match self {
            Self::Here(here) => here.queries.pop_front(),
            Self::Threads(roster) => roster.take_query(),
        }
    }

    pub(super) fn queries_waiting(&self) -> usize {
        match self {
            Self::Here(here) => here.queries.len(),
            Self::Threads(roster) => roster.queries_waiting(),
        }
    }

    /// Buffers to receive into.
    pub(super) const fn buffers(&self) -> u64 {
        match self {
            Self::Here(_) => BATCH as u64,
            Self::Threads(roster) => roster.buffers(),
        }
    }

    #[allow(dead_code, reason = "manycast replies come with the next commits")]
    pub(super) fn socket_at(&self, local: SocketAddr) -> Option<&Socket> {
        self.listeners().socket_at(local)
    }

    pub(super) const fn threads(&self) -> usize {
        match self {
            Self::Here(_) => 0,
            Self::Threads(roster) => roster.threads(),
        }
    }

    pub(super) fn counts(&self) -> Vec<ServerCounts> {
        match self {
            Self::Here(here) => vec![here.clerk.counts()],
            Self::Threads(roster) => roster.counts(),
        }
    }

    pub(super) fn add_to(&self, set: &mut PollSet) {
        match self {
            Self::Here(here) => {
                for socket in here.listeners.open().iter().flat_map(|one| &one.sockets) {
                    set.push(socket.as_ref());
                }
            }
            Self::Threads(roster) => {
                set.push(roster.wake());
            }
        }
    }

    /// Serves what the last wait found ready; its places begin at `first`.
    pub(super) fn handle_ready(&mut self, set: &PollSet, first: usize, system: &mut System) {
        match self {
            Self::Here(here) => here.handle_ready(set, first, system),
            Self::Threads(roster) if set.readiness(first).readable => {
                roster.take_handed_off(system);
            }
            Self::Threads(_) => {}
        }
    }

    pub(super) fn stop(&mut self) {
        if let Self::Threads(roster) = self {
            roster.stop();
        }
    }
}

impl Here {
    fn handle_ready(&mut self, set: &PollSet, first: usize, system: &mut System) {
        let Self {
            listeners,
            clerk,
            batch,
            queries,
            ..
        } = self;
        for (place, listener) in (first..).zip(listeners.open()) {
            if set.readiness(place).readable {
                serve(listener, clerk, batch, queries, system);
            }
        }
    }
}

/// Receives once, for the preload simulator has one datagram for each readiness, and sends each
/// reply by itself, for it does not know sendmmsg(2).
fn serve(
    listener: &Listener,
    clerk: &mut Clerk,
    batch: &mut Batch,
    queries: &mut VecDeque<Query>,
    system: &mut System,
) {
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
        match clerk.answer(&arrival, listener.desk(), &moment, out) {
            Outcome::Reply(len) => {
                let reply = out.get(..len).unwrap_or_default();
                let failed = socket.send_to(reply, arrival.source).is_err();
                clerk.counts.send_failed += u64::from(failed);
                listener
                    .traffic
                    .note_sent(usize::from(!failed), usize::from(failed));
            }
            Outcome::HandOff(received) => system.handle_packet(clock::now(), &received),
            Outcome::Query(request) if queries.len() < QUERIES_MAX => {
                queries.push_back(Query::new(&request));
            }
            Outcome::Query(_) => clerk.counts.overflowed += 1,
            Outcome::Nothing => {}
        }
        0
    });
    clerk.counts.unreadable += unreadable as u64;
}
