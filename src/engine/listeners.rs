//! The service sockets: one for each local address, so that no datagram has to say which address
//! it came to, and none is bound to the wildcard, which would also get every broadcast.
mod choice;

use crate::clerk::Desk;
use crate::config::Listen;
use crate::error::BindFailure;
use crate::host::Notice;
use crate::traffic::Traffic;
use choice::Wanted;
use core::net::{IpAddr, SocketAddr};
use std::io;
use std::sync::Arc;
use truechimer_sys::clock;
use truechimer_sys::interfaces;
use truechimer_sys::socket::{AddressFamily, Socket};
use truechimer_time::Instant;

/// Addresses served at most: each costs descriptors, and a host that has more is under a mistake
/// or an attack of router advertisements.
const LISTENERS_MAX: usize = 256;

/// One address served.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    /// Opened only to drop what comes.
    pub(crate) unwanted: bool,
    /// One for each server thread, of one reuse-port group; or just one.
    pub(crate) sockets: Vec<Arc<Socket>>,
    /// Of its interface; empty if the address was named outright.
    pub(crate) name: String,
    pub(crate) opened: Instant,
    pub(crate) traffic: Arc<Traffic>,
}

impl Listener {
    pub(crate) const fn desk(&self) -> Desk {
        Desk {
            local: self.address,
            unwanted: self.unwanted,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Listeners {
    listen: Listen,
    sockets_each: usize,
    /// Addresses there is room for.
    room: usize,
    /// Addresses for which there was none.
    left_out: usize,
    open: Vec<Listener>,
    /// Failures already told.
    failing: Vec<SocketAddr>,
    own_addresses: Vec<IpAddr>,
}

/// What a rescan changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) sockets: bool,
    pub(crate) own_addresses: bool,
}

impl Listeners {
    /// For `sockets_each` an address and `sockets_max` in all.
    pub(crate) fn new(listen: Listen, sockets_each: usize, sockets_max: usize) -> Self {
        Self {
            listen,
            sockets_each,
            room: (sockets_max / sockets_each.max(1)).min(LISTENERS_MAX),
            left_out: 0,
            open: Vec::new(),
            failing: Vec::new(),
            own_addresses: Vec::new(),
        }
    }

    pub(crate) fn open(&self) -> &[Listener] {
        &self.open
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether something wanted could not be opened.
    pub(crate) const fn is_failing(&self) -> bool {
        !self.failing.is_empty()
    }

    pub(crate) fn own_addresses(&self) -> &[IpAddr] {
        &self.own_addresses
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.open.iter().map(|listener| listener.address).collect()
    }

    /// The socket that sends from this local address.
    #[allow(dead_code, reason = "manycast replies come with the next commits")]
    pub(crate) fn socket_at(&self, local: SocketAddr) -> Option<&Socket> {
        self.open
            .iter()
            .find(|listener| listener.address == local)
            .and_then(|listener| listener.sockets.first())
            .map(Arc::as_ref)
    }

    /// From the next rescan on these are wanted.
    pub(crate) fn replace(&mut self, listen: Listen) {
        self.listen = listen;
    }

    /// Opens what is wanted and not open, closes what is open and not wanted.
    pub(crate) fn rescan(&mut self, notices: &mut Vec<Notice>) -> Changes {
        let interfaces = match interfaces::addresses() {
            Ok(interfaces) => interfaces,
            Err(error) => {
                notices.push(Notice::CannotList(error));
                // Addresses named outright can be served without the list.
                if !matches!(self.listen, Listen::Addresses(_)) {
                    return Changes::default();
                }
                Vec::new()
            }
        };
        let mut own: Vec<IpAddr> = interfaces.iter().map(|one| one.address.ip()).collect();
        own.sort_unstable();
        own.dedup();
        let mut changes = Changes {
            sockets: false,
            own_addresses: own != self.own_addresses,
        };
        self.own_addresses = own;
        let wanted = choice::choose(&self.listen, &interfaces);
        changes.sockets |= self.close_unwanted(&wanted, notices);
        let mut left_out = 0;
        for one in wanted {
            if self.open.iter().any(|open| open.address == one.address) {
                continue;
            }
            if self.open.len() < self.room {
                changes.sockets |= self.open_one(&one, notices);
            } else {
                left_out += 1;
            }
        }
        if left_out > self.left_out {
            notices.push(Notice::LeftOut(left_out));
        }
        self.left_out = left_out;
        changes
    }

    fn close_unwanted(&mut self, wanted: &[Wanted], notices: &mut Vec<Notice>) -> bool {
        let mut changed = false;
        self.open.retain_mut(|listener| {
            let Some(one) = wanted.iter().find(|one| one.address == listener.address) else {
                notices.push(Notice::Unlistening(listener.address));
                // The threads hold the sockets until they have seen that they are to go, and the
                // port with them, which may be wanted again: wake them.
                for socket in &listener.sockets {
                    socket.shut_for_receiving();
                }
                changed = true;
                return false;
            };
            if listener.unwanted != one.unwanted {
                listener.unwanted = one.unwanted;
                notices.push(one.notice());
                changed = true;
            }
            true
        });
        self.failing
            .retain(|address| wanted.iter().any(|one| one.address == *address));
        changed
    }

    fn open_one(&mut self, wanted: &Wanted, notices: &mut Vec<Notice>) -> bool {
        let Wanted {
            address, unwanted, ..
        } = *wanted;
        match bind_group(address, self.sockets_each) {
            Ok((sockets, stamped)) => {
                self.failing.retain(|failing| *failing != address);
                notices.push(wanted.notice());
                if !stamped {
                    notices.push(Notice::NoKernelStamps(address));
                }
                self.open.push(Listener {
                    address,
                    unwanted,
                    sockets,
                    name: wanted.name.clone(),
                    opened: clock::monotonic(),
                    traffic: Arc::default(),
                });
                true
            }
            Err(error) => {
                if !self.failing.contains(&address) {
                    self.failing.push(address);
                    notices.push(Notice::CannotListen(BindFailure { address, error }));
                }
                false
            }
        }
    }
}

/// The first socket of a group binds alone, so that another daemon on the port is noticed even if
/// it would share; only then is the port opened to the rest of the group.
fn bind_group(address: SocketAddr, count: usize) -> io::Result<(Vec<Arc<Socket>>, bool)> {
    let family = AddressFamily::of(address.ip());
    let mut sockets: Vec<Arc<Socket>> = Vec::with_capacity(count);
    let mut stamped = true;
    for _ in 0..count {
        let socket = Socket::open(family)?;
        match sockets.first() {
            None => {
                socket.bind(address)?;
                if count > 1 {
                    socket.share_port()?;
                }
            }
            Some(first) => {
                socket.share_port()?;
                socket.bind(first.local_address()?)?;
            }
        }
        stamped &= socket.stamp_receives();
        sockets.push(Arc::new(socket));
    }
    Ok((sockets, stamped))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv6Addr, SocketAddrV6};

    fn free_port() -> SocketAddr {
        let socket = Socket::open(AddressFamily::V4).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        socket.local_address().unwrap()
    }

    #[test]
    fn a_taken_port_is_told_once_and_tried_again() {
        let address = free_port();
        let mut first = Listeners::new(Listen::Addresses(vec![address]), 2, 16);
        let mut notices = Vec::new();
        assert!(first.rescan(&mut notices).sockets);
        assert!(matches!(notices[..], [Notice::Listening(at, _)] if at == address));

        let mut second = Listeners::new(Listen::Addresses(vec![address]), 2, 16);
        notices.clear();
        assert!(!second.rescan(&mut notices).sockets);
        assert!(matches!(&notices[..], [Notice::CannotListen(failure)]
            if failure.address == address && failure.to_string().contains("another NTP daemon")));
        notices.clear();
        second.rescan(&mut notices);
        assert!(notices.is_empty());

        drop(first);
        assert!(second.rescan(&mut notices).sockets);
        assert!(matches!(notices[..], [Notice::Listening(..)]));
        assert_eq!(second.open()[0].sockets.len(), 2);
        assert!(second.socket_at(address).is_some());
    }

    #[test]
    fn rescanning_changes_nothing_that_is_right() {
        let mut listeners = Listeners::new(Listen::Addresses(vec![free_port()]), 1, 16);
        let mut notices = Vec::new();
        let first = listeners.rescan(&mut notices);
        assert!(first.sockets && first.own_addresses);
        assert!(
            listeners
                .own_addresses()
                .contains(&IpAddr::from([127, 0, 0, 1]))
        );
        assert_eq!(listeners.rescan(&mut notices), Changes::default());
        listeners.listen = Listen::Nowhere;
        notices.clear();
        assert!(listeners.rescan(&mut notices).sockets);
        assert!(matches!(notices[..], [Notice::Unlistening(_)]));
    }

    /// Two interfaces may have the same link-local address.
    #[test]
    fn a_link_local_address_is_told_by_its_scope() {
        let mut listeners = Listeners::new(Listen::Nowhere, 1, 16);
        let scoped = |scope| SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 123, 0, scope));
        for scope in [1, 2] {
            listeners.open.push(Listener {
                address: scoped(scope),
                unwanted: false,
                sockets: vec![Arc::new(Socket::open(AddressFamily::V4).unwrap())],
                name: String::new(),
                opened: Instant::default(),
                traffic: Arc::default(),
            });
        }
        for listener in &listeners.open {
            let found = listeners.socket_at(listener.desk().local).unwrap();
            assert!(core::ptr::eq(found, listener.sockets[0].as_ref()));
        }
        assert!(listeners.socket_at(scoped(3)).is_none());
    }

    #[test]
    fn what_there_is_no_room_for_is_told_once() {
        let addresses: Vec<SocketAddr> = (0..5).map(|_| free_port()).collect();
        let mut listeners = Listeners::new(Listen::Addresses(addresses), 2, 7);
        let mut notices = Vec::new();
        listeners.rescan(&mut notices);
        assert_eq!(listeners.open().len(), 3);
        assert!(matches!(notices[3..], [Notice::LeftOut(2)]), "{notices:?}");
        notices.clear();
        assert_eq!(listeners.rescan(&mut notices), Changes::default());
        assert!(notices.is_empty());
    }
}
