//! Packets in another's name: see `bin/forger.rs`.

use super::command::finish;
use super::responder::built;
use super::world::Host;
use std::net::{Ipv4Addr, SocketAddrV4};

/// A packet whose source is made up.
#[derive(Clone, Debug)]
pub struct Forged {
    /// In whose name.
    pub source: SocketAddrV4,
    /// To whom; a group or a broadcast address too.
    pub target: SocketAddrV4,
    /// Time to live.
    pub ttl: u8,
    /// The payload.
    pub octets: Vec<u8>,
}

/// Sends them from a host, in order.
///
/// # Panics
/// When the kernel refuses.
pub fn forge(from: Host<'_>, packets: &[Forged]) {
    let line = |packet: &Forged| {
        let hex: String = packet.octets.iter().map(|it| format!("{it:02x}")).collect();
        format!("{} {} {} {hex}\n", packet.source, packet.target, packet.ttl)
    };
    let script: String = packets.iter().map(line).collect();
    let path = from.write("forger.script", &script);
    let mut command = from.native(&built("ntp-forger"));
    command.arg(path);
    let said = finish(command);
    assert_eq!(said.code, Some(0), "{}", said.text);
}

/// Between the ports of NTP.
#[must_use]
pub fn ntp(source: Ipv4Addr, target: Ipv4Addr, octets: Vec<u8>) -> Forged {
    Forged {
        source: SocketAddrV4::new(source, 123),
        target: SocketAddrV4::new(target, 123),
        ttl: 8,
        octets,
    }
}
