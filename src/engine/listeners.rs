//! The service sockets: one for each local address, so that no datagram has to say which address
//! it came to, and none is bound to the wildcard, which would also get every broadcast.
mod choice;
mod links;

pub(crate) use links::NamedLink;

use crate::clerk::Desk;
use crate::config::Listen;
use crate::error::BindFailure;
use crate::notice::Notice;
use crate::traffic::Traffic;
use choice::Wanted;
use core::net::{IpAddr, SocketAddr};
use std::io;
use std::sync::Arc;
use truechimer_proto::config::SystemConfig;
use truechimer_proto::packet::{Link, LinkId};
use truechimer_sys::clock;
use truechimer_sys::interfaces;
use truechimer_sys::socket::{AddressFamily, Socket};
use truechimer_time::Instant;

/// Addresses served at most: each costs descriptors, and a host that has more is under a mistake
/// or an attack of router advertisements.
const LISTENERS_MAX: usize = 256;
/// The service port of NTP (RFC 5905 §7.1), where no other is known.
const NTP_PORT: u16 = 123;

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
    /// Has `bind` take this address for one more socket that shares it, whoever we are by now. The
    /// address is open to others for the length of that call only: another daemon is noticed before
    /// and after.
    pub(crate) fn let_in(&self, bind: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        for socket in &self.sockets {
            socket.share_address(true)?;
        }
        let bound = bind();
        if let Some(gate) = self.sockets.first() {
            gate.share_address(false)?;
        }
        bound
    }

    /// Sends a reply from here; whether the kernel took it.
    pub(crate) fn reply(&self, octets: &[u8], to: SocketAddr) -> bool {
        let socket = self.sockets.first();
        let sent = socket.is_some_and(|socket| socket.send_to(octets, to).is_ok());
        self.traffic
            .note_sent(usize::from(sent), usize::from(!sent));
        sent
    }

    pub(crate) const fn desk(&self) -> Desk {
        Desk {
            local: self.address,
            unwanted: self.unwanted,
            many: None,
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
    links: Vec<NamedLink>,
}

/// What a rescan changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) sockets: bool,
    pub(crate) own_addresses: bool,
    pub(crate) links: bool,
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
            links: Vec::new(),
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

    /// Puts into a new configuration what comes and goes without one: whoever wrote it knew these as
    /// they were at the start.
    pub(crate) fn correct(&self, config: &mut SystemConfig) {
        config.links = self.plain_links();
        config.own_addresses.clone_from(&self.own_addresses);
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.open.iter().map(|listener| listener.address).collect()
    }

    /// Interfaces through which many can be reached.
    pub(crate) fn links(&self) -> &[NamedLink] {
        &self.links
    }

    /// The same, for the protocol.
    pub(crate) fn plain_links(&self) -> Vec<Link> {
        self.links.iter().map(|one| one.link).collect()
    }

    /// The link through which `to`, a group or a broadcast address, is reached behind an interface.
    pub(crate) fn link_to(&self, to: IpAddr, id: LinkId) -> Option<&NamedLink> {
        let behind =
            |one: &&NamedLink| one.link.id == id && one.link.local.is_ipv4() == to.is_ipv4();
        let mut its_own = self.links.iter().filter(behind);
        its_own
            .find(|one| one.link.broadcast.map(IpAddr::V4) == Some(to))
            .or_else(|| self.links.iter().find(behind))
    }

    /// The addresses that are wanted and could not be opened.
    pub(crate) fn failing(&self) -> &[SocketAddr] {
        &self.failing
    }

    /// The listener at this local address.
    pub(crate) fn at(&self, local: SocketAddr) -> Option<&Listener> {
        self.open.iter().find(|listener| listener.address == local)
    }

    /// Our service address with the IP address of `local`, whether it is served or not.
    pub(crate) fn service_address(&self, mut local: SocketAddr) -> SocketAddr {
        let served = self.open.iter().map(|listener| listener.address);
        let mut same = served.filter(|address| {
            local.set_port(address.port());
            *address == local
        });
        let found = same.next();
        local.set_port(self.port());
        found.unwrap_or(local)
    }

    /// The service port.
    pub(crate) fn port(&self) -> u16 {
        match &self.listen {
            Listen::Interfaces { port, .. } => *port,
            Listen::Addresses(addresses) => addresses.first().map_or(NTP_PORT, SocketAddr::port),
            Listen::Nowhere => NTP_PORT,
        }
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
            own_addresses: own != self.own_addresses,
            ..Changes::default()
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
        let links = links::find(&interfaces, &self.open);
        changes.links = links != self.links;
        self.links = links;
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
mod tests;
