//! What an engine does around the protocol, with the world in place of sockets.
use super::queue::Happening;
use super::{NTP_PORT, World, nanoseconds};
use crate::node::{Answer, NodeId};
use core::net::{IpAddr, SocketAddr};
use truechimer_proto::host::{AdjustRefused, Adjustment, Applied, Departure, HostEvent, Output};
use truechimer_proto::packet::{Received, Route, SendFailure, Stamp, StampClass, Transmit, Via};
use truechimer_time::Now;
use truechimer_wire::Mode;

/// Outputs of one turn; more means the protocol goes in circles.
const OUTPUTS_PER_TURN_MAX: usize = 10_000;

impl World {
    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(node) => self.wake(node),
            Happening::Datagram {
                to,
                source,
                destination,
                octets,
            } => self.arrive(to, source, destination, &octets),
            Happening::Resolved {
                node,
                request,
                outcome,
            } => self.tell(node, HostEvent::Resolved { request, outcome }),
            Happening::Flood(index) => self.forge(index),
        }
    }

    /// Does all the node's protocol asks and sets its timer. A daemon that ended asks nothing.
    pub(super) fn turn(&mut self, node: NodeId) {
        let index = usize::from(node.0);
        for outputs in 0.. {
            assert!(
                outputs < OUTPUTS_PER_TURN_MAX,
                "node {index} goes in circles"
            );
            let Some(client) = self.nodes[index].client.as_mut() else {
                return;
            };
            let Some(output) = client.system.poll_output() else {
                break;
            };
            self.obey(node, output);
            if self.nodes[index].journal.exit.is_some() {
                self.queue.set_timer(node, None);
                return;
            }
        }
        self.now(node);
        let entry = &self.nodes[index];
        let timeout = entry.client.as_ref().and_then(|client| client.timeout());
        let due_ns = timeout.map(|mono| entry.clock.true_ns_of(mono));
        // An engine's timer has a resolution too; without it a timer in the past would spin here.
        let due_ns = due_ns.map(|due_ns| due_ns.max(self.true_ns + 1000));
        self.queue.set_timer(node, due_ns);
    }

    fn wake(&mut self, node: NodeId) {
        let now = self.now(node);
        if let Some(client) = self.running(node) {
            client.wake(now);
        }
        self.turn(node);
    }

    pub(super) fn tell(&mut self, node: NodeId, event: HostEvent) {
        let now = self.now(node);
        if let Some(client) = self.running(node) {
            client.system.handle_host(now, event);
        }
        self.turn(node);
    }

    fn obey(&mut self, node: NodeId, output: Output) {
        let now_s = self.now_s();
        let index = usize::from(node.0);
        match output {
            Output::Send(transmit) => self.transmit(node, transmit),
            Output::Compose(departure) => {
                let now = self.now(node);
                self.tell_own_address(node, departure);
                let client = self.running(node);
                if let Some(transmit) = client.and_then(|it| it.system.compose(now, departure)) {
                    self.transmit(node, transmit);
                }
            }
            // No socket takes time here.
            Output::Prepare(..) => {}
            Output::Adjust(adjustment) => self.adjust(node, adjustment),
            Output::Close(id) => {
                if let Some(client) = self.running(node) {
                    client.close(id);
                }
            }
            Output::Publish(snapshot) => {
                if let Some(client) = self.running(node) {
                    client.snapshot = snapshot;
                }
            }
            Output::Sources(servers) => self.nodes[index].server.use_servers(&servers),
            Output::Resolve(query) => {
                let (after_s, outcome) = self.names.resolve(&query);
                let at_ns = self.true_ns + nanoseconds(after_s);
                let request = query.request;
                let resolved = Happening::Resolved {
                    node,
                    request,
                    outcome,
                };
                self.queue.push(at_ns, resolved);
            }
            Output::Event(report) => {
                let wall = self.now(node).wall;
                let journal = &mut self.nodes[index].journal;
                journal.events.push((now_s, report.event.clone()));
                journal.reports.push((wall, report));
            }
            Output::Record(record) => self.nodes[index].journal.records.push(record),
            Output::StoreFrequency(freq_ppm) => {
                self.nodes[index].journal.stored_freq_ppm = Some(freq_ppm);
            }
            Output::Autokey(service) => self.nodes[index].server.use_autokey(service),
            Output::Crypto(id, _, job) => {
                let done = self.nodes[index].perform(&job);
                let now = self.now(node);
                if let Some(client) = self.running(node) {
                    client.system.handle_crypto_done(now, id, done);
                }
            }
            // Nobody asks in these worlds.
            Output::Control(_) | Output::Operate(_) | Output::Trace(_) => {}
            Output::Exit(exit) => self.nodes[index].journal.exit = Some((now_s, exit)),
        }
    }

    /// As a socket does that is connected before the packet is made.
    fn tell_own_address(&mut self, node: NodeId, departure: Departure) {
        let entry = &mut self.nodes[usize::from(node.0)];
        let Some(client) = &mut entry.client else {
            return;
        };
        if let Some(it) = client.system.destination(departure) {
            let mut own = entry.addresses.iter();
            if let Some(own) = own.find(|own| own.is_ipv4() == it.to.is_ipv4()) {
                let id = departure.association;
                client.system.note_local_address(id, *own);
            }
        }
    }

    fn adjust(&mut self, node: NodeId, adjustment: Adjustment) {
        self.now(node);
        let entry = &mut self.nodes[usize::from(node.0)];
        let applied = if entry.may_steer {
            entry.clock.apply(adjustment)
        } else {
            let outcome = Err(AdjustRefused::NotPermitted);
            Applied {
                adjustment,
                outcome,
            }
        };
        let now = self.now(node);
        if let Some(client) = self.running(node) {
            client.system.handle_applied(now, applied);
        }
    }

    fn transmit(&mut self, node: NodeId, transmit: Transmit) {
        let now = self.now(node);
        let Transmit {
            octets,
            to,
            route,
            ticket,
        } = transmit;
        if let Route::Broadcast { .. } | Route::Ring { .. } = route {
            self.tell_many(node, to, octets, route, ticket);
            return;
        }
        let id = ticket.association();
        let reachable = self.by_address.contains_key(&to.ip());
        let entry = &mut self.nodes[usize::from(node.0)];
        let stamp = entry.clock.stamp(now);
        let Some(client) = &mut entry.client else {
            return;
        };
        if !reachable {
            let failure = SendFailure::Unreachable;
            client.system.handle_send_failure(now, ticket, failure);
            return;
        }
        let port = match route {
            Route::Lasting => client.connect(id, to),
            _ => client.open(id, to, &mut entry.random),
        };
        let own = entry
            .addresses
            .iter()
            .find(|own| own.is_ipv4() == to.is_ipv4());
        let source = SocketAddr::new(own.copied().unwrap_or(to.ip()), port);
        client.system.note_local_address(id, source.ip());
        client.system.handle_transmit_stamp(ticket, kernel(stamp));
        self.send(node, (source, to), &octets, 0.0);
    }

    /// Hands a datagram to the network after so long.
    fn send(
        &mut self,
        from: NodeId,
        (source, destination): (SocketAddr, SocketAddr),
        octets: &[u8],
        late_s: f64,
    ) {
        let Some(to) = self.by_address.get(&destination.ip()).copied() else {
            return;
        };
        for delay_s in self.network.carry(from, to).into_iter().flatten() {
            let at_ns = self.true_ns + nanoseconds(late_s + delay_s);
            let octets = octets.to_vec();
            let datagram = Happening::Datagram {
                to,
                source,
                destination,
                octets,
            };
            self.queue.push(at_ns, datagram);
        }
    }

    fn arrive(&mut self, to: NodeId, source: SocketAddr, destination: SocketAddr, octets: &[u8]) {
        let now = self.now(to);
        let stamp = kernel(self.nodes[usize::from(to.0)].clock.stamp(now));
        if self.is_many(destination.ip()) {
            self.hear_many(to, source, destination.ip(), octets);
            return;
        }
        let client = self.running(to);
        let own = client.and_then(|it| match destination.port() {
            NTP_PORT => it.peer_at(source).filter(|_| is_symmetric(octets)),
            port => it.association_at(port),
        });
        if let Some(id) = own {
            let received = Received {
                octets,
                source,
                via: Via::Client(id),
                stamp,
            };
            if let Some(client) = self.running(to) {
                client.system.handle_packet(now, &received);
            }
            self.turn(to);
        } else if destination.port() == NTP_PORT {
            let via = Via::Server(destination);
            let received = Received {
                octets,
                source,
                via,
                stamp,
            };
            self.serve(to, now, destination.ip(), &received);
        }
    }

    pub(super) fn serve(&mut self, node: NodeId, now: Now, local: IpAddr, received: &Received<'_>) {
        let true_ns = self.true_ns;
        let entry = &mut self.nodes[usize::from(node.0)];
        if entry.journal.exit.is_some() {
            return;
        }
        let snapshot = entry.snapshot(now, true_ns, &self.truth);
        match entry
            .server
            .answer(now, received, &snapshot, &mut entry.random)
        {
            Answer::Nothing => {}
            Answer::Reply(reply) => {
                let own = SocketAddr::new(local, NTP_PORT);
                let late_s = entry
                    .server
                    .departs_after(now, &snapshot, &mut entry.random);
                self.send(node, (own, received.source), &reply, late_s);
            }
            Answer::Crowd(hosts, reply) => {
                for host in 0..hosts {
                    let [high, low] = host.to_be_bytes();
                    let made_up = SocketAddr::from(([10, 66, high, low], NTP_PORT));
                    self.send(node, (made_up, received.source), &reply, 0.0);
                }
            }
            Answer::Parked(parked) => {
                let done = entry.perform(parked.job());
                let finished = entry.server.finish(&parked, &done, now, &snapshot);
                if let Some(reply) = finished {
                    let own = SocketAddr::new(local, NTP_PORT);
                    self.send(node, (own, parked.source()), &reply, 0.0);
                }
            }
            Answer::HandOff => {
                if let Some(client) = self.running(node) {
                    client.system.handle_packet(now, received);
                    self.turn(node);
                }
            }
        }
    }

    fn forge(&mut self, index: usize) {
        let flood = self.floods[index];
        if self.now_s() >= flood.until_s {
            return;
        }
        let wall = self.truth.wall(self.true_ns);
        let octets = flood.forgery.octets(wall, &mut self.random);
        let target = &self.nodes[usize::from(flood.target.0)];
        let address = target.addresses[0];
        let client = target.client.as_ref();
        if let Some(socket) = client.and_then(|client| client.socket_to(flood.pretends)) {
            let destination = SocketAddr::new(address, socket.port);
            self.arrive(flood.target, flood.pretends, destination, &octets);
        }
        let next_ns = self.true_ns + nanoseconds(flood.every_s.max(1e-6));
        self.queue.push(next_ns, Happening::Flood(index));
    }

    /// The machine on a node while its daemon runs.
    pub(super) fn running(&mut self, node: NodeId) -> Option<&mut crate::node::Client> {
        let entry = &mut self.nodes[usize::from(node.0)];
        entry
            .client
            .as_mut()
            .filter(|_| entry.journal.exit.is_none())
    }
}

/// Whether a datagram at a socket that is connected with a peer is the peer's business with us.
fn is_symmetric(octets: &[u8]) -> bool {
    let mode = octets.first().map(|first| Mode::from_bits(*first));
    matches!(mode, Some(Mode::SymmetricActive | Mode::SymmetricPassive))
}

pub(super) const fn kernel(at: truechimer_time::NtpTimestamp) -> Stamp {
    Stamp {
        at,
        class: StampClass::Kernel,
    }
}
