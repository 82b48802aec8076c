//! What is needed of a capture: who sent which octets to whom on port 123.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) struct Seen {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
    pub(crate) octets: Vec<u8>,
}

const FILE_HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
const ETHERNET_LEN: usize = 14;
/// LINUX_SLL2, as tcpdump writes of all interfaces: its number, its length.
const ANY_LEN: usize = 20;
const ANY_LINK: [u8; 2] = [0x14, 0x01];
const UDP_LEN: usize = 8;
const UDP: u8 = 17;
const NTP: u16 = 123;

/// All NTP packets of a capture of Ethernet or of all interfaces, little-endian.
pub(crate) fn packets(file: &[u8]) -> Vec<Seen> {
    assert_eq!(file[..4], [0xD4, 0xC3, 0xB2, 0xA1]);
    let is_any = file[20..22] == ANY_LINK;
    let mut rest = &file[FILE_HEADER_LEN..];
    let mut found = Vec::new();
    while let Some((header, after)) = rest.split_at_checked(RECORD_HEADER_LEN) {
        let len = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
        // A capture that was stopped in the middle ends with half a frame.
        let len = usize::try_from(len).expect("a length");
        let Some((frame, after)) = after.split_at_checked(len) else {
            break;
        };
        found.extend(packet(frame, is_any));
        rest = after;
    }
    found
}

fn packet(frame: &[u8], is_any: bool) -> Option<Seen> {
    let (kind_at, link_len) = if is_any {
        (0, ANY_LEN)
    } else {
        (12, ETHERNET_LEN)
    };
    let network = frame.get(link_len..)?;
    let (from, to, datagram): (IpAddr, IpAddr, &[u8]) = match frame.get(kind_at..kind_at + 2)? {
        [0x08, 0x00] if network.get(9) == Some(&UDP) => (
            Ipv4Addr::from(*network.get(12..)?.first_chunk::<4>()?).into(),
            Ipv4Addr::from(*network.get(16..)?.first_chunk::<4>()?).into(),
            network.get(usize::from(network[0] & 15) * 4..)?,
        ),
        [0x86, 0xDD] if network.get(6) == Some(&UDP) => (
            Ipv6Addr::from(*network.get(8..)?.first_chunk::<16>()?).into(),
            Ipv6Addr::from(*network.get(24..)?.first_chunk::<16>()?).into(),
            network.get(40..)?,
        ),
        _ => return None,
    };
    let word = |at: usize| {
        Some(u16::from_be_bytes([
            *datagram.get(at)?,
            *datagram.get(at + 1)?,
        ]))
    };
    if word(0)? != NTP && word(2)? != NTP {
        return None;
    }
    let octets = datagram.get(UDP_LEN..usize::from(word(4)?))?.to_vec();
    Some(Seen { from, to, octets })
}
