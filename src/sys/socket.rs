//! Datagram sockets with the kernel's timestamps.
//!
//! Made by socket(2) with a bare SOCK_DGRAM and told the rest by fcntl(2), because the preload
//! simulator knows no type flags. All are non-blocking: waiting is `poll`'s business.
mod address;
mod control;
mod many;
mod receive;
mod stamps;

pub(crate) use address::RawAddress;
pub(crate) use control::{ControlBuffer, hardware_stamp, kernel_stamp, stamped_number};
pub use many::is_unsupported;
pub use receive::{Arrival, ReceiveBuffer};
pub use stamps::{HardwareStamp, KernelStamp, TransmitStamp};

use core::mem::size_of;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Expedited forwarding (RFC 3246): what time packets ask of routers.
const DSCP_EXPEDITED: libc::c_int = 46 << 2;

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFamily {
    /// AF_INET
    V4,
    /// AF_INET6, IPv6 only.
    V6,
}

impl AddressFamily {
    /// Of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// A UDP socket, closed when dropped.
#[derive(Debug)]
pub struct Socket {
    descriptor: OwnedFd,
    family: AddressFamily,
}

impl Socket {
    /// A new socket, non-blocking, not inherited, never fragmenting, marked for expedited
    /// forwarding.
    ///
    /// # Errors
    /// The kernel's, as EAFNOSUPPORT where IPv6 is off; what it merely does not know is let pass.
    pub fn open(family: AddressFamily) -> io::Result<Self> {
        let domain = match family {
            AddressFamily::V4 => libc::AF_INET,
            AddressFamily::V6 => libc::AF_INET6,
        };
        // SAFETY: no memory is passed.
        let raw = crate::checked(unsafe { libc::socket(domain, libc::SOCK_DGRAM, 0) })?;
        // SAFETY: the descriptor was made just now, and nobody else has it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(raw) };
        let socket = Self { descriptor, family };
        socket.set_flags()?;
        socket.set_defaults()?;
        Ok(socket)
    }

    fn set_flags(&self) -> io::Result<()> {
        // SAFETY: no memory is passed; the descriptor is open while `self` lives.
        crate::checked(unsafe { libc::fcntl(self.raw(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
        // SAFETY: as above.
        let flags = crate::checked(unsafe { libc::fcntl(self.raw(), libc::F_GETFL) })?;
        let flags = flags | libc::O_NONBLOCK;
        // SAFETY: as above.
        crate::checked(unsafe { libc::fcntl(self.raw(), libc::F_SETFL, flags) })?;
        Ok(())
    }

    /// Path MTU and class of service are wishes, and a kernel without them still serves.
    fn set_defaults(&self) -> io::Result<()> {
        use libc::{IP_MTU_DISCOVER, IP_PMTUDISC_DO, IP_TOS, IPPROTO_IP};
        use libc::{IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, IPV6_TCLASS, IPV6_V6ONLY};
        match self.family {
            AddressFamily::V4 => {
                let _ = self.set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
                let _ = self.set(IPPROTO_IP, IP_TOS, DSCP_EXPEDITED);
            }
            AddressFamily::V6 => {
                self.set(IPPROTO_IPV6, IPV6_V6ONLY, 1)?;
                let _ = self.set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
                let _ = self.set(IPPROTO_IPV6, IPV6_TCLASS, DSCP_EXPEDITED);
            }
        }
        Ok(())
    }

    /// Lets other sockets of this user bind the same address and share its datagrams. Allowed
    /// after `bind` too: the first of a group binds without, and so notices a stranger.
    ///
    /// # Errors
    /// The kernel's.
    pub fn share_port(&self) -> io::Result<()> {
        self.set(libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)
    }

    /// Takes a local address; port 0 is any.
    ///
    /// # Errors
    /// The kernel's: EADDRINUSE, EADDRNOTAVAIL, EACCES.
    pub fn bind(&self, address: SocketAddr) -> io::Result<()> {
        let address = RawAddress::from(address);
        // SAFETY: the kernel reads `len` octets of `address`, which is ours during the call.
        crate::checked(unsafe { libc::bind(self.raw(), address.as_ptr(), address.len()) })?;
        Ok(())
    }

    /// Fixes the peer: only its datagrams come in, and its refusals become errors here. The
    /// kernel picks a random local port if none was bound (RFC 9109).
    ///
    /// # Errors
    /// The kernel's: ENETUNREACH, EADDRNOTAVAIL, EINVAL.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        let peer = RawAddress::from(peer);
        // SAFETY: the kernel reads `len` octets of `peer`, which is ours during the call.
        crate::checked(unsafe { libc::connect(self.raw(), peer.as_ptr(), peer.len()) })?;
        Ok(())
    }

    /// Local address and port.
    ///
    /// # Errors
    /// The kernel's.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        let mut address = RawAddress::empty();
        let mut len = address.capacity();
        let into = address.as_mut_ptr();
        // SAFETY: the kernel writes at most `len` octets to `address`, ours during the call.
        crate::checked(unsafe { libc::getsockname(self.raw(), into, &raw mut len) })?;
        address
            .to_socket_address(len)
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }

    /// Sends to the connected peer, without waiting for room.
    ///
    /// # Errors
    /// The kernel's; ECONNREFUSED may be the answer to an earlier datagram.
    pub fn send(&self, octets: &[u8]) -> io::Result<()> {
        let (from, len) = (octets.as_ptr().cast(), octets.len());
        // SAFETY: the kernel reads `len` octets from the slice, borrowed during the call.
        let sent = unsafe { libc::send(self.raw(), from, len, libc::MSG_DONTWAIT) };
        crate::checked_len(sent).map(drop)
    }

    /// Sends to an address, without waiting for room, though `receive` may have been told to wait.
    ///
    /// # Errors
    /// The kernel's; `WouldBlock` if there is no room.
    pub fn send_to(&self, octets: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = RawAddress::from(to);
        let (from, len) = (octets.as_ptr().cast(), octets.len());
        // SAFETY: the kernel reads `len` octets of the slice and the whole of `to`; both are held
        // during the call.
        let sent = unsafe {
            let flags = libc::MSG_DONTWAIT;
            libc::sendto(self.raw(), from, len, flags, to.as_ptr(), to.len())
        };
        crate::checked_len(sent).map(drop)
    }

    /// Takes the pending error off the socket, as an ICMP refusal leaves one.
    pub fn take_error(&self) -> Option<io::Error> {
        let mut pending: libc::c_int = 0;
        let mut len: libc::socklen_t = INT_LEN;
        let into = (&raw mut pending).cast();
        // SAFETY: the kernel writes at most `len` octets to `pending`, ours during the call.
        let returned = unsafe {
            libc::getsockopt(
                self.raw(),
                libc::SOL_SOCKET,
                libc::SO_ERROR,
                into,
                &raw mut len,
            )
        };
        match crate::checked(returned) {
            Err(failure) => Some(failure),
            Ok(_) if pending != 0 => Some(io::Error::from_raw_os_error(pending)),
            Ok(_) => None,
        }
    }

    /// Makes receiving wait for a datagram, but no longer than this; for threads with one socket.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait_on_receive(&self, longest: Duration) -> io::Result<()> {
        let longest = libc::timeval {
            tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
            tv_usec: i64::from(longest.subsec_micros()),
        };
        let from = (&raw const longest).cast();
        let (level, option) = (libc::SOL_SOCKET, libc::SO_RCVTIMEO);
        // SAFETY: the kernel reads one timeval from `longest`, ours during the call.
        crate::checked(unsafe { libc::setsockopt(self.raw(), level, option, from, TIMEVAL_LEN) })?;
        self.let_wait()
    }

    /// Receiving waits for a datagram, where it is not told otherwise; sending never does.
    pub(crate) fn let_wait(&self) -> io::Result<()> {
        // SAFETY: no memory is passed; the descriptor is open while `self` lives.
        let flags = crate::checked(unsafe { libc::fcntl(self.raw(), libc::F_GETFL) })?;
        let flags = flags & !libc::O_NONBLOCK;
        // SAFETY: as above.
        crate::checked(unsafe { libc::fcntl(self.raw(), libc::F_SETFL, flags) })?;
        Ok(())
    }

    /// Ends receiving: whoever waits for a datagram on this socket, in whatever thread, waits no
    /// longer.
    pub fn shut_for_receiving(&self) {
        // Fails with ENOTCONN where there is no peer, having woken everybody all the same.
        // SAFETY: no memory is passed; the descriptor is open while `self` lives.
        let _ = unsafe { libc::shutdown(self.raw(), libc::SHUT_RD) };
    }

    fn set(&self, level: libc::c_int, option: libc::c_int, value: libc::c_int) -> io::Result<()> {
        self.set_octets(level, option, &value.to_ne_bytes())
    }

    fn set_octets(&self, level: libc::c_int, option: libc::c_int, octets: &[u8]) -> io::Result<()> {
        let (from, len) = (octets.as_ptr().cast(), octets.len());
        let len = libc::socklen_t::try_from(len).unwrap_or_default();
        // SAFETY: the kernel reads `len` octets from the slice, borrowed during the call.
        crate::checked(unsafe { libc::setsockopt(self.raw(), level, option, from, len) })?;
        Ok(())
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the size of an int")]
const INT_LEN: libc::socklen_t = size_of::<libc::c_int>() as libc::socklen_t;

#[expect(clippy::cast_possible_truncation, reason = "the size of a timeval")]
const TIMEVAL_LEN: libc::socklen_t = size_of::<libc::timeval>() as libc::socklen_t;

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(test)]
mod tests;
