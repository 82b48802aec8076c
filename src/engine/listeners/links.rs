//! Through which interfaces many can be reached: those whose addresses are served, for who serves on
//! an interface is the one to tell everybody on it.
use super::Listener;
use core::net::{IpAddr, SocketAddr};
use truechimer_proto::packet::{Link, LinkId};
use truechimer_sys::interfaces::InterfaceAddress;

/// A link and what the protocol has no use for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedLink {
    pub(crate) link: Link,
    /// Of its interface.
    pub(crate) name: String,
    /// The service address there.
    pub(crate) service: SocketAddr,
}

/// The links, in the order of the kernel's list: of each interface and family the one with the best
/// address is first, and then those of other networks on it, which have a broadcast address and no
/// multicast of their own.
pub(super) fn find(interfaces: &[InterfaceAddress], open: &[Listener]) -> Vec<NamedLink> {
    let mut able: Vec<NamedLink> = interfaces
        .iter()
        .filter(|one| !one.loopback && one.index != 0)
        .filter(|one| one.multicast || one.broadcast.is_some())
        .filter_map(|one| named(one, open))
        .collect();
    // Routers pass on nothing that comes from a link-local address.
    able.sort_by_key(|one| is_link_local(one.link.local));
    let mut links: Vec<NamedLink> = Vec::new();
    for mut one in able {
        let same = |known: &&NamedLink| {
            known.link.id == one.link.id && known.link.local.is_ipv4() == one.link.local.is_ipv4()
        };
        if links.iter().any(|known| same(&known)) {
            let new = one.link.broadcast.filter(|broadcast| {
                let mut known = links.iter().filter(same);
                known.all(|known| known.link.broadcast != Some(*broadcast))
            });
            if new.is_none() {
                continue;
            }
            one.link.multicast = false;
        }
        links.push(one);
    }
    links
}

fn named(one: &InterfaceAddress, open: &[Listener]) -> Option<NamedLink> {
    let is_its = |listener: &&Listener| {
        let mut address = listener.address;
        address.set_port(0);
        address == one.address && !listener.unwanted
    };
    let listener = open.iter().find(is_its)?;
    Some(NamedLink {
        link: Link {
            id: LinkId(one.index),
            local: one.address.ip(),
            broadcast: one.broadcast,
            multicast: one.multicast,
        },
        name: one.name.clone(),
        service: listener.address,
    })
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;
    use std::sync::Arc;
    use truechimer_sys::socket::{AddressFamily, Socket};
    use truechimer_time::Instant;

    fn address(index: u32, address: &str, prefix: u32) -> InterfaceAddress {
        let address: SocketAddr = address.parse().unwrap();
        let broadcast = match address.ip() {
            IpAddr::V4(ip) => {
                let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
                Some(Ipv4Addr::from_bits(ip.to_bits() | hosts))
            }
            IpAddr::V6(_) => None,
        };
        InterfaceAddress {
            name: format!("eth{index}"),
            address,
            prefix_len: 24,
            loopback: false,
            index,
            broadcast,
            multicast: true,
        }
    }

    fn listener(of: &InterfaceAddress, unwanted: bool) -> Listener {
        let mut address = of.address;
        address.set_port(123);
        Listener {
            address,
            unwanted,
            sockets: vec![Arc::new(Socket::open(AddressFamily::V4).unwrap())],
            name: String::new(),
            opened: Instant::default(),
            traffic: Arc::default(),
        }
    }

    #[test]
    fn one_of_each_interface_and_family_and_every_network() {
        let mut interfaces = vec![
            address(1, "192.0.2.1:0", 24),
            address(1, "192.0.2.2:0", 24),
            address(1, "198.51.100.1:0", 24),
            address(1, "[fe80::1%1]:0", 64),
            address(1, "[2001:db8::1]:0", 64),
            address(2, "203.0.113.1:0", 24),
            address(3, "10.0.0.1:0", 8),
            address(4, "10.1.0.1:0", 32),
            address(5, "127.0.0.1:0", 8),
        ];
        interfaces[7].multicast = false;
        interfaces[7].broadcast = None;
        interfaces[8].loopback = true;
        let mut open: Vec<Listener> = interfaces.iter().map(|it| listener(it, false)).collect();
        open[5].unwanted = true;
        let shown: Vec<String> = find(&interfaces, &open)
            .iter()
            .map(|it| {
                let Link {
                    local,
                    broadcast,
                    multicast,
                    ..
                } = it.link;
                let broadcast = broadcast.map_or(String::new(), |it| it.to_string());
                format!("{} {local} {broadcast} {multicast} {}", it.name, it.service)
            })
            .collect();
        let wanted = [
            "eth1 192.0.2.1 192.0.2.255 true 192.0.2.1:123",
            "eth1 198.51.100.1 198.51.100.255 false 198.51.100.1:123",
            "eth1 2001:db8::1  true [2001:db8::1]:123",
            "eth3 10.0.0.1 10.255.255.255 true 10.0.0.1:123",
        ];
        assert_eq!(shown, wanted);
        assert_eq!(find(&interfaces, &[]), []);
    }
}
