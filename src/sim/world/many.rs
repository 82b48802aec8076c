//! What is sent to a group or to the broadcast address reaches everybody who listens there and is near
//! enough: nodes are on one net as far as there are no routers on the paths between them.
use super::queue::Happening;
use super::turn::kernel;
use super::{NTP_PORT, World, nanoseconds};
use crate::node::NodeId;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use truechimer_proto::packet::{Link, LinkId, Received, Route, TxTicket, Via};
use truechimer_proto::unsolicited::UnsolicitedCounts;
use truechimer_wire::Mode;

/// The broadcast address of the net.
pub const BROADCAST: Ipv4Addr = Ipv4Addr::new(10, 255, 255, 255);
/// Every node's only interface.
const LINK: LinkId = LinkId(1);

/// A datagram to many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Sender.
    pub source: SocketAddr,
    /// Group or broadcast address.
    pub to: IpAddr,
    /// All of it.
    pub octets: Vec<u8>,
}

/// A node's interfaces as its host would tell of them.
pub(crate) fn links(addresses: &[IpAddr]) -> Vec<Link> {
    let link = |local: &IpAddr| Link {
        id: LINK,
        local: *local,
        broadcast: local.is_ipv4().then_some(BROADCAST),
        multicast: true,
    };
    addresses.iter().map(link).collect()
}

impl World {
    /// The last datagram that any node sent to many.
    pub const fn told_to_many(&self) -> Option<&Datagram> {
        self.told_to_many.as_ref()
    }

    /// Somebody on a node's net sends this to many; it reaches that node alone, at once.
    pub fn inject(&mut self, node: NodeId, datagram: &Datagram) {
        self.hear_many(node, datagram.source, datagram.to, &datagram.octets);
    }

    /// What a machine refused of what nobody asked for.
    pub fn unsolicited(&self, node: NodeId) -> UnsolicitedCounts {
        let client = self.nodes[usize::from(node.0)].client.as_ref();
        client.map_or_else(UnsolicitedCounts::default, |it| *it.system.unsolicited())
    }

    pub(super) fn is_many(&self, address: IpAddr) -> bool {
        address.is_multicast() || address == BROADCAST || address == Ipv4Addr::BROADCAST
    }

    pub(super) fn tell_many(
        &mut self,
        from: NodeId,
        to: SocketAddr,
        octets: Vec<u8>,
        route: Route,
        ticket: TxTicket,
    ) {
        let now = self.now(from);
        let entry = &mut self.nodes[usize::from(from.0)];
        let own = entry
            .addresses
            .iter()
            .find(|own| own.is_ipv4() == to.is_ipv4());
        let Some(own) = own.copied() else {
            return;
        };
        let stamp = kernel(entry.clock.stamp(now));
        let mut port = NTP_PORT;
        if let Some(client) = &mut entry.client {
            if let Route::Ring { .. } = route {
                port = client.open(ticket.association(), to, &mut entry.random);
            }
            client.system.handle_transmit_stamp(ticket, stamp);
        }
        let source = SocketAddr::new(own, port);
        let hops = match route {
            Route::Ring { hops, .. } | Route::Broadcast { hops, .. } => hops,
            Route::Fresh | Route::Lasting => 0,
        };
        let hearers: Vec<NodeId> = (0..)
            .zip(&self.nodes)
            .filter(|(index, node)| *index != from.0 && node.hears(to.ip()))
            .map(|(index, _)| NodeId(index))
            .filter(|hearer| self.network.is_within(hops, from, *hearer))
            .collect();
        for hearer in hearers {
            for delay_s in self.network.carry(from, hearer).into_iter().flatten() {
                let datagram = Happening::Datagram {
                    to: hearer,
                    source,
                    destination: to,
                    octets: octets.clone(),
                };
                self.queue
                    .push(self.true_ns + nanoseconds(delay_s), datagram);
            }
        }
        self.told_to_many = Some(Datagram {
            source,
            to: to.ip(),
            octets,
        });
    }

    pub(super) fn hear_many(
        &mut self,
        node: NodeId,
        source: SocketAddr,
        to: IpAddr,
        octets: &[u8],
    ) {
        let now = self.now(node);
        let entry = &mut self.nodes[usize::from(node.0)];
        let stamp = kernel(entry.clock.stamp(now));
        let own = entry
            .addresses
            .iter()
            .find(|own| own.is_ipv4() == to.is_ipv4());
        let Some(local) = own.map(|ip| SocketAddr::new(*ip, NTP_PORT)) else {
            return;
        };
        let via = Via::Many {
            to,
            link: LINK,
            local,
        };
        let received = Received {
            octets,
            source,
            via,
            stamp,
        };
        if is_request(octets) {
            self.serve(node, now, local.ip(), &received);
        } else if let Some(client) = self.running(node) {
            client.system.handle_packet(now, &received);
            self.turn(node);
        }
    }
}

/// Whether a datagram is a client's request, which a server answers or not.
fn is_request(octets: &[u8]) -> bool {
    let mode = octets.first().map(|first| Mode::from_bits(*first));
    mode == Some(Mode::Client)
}

impl crate::node::Node {
    fn hears(&self, to: IpAddr) -> bool {
        if to.is_multicast() {
            self.listening.groups.contains(&to) || self.server.hears(to)
        } else {
            self.listening.broadcast
        }
    }
}
