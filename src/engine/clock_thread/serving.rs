//! Who answers requests: the clock thread itself, or a roster of threads beside it.
use crate::MakeAuthenticator;
use crate::clients::{kernels, ours};
use crate::counters::ServerCounts;
use crate::host::Notice;
use crate::listeners::{Listener, Listeners};
use crate::roster::Roster;
use core::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::packet::{Received, Via};
use truechimer_proto::server::{Policy, Responder, Verdict};
use truechimer_proto::snapshot::Snapshot;
use truechimer_proto::system::System;
use truechimer_sys::clock;
use truechimer_sys::poll::PollSet;
use truechimer_sys::socket::{ReceiveBuffer, Socket};
use truechimer_wire::PACKET_LEN_MAX;

pub(crate) enum Serving {
    Here(Box<Here>),
    Threads(Roster),
}

/// Serving by the clock thread itself.
pub(crate) struct Here {
    listeners: Listeners,
    responder: Responder,
    policy: Arc<Policy>,
    authenticator: Box<dyn Authenticator>,
    reply: Box<[u8; PACKET_LEN_MAX]>,
    counts: ServerCounts,
}

impl Serving {
    pub(crate) fn here(
        listeners: Listeners,
        policy: Arc<Policy>,
        authenticator: Box<dyn Authenticator>,
    ) -> Self {
        Self::Here(Box::new(Here {
            listeners,
            responder: Responder::new(),
            policy,
            authenticator,
            reply: Box::new([0; PACKET_LEN_MAX]),
            counts: ServerCounts::default(),
        }))
    }

    pub(super) fn replace_policy(
        &mut self,
        policy: Arc<Policy>,
        make_authenticator: MakeAuthenticator<'_>,
    ) {
        match self {
            Self::Here(here) => {
                here.policy = policy;
                here.authenticator = make_authenticator();
            }
            Self::Threads(roster) => roster.replace_policy(&policy, make_authenticator),
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

    const fn listeners(&self) -> &Listeners {
        match self {
            Self::Here(here) => &here.listeners,
            Self::Threads(roster) => roster.listeners(),
        }
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners().addresses()
    }

    pub(super) fn socket_at(&self, local: IpAddr) -> Option<&Socket> {
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
            Self::Here(here) => vec![here.counts()],
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
    pub(super) fn handle_ready(
        &mut self,
        set: &PollSet,
        first: usize,
        buffer: &mut ReceiveBuffer,
        system: &mut System,
    ) {
        match self {
            Self::Here(here) => here.handle_ready(set, first, buffer, system),
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
    fn counts(&self) -> ServerCounts {
        ServerCounts {
            protocol: *self.responder.counters(),
            ..self.counts
        }
    }

    fn handle_ready(
        &mut self,
        set: &PollSet,
        first: usize,
        buffer: &mut ReceiveBuffer,
        system: &mut System,
    ) {
        let Self {
            listeners,
            responder,
            policy,
            authenticator,
            reply,
            counts,
        } = self;
        for (place, listener) in (first..).zip(listeners.open()) {
            if set.readiness(place).readable {
                let mut answer = |received: &Received<'_>, system: &System, out: &mut [u8]| {
                    let snapshot = system.snapshot();
                    let auth = authenticator.as_mut();
                    responder.answer(clock::now(), received, &snapshot, policy, auth, out)
                };
                serve_one(
                    listener,
                    buffer,
                    system,
                    counts,
                    &mut answer,
                    reply.as_mut(),
                );
            }
        }
    }
}

/// Takes one datagram, no more, for the preload simulator has one for each readiness.
fn serve_one(
    listener: &Listener,
    buffer: &mut ReceiveBuffer,
    system: &mut System,
    counts: &mut ServerCounts,
    answer: &mut dyn FnMut(&Received<'_>, &System, &mut [u8]) -> Verdict,
    out: &mut [u8],
) {
    let Some(socket) = listener.sockets.first() else {
        return;
    };
    let arrival = match socket.receive(buffer) {
        Ok(Some(arrival)) => arrival,
        Ok(None) => {
            counts.unreadable += 1;
            return;
        }
        // Nothing there after all, or the late refusal of an earlier reply.
        Err(_) => return,
    };
    if listener.unwanted {
        counts.unwanted += 1;
        return;
    }
    let received = Received {
        octets: arrival.octets,
        source: arrival.source,
        via: Via::Server(listener.address.ip()),
        stamp: arrival.stamp.map_or_else(|| ours(clock::wall()), kernels),
    };
    match answer(&received, system, out) {
        Verdict::Reply(len) => {
            let reply = out.get(..len).unwrap_or_default();
            if socket.send_to(reply, arrival.source).is_err() {
                counts.send_failed += 1;
            }
        }
        Verdict::HandOff => system.handle_packet(clock::now(), &received),
        Verdict::Drop(_) => {}
    }
}
