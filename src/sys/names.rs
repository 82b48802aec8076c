//! The name of an address, as the resolver of this system gives it.
use core::ffi::CStr;
use core::net::IpAddr;
use nix::sys::socket::{SockaddrIn, SockaddrIn6, SockaddrLike};
use std::net::{SocketAddrV4, SocketAddrV6};

/// The name an address is registered under; `None` without one. May wait for name servers.
pub fn name_of(address: IpAddr) -> Option<String> {
    match address {
        IpAddr::V4(v4) => look_up(&SockaddrIn::from(SocketAddrV4::new(v4, 0))),
        IpAddr::V6(v6) => look_up(&SockaddrIn6::from(SocketAddrV6::new(v6, 0, 0, 0))),
    }
}

fn look_up(address: &impl SockaddrLike) -> Option<String> {
    let mut name = [0_u8; libc::NI_MAXHOST as usize];
    let len = libc::socklen_t::try_from(name.len()).ok()?;
    // SAFETY: the address is whole and `address.len()` octets long; `name` has room for `len`
    // octets; no service name is asked for.
    let code = unsafe {
        libc::getnameinfo(
            address.as_ptr(),
            address.len(),
            name.as_mut_ptr().cast(),
            len,
            core::ptr::null_mut(),
            0,
            libc::NI_NAMEREQD | libc::NI_DGRAM,
        )
    };
    if code != 0 {
        return None;
    }
    let name = CStr::from_bytes_until_nul(&name).ok()?;
    Some(name.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_for_an_address_of_documentation() {
        assert_eq!(name_of(IpAddr::from([192, 0, 2, 1])), None);
    }
}
