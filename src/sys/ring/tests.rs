use super::*;
use crate::socket::{AddressFamily, ReceiveBuffer};
use core::net::SocketAddr;
use io_uring::opcode;
use std::collections::HashMap;

const PATIENCE: Duration = Duration::from_secs(10);

fn bound(address: &str) -> (Arc<Socket>, SocketAddr) {
    let address: SocketAddr = address.parse().unwrap();
    let socket = Socket::open(AddressFamily::of(address.ip())).unwrap();
    socket.bind(address).unwrap();
    let address = socket.local_address().unwrap();
    (Arc::new(socket), address)
}

fn local() -> (Arc<Socket>, SocketAddr) {
    bound("127.0.0.1:0")
}

const fn size(buffers: u16) -> RingSize {
    RingSize {
        buffers,
        octets_each: 64,
        sockets: 8,
        portion: 8,
    }
}

fn started(idle: IdleRing) -> (Ring, Arc<Wake>) {
    let wake = Arc::new(Wake::new().unwrap());
    (idle.start(Arc::clone(&wake)).unwrap(), wake)
}

fn ring(buffers: u16, sockets: &[Arc<Socket>]) -> Ring {
    let (mut ring, _) = started(IdleRing::open(size(buffers)).unwrap());
    ring.set_sockets(sockets).unwrap();
    ring
}

/// Receives until there are so many, answering each by its first octet and 0xFF. Returns the first
/// octets with the places they came to, and what became of the replies.
fn serve(
    ring: &mut Ring,
    sockets: &[Arc<Socket>],
    wanted: usize,
    waiting: Waiting,
) -> (Vec<(usize, u8)>, Sent) {
    let (mut seen, mut outcome) = (Vec::new(), Sent::default());
    let start = Instant::now();
    while seen.len() < wanted {
        assert!(start.elapsed() < PATIENCE, "{} of {wanted}", seen.len());
        ring.wait(Duration::from_millis(100), waiting).unwrap();
        while let Some(portion) = ring.receive() {
            assert!(portion.count <= 8);
            ring.answer(&mut |arrival, out| {
                seen.push((portion.place, arrival.octets[0]));
                out[..2].copy_from_slice(&[arrival.octets[0], 0xFF]);
                2
            });
            let sent = ring.send(&sockets[portion.place]);
            outcome.sent += sent.sent;
            outcome.failed += sent.failed;
        }
    }
    (seen, outcome)
}

fn reply(client: &Socket) -> Vec<u8> {
    let mut buffer = ReceiveBuffer::new(64);
    let start = Instant::now();
    loop {
        match client.receive(&mut buffer) {
            Ok(arrival) => return arrival.unwrap().octets.to_vec(),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
        assert!(start.elapsed() < PATIENCE, "no reply");
        std::thread::yield_now();
    }
}

#[test]
fn thousands_come_in_by_one_request_on_several_sockets() {
    let (first, first_address) = local();
    let (second, second_address) = bound("[::1]:0");
    let sockets = [first, second];
    let mut ring = ring(64, &sockets);
    let (v4, v6) = (local().0, bound("[::1]:0").0);
    let mut by_place: HashMap<usize, usize> = HashMap::new();
    for round in 0..500_u16 {
        let [number, _] = round.to_le_bytes();
        for _ in 0..5 {
            v4.send_to(&[number; 48], first_address).unwrap();
            v6.send_to(&[number; 48], second_address).unwrap();
        }
        let (seen, sent) = serve(&mut ring, &sockets, 10, Waiting::First);
        assert!(seen.iter().all(|(_, octet)| *octet == number));
        assert_eq!((sent.sent, sent.failed), (10, 0));
        for (place, _) in seen {
            *by_place.entry(place).or_default() += 1;
        }
        for client in [&v4, &v6] {
            for _ in 0..5 {
                assert_eq!(reply(client), [number, 0xFF]);
            }
        }
    }
    assert_eq!(by_place, HashMap::from([(0, 2500), (1, 2500)]));
    assert_eq!(ring.counts(), RingCounts::default());
}

#[test]
fn every_datagram_has_its_source_and_its_stamp() {
    let (server, address) = local();
    assert!(server.stamp_receives());
    let mut ring = ring(8, &[server]);
    let (client, client_address) = local();
    let start = Instant::now();
    let mut is_stamped = false;
    // The kernel begins to stamp a moment after it was asked to.
    while !is_stamped {
        assert!(start.elapsed() < PATIENCE, "no stamps");
        client.send_to(&[1; 48], address).unwrap();
        ring.wait(PATIENCE, Waiting::First).unwrap();
        while ring.receive().is_some() {
            ring.answer(&mut |arrival, _| {
                assert_eq!((arrival.octets.len(), arrival.source), (48, client_address));
                is_stamped |= arrival.stamp.is_some();
                0
            });
        }
    }
}

/// As after a pause of the thread, or of the whole process: what the socket has taken is not lost.
#[test]
fn a_burst_larger_than_the_buffers_is_received_whole_and_counted() {
    let (server, address) = local();
    let sockets = [server];
    let mut ring = ring(4, &sockets);
    ring.wait(Duration::ZERO, Waiting::First).unwrap();
    let client = local().0;
    for number in 0..100 {
        client.send_to(&[number; 48], address).unwrap();
    }
    std::thread::sleep(Duration::from_millis(50));
    let (seen, _) = serve(&mut ring, &sockets, 100, Waiting::First);
    let octets: Vec<u8> = seen.iter().map(|(_, octet)| *octet).collect();
    assert_eq!(octets, (0..100).collect::<Vec<u8>>());
    let counts = ring.counts();
    assert!(counts.starved > 0, "{counts:?}");
    assert_eq!((counts.failed, counts.cancelled), (0, 0));
}

#[test]
fn a_full_queue_of_completions_loses_nothing_and_is_counted() {
    let (server, address) = local();
    let sockets = [server];
    let (mut ring, _) = started(IdleRing::with_completions(size(64), 64).unwrap());
    ring.set_sockets(&sockets).unwrap();
    ring.wait(Duration::ZERO, Waiting::First).unwrap();
    let client = local().0;
    let mut seen = Vec::new();
    // A wait that finds more than the queue holds: 64 and one more, never looked at in between.
    for number in 0..200 {
        client.send_to(&[number; 48], address).unwrap();
        if number % 20 == 19 {
            ring.uring.submit_and_wait(1).unwrap();
        }
    }
    let start = Instant::now();
    while seen.len() < 200 {
        assert!(start.elapsed() < PATIENCE, "{seen:?}");
        ring.wait(Duration::from_millis(100), Waiting::First)
            .unwrap();
        while ring.receive().is_some() {
            ring.answer(&mut |arrival, _| {
                seen.push(arrival.octets[0]);
                0
            });
        }
    }
    assert_eq!(seen, (0..200).collect::<Vec<u8>>());
    let counts = ring.counts();
    assert!(counts.starved + counts.cut_short > 0, "{counts:?}");
}

#[test]
fn a_long_datagram_is_not_shown() {
    let (server, address) = local();
    let mut ring = ring(8, &[server]);
    let client = local().0;
    client.send_to(&[1; 65], address).unwrap();
    client.send_to(&[2; 64], address).unwrap();
    let (mut shown, mut unreadable) = (Vec::new(), 0);
    while shown.is_empty() {
        ring.wait(PATIENCE, Waiting::First).unwrap();
        while ring.receive().is_some() {
            unreadable += ring.answer(&mut |arrival, _| {
                shown.push(arrival.octets.len());
                0
            });
        }
    }
    assert_eq!((shown, unreadable), (vec![64], 1));
}

#[test]
fn a_late_refusal_of_a_reply_ends_receiving_only_until_it_is_begun_again() {
    let (server, address) = local();
    let (client, client_address) = local();
    server.connect(client_address).unwrap();
    let sockets = [server];
    let mut ring = ring(8, &sockets);
    ring.wait(Duration::ZERO, Waiting::First).unwrap();
    drop(client);
    for refused in 1..=3 {
        sockets[0].send(b"to nobody").unwrap();
        let start = Instant::now();
        while ring.counts().failed < refused {
            assert!(start.elapsed() < PATIENCE, "{:?}", ring.counts());
            ring.wait(Duration::from_millis(100), Waiting::First)
                .unwrap();
            assert_eq!(ring.receive(), None);
        }
        let (client, _) = bound(&client_address.to_string());
        client.send_to(&[7; 48], address).unwrap();
        let (seen, _) = serve(&mut ring, &sockets, 1, Waiting::First);
        assert_eq!(seen, [(0, 7)]);
    }
}

/// Not for ever: somebody else should receive from it then.
#[test]
fn a_socket_that_only_fails_is_given_up() {
    let (server, _) = local();
    let nobody = local().1;
    server.connect(nobody).unwrap();
    let mut ring = ring(8, std::slice::from_ref(&server));
    let mut failure = None;
    for _ in 0..100 * BARREN_MAX {
        // Refused already, or about to be.
        let _ = server.send(b"to nobody");
        let waited = ring.wait(Duration::from_millis(1), Waiting::First);
        while ring.receive().is_some() {}
        failure = waited.err();
        if failure.is_some() {
            break;
        }
    }
    let failure = failure.expect("given up");
    assert_eq!(failure.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn waits_no_longer_than_told_and_is_woken() {
    let (mut ring, wake) = started(IdleRing::open(size(8)).unwrap());
    let (server, address) = local();
    ring.set_sockets(&[server]).unwrap();
    for waiting in [
        Waiting::First,
        Waiting::Linger(Duration::from_micros(100)),
        Waiting::Spin,
    ] {
        let start = Instant::now();
        ring.wait(Duration::from_millis(30), waiting).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(25), "{waiting:?}");
        assert_eq!(ring.receive(), None);
        // Once now, once more later: it is polled for ever.
        for _ in 0..3 {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(20));
                    wake.wake();
                });
                let start = Instant::now();
                ring.wait(PATIENCE, waiting).unwrap();
                assert!(start.elapsed() < PATIENCE / 2, "{waiting:?}");
                assert_eq!(ring.receive(), None);
            });
        }
    }
    let client = local().0;
    client.send_to(&[1; 48], address).unwrap();
    let start = Instant::now();
    ring.wait(PATIENCE, Waiting::Linger(Duration::from_millis(40)))
        .unwrap();
    assert_eq!(ring.receive().map(|portion| portion.count), Some(1));
    let has_min_wait = ring.uring.params().is_feature_min_timeout();
    assert!(!has_min_wait || start.elapsed() >= Duration::from_millis(35));
    client.send_to(&[1; 48], address).unwrap();
    ring.wait(PATIENCE, Waiting::Spin).unwrap();
    assert_eq!(ring.receive().map(|portion| portion.count), Some(1));
}

/// The clock thread shuts sockets for the threads that wait in recvmmsg(2); here that must at least
/// not keep the thread busy.
#[test]
fn a_socket_shut_for_receiving_does_not_spin() {
    let (server, _) = local();
    let mut ring = ring(8, std::slice::from_ref(&server));
    ring.wait(Duration::ZERO, Waiting::First).unwrap();
    server.shut_for_receiving();
    let start = Instant::now();
    let mut turns = 0;
    while start.elapsed() < Duration::from_millis(300) {
        ring.wait(Duration::from_millis(50), Waiting::First)
            .unwrap();
        while ring.receive().is_some() {}
        turns += 1;
    }
    assert!(turns < 100, "{turns}");
}

#[test]
fn an_address_that_is_left_can_be_taken_at_once() {
    let (first, address) = local();
    let (second, _) = local();
    let mut ring = ring(8, &[first, Arc::clone(&second)]);
    ring.wait(Duration::ZERO, Waiting::First).unwrap();
    for _ in 0..20 {
        ring.set_sockets(std::slice::from_ref(&second)).unwrap();
        // The cancelling completes, then the request that was cancelled.
        for _ in 0..2 {
            ring.wait(Duration::ZERO, Waiting::First).unwrap();
            assert_eq!(ring.receive(), None);
        }
        let (again, _) = bound(&address.to_string());
        // The one that stays changes its place.
        let sockets = [again, Arc::clone(&second)];
        ring.set_sockets(&sockets).unwrap();
        local().0.send_to(&[3; 48], address).unwrap();
        let (seen, _) = serve(&mut ring, &sockets, 1, Waiting::First);
        assert_eq!(seen, [(0, 3)]);
    }
    assert_eq!(ring.counts(), RingCounts::default());
    drop(ring);
    bound(&address.to_string());
}

#[test]
fn more_sockets_than_reckoned_with_are_refused() {
    let (mut ring, _) = started(IdleRing::open(size(8)).unwrap());
    let sockets: Vec<_> = (0..9).map(|_| local().0).collect();
    let refused = ring.set_sockets(&sockets).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::QuotaExceeded);
}

#[test]
fn a_ring_is_opened_in_one_thread_and_run_in_another() {
    let idle = IdleRing::open(size(8)).unwrap();
    let (server, address) = local();
    std::thread::spawn(move || {
        let (mut ring, _) = started(idle);
        let sockets = [server];
        ring.set_sockets(&sockets).unwrap();
        local().0.send_to(&[9; 48], address).unwrap();
        assert_eq!(serve(&mut ring, &sockets, 1, Waiting::First).0, [(0, 9)]);
    })
    .join()
    .unwrap();
}

/// What the kernel was told when it was opened: nothing but what is needed.
#[test]
fn nothing_else_goes_through_it() {
    let (mut ring, _) = started(IdleRing::open(size(8)).unwrap());
    let open = opcode::Nop::new().build().user_data(CANCEL);
    // SAFETY: a request that does nothing names no memory.
    unsafe { ring.uring.submission().push(&open) }.unwrap();
    ring.uring.submit_and_wait(1).unwrap();
    let outcome = ring.uring.completion().next().unwrap();
    assert_eq!(outcome.result(), -libc::EACCES);
}
