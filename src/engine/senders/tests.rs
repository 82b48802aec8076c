use super::*;
use crate::clients::Clients;
use crate::clients::tests::first_request;
use crate::config::{Hearing, Listen};
use crate::ears::Ears;
use crate::ears::tests::{PORT, everywhere};
use crate::nic_clocks::NicClocks;
use core::time::Duration;
use std::net::UdpSocket;
use truechimer_proto::packet::Link;
use truechimer_sys::own_network::{cable, in_own_network, ip};

struct Scene {
    listeners: Listeners,
    nics: NicClocks,
    senders: Senders,
    system: System,
    buffer: ReceiveBuffer,
}

/// A packet that came in through a sender's socket and is not the peer's.
type Other = (u8, SocketAddr);

impl Scene {
    fn new(listen: Listen, to: SocketAddr) -> Self {
        let mut listeners = Listeners::new(listen, 2, 64);
        listeners.rescan(&mut Vec::new());
        Self {
            listeners,
            nics: NicClocks::default(),
            senders: Senders::default(),
            system: first_request(to).0,
            buffer: ReceiveBuffer::new(64),
        }
    }

    fn send(&mut self, to: SocketAddr, route: Route) {
        let transmit = transmit(to, route);
        let outcome = self
            .senders
            .send(&mut self.system, transmit, &self.listeners);
        if let Some(NotSent { error, .. }) = outcome {
            panic!("{to} by {route:?}: {error}");
        }
    }

    /// Serves what is ready within a moment.
    fn serve(&mut self) -> Vec<Other> {
        let mut others = Vec::new();
        for _ in 0..20 {
            let mut set = PollSet::default();
            self.senders.add_to(&mut set);
            set.wait(Duration::from_millis(20)).unwrap();
            for place in 0..self.senders.len() {
                let ready = set.readiness(place);
                let (system, buffer) = (&mut self.system, &mut self.buffer);
                let other = self.senders.handle_ready(place, ready, system, buffer);
                others.extend(other.map(|(arrival, local)| (arrival.octets[0], local)));
            }
        }
        others
    }

    fn links(&self) -> Vec<Link> {
        self.listeners.plain_links()
    }
}

/// Each is of an association of the same number, whichever system made it.
fn transmit(to: SocketAddr, route: Route) -> Transmit {
    Transmit {
        to,
        route,
        ..first_request(to).1
    }
}

fn at(text: &str) -> SocketAddr {
    SocketAddr::new(text.parse().unwrap(), PORT)
}

fn bound(address: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    let patience = Duration::from_millis(300);
    socket.set_read_timeout(Some(patience)).unwrap();
    socket
}

/// What came to the service sockets, by first octet.
fn served(listeners: &Listeners) -> Vec<u8> {
    let mut buffer = ReceiveBuffer::new(64);
    let mut all = Vec::new();
    for socket in listeners.open().iter().flat_map(|it| &it.sockets) {
        while let Ok(Some(arrival)) = socket.receive(&mut buffer) {
            all.push(arrival.octets[0]);
        }
    }
    all
}

#[test]
fn a_peer_is_heard_and_takes_nobody_away_from_the_servers() {
    in_own_network(|| {
        let (peer, other) = (bound(at("127.0.0.2")), bound(at("127.0.0.3")));
        let local = at("127.0.0.1");
        let mut scene = Scene::new(Listen::Addresses(vec![local]), at("127.0.0.2"));
        let mut heard = [0; 64];
        for _ in 0..2 {
            scene.send(at("127.0.0.2"), Route::Lasting);
            let (_, from) = peer.recv_from(&mut heard).unwrap();
            assert_eq!(from, local, "from the service port");
            assert_eq!(scene.serve(), []);
            let sender = &scene.senders.open[0];
            assert!(sender.pending.is_none(), "its stamp came by itself");
        }
        assert_eq!((scene.senders.len(), scene.senders.open[0].sent), (1, 2));
        let stranger = UdpSocket::bind(local);
        stranger.expect_err("another daemon is noticed still");

        // Symmetric packets are the association's; requests of the same host are served.
        for (mode, count) in [(0x21, 2), (0x22, 1), (0x23, 1), (0x26, 1)] {
            for _ in 0..count {
                peer.send_to(&[mode; 48], local).unwrap();
                other.send_to(&[mode; 48], local).unwrap();
            }
        }
        assert_eq!(scene.serve(), [(0x23, local), (0x26, local)]);
        assert_eq!(scene.senders.traffic().received, 5);
        let status = scene.system.status(clock::now());
        assert_eq!(status.associations[0].received, 3);
        let mut all = served(&scene.listeners);
        all.sort_unstable();
        assert_eq!(all, [0x21, 0x21, 0x22, 0x23, 0x26]);

        let id = transmit(local, Route::Lasting).ticket.association();
        assert_eq!(scene.senders.local_address(id), Some(local));
        scene.senders.close(&mut scene.system, id);
        assert_eq!(scene.senders.len(), 0);
        peer.send_to(&[0x21; 48], local).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(served(&scene.listeners), [0x21]);
    });
}

/// A refusal of one packet does not keep the next one back.
#[test]
fn a_peer_that_is_not_there_yet() {
    in_own_network(|| {
        let to = at("127.0.0.2");
        let mut scene = Scene::new(Listen::Addresses(vec![at("127.0.0.1")]), to);
        scene.send(to, Route::Lasting);
        std::thread::sleep(Duration::from_millis(20));
        let peer = bound(to);
        scene.send(to, Route::Lasting);
        assert_eq!(peer.recv(&mut [0; 64]).unwrap(), 48);
        assert_eq!(scene.senders.open[0].sent, 2, "the same socket");
    });
}

#[test]
fn another_route_is_taken_and_an_address_is_given_back() {
    in_own_network(|| {
        cable("v1", "v2", 0);
        let to = at("10.78.0.9");
        let mut scene = Scene::new(everywhere(), to);
        let local = |scene: &Scene| scene.senders.open[0].aim.local;
        ip("route replace 10.78.0.0/24 dev v1 src 10.78.0.1");
        scene.send(to, Route::Lasting);
        assert_eq!(local(&scene), at("10.78.0.1"));
        scene.senders.rescan(&mut scene.system, &scene.listeners);
        assert_eq!(scene.senders.open[0].sent, 1, "the same socket");

        ip("address add 10.78.0.3/24 dev v1");
        ip("route replace 10.78.0.0/24 dev v1 src 10.78.0.3");
        scene.listeners.rescan(&mut Vec::new());
        scene.senders.rescan(&mut scene.system, &scene.listeners);
        assert_eq!(local(&scene), at("10.78.0.3"));
        assert_eq!(scene.senders.open[0].sent, 0, "another socket");

        // Not served any more, and then served again: the peer's socket must not be in the way.
        scene.listeners.replace(Listen::Nowhere);
        scene.listeners.rescan(&mut Vec::new());
        scene.listeners.replace(everywhere());
        scene.listeners.rescan(&mut Vec::new());
        assert!(scene.listeners.failing().contains(&at("10.78.0.3")));
        let failing = scene.listeners.failing().to_vec();
        assert!(scene.senders.make_room(&mut scene.system, &failing));
        scene.listeners.rescan(&mut Vec::new());
        assert!(!scene.listeners.failing().contains(&at("10.78.0.3")));

        ip("link delete v1");
        scene.send_in_vain(to);
    });
}

impl Scene {
    fn send_in_vain(&mut self, to: SocketAddr) {
        let transmit = transmit(to, Route::Lasting);
        self.senders
            .send(&mut self.system, transmit, &self.listeners);
        assert_eq!(self.senders.len(), 0);
        assert_eq!(self.senders.traffic().send_failed, 1);
    }
}

/// Every interface by itself, both families, and never back to the sender.
#[test]
fn what_is_told_to_many_leaves_by_one_interface() {
    in_own_network(|| {
        cable("v1", "v2", 0);
        cable("v3", "v4", 1);
        let mut scene = Scene::new(everywhere(), at("10.78.0.9"));
        let mut ears = Ears::new(Hearing {
            broadcasts: true,
            groups: vec![
                at("224.0.1.1").ip(),
                at("ff05::101").ip(),
                at("ff02::101").ip(),
            ],
            searches: Vec::new(),
        });
        ears.rescan(&scene.listeners, &mut Vec::new());
        let links = scene.links();
        assert_eq!(links.len(), 8);
        for link in &links {
            let group = if link.local.is_ipv4() {
                ["224.0.1.1", "10.78.0.255", "255.255.255.255"]
            } else {
                ["ff05::101", "ff02::101", "ff05::101"]
            };
            for mut to in group.map(at) {
                if let Some(broadcast) =
                    link.broadcast.filter(|_| to.ip() == at("10.78.0.255").ip())
                {
                    to.set_ip(broadcast.into());
                }
                let route = Route::Broadcast {
                    link: link.id,
                    hops: 2,
                    stamped: true,
                };
                scene.send(to, route);
                assert_eq!(scene.serve(), []);
                let mut heard = heard_by(&ears, link.id);
                // A broadcast comes back to the one who sent it.
                heard.retain(|(_, on, _)| to.ip().is_multicast() || *on != link.id);
                let wanted = [(to.ip(), other_end(&scene, link.id), link.local)];
                assert_eq!(heard, wanted, "{to} by {link:?}");
            }
        }
        let sender = &scene.senders.open[0];
        assert!(sender.pending.is_none(), "its stamp came by itself");
        assert_eq!(scene.senders.len(), 4, "one for each interface, kept");
    });
}

/// Nothing leaves yet. Who tells nobody when a packet left does not ask the kernel.
#[test]
fn a_socket_for_many_is_open_before_its_first_packet() {
    in_own_network(|| {
        cable("v1", "v2", 0);
        let to = at("224.0.1.1");
        let mut scene = Scene::new(everywhere(), at("10.78.0.9"));
        let link = scene.links()[0].id;
        for (count, stamped) in (1..).zip([true, false]) {
            let route = Route::Broadcast {
                link,
                hops: 2,
                stamped,
            };
            let association = transmit(to, route).ticket.association();
            let (system, listeners) = (&mut scene.system, &scene.listeners);
            scene
                .senders
                .open(system, to, route, association, listeners);
            assert_eq!(
                (scene.senders.len(), scene.senders.traffic.sent),
                (1, count - 1)
            );
            let ready = scene.senders.open[0].socket.local_address().unwrap();
            scene.send(to, route);
            let sender = &scene.senders.open[0];
            assert_eq!(sender.socket.local_address().unwrap(), ready);
            assert_eq!(
                (sender.sent > 0, sender.pending.is_some()),
                (stamped, stamped)
            );
            assert_eq!(scene.senders.len(), 1, "the one that was ready");
        }
    });
}

/// The interface at the other end of the cable.
fn other_end(scene: &Scene, id: LinkId) -> LinkId {
    let name_of = |id| {
        let links = scene.listeners.links();
        links
            .iter()
            .find(|it| it.link.id == id)
            .unwrap()
            .name
            .clone()
    };
    let other = match name_of(id).as_str() {
        "v1" => "v2",
        "v2" => "v1",
        "v3" => "v4",
        _ => "v3",
    };
    let links = scene.listeners.links();
    links.iter().find(|it| it.name == other).unwrap().link.id
}

/// What the ears have heard of what left through a link: to whom, on which interface, and from
/// whom. What crosses the cable is waited for; what should not be there gets a moment to come.
fn heard_by(ears: &Ears, sender: LinkId) -> Vec<(IpAddr, LinkId, IpAddr)> {
    let mut buffer = ReceiveBuffer::new(64);
    let mut heard = Vec::new();
    for _ in 0..400 {
        std::thread::sleep(Duration::from_millis(5));
        let crossed = heard.iter().any(|(_, on, _)| *on != sender);
        for ear in ears.open() {
            while let Ok(Some(arrival)) = ear.socket.receive(&mut buffer) {
                let (to, link) = ear.wanted.desk().many.unwrap();
                heard.push((to, link, arrival.source.ip()));
            }
        }
        if crossed {
            break;
        }
    }
    heard
}

/// A manycast client's: a random port for each round, and anybody may answer.
#[test]
fn a_search_is_answered_by_anybody_until_the_next_round() {
    in_own_network(|| {
        cable("v1", "v2", 0);
        let group = at("224.0.1.1");
        let mut scene = Scene::new(everywhere(), group);
        let mut ears = Ears::new(Hearing {
            searches: vec![group.ip()],
            ..Hearing::default()
        });
        ears.rescan(&scene.listeners, &mut Vec::new());
        let first = at("10.78.0.1").ip();
        let link = scene
            .links()
            .iter()
            .find(|it| it.local == first)
            .unwrap()
            .id;
        let mut clients = Clients::new(8);
        let mut ports = Vec::new();
        for _ in 0..2 {
            let route = Route::Ring { link, hops: 1 };
            let request = transmit(group, route);
            let id = request.ticket.association();
            let told = clients.send(&mut scene.system, request, &scene.listeners, &scene.nics);
            assert!(told.is_none(), "{told:?}");
            assert_eq!(heard_by(&ears, link).len(), 1);
            let local = clients.local_address(id).unwrap();
            assert_eq!(local.ip(), first);
            ports.push(local.port());
            for server in ["10.78.0.2", "127.0.0.1"] {
                bound(SocketAddr::new(at(server).ip(), 0))
                    .send_to(&[0x24; 48], local)
                    .unwrap();
            }
            let before = clients.traffic().received;
            while clients.traffic().received < before + 2 {
                let mut set = PollSet::default();
                clients.add_to(&mut set);
                assert!(set.wait(Duration::from_secs(5)).unwrap() > 0);
                let ready = set.readiness(0);
                let (system, buffer) = (&mut scene.system, &mut scene.buffer);
                clients.handle_ready(0, ready, system, buffer, &mut scene.nics);
            }
            assert_eq!(clients.len(), 1);
        }
        assert_ne!(ports[0], ports[1]);
    });
}
