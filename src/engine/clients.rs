//! The sockets of associations: a new one, so a new random port, for every request (RFC 9109).
mod opening;

use crate::listeners::Listeners;
use crate::nic_clocks::{NicClocks, NicId};
use crate::notice::Notice;
use crate::traffic::SocketTraffic;
use core::net::SocketAddr;
use core::time::Duration;
use opening::{connected, request, search};
use std::io;
use truechimer_proto::packet::{
    AssociationId, LinkId, Received, Route, SendFailure, Stamp, StampClass, Transmit, TxTicket, Via,
};
use truechimer_proto::system::System;
use truechimer_sys::clock;
use truechimer_sys::poll::{PollSet, Readiness};
use truechimer_sys::socket::{KernelStamp, ReceiveBuffer, Socket};
use truechimer_time::Instant;

/// Silence about requests that cannot be sent after one was told of.
const FAILURES_TOLD_EVERY: Duration = Duration::from_secs(64);
/// How long a reply waits in its socket for the interface's stamp of the request, which may be told of
/// later than the reply. Nothing is lost by it: its own stamp was taken when it arrived.
const HELD_MAX: Duration = Duration::from_millis(2);

/// A request under way. Its ticket is kept, whatever stamp has come, until a reply does: a better
/// stamp and a refusal need it too.
#[derive(Debug)]
struct Pending {
    ticket: TxTicket,
    /// The best stamp so far: our own until the kernel gives one, and the kernel's until the interface
    /// does.
    stamp: Stamp,
}

#[derive(Debug)]
struct Client {
    association: AssociationId,
    /// The interface it searches, if it is a manycast client's.
    link: Option<LinkId>,
    socket: Socket,
    /// Whom it is connected with, as long as nothing was sent.
    unused: Option<SocketAddr>,
    pending: Option<Pending>,
    /// The interface at its address, if that stamps.
    nic: Option<NicId>,
    /// A reply has come before the interface's stamp of the request: it is taken no later than this.
    held_until: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct Clients {
    open: Vec<Client>,
    limit: usize,
    /// When a failure to send was last told.
    told: Option<Instant>,
    /// Failures since.
    untold: u64,
    traffic: SocketTraffic,
}

impl Client {
    /// Messages on the error queue for what was sent, at most. One is all that may be asked for where
    /// there is no interface's: the preload simulator gives a datagram to whoever asks for more.
    const fn stamps_each(&self) -> usize {
        if self.nic.is_some() { 2 } else { 1 }
    }

    /// Whether the interface's stamp of the request is still to come.
    fn awaits_hardware(&self, nics: &NicClocks) -> bool {
        let class = self.pending.as_ref().map(|pending| pending.stamp.class);
        class.is_some_and(|class| class < StampClass::Hardware) && nics.stamps_transmits(self.nic)
    }
}

impl Clients {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            open: Vec::new(),
            limit,
            told: None,
            untold: 0,
            traffic: SocketTraffic {
                sent: 0,
                received: 0,
                send_failed: 0,
            },
        }
    }

    pub(crate) const fn traffic(&self) -> SocketTraffic {
        self.traffic
    }

    /// Where the association's last request left from.
    pub(crate) fn local_address(&self, id: AssociationId) -> Option<SocketAddr> {
        let client = self.open.iter().find(|client| client.association == id)?;
        client.socket.local_address().ok()
    }

    pub(crate) const fn len(&self) -> usize {
        self.open.len()
    }

    /// Opens and connects the socket of the association's next request, for one that depends on our
    /// address; where it fails, sending will say so.
    pub(crate) fn prepare(
        &mut self,
        system: &mut System,
        id: AssociationId,
        to: SocketAddr,
        nics: &NicClocks,
    ) {
        self.close_those(system, |client| {
            client.association == id && client.link.is_none()
        });
        if self.open.len() >= self.limit {
            return;
        }
        let Ok((socket, nic)) = connected(to, nics) else {
            return;
        };
        if let Ok(local) = socket.local_address() {
            system.note_local_address(id, local.ip());
        }
        self.open.push(Client {
            association: id,
            link: None,
            socket,
            unused: Some(to),
            pending: None,
            nic,
            held_until: None,
        });
    }

    fn take_prepared(
        &mut self,
        id: AssociationId,
        to: SocketAddr,
        route: Route,
    ) -> Option<(Socket, Option<NicId>)> {
        let fits = |it: &Client| it.association == id && it.unused == Some(to);
        let place = self.open.iter().position(fits)?;
        (route == Route::Fresh).then(|| {
            let prepared = self.open.swap_remove(place);
            (prepared.socket, prepared.nic)
        })
    }

    /// Sends a request through a socket of its own and closes the one of the request before, of the
    /// same interface if it has one. Returns what the operator should know if that failed.
    pub(crate) fn send(
        &mut self,
        system: &mut System,
        transmit: Transmit,
        listeners: &Listeners,
        nics: &NicClocks,
    ) -> Option<Notice> {
        let Transmit {
            octets,
            to,
            route,
            ticket,
        } = transmit;
        let id = ticket.association();
        let link = match route {
            Route::Ring { link, .. } => Some(link),
            Route::Fresh | Route::Lasting | Route::Broadcast { .. } => None,
        };
        let prepared = self.take_prepared(id, to, route);
        self.close_those(system, |client| {
            client.association == id && client.link == link
        });
        let outcome = if self.open.len() < self.limit {
            match route {
                Route::Ring { link, hops } => {
                    search(&octets, to, link, hops, listeners).map(|sent| (sent, None))
                }
                Route::Fresh | Route::Lasting | Route::Broadcast { .. } => prepared
                    .map_or_else(|| connected(to, nics), Ok)
                    .and_then(|(socket, nic)| Ok((request(socket, &octets)?, nic))),
            }
        } else {
            Err(io::Error::other("all client sockets are in use"))
        };
        match outcome {
            Ok(((socket, stamp), nic)) => {
                if let Ok(local) = socket.local_address() {
                    system.note_local_address(id, local.ip());
                }
                self.traffic.sent += 1;
                self.open.push(Client {
                    association: id,
                    link,
                    socket,
                    unused: None,
                    pending: Some(Pending { ticket, stamp }),
                    nic,
                    held_until: None,
                });
                None
            }
            Err(error) => {
                self.traffic.send_failed += 1;
                let failure = failure(&error);
                system.handle_send_failure(clock::now(), ticket, failure);
                // Without a route the servers' states say all there is to say.
                (failure == SendFailure::Local)
                    .then(|| self.tell(to, error))
                    .flatten()
            }
        }
    }

    /// A failure to send, if it is time to tell of one.
    pub(crate) fn tell(&mut self, to: SocketAddr, error: io::Error) -> Option<Notice> {
        let now = clock::monotonic();
        if self
            .told
            .is_some_and(|told| now.since(told) < FAILURES_TOLD_EVERY)
        {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        let untold = core::mem::take(&mut self.untold);
        Some(Notice::CannotAsk(to, error, untold))
    }

    /// Closes the association's sockets; a ticket still out gets the stamp there is.
    pub(crate) fn close(&mut self, system: &mut System, id: AssociationId) {
        self.close_those(system, |client| client.association == id);
    }

    fn close_those(&mut self, system: &mut System, which: impl Fn(&Client) -> bool) {
        while let Some(place) = self.open.iter().position(&which) {
            settle(&mut self.open.swap_remove(place), system);
        }
    }

    pub(crate) fn add_to(&self, set: &mut PollSet) {
        for client in &self.open {
            if client.held_until.is_some() {
                set.push_for_errors(&client.socket);
            } else {
                set.push(&client.socket);
            }
        }
    }

    /// When the first reply that is held is to be taken all the same.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.open.iter().filter_map(|it| it.held_until).min()
    }

    /// Lets go of replies that were held long enough.
    pub(crate) fn handle_timeout(&mut self, nics: &mut NicClocks) {
        let now = clock::monotonic();
        for client in &mut self.open {
            if client.held_until.is_some_and(|until| until <= now) {
                client.held_until = None;
                nics.note_no_transmit_stamp(client.nic.take());
            }
        }
    }

    /// Serves the client at `place`, which the last wait found ready: its transmit stamp first,
    /// then one datagram, no more, for the preload simulator has one for each readiness.
    pub(crate) fn handle_ready(
        &mut self,
        place: usize,
        ready: Readiness,
        system: &mut System,
        buffer: &mut ReceiveBuffer,
        nics: &mut NicClocks,
    ) {
        let Some(client) = self.open.get_mut(place) else {
            return;
        };
        if ready.error {
            take_stamps(client, nics);
            if let Some(error) = client.socket.take_error() {
                note_refusal(client, system, &error);
            }
        }
        if !ready.readable {
            return;
        }
        if client.awaits_hardware(nics) {
            client.held_until = Some(clock::monotonic().plus(HELD_MAX));
            return;
        }
        let received = client.socket.receive(buffer);
        let now = clock::now();
        match received {
            Ok(Some(arrival)) => {
                self.traffic.received += 1;
                settle(client, system);
                let received = Received {
                    octets: arrival.octets,
                    source: arrival.source,
                    via: Via::Client(client.association),
                    stamp: nics.received(client.nic, &arrival),
                };
                system.handle_packet(now, &received);
            }
            Ok(None) => {}
            Err(error) => note_refusal(client, system, &error),
        }
    }
}

/// Transmit stamps are on the error queue: the kernel's, and after it the interface's.
fn take_stamps(client: &mut Client, nics: &mut NicClocks) {
    for _ in 0..client.stamps_each() {
        let Ok(Some(sent)) = client.socket.transmit_stamp() else {
            return;
        };
        // Whose stamp it is follows from the socket, which sends one datagram only.
        if let Some(pending) = &mut client.pending
            && let Some(stamp) = nics.transmitted(client.nic, &sent)
            && stamp.class > pending.stamp.class
        {
            pending.stamp = stamp;
        }
        if client.held_until.is_some() && !client.awaits_hardware(nics) {
            client.held_until = None;
        }
    }
}

/// Hands the ticket back, once, with the best stamp there is.
fn settle(client: &mut Client, system: &mut System) {
    if let Some(Pending { ticket, stamp }) = client.pending.take() {
        system.handle_transmit_stamp(ticket, stamp);
    }
}

/// An ICMP message says that the request cannot arrive. It is not authentic, so the request stays
/// under way.
fn note_refusal(client: &Client, system: &mut System, error: &io::Error) {
    let passing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
    if passing.contains(&error.kind()) {
        return;
    }
    if let Some(pending) = &client.pending {
        system.handle_unreachable(clock::now(), &pending.ticket);
    }
}

pub(crate) fn failure(error: &io::Error) -> SendFailure {
    match error.kind() {
        io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkDown => SendFailure::Unreachable,
        _ => SendFailure::Local,
    }
}

pub(crate) const fn ours(at: truechimer_time::NtpTimestamp) -> Stamp {
    Stamp {
        at,
        class: StampClass::User,
    }
}

pub(crate) const fn kernels(stamp: KernelStamp) -> Stamp {
    Stamp {
        at: stamp.at,
        class: StampClass::Kernel,
    }
}

#[cfg(test)]
pub(crate) mod tests;
