//! The sockets of associations: a new one, so a new random port, for every request (RFC 9109).
use crate::ears::with_scope;
use crate::host::Notice;
use crate::listeners::Listeners;
use crate::senders::reach_many;
use crate::traffic::SocketTraffic;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use truechimer_proto::packet::{
    AssociationId, LinkId, Received, Route, SendFailure, Stamp, StampClass, Transmit, TxTicket, Via,
};
use truechimer_proto::system::System;
use truechimer_sys::clock;
use truechimer_sys::poll::{PollSet, Readiness};
use truechimer_sys::socket::{AddressFamily, KernelStamp, ReceiveBuffer, Socket};
use truechimer_time::Instant;

/// Silence about requests that cannot be sent after one was told of.
const FAILURES_TOLD_EVERY: Duration = Duration::from_secs(64);

/// A request under way. Its ticket is kept, whatever stamp has come, until a reply does: a better
/// stamp and a refusal need it too.
#[derive(Debug)]
struct Pending {
    ticket: TxTicket,
    /// The best stamp so far: our own until the kernel gives one.
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
    pub(crate) fn prepare(&mut self, system: &mut System, id: AssociationId, to: SocketAddr) {
        self.close_those(system, |client| {
            client.association == id && client.link.is_none()
        });
        if self.open.len() >= self.limit {
            return;
        }
        let Ok(socket) = connected(to) else {
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
        });
    }

    fn take_prepared(&mut self, id: AssociationId, to: SocketAddr, route: Route) -> Option<Socket> {
        let fits = |it: &Client| it.association == id && it.unused == Some(to);
        let place = self.open.iter().position(fits)?;
        (route == Route::Fresh).then(|| self.open.swap_remove(place).socket)
    }

    /// Sends a request through a socket of its own and closes the one of the request before, of the
    /// same interface if it has one. Returns what the operator should know if that failed.
    pub(crate) fn send(
        &mut self,
        system: &mut System,
        transmit: Transmit,
        listeners: &Listeners,
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
                Route::Ring { link, hops } => search(&octets, to, link, hops, listeners),
                Route::Fresh | Route::Lasting | Route::Broadcast { .. } => prepared
                    .map_or_else(|| connected(to), Ok)
                    .and_then(|socket| request(socket, &octets)),
            }
        } else {
            Err(io::Error::other("all client sockets are in use"))
        };
        match outcome {
            Ok((socket, stamp)) => {
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
            set.push(&client.socket);
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
    ) {
        let Some(client) = self.open.get_mut(place) else {
            return;
        };
        if ready.error {
            take_stamp(client);
            if let Some(error) = client.socket.take_error() {
                note_refusal(client, system, &error);
            }
        }
        if !ready.readable {
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
                    stamp: arrival.stamp.map_or_else(|| ours(now.wall), kernels),
                };
                system.handle_packet(now, &received);
            }
            Ok(None) => {}
            Err(error) => note_refusal(client, system, &error),
        }
    }
}

/// A socket with a port of its own that nobody else can answer to.
fn connected(to: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::open(AddressFamily::of(to.ip()))?;
    // Where the kernel cannot stamp, ours stands.
    socket.stamp_both();
    socket.connect(to)?;
    Ok(socket)
}

/// Sends, and stamps just before.
fn request(socket: Socket, octets: &[u8]) -> io::Result<(Socket, Stamp)> {
    let stamp = ours(clock::wall());
    socket.send(octets)?;
    Ok((socket, stamp))
}

/// Sends to a group behind one interface, from there; anybody may answer.
fn search(
    octets: &[u8],
    to: SocketAddr,
    link: LinkId,
    hops: u8,
    listeners: &Listeners,
) -> io::Result<(Socket, Stamp)> {
    let gone = || io::Error::from(io::ErrorKind::NetworkDown);
    let named = listeners.link_to(to.ip(), link).ok_or_else(gone)?;
    let mut local = named.service;
    local.set_port(0);
    let socket = Socket::open(AddressFamily::of(to.ip()))?;
    socket.stamp_both();
    reach_many(&socket, to.ip(), link, hops)?;
    socket.bind(local)?;
    let stamp = ours(clock::wall());
    socket.send_to(octets, with_scope(to.ip(), to.port(), link))?;
    Ok((socket, stamp))
}

/// The transmit stamp is on the error queue.
fn take_stamp(client: &mut Client) {
    // Whose stamp it is follows from the socket, which sends one datagram only.
    if let (Ok(Some(sent)), Some(pending)) = (client.socket.transmit_stamp(), &mut client.pending) {
        pending.stamp = kernels(sent.stamp);
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
