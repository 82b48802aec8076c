//! What is sent to many and heard by many: broadcast and multicast, through one interface each.
use super::{AddressFamily, Socket};
use core::net::IpAddr;
use std::io;

/// As in the kernel's headers; libc does not have it.
const IPV6_MULTICAST_ALL: libc::c_int = 29;

impl Socket {
    /// Lets other sockets that say the same bind this address and port, of whatever user, and says
    /// that this one would. It counts when somebody binds, so it may be told after `bind`, and be
    /// taken back: as long as one socket of an address does not say it, nobody else gets in.
    ///
    /// # Errors
    /// The kernel's.
    pub fn share_address(&self, shared: bool) -> io::Result<()> {
        self.set(libc::SOL_SOCKET, libc::SO_REUSEADDR, i32::from(shared))
    }

    /// Lets datagrams leave for broadcast addresses.
    ///
    /// # Errors
    /// The kernel's.
    pub fn allow_broadcast(&self) -> io::Result<()> {
        self.set(libc::SOL_SOCKET, libc::SO_BROADCAST, 1)
    }

    /// Hears only what comes in through this interface. Before Linux 5.7 that took CAP_NET_RAW.
    ///
    /// # Errors
    /// The kernel's: EPERM, ENODEV.
    pub fn hear_only(&self, interface: u32) -> io::Result<()> {
        self.set_octets(
            libc::SOL_SOCKET,
            libc::SO_BINDTOIFINDEX,
            &interface.to_ne_bytes(),
        )
    }

    /// Sends what goes to groups through this interface, past `hops` less one routers, and not to
    /// this host itself.
    ///
    /// # Errors
    /// The kernel's: ENODEV or EADDRNOTAVAIL without such an interface, ENOPROTOOPT where the kernel
    /// was built without multicast.
    pub fn send_through(&self, interface: u32, hops: u8) -> io::Result<()> {
        let (level, through, reach, loops) = match self.family {
            AddressFamily::V4 => (
                libc::IPPROTO_IP,
                libc::IP_MULTICAST_IF,
                libc::IP_MULTICAST_TTL,
                libc::IP_MULTICAST_LOOP,
            ),
            AddressFamily::V6 => (
                libc::IPPROTO_IPV6,
                libc::IPV6_MULTICAST_IF,
                libc::IPV6_MULTICAST_HOPS,
                libc::IPV6_MULTICAST_LOOP,
            ),
        };
        match self.family {
            AddressFamily::V4 => {
                self.set_octets(level, through, &ip_mreqn([0; 4], interface))?;
            }
            AddressFamily::V6 => self.set_octets(level, through, &interface.to_ne_bytes())?,
        }
        self.set(level, reach, hops.into())?;
        self.set(level, loops, 0)
    }

    /// Hears of what is sent to a group on one interface, and of no group that others joined. The
    /// kernel tells the routers, and again when the interface was down; it leaves the group when the
    /// socket is closed.
    ///
    /// # Errors
    /// The kernel's: ENODEV or EADDRNOTAVAIL where the interface is gone or has no multicast,
    /// ENOPROTOOPT where the kernel was built without, ENOBUFS past `net.ipv4.igmp_max_memberships`;
    /// `InvalidInput` for a group of the other family.
    pub fn join(&self, group: IpAddr, interface: u32) -> io::Result<()> {
        match (group, self.family) {
            (IpAddr::V4(group), AddressFamily::V4) => {
                let request = ip_mreqn(group.octets(), interface);
                self.set(libc::IPPROTO_IP, libc::IP_MULTICAST_ALL, 0)?;
                self.set_octets(libc::IPPROTO_IP, libc::IP_ADD_MEMBERSHIP, &request)
            }
            (IpAddr::V6(group), AddressFamily::V6) => {
                let request = ipv6_mreq(group.octets(), interface);
                let (level, join) = (libc::IPPROTO_IPV6, libc::IPV6_ADD_MEMBERSHIP);
                // Since Linux 4.20; before, `hear_only` does as much.
                let _ = self.set(level, IPV6_MULTICAST_ALL, 0);
                self.set_octets(level, join, &request)
            }
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

/// Whether the kernel, or an interface, cannot do at all what it was asked.
pub fn is_unsupported(error: &io::Error) -> bool {
    const ALL: [libc::c_int; 4] = [
        libc::EOPNOTSUPP,
        libc::ENOPROTOOPT,
        libc::EADDRNOTAVAIL,
        libc::ENODEV,
    ];
    error.raw_os_error().is_some_and(|code| ALL.contains(&code))
}

/// `struct ip_mreqn`: group, local address, interface; the interface alone decides.
fn ip_mreqn(group: [u8; 4], interface: u32) -> [u8; 12] {
    let mut request = [0; 12];
    request[..4].copy_from_slice(&group);
    request[8..].copy_from_slice(&interface.to_ne_bytes());
    request
}

/// `struct ipv6_mreq`: group, interface.
fn ipv6_mreq(group: [u8; 16], interface: u32) -> [u8; 20] {
    let mut request = [0; 20];
    request[..16].copy_from_slice(&group);
    request[16..].copy_from_slice(&interface.to_ne_bytes());
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interfaces::{self, InterfaceAddress};
    use crate::own_network::{cable, in_own_network, ip};
    use crate::poll::PollSet;
    use crate::socket::ReceiveBuffer;
    use core::net::SocketAddr;
    use core::time::Duration;
    use std::fs;

    const GROUP: &str = "224.0.1.1";
    const PORT: u16 = 1123;

    fn at(ip: &str) -> SocketAddr {
        SocketAddr::new(ip.parse().unwrap(), PORT)
    }

    fn index(name: &str) -> u32 {
        let all = interfaces::addresses().unwrap();
        let of = |one: &&InterfaceAddress| one.name == name;
        all.iter().find(of).unwrap().index
    }

    fn ear(to: SocketAddr, interface: u32) -> Socket {
        let socket = Socket::open(AddressFamily::of(to.ip())).unwrap();
        socket.share_address(true).unwrap();
        socket.hear_only(interface).unwrap();
        socket.bind(to).unwrap();
        if to.ip().is_multicast() {
            socket.join(to.ip(), interface).unwrap();
        }
        socket
    }

    fn mouth(from: &str, interface: u32) -> Socket {
        let from = SocketAddr::new(from.parse().unwrap(), 0);
        let socket = Socket::open(AddressFamily::of(from.ip())).unwrap();
        socket.allow_broadcast().unwrap();
        socket.send_through(interface, 3).unwrap();
        socket.bind(from).unwrap();
        socket
    }

    fn heard(socket: &Socket) -> Vec<u8> {
        let mut set = PollSet::default();
        set.push(socket);
        let mut buffer = ReceiveBuffer::new(8);
        let mut heard = Vec::new();
        while set.wait(Duration::from_millis(60)).unwrap() > 0 {
            while let Ok(arrival) = socket.receive(&mut buffer) {
                heard.push(arrival.unwrap().octets[0]);
            }
        }
        heard
    }

    #[test]
    fn each_ear_hears_its_own_interface() {
        in_own_network(|| {
            // Two cables: what is said at one end comes in at the other.
            cable("v1", "v2", 0);
            cable("v3", "v4", 1);
            for to in [GROUP, "255.255.255.255", "10.78.0.255", "ff05::101"] {
                let ears = ["v2", "v4"].map(|name| ear(at(to), index(name)));
                let from = if to.contains(':') {
                    "fd78:0::1"
                } else {
                    "10.78.0.1"
                };
                mouth(from, index("v1")).send_to(&[1], at(to)).unwrap();
                let others = [heard(&ears[0]), heard(&ears[1])];
                assert_eq!(others, [vec![1], vec![]], "{to}");
            }
        });
    }

    /// A member tells the kernel once: down and up again it still hears, and closed it is gone.
    #[test]
    fn membership_outlives_a_link_that_flaps_and_ends_with_the_socket() {
        in_own_network(|| {
            cable("v1", "v2", 0);
            let member = || {
                fs::read_to_string("/proc/thread-self/net/igmp")
                    .unwrap()
                    .contains("010100E0")
            };
            assert!(!member());
            let one = ear(at(GROUP), index("v2"));
            assert!(member());
            ip("link set v2 down");
            ip("link set v2 up");
            let sender = mouth("10.78.0.1", index("v1"));
            sender.send_to(&[7], at(GROUP)).unwrap();
            assert_eq!(heard(&one), [7]);
            drop(one);
            assert!(!member());
        });
    }

    #[test]
    fn an_interface_without_multicast_and_one_that_is_not_there() {
        in_own_network(|| {
            cable("v1", "v2", 0);
            let socket = Socket::open(AddressFamily::V4).unwrap();
            let group = at(GROUP).ip();
            let refused = socket.join(group, 999).unwrap_err();
            assert_eq!(refused.raw_os_error(), Some(libc::ENODEV));
            let other = socket.join(at("ff05::101").ip(), 1).unwrap_err();
            assert_eq!(other.kind(), io::ErrorKind::InvalidInput);
            ip("link set v2 multicast off");
            let all = interfaces::addresses().unwrap();
            let has = |name: &str| all.iter().find(|it| it.name == name).unwrap().multicast;
            assert_eq!((has("v1"), has("v2")), (true, false));
        });
    }

    /// What the second program is, and that it is let in only while the gate is open, is the
    /// kernel's affair: see `udp_lib_lport_inuse`.
    #[test]
    fn a_connected_socket_takes_its_peers_datagrams_and_no_others() {
        in_own_network(|| {
            let local: SocketAddr = "127.0.0.1:1123".parse().unwrap();
            let service: Vec<Socket> = (0..2)
                .map(|number| {
                    let socket = Socket::open(AddressFamily::V4).unwrap();
                    if number > 0 {
                        socket.share_port().unwrap();
                    }
                    socket.bind(local).unwrap();
                    socket.share_port().unwrap();
                    socket
                })
                .collect();
            let stranger = || {
                let socket = Socket::open(AddressFamily::V4).unwrap();
                socket.share_address(true).unwrap();
                (socket.bind(local), socket)
            };
            assert!(stranger().0.is_err());
            for socket in &service {
                socket.share_address(true).unwrap();
            }
            let (bound, lasting) = stranger();
            bound.unwrap();
            service[0].share_address(false).unwrap();
            assert!(stranger().0.is_err(), "shut again");
            lasting.connect("127.0.0.1:5001".parse().unwrap()).unwrap();
            for (port, count) in [(5001, 8), (5002, 8)] {
                let asker = Socket::open(AddressFamily::V4).unwrap();
                asker
                    .bind(SocketAddr::from(([127, 0, 0, 1], port)))
                    .unwrap();
                for _ in 0..count {
                    asker
                        .send_to(&[u8::try_from(port - 5000).unwrap()], local)
                        .unwrap();
                }
            }
            assert_eq!(heard(&lasting), [1; 8]);
            let served: Vec<u8> = service.iter().flat_map(heard).collect();
            assert_eq!(served, [2; 8]);
        });
    }
}
