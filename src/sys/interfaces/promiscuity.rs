//! Interfaces that take in what is not for them. Neither getifaddrs(3) nor the flags of SIOCGIFFLAGS tell
//! it where a sniffer's socket asked for it; the count in rtnetlink(7)'s answer does.
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType};
use std::io;
use std::os::fd::AsRawFd;

const MESSAGE_HEADER_LEN: usize = 16;
/// `struct ifinfomsg`.
const LINK_HEADER_LEN: usize = 16;
/// A host has fewer interfaces than fill so many messages.
const MESSAGES_MAX: usize = 4096;
/// The kernel fills no larger buffers.
const BUFFER_LEN: usize = 1 << 15;

/// Names of the interfaces that somebody has made promiscuous.
///
/// # Errors
/// The kernel's: netlink may be closed to us.
pub fn promiscuous() -> io::Result<Vec<String>> {
    let socket = nix::sys::socket::socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    let kernel = NetlinkAddr::new(0, 0);
    nix::sys::socket::sendto(socket.as_raw_fd(), &request(), &kernel, MsgFlags::empty())?;
    let mut found = Vec::new();
    let mut buffer = vec![0; BUFFER_LEN];
    for _ in 0..MESSAGES_MAX {
        let len = nix::sys::socket::recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        if !take(buffer.get(..len).unwrap_or_default(), &mut found)? {
            return Ok(found);
        }
    }
    Err(io::Error::other(
        "the kernel's list of interfaces has no end",
    ))
}

/// RTM_GETLINK for all of them.
fn request() -> [u8; MESSAGE_HEADER_LEN + LINK_HEADER_LEN] {
    let mut octets = [0; MESSAGE_HEADER_LEN + LINK_HEADER_LEN];
    let len = u32::try_from(octets.len()).unwrap_or_default();
    let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_DUMP).unwrap_or_default();
    octets[..4].copy_from_slice(&len.to_ne_bytes());
    octets[4..6].copy_from_slice(&libc::RTM_GETLINK.to_ne_bytes());
    octets[6..8].copy_from_slice(&flags.to_ne_bytes());
    octets
}

/// Some messages of the answer; whether more are to come.
fn take(mut octets: &[u8], found: &mut Vec<String>) -> io::Result<bool> {
    while let Some(len) = word(octets) {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let kind = octets.get(4..).and_then(<[u8]>::first_chunk);
        let kind = kind.map_or(0, |kind| i32::from(u16::from_ne_bytes(*kind)));
        let body = octets.get(MESSAGE_HEADER_LEN..len).unwrap_or_default();
        if kind == libc::NLMSG_DONE {
            return Ok(false);
        }
        if kind == libc::NLMSG_ERROR {
            let number = word(body).map_or(0, u32::cast_signed);
            return Err(io::Error::from_raw_os_error(number.saturating_neg()));
        }
        found.extend(link(body.get(LINK_HEADER_LEN..).unwrap_or_default()));
        octets = octets
            .get(len.max(MESSAGE_HEADER_LEN).next_multiple_of(4)..)
            .unwrap_or_default();
    }
    Ok(true)
}

/// The name of an interface, if it is promiscuous.
fn link(mut attributes: &[u8]) -> Option<String> {
    let (mut name, mut is_promiscuous) = (None, false);
    while let Some([a, b, c, d]) = attributes.first_chunk() {
        let (len, kind) = (u16::from_ne_bytes([*a, *b]), u16::from_ne_bytes([*c, *d]));
        let len = usize::from(len).max(4);
        let value = attributes.get(4..len).unwrap_or_default();
        if kind == libc::IFLA_IFNAME {
            let text = value.split(|octet| *octet == 0).next().unwrap_or_default();
            name = Some(String::from_utf8_lossy(text).into_owned());
        } else if kind == libc::IFLA_PROMISCUITY {
            is_promiscuous = word(value).is_some_and(|count| count > 0);
        }
        attributes = attributes
            .get(len.next_multiple_of(4)..)
            .unwrap_or_default();
    }
    name.filter(|_| is_promiscuous)
}

fn word(octets: &[u8]) -> Option<u32> {
    octets.first_chunk().map(|word| u32::from_ne_bytes(*word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_answers_and_loopback_is_not_promiscuous() {
        let found = promiscuous().unwrap();
        assert!(!found.contains(&"lo".to_owned()), "{found:?}");
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let len = u16::try_from(value.len() + 4).unwrap();
        let mut octets = [len.to_ne_bytes(), kind.to_ne_bytes()].concat();
        octets.extend_from_slice(value);
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let len = u32::try_from(body.len() + MESSAGE_HEADER_LEN).unwrap();
        let mut octets = len.to_ne_bytes().to_vec();
        octets.extend_from_slice(&kind.to_ne_bytes());
        octets.resize(MESSAGE_HEADER_LEN, 0);
        octets.extend_from_slice(body);
        octets
    }

    #[test]
    fn only_what_is_counted_is_named() {
        let one = |name: &[u8], count: u32| {
            let mut body = vec![0; LINK_HEADER_LEN];
            body.extend(attribute(libc::IFLA_IFNAME, name));
            body.extend(attribute(libc::IFLA_PROMISCUITY, &count.to_ne_bytes()));
            message(libc::RTM_NEWLINK, &body)
        };
        let octets = [one(b"eth0\0", 0), one(b"eth10\0", 2)].concat();
        let mut found = Vec::new();
        assert!(take(&octets, &mut found).unwrap());
        assert_eq!(found, ["eth10"]);
        let done = message(u16::try_from(libc::NLMSG_DONE).unwrap(), &[0; 4]);
        assert!(!take(&done, &mut found).unwrap());
        let refused = message(
            u16::try_from(libc::NLMSG_ERROR).unwrap(),
            &(-1_i32).to_ne_bytes(),
        );
        assert!(take(&refused, &mut found).is_err());
        for len in 0..octets.len() {
            let _ = take(&octets[..len], &mut found);
        }
    }
}
