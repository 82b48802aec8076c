//! Sockets that send from the service port: to one symmetric peer each, or to everybody behind one
//! interface. Each is connected, so that it takes nobody else's datagrams away from those who serve.
//!
//! Between its binding and its connecting, for a few microseconds, such a socket is as good a
//! receiver as the service sockets: what came then is received through it later, and served.
use crate::clients::{failure, kernels, ours};
use crate::ears::with_scope;
use crate::listeners::Listeners;
use crate::traffic::{SocketTraffic, Traffic};
use core::net::{IpAddr, SocketAddr};
use std::io;
use std::sync::Arc;
use truechimer_proto::packet::{
    AssociationId, LinkId, Received, Route, SendFailure, Stamp, Transmit, TxTicket, Via,
};
use truechimer_proto::system::System;
use truechimer_sys::clock;
use truechimer_sys::poll::{PollSet, Readiness};
use truechimer_sys::socket::{AddressFamily, Arrival, ReceiveBuffer, Socket};
use truechimer_wire::Mode;

/// Such sockets at most.
const SENDERS_MAX: usize = 256;

/// Whom a socket sends to, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Aim {
    association: AssociationId,
    /// The route without what may change while the socket stays.
    link: Option<LinkId>,
    to: SocketAddr,
    local: SocketAddr,
    hops: u8,
    /// The kernel tells when a datagram left.
    stamped: bool,
}

#[derive(Debug)]
struct Pending {
    ticket: TxTicket,
    /// Which of the socket's datagrams it is, counted from 0.
    number: u32,
    /// Ours, until the kernel gives a better one.
    stamp: Stamp,
}

#[derive(Debug)]
struct Sender {
    aim: Aim,
    socket: Socket,
    sent: u32,
    pending: Option<Pending>,
    /// Of the service address it shares.
    shared: Option<Arc<Traffic>>,
}

#[derive(Debug, Default)]
pub(crate) struct Senders {
    open: Vec<Sender>,
    traffic: SocketTraffic,
}

/// Why nothing was sent.
pub(crate) struct NotSent {
    pub(crate) to: SocketAddr,
    pub(crate) error: io::Error,
}

impl Senders {
    pub(crate) const fn traffic(&self) -> SocketTraffic {
        self.traffic
    }

    pub(crate) const fn len(&self) -> usize {
        self.open.len()
    }

    /// Where the association sends from.
    pub(crate) fn local_address(&self, id: AssociationId) -> Option<SocketAddr> {
        let sender = self.open.iter().find(|it| it.aim.association == id)?;
        Some(sender.aim.local)
    }

    /// Sends through the association's socket for this route, which is opened if there is none or if
    /// it does not fit any more.
    pub(crate) fn send(
        &mut self,
        system: &mut System,
        transmit: Transmit,
        listeners: &Listeners,
    ) -> Option<NotSent> {
        let Transmit {
            octets,
            to,
            route,
            ticket,
        } = transmit;
        let outcome = self
            .prepare(system, to, route, ticket.association(), listeners)
            .and_then(|place| self.put_out(system, place, &octets, listeners));
        match outcome {
            Ok((sender, stamp)) if !sender.aim.stamped => {
                system.handle_transmit_stamp(ticket, stamp);
                None
            }
            Ok((sender, stamp)) => {
                sender.pending = Some(Pending {
                    ticket,
                    number: sender.sent,
                    stamp,
                });
                sender.sent = sender.sent.wrapping_add(1);
                None
            }
            Err(error) => {
                self.traffic.send_failed += 1;
                let failure = failure(&error);
                system.handle_send_failure(clock::now(), ticket, failure);
                (failure == SendFailure::Local).then_some(NotSent { to, error })
            }
        }
    }

    /// Opens the socket for this route, if there is none that fits; where it fails, sending will say
    /// so.
    pub(crate) fn open(
        &mut self,
        system: &mut System,
        to: SocketAddr,
        route: Route,
        association: AssociationId,
        listeners: &Listeners,
    ) {
        let _ = self.prepare(system, to, route, association, listeners);
    }

    /// The place of the socket for this route.
    fn prepare(
        &mut self,
        system: &mut System,
        to: SocketAddr,
        route: Route,
        association: AssociationId,
        listeners: &Listeners,
    ) -> io::Result<usize> {
        let (link, hops, stamped) = match route {
            Route::Broadcast {
                link,
                hops,
                stamped,
            } => (Some(link), hops, stamped),
            Route::Lasting | Route::Fresh | Route::Ring { .. } => (None, 1, true),
        };
        let found = self
            .open
            .iter()
            .position(|it| (it.aim.association, it.aim.link) == (association, link));
        if let Some(place) = found {
            let aim = &self.open[place].aim;
            let is_there = aim.to.ip() == to.ip() && aim.to.port() == to.port();
            if is_there && (aim.hops, aim.stamped) == (hops, stamped) {
                return Ok(place);
            }
            self.close_at(system, place);
        }
        let aim = Aim {
            association,
            link,
            to: link.map_or(to, |link| with_scope(to.ip(), to.port(), link)),
            local: source(to, link, listeners)?,
            hops,
            stamped,
        };
        self.open_one(system, aim, listeners)
    }

    fn open_one(
        &mut self,
        system: &mut System,
        aim: Aim,
        listeners: &Listeners,
    ) -> io::Result<usize> {
        if self.open.len() >= SENDERS_MAX {
            return Err(io::Error::other("too many peers and broadcasts"));
        }
        let socket = bind(&aim, listeners)?;
        socket.connect(aim.to)?;
        system.note_local_address(aim.association, aim.local.ip());
        let listener = listeners.at(aim.local);
        self.open.push(Sender {
            aim,
            socket,
            sent: 0,
            pending: None,
            shared: listener.map(|listener| Arc::clone(&listener.traffic)),
        });
        Ok(self.open.len() - 1)
    }

    /// Sends, stamped just before; once more through a new socket if the old one is of no use now.
    fn put_out(
        &mut self,
        system: &mut System,
        place: usize,
        octets: &[u8],
        listeners: &Listeners,
    ) -> io::Result<(&mut Sender, Stamp)> {
        let sender = &mut self.open[place];
        settle(sender, system);
        if sender.aim.link.is_none() {
            // What the network said of an earlier datagram must not keep this one back; and there
            // are kernels that number also what they refuse to send. Of what goes to many nothing
            // is said (RFC 1122 §3.2.2).
            let _ = sender.socket.take_error();
        }
        let mut place = place;
        let mut stamp = ours(clock::wall());
        if sender.socket.send(octets).is_err() {
            // Its numbers may be wrong from here on, and its address gone.
            let Aim { to, link, .. } = sender.aim;
            let mut aim = sender.aim;
            self.open.swap_remove(place);
            aim.local = source(to, link, listeners)?;
            place = self.open_one(system, aim, listeners)?;
            stamp = ours(clock::wall());
            if let Err(error) = self.open[place].socket.send(octets) {
                self.open.swap_remove(place);
                return Err(error);
            }
        }
        self.traffic.sent += 1;
        let sender = &mut self.open[place];
        if let Some(shared) = &sender.shared {
            shared.note_sent(1, 0);
        }
        Ok((sender, stamp))
    }

    /// Closes the association's sockets.
    pub(crate) fn close(&mut self, system: &mut System, id: AssociationId) {
        while let Some(place) = self.open.iter().position(|it| it.aim.association == id) {
            self.close_at(system, place);
        }
    }

    fn close_at(&mut self, system: &mut System, place: usize) {
        settle(&mut self.open.swap_remove(place), system);
    }

    /// Closes those that keep an address from being served; whether there were any.
    pub(crate) fn make_room(&mut self, system: &mut System, addresses: &[SocketAddr]) -> bool {
        let before = self.open.len();
        while let Some(place) = self
            .open
            .iter()
            .position(|it| addresses.contains(&it.aim.local))
        {
            self.close_at(system, place);
        }
        self.open.len() < before
    }

    /// Opens anew those whose datagrams would leave from another address by now.
    pub(crate) fn rescan(&mut self, system: &mut System, listeners: &Listeners) {
        for place in (0..self.open.len()).rev() {
            let aim = self.open[place].aim;
            let local = source(aim.to, aim.link, listeners);
            if local.as_ref().is_ok_and(|local| *local == aim.local) {
                continue;
            }
            self.close_at(system, place);
            if let Ok(local) = local {
                // Where it fails the next packet will try again, and say why.
                let _ = self.open_one(system, Aim { local, ..aim }, listeners);
            }
        }
    }

    pub(crate) fn add_to(&self, set: &mut PollSet) {
        for sender in &self.open {
            set.push(&sender.socket);
        }
    }

    /// Serves the socket at `place`, which the last wait found ready: its transmit stamp first, then
    /// one datagram. One that is not the peer's is returned, with the address it came to.
    pub(crate) fn handle_ready<'a>(
        &mut self,
        place: usize,
        ready: Readiness,
        system: &mut System,
        buffer: &'a mut ReceiveBuffer,
    ) -> Option<(Arrival<'a>, SocketAddr)> {
        let sender = self.open.get_mut(place)?;
        if ready.error {
            take_stamp(sender, system);
            if sender.socket.take_error().is_some()
                && let Some(pending) = &sender.pending
            {
                system.handle_unreachable(clock::now(), &pending.ticket);
            }
        }
        if !ready.readable {
            return None;
        }
        let arrival = sender.socket.receive(buffer).ok()??;
        self.traffic.received += 1;
        if !is_peers(&sender.aim, &arrival) {
            return Some((arrival, sender.aim.local));
        }
        settle(sender, system);
        if let Some(shared) = &sender.shared {
            shared.note_received(1);
        }
        let now = clock::now();
        let received = Received {
            octets: arrival.octets,
            source: arrival.source,
            via: Via::Client(sender.aim.association),
            stamp: arrival.stamp.map_or_else(|| ours(now.wall), kernels),
        };
        system.handle_packet(now, &received);
        None
    }
}

/// Our service address from which datagrams leave for this one.
fn source(to: SocketAddr, link: Option<LinkId>, listeners: &Listeners) -> io::Result<SocketAddr> {
    if let Some(id) = link {
        let link = listeners.link_to(to.ip(), id);
        let gone = || io::Error::from(io::ErrorKind::NetworkDown);
        return link.map(|link| link.service).ok_or_else(gone);
    }
    let scout = Socket::open(AddressFamily::of(to.ip()))?;
    scout.connect(to)?;
    Ok(listeners.service_address(scout.local_address()?))
}

/// A socket with our address and port, to be connected at once.
fn bind(aim: &Aim, listeners: &Listeners) -> io::Result<Socket> {
    let socket = Socket::open(AddressFamily::of(aim.to.ip()))?;
    socket.share_address(true)?;
    // Where the kernel cannot stamp, ours stands.
    if aim.stamped {
        socket.stamp_both();
    } else {
        socket.stamp_receives();
    }
    if let Some(link) = aim.link {
        reach_many(&socket, aim.to.ip(), link, aim.hops)?;
    }
    match listeners.at(aim.local) {
        Some(listener) => listener.let_in(|| socket.bind(aim.local))?,
        None => socket.bind(aim.local)?,
    }
    Ok(socket)
}

/// Has what goes to many leave through one interface.
pub(crate) fn reach_many(socket: &Socket, to: IpAddr, link: LinkId, hops: u8) -> io::Result<()> {
    if to.is_multicast() {
        socket.send_through(link.0, hops)
    } else {
        socket.allow_broadcast()
    }
}

/// What the peer has to say as a peer. All else it sends from its service port it asks as anybody.
fn is_peers(aim: &Aim, arrival: &Arrival<'_>) -> bool {
    let first = arrival.octets.first();
    let mode = first.map(|first| Mode::from_bits(*first));
    let symmetric = matches!(mode, Some(Mode::SymmetricActive | Mode::SymmetricPassive));
    aim.link.is_none() && symmetric && arrival.source == aim.to
}

/// Hands back the ticket of the datagram that the kernel has a stamp for.
fn take_stamp(sender: &mut Sender, system: &mut System) {
    let Ok(Some(sent)) = sender.socket.transmit_stamp() else {
        return;
    };
    let Some(stamp) = sent.kernel else {
        return;
    };
    let is_its = |pending: &mut Pending| sent.number.is_none_or(|number| number == pending.number);
    if let Some(pending) = sender.pending.take_if(is_its) {
        system.handle_transmit_stamp(pending.ticket, kernels(stamp));
    }
}

/// Hands the ticket back with our own stamp, if the kernel's has not come.
fn settle(sender: &mut Sender, system: &mut System) {
    if let Some(Pending { ticket, stamp, .. }) = sender.pending.take() {
        system.handle_transmit_stamp(ticket, stamp);
    }
}

#[cfg(test)]
mod tests;
