use super::*;
use crate::config::Listen;
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
        clients.handle_ready(0, ready, system, &mut buffer, &mut NicClocks::default());
        if wanted(ready) {
            return;
        }
    }
    panic!("nothing came");
}

fn nowhere() -> Listeners {
    Listeners::new(Listen::Nowhere, 1, 1)
}

/// A request to this address, and the system that wants it sent.
pub(crate) fn first_request(to: SocketAddr) -> (System, Transmit) {
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
        clients.send(&mut system, request, &nowhere(), &NicClocks::default())
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
    assert!(
        clients
            .send(&mut system, request, &nowhere(), &NicClocks::default())
            .is_none()
    );
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

#[test]
fn our_address_is_known_before_a_request_is_made_and_is_the_one_it_leaves_from() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let to = server.local_addr().unwrap();
    let (mut system, request) = first_request(to);
    let id = request.ticket.association();
    let mut clients = Clients::new(1);
    clients.prepare(&mut system, id, to, &NicClocks::default());
    let known = clients.local_address(id).unwrap();
    assert_eq!(known.ip(), to.ip());
    let other = "127.0.0.1:9".parse().unwrap();
    assert!(
        clients.take_prepared(id, other, Route::Fresh).is_none(),
        "connected with somebody else"
    );
    assert!(
        clients
            .send(&mut system, request, &nowhere(), &NicClocks::default())
            .is_none()
    );
    let (_, from) = server.recv_from(&mut [0; 128]).unwrap();
    assert_eq!((from, clients.len()), (known, 1));

    // The next is prepared anew: a port is for one request.
    clients.prepare(&mut system, id, to, &NicClocks::default());
    assert_ne!(clients.local_address(id).unwrap(), known);
    assert_eq!(clients.len(), 1);
}
