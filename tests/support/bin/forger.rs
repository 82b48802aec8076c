//! Sends UDP packets over IPv4 whose source is made up, for the tests of what a daemon believes.
//!
//! `ntp-forger SCRIPT`: a packet a line, `SOURCE:PORT TARGET:PORT TTL HEX`. Needs the right to use
//! raw sockets.
#![forbid(unsafe_code)]

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sendto, setsockopt,
    socket, sockopt,
};
use std::net::SocketAddrV4;
use std::os::fd::AsRawFd;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ntp-forger: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let path = std::env::args().nth(1).ok_or("SCRIPT")?;
    let script = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let socket = socket(
        AddressFamily::Inet,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::Raw,
    )
    .map_err(|error| format!("raw socket: {error}"))?;
    setsockopt(&socket, sockopt::Broadcast, &true).map_err(|error| error.to_string())?;
    for line in script.lines() {
        let (target, packet) = read(line).ok_or_else(|| format!("cannot read {line}"))?;
        let to = SockaddrIn::from(target);
        sendto(socket.as_raw_fd(), &packet, &to, MsgFlags::empty())
            .map_err(|error| format!("{target}: {error}"))?;
    }
    Ok(())
}

fn read(line: &str) -> Option<(SocketAddrV4, Vec<u8>)> {
    let mut words = line.split_whitespace();
    let source: SocketAddrV4 = words.next()?.parse().ok()?;
    let target: SocketAddrV4 = words.next()?.parse().ok()?;
    let ttl: u8 = words.next()?.parse().ok()?;
    let octets = octets(words.next().unwrap_or_default())?;
    let udp_length = u16::try_from(octets.len() + 8).ok()?;
    // The kernel fills in the length, the number and the checksum of this header.
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, ttl, 17, 0, 0];
    packet.extend(source.ip().octets());
    packet.extend(target.ip().octets());
    packet.extend(source.port().to_be_bytes());
    packet.extend(target.port().to_be_bytes());
    packet.extend(udp_length.to_be_bytes());
    // UDP over IPv4 may go without a checksum (RFC 768).
    packet.extend([0, 0]);
    packet.extend(octets);
    Some((target, packet))
}

fn octets(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
