//! Serving allocates nothing. One test in a process of its own, for allocations are counted for
//! the whole of it.
mod support;

use core::net::SocketAddr;
use core::time::Duration;
use std::net::UdpSocket;
use support::{Running, free, unsteered};
use truechimer_engine::EngineChoice;
use truechimer_sys::allocation::{self, CountingAllocator};
use truechimer_time::NtpTimestamp;
use truechimer_wire::{Header, Mode};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const REQUESTS: u64 = 2000;

/// Asks, in interleaved mode where a reply before allows it, and returns what everybody but this thread has allocated meanwhile.
fn allocated_by_others(server: SocketAddr) -> u64 {
    let socket = UdpSocket::bind((server.ip(), 0)).expect("a port");
    socket.connect(server).expect("a route");
    let patience = Some(Duration::from_secs(60));
    socket.set_read_timeout(patience).expect("not zero");
    let mut request = Header::blank(4, Mode::Client);
    let mut reply = [0; 48];
    let mut ask = |is_interleaved: bool| {
        socket.send(&request.to_octets()).expect("sent");
        assert_eq!(socket.recv(&mut reply).expect("a reply"), 48);
        if is_interleaved {
            request.origin_time = Header::parse(&reply).receive_time;
            request.receive_time = NtpTimestamp::from_bits(1);
            request.transmit_time = NtpTimestamp::from_bits(2);
        }
    };
    let count = || allocation::made_by_process() - allocation::made_by_this_thread();
    // The first requests may find a thread still settling in.
    for _ in 0..100 {
        ask(false);
    }
    let before = count();
    for turn in 0..REQUESTS {
        ask(turn >= REQUESTS / 2);
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
