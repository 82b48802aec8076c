//! Sockets that hear what is sent to many: for each group or broadcast address one for each interface,
//! so that a datagram says by its socket where it came in. Closing one leaves its group.
use crate::clerk::Desk;
use crate::config::Hearing;
use crate::hearing_notice::HearingNotice;
use crate::listeners::{Listeners, NamedLink};
use crate::notice::Notice;
use crate::traffic::Traffic;
use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::io;
use truechimer_proto::packet::{Link, LinkId};
use truechimer_sys::clock;
use truechimer_sys::poll::{PollSet, Readiness};
use truechimer_sys::socket::{AddressFamily, Socket};
use truechimer_time::Instant;
use truechimer_wire::Mode;

/// Such sockets at most: what is sent to many comes to each, so each costs its time.
const EARS_MAX: usize = 256;

/// One group or broadcast address on one interface.
#[derive(Debug)]
pub(crate) struct Ear {
    pub(crate) wanted: Wanted,
    pub(crate) socket: Socket,
    pub(crate) opened: Instant,
    pub(crate) traffic: Traffic,
}

/// What is to be heard, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The group or the broadcast address.
    pub(crate) to: IpAddr,
    /// Name of the interface.
    pub(crate) name: String,
    link: Link,
    /// Our service address there.
    service: SocketAddr,
}

/// Whose business a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Business {
    /// Time is told: `System`'s.
    Told,
    /// A server is looked for: the clerk's.
    Searched,
    /// Nobody's.
    None,
}

#[derive(Debug, Default)]
pub(crate) struct Ears {
    hearing: Hearing,
    open: Vec<Ear>,
    /// What is wanted and cannot be had, and was told of.
    failing: Vec<Wanted>,
    /// Groups that can be heard nowhere, as told.
    deaf: Vec<IpAddr>,
    /// Interfaces without multicast, as told.
    without: Vec<String>,
    left_out: usize,
    /// Datagrams that were nobody's business, or no datagrams of ours at all.
    pub(crate) ignored: u64,
}

impl Wanted {
    pub(crate) const fn desk(&self) -> Desk {
        Desk {
            local: self.service,
            unwanted: false,
            many: Some((self.to, self.link.id)),
        }
    }

    /// The same place, though our address there may be another.
    fn is_at(&self, other: &Self) -> bool {
        (self.to, self.link.id) == (other.to, other.link.id)
    }

    /// The address to bind.
    pub(crate) fn address(&self) -> SocketAddr {
        with_scope(self.to, self.service.port(), self.link.id)
    }
}

/// A group's address; one that belongs to a link says which.
pub(crate) const fn with_scope(to: IpAddr, port: u16, link: LinkId) -> SocketAddr {
    match to {
        IpAddr::V4(_) => SocketAddr::new(to, port),
        IpAddr::V6(to) => SocketAddr::V6(SocketAddrV6::new(to, port, 0, link.0)),
    }
}

impl Ears {
    pub(crate) fn new(hearing: Hearing) -> Self {
        Self {
            hearing,
            ..Self::default()
        }
    }

    pub(crate) fn open(&self) -> &[Ear] {
        &self.open
    }

    /// Whether another try may succeed though nothing has changed.
    pub(crate) const fn is_failing(&self) -> bool {
        !self.failing.is_empty()
    }

    /// From the next rescan on this is to be heard.
    pub(crate) fn replace(&mut self, hearing: Hearing) {
        self.hearing = hearing;
    }

    /// Opens what is wanted and not open, closes what is open and not wanted.
    pub(crate) fn rescan(&mut self, listeners: &Listeners, notices: &mut Vec<Notice>) {
        let wanted = self.wanted(listeners.links());
        self.tell_deaf(&wanted, notices);
        self.tell_without(listeners.links(), notices);
        self.open.retain_mut(|ear| {
            if let Some(one) = wanted.iter().find(|one| one.is_at(&ear.wanted)) {
                // Bound to the port that it was opened for.
                let stays = one.service.port() == ear.wanted.service.port();
                ear.wanted = one.clone();
                if stays {
                    return true;
                }
            }
            let Wanted { to, name, .. } = &ear.wanted;
            notices.push(Notice::Hearing(HearingNotice::Ended(*to, name.clone())));
            false
        });
        self.failing.retain(|failing| wanted.contains(failing));
        let mut left_out = 0;
        for one in wanted {
            if self.open.iter().any(|ear| ear.wanted.is_at(&one)) {
                continue;
            }
            if self.open.len() < EARS_MAX {
                self.open_one(one, notices);
            } else {
                left_out += 1;
            }
        }
        if left_out > self.left_out {
            notices.push(Notice::Hearing(HearingNotice::LeftOut(left_out)));
        }
        self.left_out = left_out;
    }

    fn wanted(&self, links: &[NamedLink]) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut add = |to: IpAddr, named: &NamedLink| {
            let one = Wanted {
                to,
                name: named.name.clone(),
                link: named.link,
                service: named.service,
            };
            if !wanted.iter().any(|known| known.is_at(&one)) {
                wanted.push(one);
            }
        };
        for named in links {
            if self.hearing.broadcasts
                && let Some(broadcast) = named.link.broadcast
            {
                add(IpAddr::V4(broadcast), named);
                add(IpAddr::V4(Ipv4Addr::BROADCAST), named);
            }
            let able = named.link.multicast;
            for group in self.groups().filter(|_| able) {
                if group.is_ipv4() == named.link.local.is_ipv4() {
                    add(group, named);
                }
            }
        }
        wanted
    }

    /// Each once.
    fn groups(&self) -> impl Iterator<Item = IpAddr> {
        let Hearing {
            groups, searches, ..
        } = &self.hearing;
        let more = searches.iter().filter(|group| !groups.contains(group));
        groups.iter().chain(more).copied()
    }

    /// Tells, once, of groups for which no interface was found.
    fn tell_deaf(&mut self, wanted: &[Wanted], notices: &mut Vec<Notice>) {
        let deaf: Vec<IpAddr> = self
            .groups()
            .filter(|group| wanted.iter().all(|one| one.to != *group))
            .collect();
        for group in &deaf {
            if !self.deaf.contains(group) {
                notices.push(Notice::Hearing(HearingNotice::Nowhere(*group)));
            }
        }
        self.deaf = deaf;
    }

    /// Tells, once, of interfaces on which no group can be heard.
    fn tell_without(&mut self, links: &[NamedLink], notices: &mut Vec<Notice>) {
        let mut without = Vec::new();
        for NamedLink { link, name, .. } in links {
            let mut same = links.iter().filter(|other| other.link.id == link.id);
            let has = same.any(|other| other.link.multicast);
            if !has && !without.contains(name) && self.groups().next().is_some() {
                without.push(name.clone());
            }
        }
        for name in &without {
            if !self.without.contains(name) {
                notices.push(Notice::Hearing(HearingNotice::NoMulticast(name.clone())));
            }
        }
        self.without = without;
    }

    fn open_one(&mut self, wanted: Wanted, notices: &mut Vec<Notice>) {
        let Wanted { to, ref name, .. } = wanted;
        let place = self.failing.iter().position(|failing| *failing == wanted);
        match listen(&wanted) {
            Ok((socket, stamped)) => {
                if let Some(place) = place {
                    self.failing.swap_remove(place);
                }
                notices.push(Notice::Hearing(HearingNotice::Begun(to, name.clone())));
                if !stamped {
                    notices.push(Notice::NoKernelStamps(wanted.address()));
                }
                self.open.push(Ear {
                    wanted,
                    socket,
                    opened: clock::monotonic(),
                    traffic: Traffic::default(),
                });
            }
            Err(error) if place.is_none() => {
                notices.push(Notice::Hearing(HearingNotice::Failed(
                    to,
                    name.clone(),
                    error,
                )));
                self.failing.push(wanted);
            }
            Err(_) => {}
        }
    }

    /// What a datagram that came to this address asks for, by its first octet.
    pub(crate) fn business(&self, to: IpAddr, octets: &[u8]) -> Business {
        let mode = octets.first().map(|first| Mode::from_bits(*first));
        let told = !to.is_multicast() || self.hearing.groups.contains(&to);
        let searched = self.hearing.searches.contains(&to);
        match mode {
            Some(Mode::Broadcast) if told => Business::Told,
            Some(Mode::Client) if searched => Business::Searched,
            _ => Business::None,
        }
    }

    pub(crate) fn add_to(&self, set: &mut PollSet) {
        for ear in &self.open {
            set.push(&ear.socket);
        }
    }
}

impl Ear {
    /// Whether there is something to be received; an error is taken off.
    pub(crate) fn is_ready(&self, ready: Readiness) -> bool {
        if ready.error {
            // Of an interface that is going; the next rescan finds out.
            let _ = self.socket.take_error();
        }
        ready.readable
    }
}

fn listen(wanted: &Wanted) -> io::Result<(Socket, bool)> {
    let socket = Socket::open(AddressFamily::of(wanted.to))?;
    // Other programs may hear the same, and we ourselves do on other interfaces.
    socket.share_address(true)?;
    socket.hear_only(wanted.link.id.0)?;
    socket.bind(wanted.address())?;
    if wanted.to.is_multicast() {
        socket.join(wanted.to, wanted.link.id.0)?;
    }
    let stamped = socket.stamp_receives();
    Ok((socket, stamped))
}

#[cfg(test)]
pub(crate) mod tests;
