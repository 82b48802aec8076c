//! The roster of server threads on loopback.
#![allow(
    clippy::unwrap_used,
    reason = "these are tests, by way of a macro that makes two of each"
)]
mod support;

use core::net::SocketAddr;
use core::time::Duration;
use std::net::UdpSocket;
use std::sync::Arc;
use support::{Running, always_right, free, stratum_one};
use truechimer_engine::{Command, EngineChoice, Hearing, Listen};
use truechimer_proto::server::{AccessRule, Network, Policy, RestrictFlags};
use truechimer_wire::{Header, Mode};

/// For what must come, on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every test, with either engine.
macro_rules! with_either_engine {
    ($($name:ident)*) => {
        mod poll {
            $(#[test] fn $name() { super::$name(super::EngineChoice::Poll); })*
        }
        mod uring {
            $(#[test] fn $name() { super::$name(super::EngineChoice::Uring); })*
        }
    };
}

with_either_engine! {
    answers_on_both_families_from_all_threads
    a_stalled_clock_thread_stops_no_answer
    a_new_policy_holds_for_all_threads_and_strays_reach_the_clock_thread
    an_address_given_up_is_soon_served_again
    a_waker_spares_the_wait
    the_end_wakes_the_threads
    status_says_which_engine
}

fn asker(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((server.ip(), 0)).expect("a port");
    socket.connect(server).expect("a route");
    socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
    socket
}

fn ask(socket: &UdpSocket, nonce: u64) -> Option<Header> {
    let mut request = Header::blank(4, Mode::Client);
    request.transmit_time = truechimer_time::NtpTimestamp::from_bits(nonce);
    socket.send(&request.to_octets()).expect("sent");
    let mut reply = [0; 48];
    let len = socket.recv(&mut reply).ok()?;
    assert_eq!(len, 48);
    Some(Header::parse(&reply))
}

fn addresses() -> Vec<SocketAddr> {
    ["127.0.0.1", "::1"].into_iter().filter_map(free).collect()
}

fn answers_on_both_families_from_all_threads(engine: EngineChoice) {
    let addresses = addresses();
    let server = Running::start_with(engine, addresses.clone(), 2, stratum_one(), always_right());
    server.wait_for(PATIENCE, |report| report.system.stratum == 1);
    for address in &addresses {
        for nonce in 1..=40 {
            // A new port each time, so that the kernel spreads them over the threads.
            let reply = ask(&asker(*address), nonce).unwrap();
            assert_eq!((reply.mode, reply.stratum), (Mode::Server, 1));
            assert_eq!(reply.origin_time.to_bits(), nonce);
            let inside = reply.transmit_time.since(reply.receive_time).to_seconds();
            assert!((0.0..10.0).contains(&inside), "{inside}");
        }
    }
    let asked = 40 * addresses.len() as u64;
    let report = server.wait_for(PATIENCE, |report| {
        report
            .servers
            .iter()
            .map(|one| one.protocol.replied)
            .sum::<u64>()
            == asked
    });
    // Two threads, and the clock thread, which has no socket that anybody asks at.
    let replied = report.servers.iter().map(|one| one.protocol.replied);
    let replied: Vec<u64> = replied.collect();
    let [first, second, 0] = replied[..] else {
        panic!("{replied:?}");
    };
    assert!(first > 0 && second > 0, "{replied:?}");
    assert!(report.servers.iter().all(|one| one.send_failed == 0));
    assert_eq!(report.listening, addresses);
    server.stop();
}

fn a_stalled_clock_thread_stops_no_answer(engine: EngineChoice) {
    let address = free("127.0.0.1").unwrap();
    let server = Running::start_with(engine, vec![address], 1, stratum_one(), always_right());
    server.wait_for(PATIENCE, |report| report.system.stratum == 1);
    server.stall(Duration::from_secs(3));
    std::thread::sleep(Duration::from_millis(1500));
    let asker = asker(address);
    for nonce in 1..=100 {
        assert_eq!(ask(&asker, nonce).unwrap().origin_time.to_bits(), nonce);
    }
    std::thread::sleep(Duration::from_secs(2));
    server.stop();
}

fn a_new_policy_holds_for_all_threads_and_strays_reach_the_clock_thread(engine: EngineChoice) {
    let address = free("127.0.0.1").unwrap();
    let server = Running::start_with(engine, vec![address], 2, stratum_one(), always_right());
    assert!(ask(&asker(address), 1).is_some());

    let stray = Header::blank(4, Mode::Server).to_octets();
    asker(address).send(&stray).unwrap();
    server.wait_for(PATIENCE, |report| {
        report
            .servers
            .iter()
            .map(|one| one.protocol.handed_off)
            .sum::<u64>()
            == 1
    });

    let deaf = Policy::new(
        [AccessRule::new(
            Network::host(address.ip()),
            RestrictFlags::IGNORE,
        )],
        None,
    );
    server.command(Command::ReplacePolicy(Arc::new(deaf)));
    std::thread::sleep(Duration::from_millis(1800));
    for nonce in 2..6 {
        let asker = asker(address);
        asker
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        assert!(ask(&asker, nonce).is_none());
    }
    server.stop();
}

/// As after a link that flaps: the threads may still hold the sockets that were closed.
fn an_address_given_up_is_soon_served_again(engine: EngineChoice) {
    for addresses in [addresses(), vec![free("127.0.0.1").unwrap()]] {
        let server =
            Running::start_with(engine, addresses.clone(), 2, stratum_one(), always_right());
        for _ in 0..5 {
            server.command(Command::ReplaceListen(Listen::Nowhere, Hearing::default()));
            let again = Listen::Addresses(addresses.clone());
            server.command(Command::ReplaceListen(again, Hearing::default()));
            server.waker.wake();
            server.wait_for(Duration::from_secs(10), |report| {
                report.listening.len() == addresses.len()
            });
        }
        assert!(ask(&asker(addresses[0]), 1).is_some());
        server.stop();
    }
}

fn a_waker_spares_the_wait(engine: EngineChoice) {
    let address = free("127.0.0.1").unwrap();
    let server = Running::start_with(engine, vec![address], 1, stratum_one(), Vec::new());
    server.report();
    let start = std::time::Instant::now();
    for _ in 0..10 {
        server.command(Command::Report);
        server.waker.wake();
        server.take_report();
    }
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    server.stop();
}

fn status_says_which_engine(engine: EngineChoice) {
    let address = free("127.0.0.1").unwrap();
    let server = Running::start_with(engine, vec![address], 2, stratum_one(), Vec::new());
    let report = server.report();
    let rings: u64 = report.servers.iter().map(|one| one.rings).sum();
    let reason = report.engine_reason.to_string();
    let notices = server.notices.lock().unwrap().join("\n");
    match engine {
        EngineChoice::Poll => assert_eq!((rings, reason.as_str()), (0, "as configured")),
        // Where there is none for us, one line has said so.
        _ if rings == 0 => assert!(notices.contains(&reason), "{notices}"),
        _ => assert_eq!((rings, reason.as_str()), (2, "as configured")),
    }
    server.stop();
}

/// Where a thread waits depends on how many addresses it serves: in receiving, in poll, or for
/// nothing but the end.
fn the_end_wakes_the_threads(engine: EngineChoice) {
    for count in 0..3 {
        let fastest = (0..5).map(|_| time_to_stop(engine, count)).min().unwrap();
        assert!(fastest < Duration::from_millis(200), "{count}: {fastest:?}");
    }
}

fn time_to_stop(engine: EngineChoice, count: usize) -> Duration {
    let addresses: Vec<SocketAddr> = (0..count).filter_map(|_| free("127.0.0.1")).collect();
    let server = Running::start_with(engine, addresses.clone(), 1, stratum_one(), Vec::new());
    server.report();
    // Its wait has only just begun.
    for address in addresses {
        assert!(ask(&asker(address), 1).is_some());
    }
    let start = std::time::Instant::now();
    let waker = server.waker.clone();
    server.command(Command::Stop);
    waker.wake();
    server.stop();
    start.elapsed()
}
