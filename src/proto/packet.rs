//! Datagrams and stamps as they pass between the protocol and whoever moves them.
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use truechimer_time::NtpTimestamp;

/// An association: unique while the daemon runs, never 0 (0 is the system in ntpq's eyes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssociationId(pub u16);

/// Who took a stamp, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StampClass {
    /// This process, around the system call.
    User,
    /// The kernel, when the packet met the socket or the driver.
    Kernel,
    /// The network interface.
    Hardware,
}

/// A moment on the system clock and who took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The moment.
    pub at: NtpTimestamp,
    /// Who took it.
    pub class: StampClass,
}

/// Names an interface of this host: the kernel's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// An interface through which many can be reached at once, and one of its addresses: an interface
/// with addresses of both families is two links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which interface.
    pub id: LinkId,
    /// Where what we send through it comes from.
    pub local: IpAddr,
    /// Where everybody on it listens, if it has broadcast.
    pub broadcast: Option<Ipv4Addr>,
    /// Whether it has multicast.
    pub multicast: bool,
}

/// Which socket a datagram came in through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// A socket of the association's own, made for something it sent.
    Client(AssociationId),
    /// The service socket at this local address; a link-local one has its scope.
    Server(SocketAddr),
    /// A socket that hears what is sent to many.
    Many {
        /// The group, or the broadcast address.
        to: IpAddr,
        /// Through which interface it came.
        link: LinkId,
        /// Our address there, with the service port: where replies leave from.
        local: SocketAddr,
    },
}

/// How a datagram is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// From a random port that is made anew for it (RFC 9109); only its receiver can answer.
    Fresh,
    /// From the service port, through a socket that stays until the association is closed; only
    /// the receiver is heard through it (RFC 5905 §3, symmetric modes).
    Lasting,
    /// To everybody behind an interface, from the service port (mode 5); nobody can answer.
    Broadcast {
        /// Which interface.
        link: LinkId,
        /// Routers it may pass plus one.
        hops: u8,
        /// The next one tells when this one truly left, so the kernel is asked for its stamp.
        stamped: bool,
    },
    /// To a group behind an interface, from a random port that is made anew for each round;
    /// anybody may answer until the next (manycast, RFC 5905 §3.1).
    Ring {
        /// Which interface.
        link: LinkId,
        /// Routers it may pass plus one.
        hops: u8,
    },
}

/// Where to and how a packet leaves that cannot be made before our address towards it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Receiver.
    pub to: SocketAddr,
    /// Which socket it leaves through.
    pub route: Route,
}

/// A datagram from the network.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// All of it.
    pub octets: &'a [u8],
    /// Sender.
    pub source: SocketAddr,
    /// Socket it came through.
    pub via: Via,
    /// When it arrived.
    pub stamp: Stamp,
}

/// A datagram to be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Transmit {
    /// All of it.
    pub octets: Vec<u8>,
    /// Receiver.
    pub to: SocketAddr,
    /// Which socket it leaves through; it is one of the ticket's association.
    pub route: Route,
    /// To be handed back, with the moment of departure or the failure to depart.
    pub ticket: TxTicket,
}

/// Identifies one request until its transmit stamp is known.
///
/// Neither `Clone` nor `Copy`: a request has one transmit stamp. Whoever sends keeps it until the
/// best stamp to be had is known, at the latest until a reply comes in on the same socket.
#[derive(Debug, PartialEq, Eq)]
pub struct TxTicket {
    pub(crate) association: AssociationId,
    pub(crate) sequence: u64,
}

impl TxTicket {
    /// The association that sends.
    pub const fn association(&self) -> AssociationId {
        self.association
    }
}

/// Why a request did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// No route, network or host down.
    Unreachable,
    /// No socket or buffer to be had, or forbidden locally.
    Local,
}
