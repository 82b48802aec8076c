//! The load: plain version 4 requests from many sockets, a fixed number outstanding.
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};
use std::io::{IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use truechimer_time::NtpTimestamp;
use truechimer_wire::{HEADER_LEN, Header, Mode};

/// Requests in one system call.
const BATCH: usize = 32;
/// Sockets, each with its own source address.
const SOCKETS: usize = 64;
/// Sockets whose requests are outstanding at once.
const AHEAD: usize = 8;

/// A generator aimed at one server.
pub(crate) struct Load {
    sockets: Vec<UdpSocket>,
    request: [u8; HEADER_LEN],
}

impl Load {
    /// Opens the sockets.
    pub(crate) fn new(port: u16) -> Result<Self, String> {
        let mut sockets = Vec::with_capacity(SOCKETS);
        for index in 0..SOCKETS {
            let host = u8::try_from(index + 1).map_err(|_| "too many sockets")?;
            let source = SocketAddr::from((Ipv4Addr::new(127, 1, 0, host), 0));
            let socket = UdpSocket::bind(source).map_err(|error| format!("{source}: {error}"))?;
            socket
                .connect((Ipv4Addr::LOCALHOST, port))
                .and_then(|()| socket.set_read_timeout(Some(Duration::from_millis(20))))
                .map_err(|error| format!("port {port}: {error}"))?;
            sockets.push(socket);
        }
        let mut header = Header::blank(4, Mode::Client);
        header.transmit_time = NtpTimestamp::from_bits(0x1234_5678_9ABC_DEF0);
        Ok(Self {
            sockets,
            request: header.to_octets(),
        })
    }

    /// Waits for the first answer and returns how long that took.
    pub(crate) fn first_answer(&self, patience: Duration) -> Result<Duration, String> {
        let start = Instant::now();
        let socket = self.sockets.first().ok_or("no socket")?;
        let mut reply = [0; 128];
        while start.elapsed() < patience {
            // Refused until the server has its socket: ask again at once.
            if socket.send(&self.request).is_ok() && socket.recv(&mut reply).is_ok() {
                return Ok(start.elapsed());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Err(format!("no answer within {patience:?}"))
    }

    /// Asks as fast as answers come for a while; returns how many came.
    pub(crate) fn run(&self, slice: Duration) -> Result<u64, String> {
        let start = Instant::now();
        let mut answers = 0;
        let mut turn = 0;
        while start.elapsed() < slice {
            self.send(turn % SOCKETS)?;
            if turn >= AHEAD {
                answers += self.receive((turn - AHEAD) % SOCKETS);
            }
            turn += 1;
        }
        for late in turn.saturating_sub(AHEAD)..turn {
            answers += self.receive(late % SOCKETS);
        }
        Ok(answers)
    }

    fn send(&self, index: usize) -> Result<(), String> {
        let fd = self.sockets[index].as_raw_fd();
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, None);
        let slices = [[IoSlice::new(&self.request)]; BATCH];
        let nobody = [None; BATCH];
        sendmmsg(fd, &mut headers, &slices, nobody, [], MsgFlags::empty())
            .map(|_| ())
            .map_err(|error| format!("send: {error}"))
    }

    /// Answers to one batch, waiting up to the socket's time limit for each group of them.
    fn receive(&self, index: usize) -> u64 {
        let fd = self.sockets[index].as_raw_fd();
        let mut got = 0;
        while got < BATCH {
            let mut buffers = [[0_u8; 64]; BATCH];
            let mut slices: Vec<[IoSliceMut<'_>; 1]> = buffers[got..]
                .iter_mut()
                .map(|buffer| [IoSliceMut::new(buffer)])
                .collect();
            let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH - got, None);
            let flags = MsgFlags::MSG_WAITFORONE;
            match recvmmsg(fd, &mut headers, &mut slices, flags, None) {
                Ok(messages) => got += messages.count(),
                Err(_) => break,
            }
        }
        got as u64
    }
}
