//! From a frame, as a capture has it, to the datagram in it.
use super::tree::Part;
use core::net::{IpAddr, SocketAddr};
use etherparse::{EtherType, LaxNetSlice, LaxSlicedPacket, TransportSlice, UdpSlice, ether_type};
use serde_json::Value;

/// What the octets begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The NTP packet itself.
    Ntp,
    /// An IPv4 or IPv6 header.
    Ip,
    /// An Ethernet header.
    Ethernet,
    /// Linux's cooked header of 16 octets.
    Cooked,
    /// Linux's cooked header of 20 octets.
    Cooked2,
    /// BSD's four octets for the family.
    Loopback,
}

impl Layer {
    /// By the number of a capture's link type.
    pub(super) const fn of_link_type(number: u16) -> Option<Self> {
        match number {
            0 | 108 => Some(Self::Loopback),
            1 => Some(Self::Ethernet),
            12 | 14 | 101 | 228 | 229 => Some(Self::Ip),
            113 => Some(Self::Cooked),
            276 => Some(Self::Cooked2),
            _ => None,
        }
    }
}

/// Why a frame has nothing for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    /// It is no UDP.
    OtherProtocol,
    /// It is a part of a datagram, and we put none together.
    Fragment,
    /// Its headers are cut short or contradict themselves.
    Broken,
}

/// What a UDP checksum says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checksum {
    Correct,
    Wrong,
    None,
    /// Octets are missing.
    Unknown,
}

/// A UDP datagram.
#[derive(Debug)]
pub(super) struct Datagram<'a> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: &'a [u8],
    ttl: u8,
    vlans: Vec<u16>,
    udp_len: u16,
    checksum: u16,
    verdict: Checksum,
    is_cut: bool,
}

impl<'a> Datagram<'a> {
    /// # Errors
    /// Why there is none. `layer` is not [`Layer::Ntp`], which has none either.
    pub(super) fn new(layer: Layer, frame: &'a [u8]) -> Result<Self, Skipped> {
        let after = |at: usize| frame.get(at..).ok_or(Skipped::Broken);
        let cooked = |kind: usize, header: usize| {
            let kind = frame.get(kind..).and_then(<[u8]>::first_chunk);
            let kind = u16::from_be_bytes(*kind.ok_or(Skipped::Broken)?);
            Ok(LaxSlicedPacket::from_ether_type(
                EtherType(kind),
                after(header)?,
            ))
        };
        let ip = |octets| LaxSlicedPacket::from_ip(octets).map_err(|_| Skipped::Broken);
        let sliced = match layer {
            Layer::Ntp => return Err(Skipped::OtherProtocol),
            Layer::Ip => ip(frame)?,
            Layer::Ethernet => {
                LaxSlicedPacket::from_ethernet(frame).map_err(|_| Skipped::Broken)?
            }
            Layer::Cooked => cooked(14, 16)?,
            Layer::Cooked2 => cooked(0, 20)?,
            Layer::Loopback => ip(after(4)?)?,
        };
        Self::of(&sliced)
    }

    fn of(sliced: &LaxSlicedPacket<'a>) -> Result<Self, Skipped> {
        let net = sliced.net.as_ref().ok_or(match sliced.stop_err {
            Some(_) => Skipped::Broken,
            None => Skipped::OtherProtocol,
        })?;
        let (source, destination, ttl) = match net {
            LaxNetSlice::Ipv4(v4) => (
                IpAddr::V4(v4.header().source_addr()),
                IpAddr::V4(v4.header().destination_addr()),
                v4.header().ttl(),
            ),
            LaxNetSlice::Ipv6(v6) => (
                IpAddr::V6(v6.header().source_addr()),
                IpAddr::V6(v6.header().destination_addr()),
                v6.header().hop_limit(),
            ),
            LaxNetSlice::Arp(_) => return Err(Skipped::OtherProtocol),
        };
        let inner = net.ip_payload_ref().ok_or(Skipped::OtherProtocol)?;
        if inner.fragmented {
            return Err(Skipped::Fragment);
        }
        let udp = match &sliced.transport {
            Some(TransportSlice::Udp(udp)) => udp,
            None if sliced.stop_err.is_some() => return Err(Skipped::Broken),
            _ => return Err(Skipped::OtherProtocol),
        };
        let is_cut = inner.incomplete || usize::from(udp.length()) > udp.slice().len();
        let vlans = sliced.vlan_ids().iter().map(|id| id.value()).collect();
        Ok(Self {
            source: SocketAddr::new(source, udp.source_port()),
            destination: SocketAddr::new(destination, udp.destination_port()),
            payload: udp.payload(),
            ttl,
            vlans,
            udp_len: udp.length(),
            checksum: udp.checksum(),
            verdict: if is_cut {
                Checksum::Unknown
            } else {
                verdict(udp, source, destination)
            },
            is_cut,
        })
    }

    pub(super) fn is_about(&self, port: u16) -> bool {
        self.source.port() == port || self.destination.port() == port
    }

    /// The parts before NTP's own.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for vlan in &self.vlans {
            let mut part =
                Part::one_of_many(format!("802.1Q Virtual LAN, ID: {vlan}"), "virtual_lans");
            part.value("id", *vlan);
            parts.push(part);
        }
        parts.push(self.ip());
        parts.push(self.udp());
        parts
    }

    fn ip(&self) -> Part {
        let (source, destination) = (self.source.ip(), self.destination.ip());
        let version = if source.is_ipv6() { " Version 6" } else { "" };
        let title = format!(
            "Internet Protocol{version}, Src Addr: {source} ({source}), \
             Dst Addr: {destination} ({destination})"
        );
        let mut part = Part::new(title, "ip");
        part.value("source", source.to_string());
        part.value("destination", destination.to_string());
        part.value("hop_limit", self.ttl);
        part.detail(format!("time to live: {}", self.ttl));
        part
    }

    fn udp(&self) -> Part {
        let (from, to) = (port(self.source.port()), port(self.destination.port()));
        let title = format!("User Datagram Protocol, Src Port: {from}, Dst Port: {to}");
        let mut part = Part::new(title, "udp");
        part.field("Source port", from, "source_port", self.source.port());
        let number = self.destination.port();
        part.field("Destination port", to, "destination_port", number);
        part.field("Length", self.udp_len, "length", self.udp_len);
        let (words, value) = match self.verdict {
            Checksum::Correct => ("correct", Value::from("correct")),
            Checksum::Wrong => (
                "wrong, or left to the network card of the sender",
                Value::from("wrong"),
            ),
            Checksum::None => ("none", Value::from("none")),
            Checksum::Unknown => ("not known", Value::Null),
        };
        let text = format!("0x{:04x} ({words})", self.checksum);
        part.field("Checksum", text, "checksum", value);
        if self.is_cut {
            let missing = usize::from(self.udp_len.saturating_sub(8));
            part.note(format!(
                "the capture has {} of its {missing} octets",
                self.payload.len()
            ));
        }
        part
    }
}

fn verdict(udp: &UdpSlice<'_>, source: IpAddr, destination: IpAddr) -> Checksum {
    let header = udp.to_header();
    let expected = match (source, destination) {
        (IpAddr::V4(_), IpAddr::V4(_)) if udp.checksum() == 0 => return Checksum::None,
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            header.calc_checksum_ipv4_raw(from.octets(), to.octets(), udp.payload())
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            header.calc_checksum_ipv6_raw(from.octets(), to.octets(), udp.payload())
        }
        _ => return Checksum::Unknown,
    };
    match expected {
        Ok(expected) if expected == udp.checksum() => Checksum::Correct,
        Ok(_) => Checksum::Wrong,
        Err(_) => Checksum::Unknown,
    }
}

fn port(number: u16) -> String {
    match number {
        123 => "ntp (123)".to_owned(),
        other => other.to_string(),
    }
}

/// What octets without a capture around them begin with: headers that say how many octets follow,
/// and are right, are no chance.
pub(super) fn guess(octets: &[u8]) -> Layer {
    let is_ip = |octets: &[u8]| {
        let len = |at: usize| {
            let word = octets.get(at..).and_then(<[u8]>::first_chunk);
            word.map(|word| usize::from(u16::from_be_bytes(*word)))
        };
        let protocol = |at: usize| octets.get(at).copied() == Some(17);
        match octets.first().map(|first| first >> 4) {
            Some(4) => len(2) == Some(octets.len()) && protocol(9),
            Some(6) => len(4).map(|len| len + 40) == Some(octets.len()) && protocol(6),
            _ => false,
        }
    };
    if is_ip(octets) {
        return Layer::Ip;
    }
    let ethernet = LaxSlicedPacket::from_ethernet(octets).ok();
    let payload = ethernet.as_ref().and_then(LaxSlicedPacket::ether_payload);
    let kinds = [ether_type::IPV4, ether_type::IPV6];
    match payload {
        Some(payload) if kinds.contains(&payload.ether_type) && is_ip(payload.payload) => {
            Layer::Ethernet
        }
        _ => Layer::Ntp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etherparse::PacketBuilder;

    fn frames(payload: &[u8]) -> Vec<(Layer, Vec<u8>)> {
        let (from, to) = ([192, 168, 230, 1], [224, 0, 1, 1]);
        let built = |builder: etherparse::PacketBuilderStep<etherparse::UdpHeader>| {
            let mut frame = Vec::new();
            builder.write(&mut frame, payload).expect("written");
            frame
        };
        let ip = built(PacketBuilder::ipv4(from, to, 2).udp(123, 123));
        let v6 = built(PacketBuilder::ipv6([1; 16], [2; 16], 2).udp(123, 123));
        let ethernet = built(
            PacketBuilder::ethernet2([1; 6], [2; 6])
                .ipv4(from, to, 2)
                .udp(123, 123),
        );
        let mut vlan = ethernet.clone();
        vlan.splice(12..12, [0x81, 0, 0, 5]);
        let under = |header: &[u8]| [header, &ip].concat();
        let mut cooked = vec![0; 16];
        cooked[14] = 8;
        let mut cooked2 = vec![0; 20];
        cooked2[0] = 8;
        vec![
            (Layer::Ip, ip.clone()),
            (Layer::Ip, v6),
            (Layer::Ethernet, ethernet),
            (Layer::Ethernet, vlan),
            (Layer::Cooked, under(&cooked)),
            (Layer::Cooked2, under(&cooked2)),
            (Layer::Loopback, under(&[2, 0, 0, 0])),
        ]
    }

    #[test]
    fn the_same_datagram_under_every_header() {
        for (layer, frame) in frames(b"the payload") {
            let found = Datagram::new(layer, &frame).expect("a datagram");
            assert_eq!(found.payload, b"the payload", "{layer:?}");
            assert_eq!((found.ttl, found.verdict), (2, Checksum::Correct));
            assert!(found.is_about(123) && !found.is_about(124));
            if matches!(layer, Layer::Ip | Layer::Ethernet) && found.vlans.is_empty() {
                assert_eq!(guess(&frame), layer);
            }
        }
    }

    #[test]
    fn every_cut_is_told_or_skipped() {
        for (layer, frame) in frames(&[7; 68]) {
            for len in 0..frame.len() {
                if let Ok(found) = Datagram::new(layer, &frame[..len]) {
                    assert!(found.is_cut, "{layer:?} {len}");
                    assert_eq!(found.verdict, Checksum::Unknown);
                }
            }
        }
    }

    #[test]
    fn an_octet_changed_is_a_wrong_checksum() {
        for (layer, mut frame) in frames(&[7; 68]) {
            *frame.last_mut().expect("octets") ^= 1;
            let found = Datagram::new(layer, &frame).expect("a datagram");
            assert_eq!(found.verdict, Checksum::Wrong);
        }
    }

    #[test]
    fn ntp_itself_is_not_taken_for_a_header() {
        for first in 0..=255 {
            assert_eq!(guess(&[first; 48]), Layer::Ntp);
        }
    }
}
