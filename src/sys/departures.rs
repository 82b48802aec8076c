//! When datagrams left, asked for one by one: sendmsg(2) with a control message, and many answers a
//! system call from the error queue.
use crate::socket::{ControlBuffer, RawAddress, Socket, kernel_stamp, stamped_number};
use core::net::SocketAddr;
use std::io;
use truechimer_time::NtpTimestamp;

/// One SCM_TIMESTAMPING, one error with its address, and as much again.
const CONTROL_LEN: usize = 256;
/// A header and four octets, as the kernel spaces them.
const ASKING_LEN: usize = 24;

impl Socket {
    /// Sends to an address, without waiting for room, and asks when it leaves: `Departures` tells. Which
    /// of those it was is told by its number, as `stamp_on_request` says.
    ///
    /// # Errors
    /// The kernel's; whether it gave the datagram a number then depends on the kernel.
    pub fn send_asking(&self, octets: &[u8], to: SocketAddr) -> io::Result<()> {
        let mut to = RawAddress::from(to);
        let mut vector = libc::iovec {
            iov_base: octets.as_ptr().cast_mut().cast(),
            iov_len: octets.len(),
        };
        let mut asking = asking();
        // SAFETY: `msghdr` is integers and pointers, for which all zeros is a value.
        let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
        header.msg_name = to.as_mut_ptr().cast();
        header.msg_namelen = to.len();
        header.msg_iov = &raw mut vector;
        header.msg_iovlen = 1;
        header.msg_control = asking.0.as_mut_ptr().cast();
        header.msg_controllen = ASKING_LEN;
        // SAFETY: all that `header` points to is ours or borrowed during the call, with the lengths it
        // says, and the kernel only reads it.
        let sent = unsafe { libc::sendmsg(self.raw(), &raw const header, libc::MSG_DONTWAIT) };
        crate::checked_len(sent).map(drop)
    }
}

/// The control message that asks the kernel for a stamp.
fn asking() -> ControlBuffer<ASKING_LEN> {
    let header_len = size_of::<libc::cmsghdr>();
    let len = header_len + size_of::<u32>();
    let mut octets = [0; ASKING_LEN];
    let (header, data) = octets.split_at_mut(header_len);
    let (len_octets, rest) = header.split_at_mut(size_of::<usize>());
    len_octets.copy_from_slice(&len.to_ne_bytes());
    rest[..4].copy_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
    rest[4..].copy_from_slice(&libc::SO_TIMESTAMPING.to_ne_bytes());
    data[..4].copy_from_slice(&libc::SOF_TIMESTAMPING_TX_SOFTWARE.to_ne_bytes());
    ControlBuffer(octets)
}

/// Buffers to read departures into; nothing is allocated after `new`.
pub struct Departures {
    controls: Box<[ControlBuffer<CONTROL_LEN>]>,
    headers: Box<[libc::mmsghdr]>,
}

impl Departures {
    /// For so many a system call.
    pub fn new(count: usize) -> Self {
        // SAFETY: `mmsghdr` is integers and pointers, for which all zeros is a value.
        let none: libc::mmsghdr = unsafe { core::mem::zeroed() };
        Self {
            controls: vec![ControlBuffer([0; CONTROL_LEN]); count].into_boxed_slice(),
            headers: vec![none; count].into_boxed_slice(),
        }
    }

    /// Takes what the socket's error queue holds, as many as there is room for, and shows each stamp
    /// with the number of its datagram, where the kernel says that. Returns how many messages there were.
    pub fn read(
        &mut self,
        socket: &Socket,
        each: &mut dyn FnMut(Option<u32>, NtpTimestamp),
    ) -> usize {
        for (header, control) in self.headers.iter_mut().zip(self.controls.iter_mut()) {
            let header = &mut header.msg_hdr;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL_LEN;
            header.msg_flags = 0;
        }
        let len = libc::c_uint::try_from(self.headers.len()).unwrap_or(0);
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        let (headers, forever) = (self.headers.as_mut_ptr(), core::ptr::null_mut());
        // SAFETY: `headers` has `len` entries, armed just now with pointers into `controls`, which
        // `self`, exclusively borrowed, owns; they have no other memory.
        let read = unsafe { libc::recvmmsg(socket.raw(), headers, len, flags, forever) };
        let read = crate::checked(read).map_or(0, |read| usize::try_from(read).unwrap_or(0));
        for (header, control) in self.headers.iter().zip(self.controls.iter()).take(read) {
            let control_len = header.msg_hdr.msg_controllen.min(CONTROL_LEN);
            let control = &control.0[..control_len];
            if let Some(left) = kernel_stamp(control) {
                each(stamped_number(control), left.at);
            }
        }
        read.min(self.headers.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::PollSet;
    use crate::socket::{AddressFamily, ReceiveBuffer};
    use core::time::Duration;

    fn pair(family: AddressFamily, address: &str) -> (Socket, Socket) {
        let [one, other] = [(); 2].map(|()| {
            let socket = Socket::open(family).unwrap();
            socket.bind(address.parse().unwrap()).unwrap();
            socket
        });
        (one, other)
    }

    fn wait_for(socket: &Socket) {
        let mut set = PollSet::default();
        set.push(socket);
        set.wait(Duration::from_secs(5)).unwrap();
    }

    #[test]
    fn only_who_is_asked_for_is_stamped_and_numbered() {
        let v4 = (AddressFamily::V4, "127.0.0.1:0");
        let v6 = (AddressFamily::V6, "[::1]:0");
        for (family, address) in [v4, v6] {
            let (server, client) = pair(family, address);
            assert!(server.stamp_on_request());
            let to = client.local_address().unwrap();
            let before = crate::clock::wall();
            for n in 0..40_u8 {
                if n % 4 == 0 {
                    server.send_asking(&[n], to).unwrap();
                } else {
                    server.send_to(&[n], to).unwrap();
                }
            }
            let mut departures = Departures::new(4);
            let mut numbers = Vec::new();
            while numbers.len() < 10 {
                wait_for(&server);
                departures.read(&server, &mut |number, left| {
                    numbers.push(number.unwrap());
                    assert!(left.since(before).to_seconds() >= 0.0);
                });
            }
            assert_eq!(numbers, (0..10).collect::<Vec<u32>>());
            assert_eq!(departures.read(&server, &mut |_, _| ()), 0);
            let mut buffer = ReceiveBuffer::new(8);
            for n in 0..40_u8 {
                let got = client.receive(&mut buffer).unwrap().unwrap();
                assert_eq!(got.octets, [n]);
            }
        }
    }

    #[test]
    fn asking_anew_counts_from_zero() {
        let (server, client) = pair(AddressFamily::V4, "127.0.0.1:0");
        let to = client.local_address().unwrap();
        let mut departures = Departures::new(4);
        for _ in 0..3 {
            assert!(server.stamp_on_request());
            server.send_asking(&[1], to).unwrap();
            wait_for(&server);
            let mut numbers = Vec::new();
            departures.read(&server, &mut |number, _| numbers.push(number));
            assert_eq!(numbers, [Some(0)]);
        }
    }
}
