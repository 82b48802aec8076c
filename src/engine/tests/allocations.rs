//! Serving allocates nothing. One test in a process of its own, for allocations are counted for
//! the whole of it.
mod support;

use core::net::SocketAddr;
use core::time::Duration;
use std::net::UdpSocket;
use support::{Running, free, unsteered};
use truechimer_engine::EngineChoice;
use truechimer_sys::allocation::{self, CountingAllocator};
use truechimer_wire::{Header, Mode};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const REQUESTS: u64 = 2000;

/// Asks, and returns what everybody but this thread has allocated meanwhile.
fn allocated_by_others(server: SocketAddr) -> u64 {
    let socket = UdpSocket::bind((server.ip(), 0)).expect("a port");
    socket.connect(server).expect("a route");
    let patience = Some(Duration::from_secs(60));
    socket.set_read_timeout(patience).expect("not zero");
    let request = Header::blank(4, Mode::Client).to_octets();
    let mut reply = [0; 64];
    let count = || allocation::made_by_process() - allocation::made_by_this_thread();
    // The first requests may find a thread still settling in.
    for _ in 0..100 {
        socket.send(&request).expect("sent");
        socket.recv(&mut reply).expect("a reply");
    }
    let before = count();
    for _ in 0..REQUESTS {
        socket.send(&request).expect("sent");
        assert_eq!(socket.recv(&mut reply).expect("a reply"), 48);
    }
    count() - before
}

#[test]
fn zero_allocations_per_served_request() {
    // The counter counts at all.
    let before = allocation::made_by_process();
    drop(std::hint::black_box(Box::new(1_u64)));
    assert!(allocation::made_by_process() > before);

    for (threads, engine) in [
        (0, EngineChoice::Poll),
        (1, EngineChoice::Poll),
        (1, EngineChoice::Uring),
    ] {
        let address = free("127.0.0.1").unwrap();
        let nobody = Vec::new();
        let server = Running::start_with(engine, vec![address], threads, unsteered(), nobody);
        let fewest = (0..5).map(|_| allocated_by_others(address)).min();
        assert_eq!(fewest, Some(0), "{threads} server threads, {engine:?}");
        server.stop();
    }
}
