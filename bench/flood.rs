//! What a flood of control requests does to time service: the time between the receive and the
//! transmit stamp of ordinary replies, quiet and flooded, in alternating rounds.
use crate::load::Load;
use crate::process::Server;
use crate::servers::{self, PORT, Scratch};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use std::io::IoSlice;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use truechimer_time::NtpTimestamp;
use truechimer_wire::{ControlHeader, ControlMessage, Opcode, put_request};
use truechimer_wire::{HEADER_LEN, Header, Mode};

/// Time of one round.
const ROUND: Duration = Duration::from_secs(4);
/// Between time requests, and between bursts of control requests.
const STEP: Duration = Duration::from_millis(1);
/// Control requests in a burst: 50,000 a second.
const BURST: usize = 50;
/// Addresses the flood comes from.
const FLOODERS: u8 = 16;
/// Version 2, mode 6, opcode 2 (read variables) of association 0: what `ntpq -c rv` sends.
const READ_VARIABLES: [u8; 12] = [0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Times between receive and transmit stamp of one sort of round, nanoseconds.
#[derive(Default)]
struct Turnarounds(Vec<u64>);

impl Turnarounds {
    fn percentile_us(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let at = (sorted.len() * percent / 100).min(last);
        sorted.get(at).map_or(f64::NAN, |ns| micros(*ns))
    }
}

#[expect(clippy::cast_precision_loss, reason = "times of a reply")]
fn micros(ns: u64) -> f64 {
    ns as f64 / 1e3
}

/// What was sent and came back.
#[derive(Default)]
struct Counts {
    asked: u64,
    answered: u64,
    flood: u64,
}

struct Generator {
    probe: UdpSocket,
    flooders: Vec<UdpSocket>,
    sequence: u64,
}

impl Generator {
    fn new() -> Result<Self, String> {
        let mut flooders = Vec::new();
        for host in 1..=FLOODERS {
            flooders.push(connected(Ipv4Addr::new(127, 3, 0, host))?);
        }
        Ok(Self {
            probe: connected(Ipv4Addr::new(127, 2, 0, 1))?,
            flooders,
            sequence: 1,
        })
    }

    /// Asks for time every millisecond, with or without a flood beside it.
    fn round(&mut self, flooded: bool, seen: &mut Turnarounds, counts: &mut Counts) {
        let end = Instant::now() + ROUND;
        let mut next = Instant::now();
        while next < end {
            if flooded {
                counts.flood += self.burst();
            }
            counts.asked += u64::from(self.ask());
            next += STEP;
            while Instant::now() < next {
                counts.answered += self.hear(seen);
                std::hint::spin_loop();
            }
        }
        std::thread::sleep(Duration::from_millis(20));
        counts.answered += self.hear(seen);
    }

    fn burst(&mut self) -> u64 {
        let turn = usize::try_from(self.sequence).unwrap_or(0) % self.flooders.len();
        let socket = &self.flooders[turn];
        // Its answers are of no interest; they must only not pile up.
        let mut waste = [0; 512];
        for _ in 0..2 * BURST {
            if socket.recv(&mut waste).is_err() {
                break;
            }
        }
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BURST, None);
        let slices = [[IoSlice::new(&READ_VARIABLES)]; BURST];
        let fd = socket.as_raw_fd();
        let nobody = [None; BURST];
        let sent = sendmmsg(
            fd,
            &mut headers,
            &slices,
            nobody,
            [],
            MsgFlags::MSG_DONTWAIT,
        );
        sent.map_or(0, |sent| sent.count() as u64)
    }

    fn ask(&mut self) -> bool {
        let mut header = Header::blank(4, Mode::Client);
        header.transmit_time = NtpTimestamp::from_bits(self.sequence);
        self.sequence += 1;
        self.probe.send(&header.to_octets()).is_ok()
    }

    fn hear(&self, seen: &mut Turnarounds) -> u64 {
        let mut heard = 0;
        let mut reply = [0; 128];
        while let Ok(len) = self.probe.recv(&mut reply) {
            let Some(header) = reply.get(..len).and_then(header_of) else {
                continue;
            };
            let took = header.transmit_time.since(header.receive_time);
            seen.0
                .push(u64::try_from(took.to_nanoseconds()).unwrap_or(0));
            heard += 1;
        }
        heard
    }
}

fn header_of(octets: &[u8]) -> Option<Header> {
    let octets: &[u8; HEADER_LEN] = octets.first_chunk()?;
    Some(Header::parse(octets))
}

fn connected(source: Ipv4Addr) -> Result<UdpSocket, String> {
    let socket = UdpSocket::bind((source, 0)).map_err(|error| format!("{source}: {error}"))?;
    socket
        .connect((Ipv4Addr::LOCALHOST, PORT))
        .and_then(|()| socket.set_nonblocking(true))
        .map_err(|error| format!("port {PORT}: {error}"))?;
    Ok(socket)
}

/// Runs `rounds` pairs of rounds and prints percentiles and their ratio.
pub(crate) fn run(rounds: usize) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let cores = core_affinity::get_core_ids().ok_or("no processors to be seen")?;
    let [first, second, ..] = cores.as_slice() else {
        return Err("two processors are needed: one for the server, one for the load".into());
    };
    let server: Server = servers::truechimer(&scratch, first.id)?;
    if !core_affinity::set_for_current(*second) {
        return Err("cannot bind the load to its processor".into());
    }
    Load::new(PORT)?.first_answer(Duration::from_secs(5))?;
    let mut generator = Generator::new()?;
    let (mut quiet, mut flooded) = (Turnarounds::default(), Turnarounds::default());
    let (mut quiet_counts, mut flooded_counts) = (Counts::default(), Counts::default());
    let mut ratios = Vec::new();
    println!("T3-T2 of time replies, {rounds} pairs of rounds of {ROUND:?}, server on one core");
    for _ in 0..rounds {
        let (mut before, mut during) = (Turnarounds::default(), Turnarounds::default());
        generator.round(false, &mut before, &mut quiet_counts);
        generator.round(true, &mut during, &mut flooded_counts);
        ratios.push(during.percentile_us(99) / before.percentile_us(99));
        quiet.0.append(&mut before.0);
        flooded.0.append(&mut during.0);
    }
    for (name, seen, counts) in [
        ("quiet", &quiet, &quiet_counts),
        ("flooded", &flooded, &flooded_counts),
    ] {
        println!(
            "{name:>8}  p50 {:>8.2} us  p99 {:>8.2} us  answered {} of {}, control requests {}",
            seen.percentile_us(50),
            seen.percentile_us(99),
            counts.answered,
            counts.asked,
            counts.flood
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "   ratio  p99 of all {:.3}, median of the rounds {:.3}",
        flooded.percentile_us(99) / quiet.percentile_us(99),
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    );
    println!(
        "  server  {} ms of processor time; {}",
        server.cpu_ns()? / 1_000_000,
        deadlines_missed()?
    );
    Ok(())
}

/// The clock thread's own count, as it tells `ntpq -c timerstats`.
fn deadlines_missed() -> Result<String, String> {
    let socket = connected(Ipv4Addr::new(127, 4, 0, 1))?;
    let header = ControlHeader::request(Opcode::ReadVariables, 1, 0);
    let request = put_request(&header, b"timer_overruns,timer_xmts");
    let mut answer = [0; 512];
    for _ in 0..50 {
        socket
            .send(&request)
            .map_err(|error| format!("control request: {error}"))?;
        std::thread::sleep(Duration::from_millis(100));
        if let Ok(len) = socket.recv(&mut answer)
            && let Some(octets) = answer.get(..len)
            && let Ok(message) = ControlMessage::new_checked(octets)
        {
            return Ok(String::from_utf8_lossy(message.data()).trim().to_owned());
        }
    }
    Err("the server tells no timer_overruns".into())
}
