use super::*;
use crate::clock;
use crate::poll::PollSet;
use core::time::Duration;

fn bound(family: AddressFamily) -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::open(family)?;
    let ip = match family {
        AddressFamily::V4 => "127.0.0.1:0",
        AddressFamily::V6 => "[::1]:0",
    };
    socket.bind(ip.parse().unwrap())?;
    let address = socket.local_address()?;
    Ok((socket, address))
}

fn connected(family: AddressFamily, to: SocketAddr) -> Socket {
    let socket = Socket::open(family).unwrap();
    assert!(socket.stamp_both());
    socket.connect(to).unwrap();
    socket
}

/// Waits for readability or for an error, whichever is asked for.
fn wait(socket: &Socket, for_error: bool) {
    let mut set = PollSet::default();
    let place = set.push(socket);
    for _ in 0..100 {
        set.wait(Duration::from_millis(50)).unwrap();
        let ready = set.readiness(place);
        if (for_error && ready.error) || (!for_error && ready.readable) {
            return;
        }
    }
    panic!("nothing came");
}

/// One exchange; every stamp is the kernel's, and they are in order.
fn exchange(family: AddressFamily) -> io::Result<()> {
    let (server, server_address) = bound(family)?;
    assert!(server.stamp_receives());
    let client = connected(family, server_address);
    // The first stamps of a machine are taken late, until the kernel has switched stamping on.
    std::thread::sleep(Duration::from_millis(20));
    let mut buffer = ReceiveBuffer::new(128);

    let before = clock::wall();
    client.send(b"request").unwrap();
    wait(&client, true);
    let TransmitStamp {
        number,
        kernel,
        hardware,
    } = client.transmit_stamp().unwrap().unwrap();
    assert_eq!((number, hardware), (Some(0), None));
    let sent = kernel.unwrap();
    wait(&server, false);
    let arrival = server.receive(&mut buffer).unwrap().unwrap();
    let after = clock::wall();
    assert_eq!(arrival.octets, b"request");
    assert_eq!(arrival.source, client.local_address().unwrap());
    let arrived = arrival.stamp.unwrap();
    for (earlier, later) in [
        (before, sent.at),
        (sent.at, arrived.at),
        (arrived.at, after),
    ] {
        let apart = later.since(earlier).to_nanoseconds();
        assert!((-1..1_000_000_000).contains(&apart), "{apart} ns");
    }

    server.send_to(b"reply", arrival.source).unwrap();
    wait(&client, false);
    let reply = client.receive(&mut buffer).unwrap().unwrap();
    assert_eq!(
        (reply.octets, reply.source),
        (&b"reply"[..], server_address)
    );
    assert!(reply.stamp.unwrap().at.since(arrived.at).to_nanoseconds() >= -1);
    let empty = client.receive(&mut buffer).unwrap_err();
    assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
    let empty = client.transmit_stamp().unwrap_err();
    assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
    Ok(())
}

#[test]
fn kernel_stamps_on_both_sides_v4() {
    exchange(AddressFamily::V4).unwrap();
}

#[test]
fn kernel_stamps_on_both_sides_v6() {
    match exchange(AddressFamily::V6) {
        Ok(()) => {}
        Err(missing) => {
            let refused = [Some(libc::EAFNOSUPPORT), Some(libc::EADDRNOTAVAIL)];
            assert!(refused.contains(&missing.raw_os_error()), "{missing}");
        }
    }
}

#[test]
fn a_closed_port_is_told() {
    let (closed, address) = bound(AddressFamily::V4).unwrap();
    drop(closed);
    let client = connected(AddressFamily::V4, address);
    client.send(b"anybody?").unwrap();
    let mut refused = None;
    for _ in 0..100 {
        wait(&client, true);
        // The transmit stamp is queued too; the refusal is the socket's pending error.
        let _ = client.transmit_stamp();
        refused = client.take_error();
        if refused.is_some() {
            break;
        }
    }
    assert_eq!(refused.unwrap().kind(), io::ErrorKind::ConnectionRefused);
    assert!(client.take_error().is_none());
}

#[test]
fn a_taken_port_is_told_and_a_shared_one_is_shared() {
    let (first, address) = bound(AddressFamily::V4).unwrap();
    let stranger = Socket::open(AddressFamily::V4).unwrap();
    stranger.share_port().unwrap();
    let taken = stranger.bind(address).unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    first.share_port().unwrap();
    let second = Socket::open(AddressFamily::V4).unwrap();
    second.share_port().unwrap();
    second.bind(address).unwrap();

    // Datagrams of many askers reach both.
    for _ in 0..64 {
        let (asker, _) = bound(AddressFamily::V4).unwrap();
        asker.send_to(b"x", address).unwrap();
    }
    let mut buffer = ReceiveBuffer::new(8);
    let mut counts = [0, 0];
    for (count, socket) in counts.iter_mut().zip([&first, &second]) {
        while socket.receive(&mut buffer).is_ok() {
            *count += 1;
        }
    }
    assert_eq!(counts[0] + counts[1], 64);
    assert!(counts[0] > 0 && counts[1] > 0, "{counts:?}");
}

#[test]
fn every_client_socket_gets_its_own_port() {
    let (_server, address) = bound(AddressFamily::V4).unwrap();
    let clients: Vec<Socket> = (0..8)
        .map(|_| connected(AddressFamily::V4, address))
        .collect();
    let mut ports: Vec<u16> = clients
        .iter()
        .map(|client| client.local_address().unwrap().port())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 8);
}

#[test]
fn too_long_is_as_if_it_had_not_come() {
    let (server, address) = bound(AddressFamily::V4).unwrap();
    let client = connected(AddressFamily::V4, address);
    client.send(&[7; 9]).unwrap();
    wait(&server, false);
    assert!(
        server
            .receive(&mut ReceiveBuffer::new(8))
            .unwrap()
            .is_none()
    );
}

/// Waiting as server threads do, in recvmmsg(2) or in poll(2).
#[test]
fn shutting_wakes_whoever_waits() {
    let start = std::time::Instant::now();
    for in_poll in [false, true] {
        let (server, _) = bound(AddressFamily::V4).unwrap();
        let long = Duration::from_secs(60);
        server.wait_on_receive(long).unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                if in_poll {
                    let mut set = PollSet::default();
                    set.push(&server);
                    let _ = set.wait(long);
                } else {
                    let _ = crate::batch::Batch::new(4, 64).receive(&server, true);
                }
            });
            std::thread::sleep(Duration::from_millis(50));
            assert!(!waiter.is_finished());
            server.shut_for_receiving();
        });
    }
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}
