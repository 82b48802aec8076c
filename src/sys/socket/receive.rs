//! One datagram at a time, with its source and its stamp.
use super::control::CONTROL_LEN;
use super::{ControlBuffer, HardwareStamp, KernelStamp, RawAddress, Socket};
use super::{hardware_stamp, kernel_stamp};
use core::net::SocketAddr;
use std::io;

/// A datagram from the network.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// All of it.
    pub octets: &'a [u8],
    /// Who sent it, as far as IP can tell.
    pub source: SocketAddr,
    /// When the kernel saw it, if it was asked to look.
    pub stamp: Option<KernelStamp>,
    /// When the interface saw it, if it was asked to look.
    pub hardware: Option<HardwareStamp>,
}

/// Memory to receive into, used again and again.
#[derive(Debug)]
pub struct ReceiveBuffer {
    octets: Box<[u8]>,
    control: ControlBuffer,
}

impl ReceiveBuffer {
    /// For datagrams of up to `octets`; a longer one is received as if it had not come.
    pub fn new(octets: usize) -> Self {
        Self {
            octets: vec![0; octets].into_boxed_slice(),
            control: ControlBuffer([0; CONTROL_LEN]),
        }
    }
}

impl Socket {
    /// Takes one datagram. `None` for one that was too long or came from no IP address.
    ///
    /// # Errors
    /// `WouldBlock` if there is none; ECONNREFUSED and other verdicts on datagrams sent earlier.
    pub fn receive<'a>(&self, buffer: &'a mut ReceiveBuffer) -> io::Result<Option<Arrival<'a>>> {
        let mut source = RawAddress::empty();
        let ReceiveBuffer { octets, control } = buffer;
        let message = receive(self, octets, control, Some(&mut source), libc::MSG_DONTWAIT)?;
        if message.truncated {
            return Ok(None);
        }
        let (Some(source), Some(octets)) = (
            source.to_socket_address(message.name_len),
            octets.get(..message.len),
        ) else {
            return Ok(None);
        };
        let control = &control.0[..message.control_len];
        Ok(Some(Arrival {
            octets,
            source,
            stamp: kernel_stamp(control),
            hardware: hardware_stamp(control),
        }))
    }
}

/// What recvmsg(2) said about a message.
pub(super) struct Message {
    len: usize,
    pub(super) control_len: usize,
    name_len: libc::socklen_t,
    truncated: bool,
}

/// One recvmsg(2), with a single vector as the preload simulator demands.
pub(super) fn receive(
    socket: &Socket,
    octets: &mut [u8],
    control: &mut ControlBuffer,
    source: Option<&mut RawAddress>,
    flags: libc::c_int,
) -> io::Result<Message> {
    let mut vector = libc::iovec {
        iov_base: octets.as_mut_ptr().cast(),
        iov_len: octets.len(),
    };
    // SAFETY: `msghdr` is integers and pointers, for which all zeros is a value.
    let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
    if let Some(source) = source {
        header.msg_namelen = source.capacity();
        header.msg_name = source.as_mut_ptr().cast();
    }
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = CONTROL_LEN;
    // SAFETY: everything `header` points to is exclusively borrowed or ours during the call, and
    // its lengths are those of that memory.
    let received = unsafe { libc::recvmsg(socket.raw(), &raw mut header, flags) };
    let len = crate::checked_len(received)?;
    Ok(Message {
        len,
        control_len: header.msg_controllen.min(CONTROL_LEN),
        name_len: header.msg_namelen,
        truncated: header.msg_flags & libc::MSG_TRUNC != 0,
    })
}
