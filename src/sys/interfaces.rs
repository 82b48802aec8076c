//! The addresses of this host.

mod promiscuity;

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use nix::errno::Errno;
use nix::ifaddrs::{InterfaceAddress as Entry, getifaddrs};
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, SockaddrLike,
    SockaddrStorage,
};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

pub use promiscuity::promiscuous;

/// Messages taken in at once.
const NEWS_MAX: usize = 256;

/// One address of an interface that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// Name of the interface.
    pub name: String,
    /// The address; port zero, IPv6 link-local ones with their scope.
    pub address: SocketAddr,
    /// Length of its network prefix, bits; the whole address where unknown.
    pub prefix_len: u8,
    /// Loopback.
    pub loopback: bool,
    /// The kernel's index of the interface; 0 where unknown.
    pub index: u32,
    /// Where everybody on the network of this address listens, if the interface has broadcast.
    pub broadcast: Option<Ipv4Addr>,
    /// The interface has multicast.
    pub multicast: bool,
}

/// The kernel's word that addresses or links changed, by rtnetlink(7).
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// Begins to listen.
    ///
    /// # Errors
    /// The kernel's: netlink may be closed to us, or not be there, as under a preload simulator.
    pub fn open() -> io::Result<Self> {
        let socket = nix::sys::socket::socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            SockProtocol::NetlinkRoute,
        )?;
        let groups = libc::RTMGRP_LINK | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR;
        let groups = u32::try_from(groups).unwrap_or_default();
        nix::sys::socket::bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
        Ok(Self(socket))
    }

    /// Whether something came since the last time; what it says is found out by [`addresses`].
    /// Takes in so much at most, for another program may change addresses without end.
    pub fn take_news(&self) -> bool {
        let mut message = [0; 4096];
        let mut news = false;
        for _ in 0..NEWS_MAX {
            match nix::sys::socket::recv(self.0.as_raw_fd(), &mut message, MsgFlags::MSG_DONTWAIT) {
                // Too much came to keep: what was lost is news as well.
                Ok(_) | Err(Errno::ENOBUFS) => news = true,
                Err(_) => break,
            }
        }
        news
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Every unicast IPv4 and IPv6 address of every interface that is up, by getifaddrs(3).
///
/// # Errors
/// The kernel's.
pub fn addresses() -> io::Result<Vec<InterfaceAddress>> {
    let entries: Vec<Entry> = getifaddrs()?.collect();
    // The entries of interfaces themselves, which the kernel lists first.
    let indices: Vec<(&str, u32)> = entries.iter().filter_map(index).collect();
    let index_of = |name: &str| {
        // An alias has the name of its interface, a colon and more.
        let name = name.split(':').next().unwrap_or_default();
        let found = indices.iter().find(|(known, _)| *known == name);
        found.map_or(0, |(_, index)| *index)
    };
    let up = entries
        .iter()
        .filter(|entry| entry.flags.contains(InterfaceFlags::IFF_UP));
    Ok(up
        .filter_map(|entry| one(entry, index_of(&entry.interface_name)))
        .collect())
}

fn index(entry: &Entry) -> Option<(&str, u32)> {
    let link = entry.address.as_ref()?.as_link_addr()?;
    let index = u32::try_from(link.ifindex()).ok()?;
    Some((&entry.interface_name, index))
}

fn one(entry: &Entry, index: u32) -> Option<InterfaceAddress> {
    let address = entry.address.as_ref().and_then(socket_address)?;
    let mask = entry.netmask.as_ref().and_then(socket_address);
    let prefix_len = prefix_len(mask.map_or_else(|| full(address.ip()), |mask| mask.ip()));
    let has = |flag| entry.flags.contains(flag);
    let broadcast = match address.ip() {
        IpAddr::V4(ip) if has(InterfaceFlags::IFF_BROADCAST) => {
            let told = entry.broadcast.as_ref().and_then(socket_address);
            broadcast(ip, prefix_len, told.map(|told| told.ip()))
        }
        _ => None,
    };
    Some(InterfaceAddress {
        name: entry.interface_name.clone(),
        address,
        prefix_len,
        loopback: has(InterfaceFlags::IFF_LOOPBACK),
        index,
        broadcast,
        multicast: has(InterfaceFlags::IFF_MULTICAST),
    })
}

/// As the kernel has it: the address it was told, else the last one of the network, which every
/// network but those of one or two addresses has.
fn broadcast(ip: Ipv4Addr, prefix_len: u8, told: Option<IpAddr>) -> Option<Ipv4Addr> {
    match told {
        Some(IpAddr::V4(told)) if !told.is_unspecified() && told != ip => Some(told),
        _ if prefix_len >= 31 => None,
        _ => Some(Ipv4Addr::from_bits(ip.to_bits() | u32::MAX >> prefix_len)),
    }
}

fn socket_address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    match storage.family()? {
        AddressFamily::Inet => {
            let v4 = storage.as_sockaddr_in()?;
            Some(SocketAddr::from((v4.ip(), 0)))
        }
        AddressFamily::Inet6 => {
            let mut v6 = core::net::SocketAddrV6::from(*storage.as_sockaddr_in6()?);
            v6.set_port(0);
            Some(SocketAddr::V6(v6))
        }
        _ => None,
    }
}

fn full(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => IpAddr::from([0xFF; 4]),
        IpAddr::V6(_) => IpAddr::from([0xFF; 16]),
    }
}

fn prefix_len(mask: IpAddr) -> u8 {
    let bits = match mask {
        IpAddr::V4(mask) => mask.to_bits().leading_ones(),
        IpAddr::V6(mask) => mask.to_bits().leading_ones(),
    };
    u8::try_from(bits).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_while_nothing_changes() {
        let watch = Watch::open().unwrap();
        assert!(!watch.take_news());
    }

    #[test]
    fn loopback_is_there() {
        let all = addresses().unwrap();
        let loopback = all
            .iter()
            .find(|one| one.address.ip() == IpAddr::from([127, 0, 0, 1]))
            .unwrap();
        assert!(loopback.loopback);
        assert_eq!(loopback.prefix_len, 8);
        assert_eq!(loopback.address.port(), 0);
        assert_ne!(loopback.index, 0);
        assert_eq!(loopback.broadcast, None);
    }

    #[test]
    fn networks_have_a_broadcast_address_though_nobody_told_it() {
        let ip = |text: &str| text.parse::<Ipv4Addr>().unwrap();
        let told = |text: &str| Some(IpAddr::V4(ip(text)));
        let cases = [
            ("192.0.2.5", 24, None, Some("192.0.2.255")),
            ("192.0.2.5", 24, told("192.0.2.0"), Some("192.0.2.0")),
            ("192.0.2.5", 24, told("0.0.0.0"), Some("192.0.2.255")),
            ("10.1.2.3", 0, None, Some("255.255.255.255")),
            ("192.0.2.5", 31, None, None),
            ("192.0.2.5", 32, told("192.0.2.5"), None),
        ];
        for (address, prefix_len, told, wanted) in cases {
            let found = broadcast(ip(address), prefix_len, told);
            assert_eq!(found, wanted.map(ip), "{address}/{prefix_len}");
        }
    }
}
