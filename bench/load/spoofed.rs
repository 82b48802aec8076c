//! A million made-up senders beside clients that keep to the limits.
use super::Request;
use super::contest::{Side, asking};
use super::crowd::Crowd;
use super::exchange::{Asking, Sort};
use crate::servers::{Kind, REFERENCE_PORT, Scratch, Setup};
use core::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// Made-up senders, each of which sends once.
const SPOOFED: u32 = 1_000_000;
/// Their requests a second: less than saturation, for beyond it every server loses some of everybody's.
const FLOOD: f64 = 100_000.0;
/// How long they take.
const SPAN: Duration = Duration::from_secs(10);
/// Requests of all clients a second: nobody asks twice.
const HONEST: f64 = 1000.0;
/// Their addresses, apart from those of the clients.
const FIRST_SPOOFED: Ipv4Addr = Ipv4Addr::new(127, 32, 0, 0);

/// Prints how many of the honest were served, and what it cost in memory.
pub(super) fn run(scratch: &Scratch, _: &Request) -> Result<(), String> {
    println!("{SPOOFED} made-up senders at {FLOOD:.0}/s, clients at {HONEST:.0}/s");
    for kind in [Kind::Poll, Kind::Uring, Kind::Chrony, Kind::Ntp4] {
        if let Err(why) = one(scratch, kind) {
            println!("{:<18}left out, {why}", kind.name());
        }
    }
    Ok(())
}

fn one(scratch: &Scratch, kind: Kind) -> Result<(), String> {
    let setup = Setup {
        lines: "restrict default limited kod nomodify noquery\n",
        ..Setup::default()
    };
    let mut side = Side::start(scratch, kind, &setup, Sort::Plain, kind.name())?;
    let made_up = Asking {
        first: FIRST_SPOOFED,
        clients: SPOOFED,
        ..asking(kind, Sort::Plain)
    };
    let spare = side.spare.take().ok_or("a socket is missing")?;
    let mut flood = Crowd::new(spare, REFERENCE_PORT, made_up)?;
    let before = side.server.memory_kib("VmRSS")?;
    let start = Instant::now();
    while start.elapsed() < SPAN {
        flood.keep_pace(FLOOD, start)?;
        side.crowd.keep_pace(HONEST, start)?;
    }
    let (honest, flood) = (side.crowd.end(start), flood.end(start));
    let after = side.server.memory_kib("VmRSS")?;
    println!(
        "{:<18}{} of {} honest requests answered; {} of {} of the flood; RSS {before} to {after} KiB, \
         p99 {:.0} us",
        side.label,
        honest.answered,
        honest.sent,
        flood.answered,
        flood.sent,
        honest.latencies.permille_us(990).unwrap_or(f64::NAN)
    );
    Ok(())
}
