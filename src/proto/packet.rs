//! Datagrams and stamps as they pass between the protocol and whoever moves them.
use core::net::SocketAddr;
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

/// Which socket a datagram uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Via {
    /// The association's own socket: a random port, renewed with every request (RFC 9109).
    Client(AssociationId),
    /// The service socket at this local address; a link-local one has its scope.
    Server(SocketAddr),
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
    /// Socket to send it through; a client socket is made anew for it.
    pub via: Via,
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
