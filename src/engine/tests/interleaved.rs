//! Interleaved mode on loopback, with the kernel's stamps.
mod support;

use core::net::SocketAddr;
use core::time::Duration;
use std::net::UdpSocket;
use support::{Running, always_right, free, stratum_one};
use truechimer_time::NtpTimestamp;
use truechimer_wire::{Header, Mode};

/// For what must come, on a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client that keeps to RFC 9769, from a new port each time and so at any thread.
struct Asker {
    server: SocketAddr,
    origin: NtpTimestamp,
    nonce: u64,
}

impl Asker {
    fn ask(&mut self) -> (bool, Header) {
        let socket = UdpSocket::bind((self.server.ip(), 0)).expect("a port");
        socket.connect(self.server).expect("a route");
        socket.set_read_timeout(Some(PATIENCE)).expect("not zero");
        let mut request = Header::blank(4, Mode::Client);
        request.transmit_time = self.nonce();
        if !self.origin.is_zero() {
            request.origin_time = self.origin;
            request.receive_time = self.nonce();
        }
        socket.send(&request.to_octets()).expect("sent");
        let mut reply = [0; 48];
        assert_eq!(socket.recv(&mut reply).expect("a reply"), 48);
        let reply = Header::parse(&reply);
        self.origin = reply.receive_time;
        let interleaved = reply.origin_time != request.transmit_time;
        assert!(!interleaved || reply.origin_time == request.receive_time);
        (interleaved, reply)
    }

    fn nonce(&mut self) -> NtpTimestamp {
        self.nonce += 1;
        NtpTimestamp::from_bits(self.nonce)
    }
}

#[test]
fn every_reply_after_the_first_tells_when_the_one_before_left() {
    for address in ["127.0.0.1", "::1"].into_iter().filter_map(free) {
        let server = Running::start(vec![address], 2, stratum_one(), always_right());
        server.wait_for(PATIENCE, |report| report.system.stratum == 1);
        let mut asker = Asker {
            server: address,
            origin: NtpTimestamp::ZERO,
            nonce: 0,
        };
        let mut interleaved = 0;
        let mut before: Option<Header> = None;
        for _ in 0..40 {
            let (is_interleaved, reply) = asker.ask();
            if let Some(before) = before.filter(|_| is_interleaved) {
                let held_s = reply.transmit_time.since(before.receive_time).to_seconds();
                assert!((0.0..10.0).contains(&held_s), "{held_s}");
                interleaved += 1;
            }
            before = Some(reply);
            // The stamp is read after the reply is sent.
            std::thread::sleep(Duration::from_millis(5));
        }
        // A machine that is busy with something else may be late now and then.
        assert!(interleaved >= 30, "{interleaved} of 39");
        let report = server.wait_for(PATIENCE, |report| {
            let told = report.servers.iter().map(|it| it.protocol.interleaved);
            told.sum::<u64>() == interleaved
        });
        assert!(report.servers.iter().all(|it| it.send_failed == 0));
        server.stop();
    }
}
