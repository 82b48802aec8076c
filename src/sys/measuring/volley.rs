//! Many datagrams of one socket, each from an address of its own: sendmmsg(2) with IP_PKTINFO.
use crate::socket::{ControlBuffer, RawAddress, Socket};
use core::mem::size_of;
use core::net::{Ipv4Addr, SocketAddrV4};
use std::io;

const HEADER_LEN: usize = size_of::<libc::cmsghdr>();
/// One IP_PKTINFO, padded as the kernel counts it.
const CONTROL_LEN: usize = HEADER_LEN + size_of::<libc::in_pktinfo>().next_multiple_of(8);
/// Where an IP_PKTINFO says what address to send from: after the interface.
const SOURCE_AT: usize = HEADER_LEN + size_of::<libc::c_int>();

/// Buffers for a number of datagrams to one server; nothing is allocated after `new`.
pub struct Volley {
    octets_each: usize,
    octets: Box<[u8]>,
    controls: Box<[ControlBuffer<CONTROL_LEN>]>,
    lens: Box<[usize]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    server: RawAddress,
    loaded: usize,
}

impl Volley {
    /// For `count` datagrams of up to `octets_each` to this server.
    pub fn new(count: usize, octets_each: usize, server: SocketAddrV4) -> Self {
        let none = libc::iovec {
            iov_base: core::ptr::null_mut(),
            iov_len: 0,
        };
        // SAFETY: `mmsghdr` is integers and pointers, for which all zeros is a value.
        let blank: libc::mmsghdr = unsafe { core::mem::zeroed() };
        Self {
            octets_each,
            octets: vec![0; count * octets_each].into_boxed_slice(),
            controls: vec![from_anywhere(); count].into_boxed_slice(),
            lens: vec![0; count].into_boxed_slice(),
            vectors: vec![none; count].into_boxed_slice(),
            headers: vec![blank; count].into_boxed_slice(),
            server: RawAddress::from(core::net::SocketAddr::V4(server)),
            loaded: 0,
        }
    }

    /// Datagrams loaded and not yet sent.
    pub const fn loaded(&self) -> usize {
        self.loaded
    }

    /// Whether there is no room for another.
    pub const fn is_full(&self) -> bool {
        self.loaded == self.lens.len()
    }

    /// Loads a datagram from this address; one that does not fit is cut, and a full volley takes none.
    pub fn load(&mut self, from: Ipv4Addr, octets: &[u8]) {
        let place = self.loaded;
        let room = self.octets.chunks_exact_mut(self.octets_each).nth(place);
        let (Some(room), Some(control)) = (room, self.controls.get_mut(place)) else {
            return;
        };
        let len = octets.len().min(room.len());
        room[..len].copy_from_slice(&octets[..len]);
        control.0[SOURCE_AT..SOURCE_AT + 4].copy_from_slice(&from.octets());
        self.lens[place] = len;
        self.loaded += 1;
    }

    /// Sends what is loaded, without waiting for room; returns how many the kernel took. Those it did
    /// not take are forgotten.
    ///
    /// # Errors
    /// The kernel's about the first, as ECONNREFUSED where an earlier one found nobody.
    pub fn send(&mut self, socket: &Socket) -> io::Result<usize> {
        let count = self.arm();
        let len = libc::c_uint::try_from(count).unwrap_or(libc::c_uint::MAX);
        let headers = self.headers.as_mut_ptr();
        // SAFETY: the first `count` headers were armed just now with pointers into memory that `self`,
        // exclusively borrowed, owns until after the call; the kernel reads it and writes lengths.
        let sent = unsafe { libc::sendmmsg(socket.raw(), headers, len, libc::MSG_DONTWAIT) };
        Ok(usize::try_from(crate::checked(sent)?).unwrap_or(0))
    }

    fn arm(&mut self) -> usize {
        let count = core::mem::take(&mut self.loaded);
        let octets = self.octets.chunks_exact_mut(self.octets_each);
        let told = self.controls.iter_mut().zip(self.lens.iter());
        let headers = self.vectors.iter_mut().zip(self.headers.iter_mut());
        for ((octets, (control, len)), (vector, header)) in
            octets.zip(told).zip(headers).take(count)
        {
            vector.iov_base = octets.as_mut_ptr().cast();
            vector.iov_len = *len;
            let header = &mut header.msg_hdr;
            header.msg_name = self.server.as_mut_ptr().cast();
            header.msg_namelen = self.server.len();
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL_LEN;
        }
        count
    }
}

/// An IP_PKTINFO that leaves interface and source to the kernel.
fn from_anywhere() -> ControlBuffer<CONTROL_LEN> {
    let mut control = ControlBuffer([0; CONTROL_LEN]);
    let len = HEADER_LEN + size_of::<libc::in_pktinfo>();
    let (said, kind) = control.0[..HEADER_LEN].split_at_mut(size_of::<usize>());
    said.copy_from_slice(&len.to_ne_bytes());
    let (level, kind) = kind.split_at_mut(size_of::<libc::c_int>());
    level.copy_from_slice(&libc::IPPROTO_IP.to_ne_bytes());
    kind.copy_from_slice(&libc::IP_PKTINFO.to_ne_bytes());
    control
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::PollSet;
    use crate::socket::{AddressFamily, ReceiveBuffer};
    use core::net::SocketAddr;
    use core::time::Duration;

    #[test]
    fn each_comes_from_its_own_address() {
        let server = Socket::open(AddressFamily::V4).unwrap();
        server.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let SocketAddr::V4(address) = server.local_address().unwrap() else {
            panic!("an IPv4 socket");
        };
        let client = Socket::open(AddressFamily::V4).unwrap();
        let mut volley = Volley::new(3, 8, address);
        let sources = [[127, 16, 0, 1], [127, 31, 255, 9], [127, 0, 0, 1]].map(Ipv4Addr::from);
        for (number, source) in (1_u8..).zip(sources) {
            volley.load(source, &[number; 4]);
        }
        assert!(volley.is_full());
        volley.load(sources[0], &[9; 4]);
        assert_eq!(volley.loaded(), 3);
        assert_eq!(volley.send(&client).unwrap(), 3);
        assert_eq!(volley.loaded(), 0);
        let mut buffer = ReceiveBuffer::new(64);
        for (number, source) in (1_u8..).zip(sources) {
            let mut set = PollSet::default();
            set.push(&server);
            assert_eq!(set.wait(Duration::from_secs(5)).unwrap(), 1);
            let arrival = server.receive(&mut buffer).unwrap().unwrap();
            assert_eq!(arrival.octets, [number; 4]);
            assert_eq!(arrival.source.ip(), source);
        }
    }
}
