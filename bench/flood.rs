//! What a flood of control requests does to time service.
use crate::load::{self, Crowd};
use crate::probe::{self, Flood, ROUND, connected};
use crate::servers::{Kind, PORT, Scratch, Setup};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use std::io::IoSlice;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;
use truechimer_wire::{ControlHeader, ControlMessage, Opcode, put_request};

/// Control requests in a burst: 50,000 a second.
const BURST: usize = 50;
/// Addresses the flood comes from.
const FLOODERS: u8 = 16;
/// Version 2, mode 6, opcode 2 (read variables) of association 0: what `ntpq -c rv` sends.
const READ_VARIABLES: [u8; 12] = [0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

struct Control {
    flooders: Vec<UdpSocket>,
    turn: usize,
}

impl Control {
    fn new() -> Result<Self, String> {
        let mut flooders = Vec::new();
        for host in 1..=FLOODERS {
            flooders.push(connected(Ipv4Addr::new(127, 3, 0, host), PORT)?);
        }
        Ok(Self { flooders, turn: 0 })
    }
}

impl Flood for Control {
    fn burst(&mut self) -> u64 {
        self.turn += 1;
        let socket = &self.flooders[self.turn % self.flooders.len()];
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
}

/// Runs `rounds` pairs of rounds and prints percentiles and their ratio.
pub(crate) fn run(rounds: usize) -> Result<(), String> {
    let scratch = Scratch::new()?;
    let (first, second) = probe::two_cores()?;
    let setup = Setup {
        cores: &first.to_string(),
        port: PORT,
        ..Setup::default()
    };
    let server = Kind::Poll.start(&scratch, &setup)?;
    if !core_affinity::set_for_current(second) {
        return Err("cannot bind the load to its processor".into());
    }
    Crowd::new(load::open()?, PORT, load::ONE_CLIENT)?.first_answer(Duration::from_secs(5))?;
    println!("T3-T2 of time replies, {rounds} times three rounds of {ROUND:?}, server on one core");
    probe::compare(PORT, first, &mut Control::new()?, rounds)?;
    println!(
        "  server  {} ms of processor time; {}",
        server.cpu_ns()? / 1_000_000,
        deadlines_missed()?
    );
    Ok(())
}

/// The clock thread's own count, as it tells `ntpq -c timerstats`.
fn deadlines_missed() -> Result<String, String> {
    let socket = connected(Ipv4Addr::new(127, 4, 0, 1), PORT)?;
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
