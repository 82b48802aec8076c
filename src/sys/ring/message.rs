//! How a received datagram lies in a buffer: the kernel's header, its source, control messages, then
//! the datagram itself.
use crate::socket::{Arrival, RawAddress, hardware_stamp, kernel_stamp};
use core::mem::size_of;
use io_uring::types::RecvMsgOut;

/// `struct io_uring_recvmsg_out`.
const HEADER: usize = 16;
/// Either address, and control messages after it are aligned.
const SOURCE: usize = 32;
/// One SCM_TIMESTAMPING, and as much again.
const CONTROL: usize = 128;

/// Octets of a buffer for datagrams of up to so many.
pub(super) const fn room(octets: usize) -> usize {
    HEADER + SOURCE + CONTROL + octets
}

/// What the kernel is told of that.
pub(super) fn template() -> libc::msghdr {
    // SAFETY: `msghdr` is integers and pointers, for which all zeros is a value.
    let mut header: libc::msghdr = unsafe { core::mem::zeroed() };
    header.msg_namelen = libc::socklen_t::try_from(SOURCE).unwrap_or(0);
    header.msg_controllen = CONTROL;
    header
}

/// `None` for one that is too long or came from no IP address.
pub(super) fn read<'a>(buffer: &'a [u8], template: &libc::msghdr) -> Option<Arrival<'a>> {
    let out = RecvMsgOut::parse(buffer, template).ok()?;
    if out.is_payload_truncated() || out.is_name_data_truncated() {
        return None;
    }
    let source = buffer.get(HEADER..HEADER + SOURCE)?;
    let source_len = out.incoming_name_len();
    let control_len = out.control_data().len();
    let control = buffer.get(HEADER + SOURCE..HEADER + SOURCE + control_len)?;
    let octets_len = out.payload_data().len();
    let octets = buffer.get(room(0)..room(octets_len))?;
    Some(Arrival {
        octets,
        source: RawAddress::copied(source).to_socket_address(source_len)?,
        stamp: kernel_stamp(control),
        hardware: hardware_stamp(control),
    })
}

/// The source as it lies in a buffer, for a reply to be sent there.
pub(super) fn raw_source(buffer: &[u8]) -> Option<(&[u8], libc::socklen_t)> {
    let (len, _) = buffer.split_first_chunk::<{ size_of::<u32>() }>()?;
    Some((
        buffer.get(HEADER..HEADER + SOURCE)?,
        u32::from_ne_bytes(*len),
    ))
}
