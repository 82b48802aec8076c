//! The sockets of associations: a new one, so a new random port, for every request (RFC 9109).
use crate::host::Notice;
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use truechimer_proto::packet::{
    AssociationId, Received, SendFailure, Stamp, StampClass, Transmit, TxTicket, Via,
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
    socket: Socket,
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
    traffic: ClientTraffic,
}

/// Datagrams of all client sockets since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClientTraffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) send_failed: u64,
}

impl Clients {
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            open: Vec::new(),
            limit,
            told: None,
            untold: 0,
            traffic: ClientTraffic {
                sent: 0,
                received: 0,
                send_failed: 0,
            },
        }
    }

    pub(crate) const fn traffic(&self) -> ClientTraffic {
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

    /// Sends a request through a socket of its own and closes the one of the request before.
    /// Returns what the operator should know if that failed.
    pub(crate) fn send(&mut self, system: &mut System, transmit: Transmit) -> Option<Notice> {
        let id = transmit.ticket.association();
        self.close(system, id);
        let Transmit {
            octets, to, ticket, ..
        } = transmit;
        let outcome = if self.open.len() < self.limit {
            request(&octets, to)
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
                    socket,
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

    fn tell(&mut self, to: SocketAddr, error: io::Error) -> Option<Notice> {
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

fn failure(error: &io::Error) -> SendFailure {
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
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use truechimer_proto::authentication::NoKeys;
    use truechimer_proto::config::{AssociationConfig, Remote, SystemConfig};
    use truechimer_proto::host::Output;
    use truechimer_time::leap::LeapIndicator;
    use truechimer_wire::{Header, Mode};

    fn wait(clients: &mut Clients, system: &mut System, wanted: impl Fn(Readiness) -> bool) {
        let mut buffer = ReceiveBuffer::new(128);
        for _ in 0..100 {
            let mut set = PollSet::default();
            clients.add_to(&mut set);
            set.wait(Duration::from_millis(100)).unwrap();
            let ready = set.readiness(0);
            clients.handle_ready(0, ready, system, &mut buffer);
            if wanted(ready) {
                return;
            }
        }
        panic!("nothing came");
    }

    fn first_request(to: SocketAddr) -> (System, Transmit) {
        let mut line = AssociationConfig::server(Remote::Address(to.ip()));
        line.port = to.port();
        let mut config = SystemConfig::default();
        config.steering.enabled = false;
        config.associations.push(line);
        let mut system = System::new(clock::now(), config, [7; 32], Box::new(NoKeys));
        let mut now = clock::now();
        loop {
            now.mono = now.mono.plus(Duration::from_secs(1));
            system.handle_timeout(now);
            while let Some(output) = system.poll_output() {
                if let Output::Send(transmit) = output {
                    return (system, transmit);
                }
            }
        }
    }

    #[test]
    fn want_of_sockets_is_told_but_not_each_time() {
        let to = "127.0.0.1:9".parse().unwrap();
        let mut clients = Clients::new(0);
        let mut told = || {
            let (mut system, request) = first_request(to);
            clients.send(&mut system, request)
        };
        let first = told().unwrap().to_string();
        assert!(first.contains("127.0.0.1:9: all client sockets"), "{first}");
        assert!(told().is_none() && told().is_none());
        clients.told = None;
        let notice = clients.tell(to, io::Error::other("x"));
        assert!(matches!(notice, Some(Notice::CannotAsk(_, _, 2))));
    }

    /// As an off-path forger would have it: the refusal comes first, the true answer after it.
    #[test]
    fn a_refusal_does_not_cost_the_answer() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        // Nobody is there to receive the request.
        drop(server);
        let (mut system, request) = first_request(address);
        let mut clients = Clients::new(1);
        let nonce = Header::parse(request.octets.first_chunk().unwrap()).transmit_time;
        assert!(clients.send(&mut system, request).is_none());
        let asker = clients.open[0].socket.local_address().unwrap();
        // On loopback the refusal is there as soon as the request is sent.
        wait(&mut clients, &mut system, |ready| ready.error);
        assert!(clients.open[0].socket.take_error().is_none());
        assert!(clients.open[0].pending.is_some());

        let server = UdpSocket::bind(address).unwrap();
        let mut reply = Header::blank(4, Mode::Server);
        let wall = clock::wall();
        reply.leap = LeapIndicator::NoWarning;
        reply.stratum = 1;
        (reply.origin_time, reply.reference_time) = (nonce, wall);
        (reply.receive_time, reply.transmit_time) = (wall, wall);
        server.send_to(&reply.to_octets(), asker).unwrap();
        wait(&mut clients, &mut system, |ready| ready.readable);
        let status = system.status(clock::now());
        assert_eq!(status.associations[0].received, 1);
        assert_eq!(status.associations[0].refused, [0; 13]);
        assert_eq!(status.associations[0].reach, 1);
    }
}
