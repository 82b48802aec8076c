//! What a server's users feel: the time between the receive and the transmit stamp of its replies, with
//! a flood beside them and without, in alternating rounds.
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Child, Command};
use std::time::{Duration, Instant};
use truechimer_time::NtpTimestamp;
use truechimer_wire::{HEADER_LEN, Header, Mode};

/// Time of one round.
pub(crate) const ROUND: Duration = Duration::from_secs(4);
/// Between time requests, and between bursts of the flood.
const STEP: Duration = Duration::from_millis(1);
/// After a flood, for what still waits at the server.
const EBB: Duration = Duration::from_secs(2);
/// Of these there are ratios. What a host of virtual machines takes away for itself is in the greatest
/// of all times; the other shows what is the server's own.
const PERCENTILES: [usize; 2] = [90, 99];

/// Requests that a server gets beside those of its users.
pub(crate) trait Flood {
    /// Sends the share of a millisecond; returns how many left.
    fn burst(&mut self) -> u64;
}

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

/// Asks for time every millisecond.
struct Probe {
    socket: UdpSocket,
    sequence: u64,
}

impl Probe {
    fn round(
        &mut self,
        flood: Option<&mut dyn Flood>,
        seen: &mut Turnarounds,
        counts: &mut Counts,
    ) {
        let mut flood = flood;
        let end = Instant::now() + ROUND;
        let mut next = Instant::now();
        while next < end {
            if let Some(flood) = flood.as_deref_mut() {
                counts.flood += flood.burst();
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

    fn ask(&mut self) -> bool {
        let mut header = Header::blank(4, Mode::Client);
        self.sequence += 1;
        header.transmit_time = NtpTimestamp::from_bits(self.sequence);
        self.socket.send(&header.to_octets()).is_ok()
    }

    fn hear(&self, seen: &mut Turnarounds) -> u64 {
        let mut heard = 0;
        let mut reply = [0; 128];
        while let Ok(len) = self.socket.recv(&mut reply) {
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

/// Work for a core that nobody is to feel: it gives way to every thread.
struct Burner(Child);

impl Burner {
    fn start(core: usize) -> Result<Self, String> {
        let core = core.to_string();
        let started = Command::new("chrt")
            .args([
                "--idle",
                "0",
                "taskset",
                "-c",
                &core,
                "sh",
                "-c",
                "while :; do :; done",
            ])
            .spawn();
        started.map(Self).map_err(|error| format!("chrt: {error}"))
    }
}

impl Drop for Burner {
    fn drop(&mut self) {
        // One that is gone already burns nothing.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// All rounds of one sort.
#[derive(Default)]
struct Sort {
    seen: Turnarounds,
    counts: Counts,
    rounds: Vec<Turnarounds>,
}

impl Sort {
    fn round(&mut self, probe: &mut Probe, flood: Option<&mut dyn Flood>) {
        let mut round = Turnarounds::default();
        probe.round(flood, &mut round, &mut self.counts);
        self.seen.0.extend(&round.0);
        self.rounds.push(round);
    }

    fn print(&self, name: &str) {
        let counts = &self.counts;
        println!(
            "{name:>8}  p50 {:>8.2} us  p90 {:>8.2} us  p99 {:>8.2} us  answered {} of {}, flood {}",
            self.seen.percentile_us(50),
            self.seen.percentile_us(90),
            self.seen.percentile_us(99),
            counts.answered,
            counts.asked,
            counts.flood
        );
    }

    fn print_ratio(&self, name: &str, before: &Self) {
        for percent in PERCENTILES {
            let of = |it: &Turnarounds| it.percentile_us(percent);
            let pairs = self.rounds.iter().zip(&before.rounds);
            let mut ratios: Vec<f64> = pairs.map(|(this, before)| of(this) / of(before)).collect();
            ratios.sort_by(f64::total_cmp);
            println!(
                "   to {name:>5}  p{percent} of all {:.3}, median of the rounds {:.3}",
                of(&self.seen) / of(&before.seen),
                ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
            );
        }
    }
}

/// Runs `rounds` times a round of each sort against this port, whose server is on that core, and prints
/// percentiles and their ratios.
///
/// A core that has nothing to do is woken late, and the host of a virtual machine treats one that is
/// busy otherwise: so the flood is compared with a core that burns for nobody, too.
pub(crate) fn compare(
    port: u16,
    core: usize,
    flood: &mut dyn Flood,
    rounds: usize,
) -> Result<(), String> {
    let mut probe = Probe {
        socket: connected(Ipv4Addr::new(127, 2, 0, 1), port)?,
        sequence: 0,
    };
    let (mut quiet, mut busy, mut flooded) = (Sort::default(), Sort::default(), Sort::default());
    for _ in 0..rounds {
        quiet.round(&mut probe, None);
        let burner = Burner::start(core)?;
        busy.round(&mut probe, None);
        drop(burner);
        flooded.round(&mut probe, Some(&mut *flood));
        std::thread::sleep(EBB);
        // Too late to be of a round.
        probe.hear(&mut Turnarounds::default());
    }
    quiet.print("quiet");
    busy.print("busy");
    flooded.print("flooded");
    flooded.print_ratio("quiet", &quiet);
    flooded.print_ratio("busy", &busy);
    Ok(())
}

/// The header of a packet.
pub(crate) fn header_of(octets: &[u8]) -> Option<Header> {
    let octets: &[u8; HEADER_LEN] = octets.first_chunk()?;
    Some(Header::parse(octets))
}

/// A socket of this address to the server of that port, which waits for nothing.
pub(crate) fn connected(source: Ipv4Addr, port: u16) -> Result<UdpSocket, String> {
    let socket = UdpSocket::bind((source, 0)).map_err(|error| format!("{source}: {error}"))?;
    socket
        .connect((Ipv4Addr::LOCALHOST, port))
        .and_then(|()| socket.set_nonblocking(true))
        .map_err(|error| format!("port {port}: {error}"))?;
    Ok(socket)
}

/// The processors of server and load.
pub(crate) fn two_cores() -> Result<(usize, core_affinity::CoreId), String> {
    let cores = core_affinity::get_core_ids().ok_or("no processors to be seen")?;
    match cores.as_slice() {
        [first, second, ..] => Ok((first.id, *second)),
        _ => Err("two processors are needed: one for the server, one for the load".into()),
    }
}
