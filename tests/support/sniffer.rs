//! A sniffer on a host: tcpdump writes, and this reads what it wrote.
//!
//! It does not make the interfaces promiscuous: seed 001 warns that this would hide a group that
//! was never joined.

use super::daemon::Daemon;
use super::peers::Tree;
use super::wait::{seconds, until};
use super::world::Host;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

/// All of NTP and of the protocols by which groups are joined, except for what a host says to
/// itself.
const FILTER: &str = "(udp port 123 or igmp or (ip6 and ip6[6] == 0)) and not host 127.0.0.1 \
                      and not host ::1";
/// Octets before each packet: LINUX_SLL2.
const LINK_HEADER: usize = 20;
/// libpcap's number for it.
const LINK_TYPE: u32 = 276;

/// A running sniffer.
#[derive(Debug)]
pub struct Sniffer {
    daemon: Daemon,
    file: PathBuf,
}

/// A packet as it passed by.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When, seconds since 1970.
    pub at_s: f64,
    /// Whether this host sent it.
    pub sent: bool,
    /// From whom.
    pub source: IpAddr,
    /// To whom.
    pub target: IpAddr,
    /// Time to live, hop limit.
    pub ttl: u8,
    /// What it is.
    pub payload: Payload,
}

/// What was in a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Source port, destination port, payload.
    Udp(u16, u16, Vec<u8>),
    /// Type, group.
    Igmp(u8, Ipv4Addr),
    /// ICMPv6 type, of listeners to groups; the rest.
    Mld(u8, Vec<u8>),
}

/// IGMP types (RFC 3376 section 4).
pub mod igmp {
    /// Membership query.
    pub const QUERY: u8 = 0x11;
    /// Version 2 membership report.
    pub const REPORT_V2: u8 = 0x16;
    /// Version 2 leave group.
    pub const LEAVE_V2: u8 = 0x17;
    /// Version 3 membership report.
    pub const REPORT_V3: u8 = 0x22;
}

impl Sniffer {
    /// Starts it on all interfaces of a host and waits until it listens.
    ///
    /// # Panics
    /// When it does not listen within ten seconds.
    #[must_use]
    pub fn start(host: Host<'_>) -> Self {
        let file = host.folder().join("sniffer.pcap");
        let mut arguments = vec!["-i", "any", "-p", "-n", "-U", "--immediate-mode"];
        arguments.extend(["-Z", "root", "-w", "/lab/sniffer.pcap", FILTER]);
        let program = "/usr/bin/tcpdump";
        let mut daemon = Daemon::peer(host, "tcpdump", Tree::Netlab, program, &arguments);
        daemon.wait_log(&["listening on"], seconds(10));
        Self { daemon, file }
    }

    /// All that passed so far, in order.
    ///
    /// # Panics
    /// When the file is not of the kind this was written for.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        read(&fs::read(&self.file).unwrap_or_default())
    }

    /// The NTP packets so far that are as wanted.
    #[must_use]
    pub fn ntp(&self, wanted: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        let mut seen = self.seen();
        seen.retain(|it| it.mode().is_some() && wanted(it));
        seen
    }

    /// Waits until so many NTP packets are as wanted, and gives all of them.
    ///
    /// # Panics
    /// When they are not within `limit`.
    pub fn wait_ntp(
        &self,
        what: &str,
        count: usize,
        limit: Duration,
        wanted: impl Fn(&Seen) -> bool,
    ) -> Vec<Seen> {
        until(what, limit, || {
            let found = self.ntp(&wanted);
            (found.len() >= count).then_some(found)
        })
    }

    /// Waits for a message of IGMP about a group, after a time.
    ///
    /// # Panics
    /// When there is none within `limit`.
    pub fn wait_igmp(&self, kind: u8, group: &str, after_s: f64, limit: Duration) -> Seen {
        until(&format!("IGMP {kind:#x} for {group}"), limit, || {
            self.seen().into_iter().find(|it| {
                matches!(it.payload, Payload::Igmp(of, about)
                    if of == kind && about.to_string() == group)
                    && it.at_s > after_s
            })
        })
    }

    /// What tcpdump makes of it all, in its own words.
    ///
    /// # Panics
    /// When it cannot read what it wrote.
    #[must_use]
    pub fn told(&self) -> String {
        let arguments = ["-Z", "root", "-r", "/lab/sniffer.pcap", "-n", "-vvv"];
        self.daemon.ask("/usr/bin/tcpdump", &arguments).text
    }
}

impl Seen {
    /// The payload of an NTP packet; empty for another.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        match &self.payload {
            Payload::Udp(_, _, octets) => octets,
            _ => &[],
        }
    }

    /// Source and destination port of an NTP packet.
    #[must_use]
    pub const fn ports(&self) -> Option<(u16, u16)> {
        match self.payload {
            Payload::Udp(from, to, _) => Some((from, to)),
            _ => None,
        }
    }

    /// The mode of an NTP packet.
    #[must_use]
    pub fn mode(&self) -> Option<u8> {
        self.octets().first().map(|first| first & 7)
    }

    /// Octet `at` of an NTP packet; zero behind its end.
    #[must_use]
    pub fn octet(&self, at: usize) -> u8 {
        self.octets().get(at).copied().unwrap_or_default()
    }

    /// The eight octets of a timestamp: 16 reference, 24 origin, 32 receive, 40 transmit.
    #[must_use]
    pub fn stamp(&self, at: usize) -> u64 {
        (at..at + 8).fold(0, |sum, place| sum << 8 | u64::from(self.octet(place)))
    }

    /// The number of the key, of a packet with a MAC and no extension field.
    #[must_use]
    pub fn key_id(&self) -> Option<u32> {
        let id: [u8; 4] = self.octets().get(48..52)?.try_into().ok()?;
        Some(u32::from_be_bytes(id))
    }
}

/// Reads a capture; a packet that is not all there yet is left for the next time.
fn read(file: &[u8]) -> Vec<Seen> {
    let mut rest = file;
    let Some(head) = take(&mut rest, 24) else {
        return Vec::new();
    };
    assert_eq!(word(head, 0), 0xa1b2_c3d4, "a capture in microseconds");
    assert_eq!(word(head, 20), LINK_TYPE, "a capture of all interfaces");
    let mut found = Vec::new();
    while let Some(head) = take(&mut rest, 16) {
        let length = usize::try_from(word(head, 8)).unwrap_or(usize::MAX);
        let Some(packet) = take(&mut rest, length) else {
            break;
        };
        let at_s = f64::from(word(head, 0)) + f64::from(word(head, 4)) / 1e6;
        found.extend(packet_of(at_s, packet));
    }
    found
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

/// tcpdump writes its own numbers in this machine's order.
fn word(octets: &[u8], at: usize) -> u32 {
    octets
        .get(at..at + 4)
        .and_then(|it| it.try_into().ok())
        .map_or(0, u32::from_ne_bytes)
}

fn packet_of(at_s: f64, packet: &[u8]) -> Option<Seen> {
    // Who it was for: 4 says that this host sent it.
    let sent = *packet.get(10)? == 4;
    let ip = packet.get(LINK_HEADER..)?;
    let (source, target, ttl, protocol, rest) = match ip.first()? >> 4 {
        4 => {
            let four = |at: usize| <[u8; 4]>::try_from(ip.get(at..at + 4)?).ok();
            let rest = ip.get(usize::from(ip[0] & 15) * 4..)?;
            let (source, target) = (four(12)?.into(), four(16)?.into());
            (
                IpAddr::V4(source),
                IpAddr::V4(target),
                *ip.get(8)?,
                *ip.get(9)?,
                rest,
            )
        }
        6 => {
            let sixteen = |at: usize| <[u8; 16]>::try_from(ip.get(at..at + 16)?).ok();
            let (source, target) = (Ipv6Addr::from(sixteen(8)?), Ipv6Addr::from(sixteen(24)?));
            let (protocol, rest) = behind_options(*ip.get(6)?, ip.get(40..)?)?;
            (source.into(), target.into(), *ip.get(7)?, protocol, rest)
        }
        _ => return None,
    };
    Some(Seen {
        at_s,
        sent,
        source,
        target,
        ttl,
        payload: payload_of(protocol, rest)?,
    })
}

/// Passes over hop-by-hop options, which the messages of MLD carry.
fn behind_options(protocol: u8, rest: &[u8]) -> Option<(u8, &[u8])> {
    match protocol {
        0 => {
            let length = (usize::from(*rest.get(1)?) + 1) * 8;
            Some((*rest.first()?, rest.get(length..)?))
        }
        other => Some((other, rest)),
    }
}

fn payload_of(protocol: u8, rest: &[u8]) -> Option<Payload> {
    let port = |at: usize| Some(u16::from_be_bytes(rest.get(at..at + 2)?.try_into().ok()?));
    match protocol {
        2 => Some(igmp_of(rest)?),
        17 => {
            let length = usize::from(port(4)?);
            Some(Payload::Udp(
                port(0)?,
                port(2)?,
                rest.get(8..length)?.to_vec(),
            ))
        }
        58 => Some(Payload::Mld(*rest.first()?, rest.get(4..)?.to_vec())),
        _ => None,
    }
}

/// A report of version 3 is about the group of its first record.
fn igmp_of(rest: &[u8]) -> Option<Payload> {
    let kind = *rest.first()?;
    let at = if kind == igmp::REPORT_V3 { 12 } else { 4 };
    let group = <[u8; 4]>::try_from(rest.get(at..at + 4)?).ok()?;
    Some(Payload::Igmp(kind, group.into()))
}
