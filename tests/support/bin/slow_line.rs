//! A line to an NTP server that gets a little slower all the while.
//!
//! `ntp-slow-line SERVER`: what arrives at port 123 goes to port 123 of SERVER, later by 0.1 ms for
//! each second that has passed, at most by 20 ms; answers come back unchanged.
//!
//! OpenNTPD wants eight replies to set the clock by the one of the shortest round trip, forgets
//! that one and all before it, and calls itself synchronised when it has set the clock twice. On a
//! steady network that takes five minutes. Where the first reply is always the fastest, it
//! forgets only one, and takes half as long.
#![forbid(unsafe_code)]

use std::net::{IpAddr, UdpSocket};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// How much later a request is for each second that has passed, seconds.
const LATER_S: f64 = 1e-4;
/// How late it is at most, seconds.
const LATEST_S: f64 = 0.02;

fn main() -> ExitCode {
    let server = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let Some(server) = server else {
        eprintln!("usage: ntp-slow-line SERVER");
        return ExitCode::FAILURE;
    };
    match relay(server) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ntp-slow-line: {error}");
            ExitCode::FAILURE
        }
    }
}

fn relay(server: IpAddr) -> std::io::Result<()> {
    let front = UdpSocket::bind("0.0.0.0:123")?;
    println!("listening");
    let start = Instant::now();
    let mut buffer = [0; 1024];
    loop {
        let Ok((length, client)) = front.recv_from(&mut buffer) else {
            continue;
        };
        let late_s = (start.elapsed().as_secs_f64() * LATER_S).min(LATEST_S);
        thread::sleep(Duration::from_secs_f64(late_s));
        // A socket for each request: a late answer to an earlier one must not pass for this one's.
        let back = UdpSocket::bind("0.0.0.0:0")?;
        back.set_read_timeout(Some(Duration::from_secs(1)))?;
        let sent = back.send_to(buffer.get(..length).unwrap_or_default(), (server, 123));
        if let Ok(length) = sent.and_then(|_| back.recv(&mut buffer)) {
            let _ = front.send_to(buffer.get(..length).unwrap_or_default(), client);
        }
    }
}
