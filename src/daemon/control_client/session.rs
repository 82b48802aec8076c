//! A daemon that is asked over the network.
use super::answer::{Answer, Assembly, Progress};
use super::{Ask, Failure, Request};
use crate::query::{Family, Keyed};
use core::time::Duration;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use truechimer_sys::clock;
use truechimer_sys::poll::PollSet;
use truechimer_sys::socket::{AddressFamily, ReceiveBuffer, Socket};
use truechimer_wire::{ControlHeader, put_request};

/// Room for one datagram: header, 468 octets of data, MAC, and what a sender adds.
const DATAGRAM: usize = 1024;
/// How often the operator's wish to stop is looked for.
pub(super) const GLANCE: Duration = Duration::from_millis(200);
/// Longest MAC, octets: key identifier and digest.
const MAC_MAX: usize = 24;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the first fragment.
    pub first: Duration,
    /// For each further one.
    pub further: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            further: Duration::from_secs(3),
        }
    }
}

/// A socket to one daemon, and what its requests carry.
pub struct Session {
    socket: Socket,
    address: SocketAddr,
    sequence: u16,
    /// The version of NTP requests claim.
    pub version: u8,
    /// How long answers are waited for.
    pub patience: Patience,
    /// What requests that need it are sealed with.
    pub key: Option<Keyed>,
    /// Whether all requests are sealed.
    pub always_sealed: bool,
    /// Set when the operator wants the waiting to end.
    pub interrupt: Arc<AtomicBool>,
}

impl Session {
    /// Finds the host and opens a socket to the first address that takes one.
    ///
    /// # Errors
    /// When the name has no such address, or the kernel has no way there.
    pub fn open(host: &str, family: Option<Family>, port: u16) -> io::Result<Self> {
        let (socket, address) = connected(host, family, port)?;
        Ok(Self::over(socket, address))
    }

    fn over(socket: Socket, address: SocketAddr) -> Self {
        Self {
            socket,
            address,
            sequence: 0,
            version: 2,
            patience: Patience::default(),
            key: None,
            always_sealed: false,
            interrupt: Arc::default(),
        }
    }

    /// Who is asked.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    fn octets(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
        let header = ControlHeader {
            version: self.version,
            ..ControlHeader::request(request.opcode, self.sequence, request.association)
        };
        let mut octets = put_request(&header, request.data);
        if !request.sealed && !self.always_sealed {
            return Ok(octets);
        }
        let key = self.key.as_mut().ok_or(Failure::NoKey)?;
        let mut mac = [0; MAC_MAX - 4];
        let sealed = key.authenticator.seal(key.id, &octets, &mut mac);
        let digest = sealed.and_then(|len| mac.get(..len));
        octets.extend_from_slice(&key.id.get().to_be_bytes());
        octets.extend_from_slice(digest.ok_or(Failure::NoKey)?);
        Ok(octets)
    }

    fn once(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
        let octets = self.octets(request)?;
        self.socket
            .send(&octets)
            .map_err(|error| Failure::System("write", error))?;
        let mut assembly = Assembly::new(request.opcode, self.sequence);
        let mut buffer = ReceiveBuffer::new(DATAGRAM);
        let mut since = clock::monotonic();
        loop {
            // Only fragments that fit prolong the wait: a stream of others must not.
            let (patience, nothing) = if assembly.is_empty() {
                (self.patience.first, Failure::Timeout)
            } else {
                (self.patience.further, Failure::Incomplete)
            };
            let left = patience.saturating_sub(clock::monotonic().since(since));
            if left.is_zero() {
                return Err(nothing);
            }
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(Failure::Interrupted);
            }
            wait(&self.socket, left.min(GLANCE)).map_err(|error| Failure::System("read", error))?;
            let arrival = match self.socket.receive(&mut buffer) {
                Ok(Some(arrival)) => arrival,
                Ok(None) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(Failure::System("read", error)),
            };
            match assembly.take(arrival.octets) {
                Progress::Ignored => {}
                Progress::Partial => since = clock::monotonic(),
                Progress::Complete(answer) => return Ok(answer),
                Progress::Refused(code) => return Err(Failure::Refused(code)),
                Progress::TooMuch => return Err(Failure::TooMuch),
            }
        }
    }
}

impl Ask for Session {
    fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
        self.sequence = self.sequence.wrapping_add(1);
        match self.once(request) {
            Err(Failure::Timeout) => self.once(request),
            Err(Failure::Incomplete) => {
                // What still comes of the first answer must not be mixed with the second.
                self.sequence = self.sequence.wrapping_add(1);
                self.once(request)
            }
            outcome => outcome,
        }
    }
}

/// A socket to the first address of a host that takes one.
pub(super) fn connected(
    host: &str,
    family: Option<Family>,
    port: u16,
) -> io::Result<(Socket, SocketAddr)> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no address of that family");
    for address in resolve(host, family, port)? {
        match connect(address) {
            Ok(socket) => return Ok((socket, address)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn resolve(host: &str, family: Option<Family>, port: u16) -> io::Result<Vec<SocketAddr>> {
    let host = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host);
    let fits = |address: &SocketAddr| match family {
        None => true,
        Some(Family::V4) => address.is_ipv4(),
        Some(Family::V6) => address.is_ipv6(),
    };
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(address) => vec![SocketAddr::new(address, port)],
        Err(_) => (host, port).to_socket_addrs()?.collect(),
    };
    Ok(found.into_iter().filter(fits).collect())
}

fn connect(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::open(AddressFamily::of(address.ip()))?;
    socket.connect(address)?;
    Ok(socket)
}

pub(super) fn wait(socket: &Socket, left: Duration) -> io::Result<()> {
    let mut set = PollSet::with_capacity(1);
    set.push(socket);
    set.wait(left).map(drop)
}
