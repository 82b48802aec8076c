//! `sockaddr_in` and `sockaddr_in6` as octets, so that nothing has to be cast to be read.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

const V4_LEN: usize = size_of::<libc::sockaddr_in>();
const V6_LEN: usize = size_of::<libc::sockaddr_in6>();

/// Room for either address, laid out as Linux does.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct RawAddress {
    octets: [u8; V6_LEN],
    len: libc::socklen_t,
}

impl RawAddress {
    /// All zeros: no family.
    pub(crate) const fn empty() -> Self {
        Self {
            octets: [0; V6_LEN],
            len: 0,
        }
    }

    /// What the kernel wrote elsewhere; what is longer than an address is left out.
    pub(crate) fn copied(from: &[u8]) -> Self {
        let mut raw = Self::empty();
        for (to, from) in raw.octets.iter_mut().zip(from) {
            *to = *from;
        }
        raw
    }

    pub(crate) const fn as_ptr(&self) -> *const libc::sockaddr {
        self.octets.as_ptr().cast()
    }

    pub(crate) const fn as_mut_ptr(&mut self) -> *mut libc::sockaddr {
        self.octets.as_mut_ptr().cast()
    }

    /// Octets in use by an address that was put in.
    pub(crate) const fn len(&self) -> libc::socklen_t {
        self.len
    }

    /// Octets there is room for.
    #[expect(clippy::cast_possible_truncation, reason = "28")]
    pub(crate) const fn capacity(&self) -> libc::socklen_t {
        V6_LEN as libc::socklen_t
    }

    /// What the kernel wrote, `len` octets of it; `None` if that is neither family.
    pub(crate) fn to_socket_address(self, len: libc::socklen_t) -> Option<SocketAddr> {
        let len = usize::try_from(len).ok()?;
        let [f0, f1, p0, p1, a @ .., _, _, _, _] = self.octets;
        let [s0, s1, s2, s3] = *self.octets.last_chunk::<4>()?;
        let port = u16::from_be_bytes([p0, p1]);
        match libc::c_int::from(u16::from_ne_bytes([f0, f1])) {
            libc::AF_INET if len >= V4_LEN => {
                let ip = Ipv4Addr::from(*a.first_chunk::<4>()?);
                Some(SocketAddrV4::new(ip, port).into())
            }
            libc::AF_INET6 if len >= V6_LEN => {
                let ip = Ipv6Addr::from(*a.last_chunk::<16>()?);
                let scope = u32::from_ne_bytes([s0, s1, s2, s3]);
                Some(SocketAddrV6::new(ip, port, 0, scope).into())
            }
            _ => None,
        }
    }
}

impl From<SocketAddr> for RawAddress {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "families are below 256, lengths 16 and 28"
    )]
    fn from(address: SocketAddr) -> Self {
        let mut raw = Self::empty();
        let family = match address {
            SocketAddr::V4(_) => libc::AF_INET as u16,
            SocketAddr::V6(_) => libc::AF_INET6 as u16,
        };
        raw.octets[..2].copy_from_slice(&family.to_ne_bytes());
        raw.octets[2..4].copy_from_slice(&address.port().to_be_bytes());
        match address.ip() {
            IpAddr::V4(ip) => {
                raw.octets[4..8].copy_from_slice(&ip.octets());
                raw.len = V4_LEN as libc::socklen_t;
            }
            IpAddr::V6(ip) => {
                raw.octets[8..24].copy_from_slice(&ip.octets());
                raw.len = V6_LEN as libc::socklen_t;
            }
        }
        if let SocketAddr::V6(v6) = address {
            raw.octets[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
        }
        raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in [
            "127.0.0.1:123",
            "255.1.2.3:65535",
            "[::1]:1",
            "[2001:db8::5]:123",
        ] {
            let address: SocketAddr = text.parse().unwrap();
            let raw = RawAddress::from(address);
            assert_eq!(raw.to_socket_address(raw.len()), Some(address));
        }
        let scoped = SocketAddr::V6(SocketAddrV6::new("fe80::1".parse().unwrap(), 123, 0, 7));
        let raw = RawAddress::from(scoped);
        assert_eq!(raw.to_socket_address(raw.len()), Some(scoped));
    }

    #[test]
    fn neither_family() {
        assert_eq!(RawAddress::empty().to_socket_address(28), None);
        let raw = RawAddress::from(SocketAddr::from(([1, 2, 3, 4], 5)));
        assert_eq!(raw.to_socket_address(8), None);
    }
}
