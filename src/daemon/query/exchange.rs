//! One request, and the wait for its reply.
use super::reading::{Fault, Reading, Request};
use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use truechimer_proto::authentication::{Authenticator, KeyId};
use truechimer_sys::poll::PollSet;
use truechimer_sys::socket::{AddressFamily, ReceiveBuffer, Socket};
use truechimer_sys::{clock, entropy};
use truechimer_wire::PACKET_LEN_MAX;

/// A key and who computes with it.
pub struct Keyed {
    /// Which key.
    pub id: KeyId,
    /// Holds it.
    pub authenticator: Box<dyn Authenticator>,
}

/// Asks once.
///
/// # Errors
/// What kept the time from being had, for people.
pub fn once(
    server: SocketAddr,
    timeout: Duration,
    mut keyed: Option<&mut Keyed>,
) -> Result<Reading, Fault> {
    let socket = open(server).map_err(|error| Fault::Unreachable(error.to_string()))?;
    let mut nonce = [0; 8];
    entropy::fill(&mut nonce).map_err(|error| Fault::Unreachable(error.to_string()))?;
    let mut request = Request::new(server.ip(), u64::from_be_bytes(nonce));
    let octets = request.octets(keyed.as_deref_mut())?;
    let began = clock::monotonic();
    request.departed(clock::wall());
    socket.send(&octets).map_err(|error| judge(&error))?;

    let mut buffer = ReceiveBuffer::new(PACKET_LEN_MAX);
    let mut ignored = 0_u32;
    loop {
        let left = timeout.saturating_sub(clock::monotonic().since(began));
        if left.is_zero() {
            return Err(Fault::NoReply { ignored });
        }
        wait(&socket, left).map_err(|error| judge(&error))?;
        let arrival = match socket.receive(&mut buffer) {
            Ok(Some(arrival)) => arrival,
            Ok(None) => {
                ignored = ignored.saturating_add(1);
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(judge(&error)),
        };
        let arrived = arrival.stamp.map_or_else(clock::wall, |stamp| stamp.at);
        match request.read(arrival.octets, arrived, keyed.as_deref_mut()) {
            Some(outcome) => return outcome,
            None => ignored = ignored.saturating_add(1),
        }
    }
}

fn open(server: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::open(AddressFamily::of(server.ip()))?;
    // Without kernel stamps our own will do.
    socket.stamp_receives();
    socket.connect(server)?;
    Ok(socket)
}

fn wait(socket: &Socket, left: Duration) -> io::Result<()> {
    let mut set = PollSet::with_capacity(1);
    set.push(socket);
    set.wait(left).map(drop)
}

fn judge(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Fault::Refused,
        _ => Fault::Unreachable(error.to_string()),
    }
}
