//! Many clients of one server behind one socket, asking in batches.
use super::exchange::{Asking, Exchange, Judgement, REQUEST_LEN_MAX};
use super::latency::Latencies;
use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use nix::sys::socket::{setsockopt, sockopt};
use std::io;
use std::time::{Duration, Instant};
use truechimer_sys::batch::Batch;
use truechimer_sys::clock;
use truechimer_sys::measuring::Volley;
use truechimer_sys::socket::{AddressFamily, Socket};

/// Datagrams in one system call.
const BATCH: usize = 64;
/// Octets of a reply there is room for.
const REPLY_LEN_MAX: usize = 128;
/// Clients ask in an order that is not that of their addresses, but each once before any twice: their
/// number must have no factor in common with this prime.
const STRIDE: u64 = 7919;
/// For replies that come while the load is busy sending.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Without a reply for so long, what is outstanding is taken for lost.
const PATIENCE_NS: u64 = 5_000_000;

/// What came of a while of asking.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) answered: u64,
    /// Of the answered, with the true transmit stamp of the reply before.
    pub(crate) interleaved: u64,
    pub(crate) bad: u64,
    /// What the first of the bad ones was.
    pub(crate) complaint: Option<&'static str>,
    pub(crate) latencies: Latencies,
    pub(crate) took: Duration,
}

/// A generator aimed at one server.
pub(crate) struct Crowd {
    socket: Socket,
    volley: Volley,
    batch: Batch,
    exchange: Exchange,
    turn: u64,
    tally: Tally,
}

/// A socket for a crowd, in the network of the calling thread.
pub(crate) fn open() -> Result<Socket, String> {
    let open = || -> io::Result<Socket> {
        let socket = Socket::open(AddressFamily::V4)?;
        socket.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))?;
        setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER)?;
        Ok(socket)
    };
    open().map_err(|error| format!("a socket for the load: {error}"))
}

impl Crowd {
    /// Clients of the server at this port, behind this socket.
    pub(crate) fn new(socket: Socket, port: u16, asking: Asking) -> Result<Self, String> {
        let server = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        Ok(Self {
            socket,
            volley: Volley::new(BATCH, REQUEST_LEN_MAX, server),
            batch: Batch::new(BATCH, REPLY_LEN_MAX),
            exchange: Exchange::new(asking)?,
            turn: 0,
            tally: Tally::default(),
        })
    }

    /// Waits until the server gives a good answer and returns how long that took.
    pub(crate) fn first_answer(&mut self, patience: Duration) -> Result<Duration, String> {
        let start = Instant::now();
        while start.elapsed() < patience {
            // Refused until the server has its socket: ask again at once.
            let _ = self.ask(1);
            let asked = Instant::now();
            while asked.elapsed() < Duration::from_millis(1) {
                self.hear();
                if self.tally.answered > 0 {
                    self.tally = Tally::default();
                    return Ok(start.elapsed());
                }
            }
        }
        let last = self
            .tally
            .complaint
            .map_or_else(String::new, |fault| format!("; replies came, but {fault}"));
        Err(format!("no good answer within {patience:?}{last}"))
    }

    /// Asks as fast as answers come, so many requests outstanding.
    pub(crate) fn closed(&mut self, outstanding: usize, span: Duration) -> Result<Tally, String> {
        let start = Instant::now();
        let (mut due, mut heard_ns) = (outstanding, now_ns());
        while start.elapsed() < span {
            self.ask(due)?;
            due = self.hear();
            if due > 0 {
                heard_ns = now_ns();
            } else if now_ns() - heard_ns > PATIENCE_NS {
                (due, heard_ns) = (outstanding, now_ns());
            } else {
                // For a server that shares this processor.
                std::thread::yield_now();
            }
        }
        Ok(self.end(start))
    }

    /// Asks so often a second, whatever comes back.
    pub(crate) fn open_loop(&mut self, rate: f64, span: Duration) -> Result<Tally, String> {
        let start = Instant::now();
        while start.elapsed() < span {
            self.keep_pace(rate, start)?;
        }
        Ok(self.end(start))
    }

    /// Sends what is due by now of so many requests a second, and takes what has come.
    pub(crate) fn keep_pace(&mut self, rate: f64, start: Instant) -> Result<(), String> {
        let late = due(rate, start.elapsed()).saturating_sub(self.tally.sent);
        self.ask(usize::try_from(late).unwrap_or(BATCH).min(BATCH))?;
        self.hear();
        Ok(())
    }

    /// Sends so many requests of the clients whose turn it is.
    pub(crate) fn ask(&mut self, count: usize) -> Result<(), String> {
        let mut left = count;
        while left > 0 {
            let now_ns = now_ns();
            for _ in 0..left.min(BATCH) {
                self.turn += 1;
                let client = self.turn * STRIDE % self.exchange.clients() as u64;
                let client = u32::try_from(client).unwrap_or_default();
                let from = self.exchange.address(client);
                let request = self.exchange.request(client, now_ns);
                self.volley.load(from, request);
            }
            left -= left.min(BATCH);
            let sent = self.volley.send(&self.socket);
            self.tally.sent += sent.map_err(|error| format!("send: {error}"))? as u64;
        }
        Ok(())
    }

    /// Takes what replies there are; returns how many.
    pub(crate) fn hear(&mut self) -> usize {
        let Ok(count) = self.batch.receive(&self.socket, false) else {
            return 0;
        };
        let now_ns = now_ns();
        let (exchange, tally) = (&mut self.exchange, &mut self.tally);
        self.batch.answer(0..count, &mut |arrival, _| {
            match exchange.judge(arrival.octets, now_ns) {
                Judgement::Good(ns) => tally.good(ns),
                Judgement::Interleaved(ns) => {
                    tally.interleaved += 1;
                    tally.good(ns);
                }
                Judgement::Bad(fault) => {
                    tally.bad += 1;
                    tally.complaint.get_or_insert(fault);
                }
            }
            0
        });
        count
    }

    /// Takes the replies still on their way, and closes the account.
    pub(crate) fn end(&mut self, start: Instant) -> Tally {
        self.tally.took = start.elapsed();
        let last = Instant::now();
        while last.elapsed() < Duration::from_millis(10) {
            self.hear();
        }
        core::mem::take(&mut self.tally)
    }
}

impl Tally {
    fn good(&mut self, ns: u64) {
        self.answered += 1;
        self.latencies.add(ns);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.answered += other.answered;
        self.interleaved += other.interleaved;
        self.bad += other.bad;
        self.complaint = self.complaint.or(other.complaint);
        self.latencies.merge(&other.latencies);
        self.took += other.took;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "requests of a few seconds"
)]
fn due(rate: f64, elapsed: Duration) -> u64 {
    (rate * elapsed.as_secs_f64()) as u64
}

fn now_ns() -> u64 {
    clock::monotonic().to_nanoseconds()
}
