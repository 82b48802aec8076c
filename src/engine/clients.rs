//! The sockets of associations: a new one, so a new random port, for every request (RFC 9109).
use core::net::SocketAddr;
use std::io;
use truechimer_proto::packet::{
    AssociationId, Received, SendFailure, Stamp, StampClass, Transmit, TxTicket, Via,
};
use truechimer_proto::system::System;
use truechimer_sys::clock;
use truechimer_sys::poll::{PollSet, Readiness};
use truechimer_sys::socket::{AddressFamily, KernelStamp, ReceiveBuffer, Socket};

/// A request under way. Its ticket is kept, whatever stamp has come, until a reply or a refusal
/// does: a refusal needs it too.
#[derive(Debug)]
struct Pending {
    ticket: TxTicket,
    /// The best stamp so far: our own until the kernel gives one.
    stamp: Stamp,
}

#[derive(Debug)]
struct Client {
    association: AssociationId,
    socket: Socket,
    pending: Option<Pending>,
}

#[derive(Debug)]
pub(crate) struct Clients {
    open: Vec<Client>,
    limit: usize,
}

impl Clients {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            open: Vec::new(),
            limit,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.open.len()
    }

    /// Sends a request through a socket of its own and closes the one of the request before.
    pub(crate) fn send(&mut self, system: &mut System, id: AssociationId, transmit: Transmit) {
        self.close(system, id);
        let Transmit {
            octets, to, ticket, ..
        } = transmit;
        if self.open.len() >= self.limit {
            return system.handle_send_failure(clock::now(), ticket, SendFailure::Local);
        }
        match request(&octets, to) {
            Ok((socket, stamp)) => self.open.push(Client {
                association: id,
                socket,
                pending: Some(Pending { ticket, stamp }),
            }),
            Err(error) => system.handle_send_failure(clock::now(), ticket, failure(&error)),
        }
    }

    /// Closes the association's socket; a ticket still out gets the stamp there is.
    pub(crate) fn close(&mut self, system: &mut System, id: AssociationId) {
        if let Some(place) = self.open.iter().position(|client| client.association == id) {
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
            handle_error(client, system);
        }
        if !ready.readable {
            return;
        }
        let received = client.socket.receive(buffer);
        let now = clock::now();
        match received {
            Ok(Some(arrival)) => {
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
            Err(error) => handle_failure(client, system, &error),
        }
    }
}

/// Sends, and stamps just before.
fn request(octets: &[u8], to: SocketAddr) -> io::Result<(Socket, Stamp)> {
    let socket = Socket::open(AddressFamily::of(to.ip()))?;
    // Where the kernel cannot stamp, ours stands.
    socket.stamp_both();
    socket.connect(to)?;
    let stamp = ours(clock::wall());
    socket.send(octets)?;
    Ok((socket, stamp))
}

/// The error queue holds the transmit stamp; the pending error is a verdict on the request.
fn handle_error(client: &mut Client, system: &mut System) {
    if let (Ok(Some(stamp)), Some(pending)) = (client.socket.transmit_stamp(), &mut client.pending)
    {
        pending.stamp = kernels(stamp);
    }
    if let Some(error) = client.socket.take_error() {
        handle_failure(client, system, &error);
    }
}

/// Hands the ticket back, once, with the best stamp there is.
fn settle(client: &mut Client, system: &mut System) {
    if let Some(Pending { ticket, stamp }) = client.pending.take() {
        system.handle_transmit_stamp(ticket, stamp);
    }
}

fn handle_failure(client: &mut Client, system: &mut System, error: &io::Error) {
    let passing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
    if passing.contains(&error.kind()) {
        return;
    }
    if let Some(Pending { ticket, .. }) = client.pending.take() {
        system.handle_send_failure(clock::now(), ticket, failure(error));
    }
}

fn failure(error: &io::Error) -> SendFailure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => SendFailure::Refused,
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
