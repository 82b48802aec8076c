//! Many clients that ask once each and do not wait: for the tests of what made-up senders cost.
//!
//! `ntp-crowd TARGET FIRST COUNT PER_SECOND`: a request from each of COUNT addresses, from FIRST
//! upwards. Prints how many were sent.
#![forbid(unsafe_code)]

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A version 4 request of mode 3.
const REQUEST: [u8; 48] = {
    let mut octets = [0x5A; 48];
    octets[0] = 0x23;
    octets
};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(sent) => {
            println!("sent {sent}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ntp-crowd: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<u32, String> {
    let [target, first, count, per_second] = words else {
        return Err("TARGET FIRST COUNT PER_SECOND".to_owned());
    };
    let bad = |word: &str| format!("cannot read {word}");
    let target: SocketAddr = target.parse().map_err(|_| bad(target))?;
    let first: IpAddr = first.parse().map_err(|_| bad(first))?;
    let count: u32 = count.parse().map_err(|_| bad(count))?;
    let per_second: f64 = per_second.parse().map_err(|_| bad(per_second))?;
    let start = Instant::now();
    for number in 0..count {
        let due = Duration::from_secs_f64(f64::from(number) / per_second);
        if let Some(early) = due.checked_sub(start.elapsed()) {
            std::thread::sleep(early);
        }
        let source = SocketAddr::new(later(first, number), 0);
        UdpSocket::bind(source)
            .and_then(|socket| socket.send_to(&REQUEST, target))
            .map_err(|error| format!("{source}: {error}"))?;
    }
    Ok(count)
}

fn later(first: IpAddr, by: u32) -> IpAddr {
    match first {
        IpAddr::V4(v4) => IpAddr::V4(v4.to_bits().wrapping_add(by).into()),
        IpAddr::V6(v6) => IpAddr::V6(v6.to_bits().wrapping_add(by.into()).into()),
    }
}
