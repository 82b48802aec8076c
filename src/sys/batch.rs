//! Many datagrams a system call: recvmmsg(2), sendmmsg(2), for server threads.
use crate::socket::{Arrival, ControlBuffer, RawAddress, Socket, hardware_stamp, kernel_stamp};
use core::ops::Range;
use std::io;

/// One SCM_TIMESTAMPING, and as much again.
const CONTROL_LEN: usize = 128;
/// Buffers an exact power of two apart would all meet in the same few cache sets.
const STRIDE_BREAK: usize = 64;
/// Least number of datagrams asked for at once.
const ASK_LEAST: usize = 4;

/// Buffers for a number of datagrams and their replies; nothing is allocated after `new`.
pub struct Batch {
    octets_each: usize,
    requests: Box<[u8]>,
    replies: Box<[u8]>,
    sources: Box<[RawAddress]>,
    controls: Box<[ControlBuffer<CONTROL_LEN>]>,
    reply_lens: Box<[usize]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    received: usize,
    /// Places shown since the last `send`; only in them is a reply's length not 0.
    unsent: Range<usize>,
}

/// What became of the replies of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Taken by the kernel.
    pub sent: usize,
    /// Refused by it.
    pub failed: usize,
}

impl Batch {
    /// For `count` datagrams of up to `octets_each`, a multiple of 64.
    pub fn new(count: usize, octets_each: usize) -> Self {
        let bytes = count * (octets_each + STRIDE_BREAK);
        Self {
            octets_each,
            requests: vec![0; bytes].into_boxed_slice(),
            replies: vec![0; bytes].into_boxed_slice(),
            sources: vec![RawAddress::empty(); count].into_boxed_slice(),
            controls: vec![ControlBuffer([0; CONTROL_LEN]); count].into_boxed_slice(),
            reply_lens: vec![0; count].into_boxed_slice(),
            vectors: vec![NO_VECTOR; count].into_boxed_slice(),
            headers: vec![no_header(); count].into_boxed_slice(),
            received: 0,
            unsent: 0..0,
        }
    }

    /// Takes what datagrams there are, and with `wait` waits for the first as long as the socket
    /// was told to. Returns how many; what was received before is forgotten.
    ///
    /// # Errors
    /// `WouldBlock` if there are none, `Interrupted` by a signal; otherwise the kernel's.
    pub fn receive(&mut self, socket: &Socket, wait: bool) -> io::Result<usize> {
        // Arming a header costs a few nanoseconds, so ask for what may be expected.
        let ask = (self.received * 2).clamp(ASK_LEAST.min(self.capacity()), self.capacity());
        self.received = 0;
        let unsent = core::mem::replace(&mut self.unsent, 0..0);
        self.reply_lens[unsent].fill(0);
        self.arm_requests(ask);
        let flags = if wait {
            libc::MSG_WAITFORONE
        } else {
            libc::MSG_DONTWAIT
        };
        let (headers, len) = (self.headers.as_mut_ptr(), vector_len(ask));
        // SAFETY: `headers` has at least `ask` entries, armed just now with pointers into buffers
        // that `self`, exclusively borrowed, owns; no other reference to them lives meanwhile.
        let received =
            unsafe { libc::recvmmsg(socket.raw(), headers, len, flags, core::ptr::null_mut()) };
        self.received = usize::try_from(crate::checked(received)?)
            .unwrap_or(0)
            .min(ask);
        Ok(self.received)
    }

    /// Whether the last `receive` may have left datagrams behind.
    pub fn was_full(&self) -> bool {
        self.received == self.capacity()
    }

    /// Shows each datagram at these places, with room for a reply, to `reply`, which returns the
    /// length of its reply or 0. Returns how many datagrams were too long or without an IP source,
    /// and so not shown.
    pub fn answer(
        &mut self,
        places: Range<usize>,
        reply: &mut dyn FnMut(Arrival<'_>, &mut [u8]) -> usize,
    ) -> usize {
        let stride = self.octets_each + STRIDE_BREAK;
        let mut unreadable = 0;
        let end = places.end.min(self.received);
        let start = places.start.min(end);
        self.unsent = if self.unsent.is_empty() {
            start..end
        } else {
            self.unsent.start.min(start)..self.unsent.end.max(end)
        };
        let octets = start * stride..end * stride;
        let requests = self.requests[octets.clone()].chunks_exact(stride);
        let replies = self.replies[octets].chunks_exact_mut(stride);
        for (place, (request, out)) in (start..end).zip(requests.zip(replies)) {
            let header = &self.headers[place];
            let len = usize::try_from(header.msg_len).unwrap_or(usize::MAX);
            let source = self.sources[place].to_socket_address(header.msg_hdr.msg_namelen);
            let truncated = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
            let (Some(source), Some(octets), false) = (source, request.get(..len), truncated)
            else {
                unreadable += 1;
                continue;
            };
            let control = &self.controls[place].0;
            let control_len = header.msg_hdr.msg_controllen.min(control.len());
            let control = &control[..control_len];
            let arrival = Arrival {
                octets,
                source,
                stamp: kernel_stamp(control),
                hardware: hardware_stamp(control),
            };
            let out = &mut out[..self.octets_each];
            self.reply_lens[place] = reply(arrival, out).min(self.octets_each);
        }
        unreadable
    }

    /// Sends the replies made since it was last called to where the datagrams came from, without
    /// waiting: what the kernel has no room for is dropped and counted.
    pub fn send(&mut self, socket: &Socket) -> Sent {
        let armed = self.arm_replies();
        // SAFETY: so many were armed just now with pointers into buffers that `self`, exclusively
        // borrowed, owns.
        unsafe { send_all(socket, &mut self.headers[..armed]) }
    }

    fn capacity(&self) -> usize {
        self.headers.len()
    }

    fn arm_requests(&mut self, ask: usize) {
        let stride = self.octets_each + STRIDE_BREAK;
        let requests = self.requests.chunks_exact_mut(stride);
        let sources = self.sources.iter_mut().zip(self.controls.iter_mut());
        let headers = self.vectors.iter_mut().zip(self.headers.iter_mut());
        for ((request, (source, control)), (vector, header)) in
            requests.zip(sources).zip(headers).take(ask)
        {
            vector.iov_base = request.as_mut_ptr().cast();
            vector.iov_len = self.octets_each;
            let header = &mut header.msg_hdr;
            header.msg_name = source.as_mut_ptr().cast();
            header.msg_namelen = source.capacity();
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = control.0.as_mut_ptr().cast();
            header.msg_controllen = CONTROL_LEN;
            header.msg_flags = 0;
        }
    }

    /// Lines up the headers of the replies; each keeps its datagram's source as destination.
    fn arm_replies(&mut self) -> usize {
        let stride = self.octets_each + STRIDE_BREAK;
        let mut armed = 0;
        let places = core::mem::replace(&mut self.unsent, 0..0);
        let replies = &mut self.replies[places.start * stride..places.end * stride];
        let replies = replies.chunks_exact_mut(stride);
        let whither = self.sources[places.clone()].iter_mut();
        let lens = self.reply_lens[places.clone()].iter_mut();
        for (place, ((reply, source), len)) in places.zip(replies.zip(whither).zip(lens)) {
            let len = core::mem::take(len);
            if len == 0 {
                continue;
            }
            // `armed <= place`: what is overwritten belongs to datagrams answered already.
            let source_len = self.headers[place].msg_hdr.msg_namelen;
            let vector = &mut self.vectors[armed];
            vector.iov_base = reply.as_mut_ptr().cast();
            vector.iov_len = len;
            let header = &mut self.headers[armed].msg_hdr;
            header.msg_name = source.as_mut_ptr().cast();
            header.msg_namelen = source_len;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = core::ptr::null_mut();
            header.msg_controllen = 0;
            header.msg_flags = 0;
            armed += 1;
        }
        armed
    }
}

/// Sends what these headers name, without waiting: what the kernel has no room for is dropped and
/// counted.
///
/// # Safety
/// They point to memory that is the caller's until this returns, and to nothing else.
pub(crate) unsafe fn send_all(socket: &Socket, headers: &mut [libc::mmsghdr]) -> Sent {
    let mut at = 0;
    let mut outcome = Sent::default();
    while let Some(rest) = headers.get_mut(at..).filter(|rest| !rest.is_empty()) {
        let len = vector_len(rest.len());
        // SAFETY: the caller's promise; the kernel only reads that memory, and writes lengths into
        // the headers, which are exclusively borrowed.
        let sent =
            unsafe { libc::sendmmsg(socket.raw(), rest.as_mut_ptr(), len, libc::MSG_DONTWAIT) };
        match crate::checked(sent) {
            Ok(sent) => {
                let sent = usize::try_from(sent).unwrap_or(0).max(1);
                outcome.sent += sent;
                at += sent;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                outcome.failed += rest.len();
                break;
            }
            Err(_) => {
                outcome.failed += 1;
                at += 1;
            }
        }
    }
    outcome
}

/// Shorter than the vector is safe; a batch is never that long.
fn vector_len(len: usize) -> libc::c_uint {
    libc::c_uint::try_from(len).unwrap_or(libc::c_uint::MAX)
}

pub(crate) const NO_VECTOR: libc::iovec = libc::iovec {
    iov_base: core::ptr::null_mut(),
    iov_len: 0,
};

pub(crate) fn no_header() -> libc::mmsghdr {
    // SAFETY: `mmsghdr` is integers and pointers, for which all zeros is a value.
    unsafe { core::mem::zeroed() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::PollSet;
    use crate::socket::{AddressFamily, ReceiveBuffer};
    use core::net::SocketAddr;
    use core::time::Duration;

    fn bound() -> (Socket, SocketAddr) {
        let socket = Socket::open(AddressFamily::V4).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_address().unwrap();
        (socket, address)
    }

    fn wait_for(socket: &Socket) {
        let mut set = PollSet::default();
        set.push(socket);
        assert_eq!(set.wait(Duration::from_secs(5)).unwrap(), 1);
    }

    /// The kernel begins to stamp a moment after it was asked to, from a work queue of its own.
    fn wait_for_stamps(server: &Socket, address: SocketAddr) {
        let (client, _) = bound();
        let mut buffer = ReceiveBuffer::new(64);
        for _ in 0..1000 {
            client.send_to(&[0; 48], address).unwrap();
            wait_for(server);
            if server
                .receive(&mut buffer)
                .unwrap()
                .unwrap()
                .stamp
                .is_some()
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("no stamp within five seconds of asking for them");
    }

    #[test]
    fn answers_go_back_to_their_askers() {
        let (server, server_address) = bound();
        assert!(server.stamp_receives());
        wait_for_stamps(&server, server_address);
        let clients: Vec<Socket> = (0..6).map(|_| bound().0).collect();
        for (number, client) in (0_u8..).zip(&clients) {
            client.send_to(&[number; 48], server_address).unwrap();
        }
        let mut batch = Batch::new(8, 64);
        let (mut seen, mut stamped, mut outcome) = (0, 0, Sent::default());
        while seen < clients.len() {
            wait_for(&server);
            seen += batch.receive(&server, false).unwrap();
            let unreadable = batch.answer(0..usize::MAX, &mut |arrival, out| {
                stamped += usize::from(arrival.stamp.is_some());
                let number = arrival.octets[0];
                out[..2].copy_from_slice(&[number, 0xFF]);
                if number == 3 { 0 } else { 2 }
            });
            assert_eq!(unreadable, 0);
            let sent = batch.send(&server);
            outcome.sent += sent.sent;
            outcome.failed += sent.failed;
        }
        assert_eq!((stamped, outcome.sent, outcome.failed), (6, 5, 0));
        let mut buffer = ReceiveBuffer::new(64);
        for (number, client) in (0_u8..).zip(&clients) {
            if number == 3 {
                let nothing = client.receive(&mut buffer).unwrap_err();
                assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
            } else {
                wait_for(client);
                let reply = client.receive(&mut buffer).unwrap().unwrap();
                assert_eq!(reply.octets, [number, 0xFF]);
                assert_eq!(reply.source, server_address);
            }
        }
    }

    #[test]
    fn a_reply_leaves_once_whichever_places_were_answered_with_it() {
        let (server, server_address) = bound();
        let (client, _) = bound();
        for number in 0..6 {
            client.send_to(&[number; 48], server_address).unwrap();
        }
        wait_for(&server);
        let mut batch = Batch::new(4, 64);
        assert_eq!(batch.receive(&server, false).unwrap(), 4);
        let echo = |batch: &mut Batch, places: Range<usize>| {
            batch.answer(places, &mut |arrival, out| {
                out[0] = arrival.octets[0];
                1
            });
        };
        echo(&mut batch, 1..2);
        assert_eq!(batch.send(&server).sent, 1);
        echo(&mut batch, 3..9);
        echo(&mut batch, 0..1);
        assert_eq!(
            batch.send(&server).sent,
            2,
            "what lies between was not answered"
        );
        assert_eq!(batch.send(&server), Sent::default());
        echo(&mut batch, 2..3);
        assert_eq!(batch.receive(&server, false).unwrap(), 2);
        assert_eq!(
            batch.send(&server),
            Sent::default(),
            "too late for the batch before"
        );
        let mut buffer = ReceiveBuffer::new(64);
        for number in [1, 0, 3] {
            wait_for(&client);
            let reply = client.receive(&mut buffer).unwrap().unwrap();
            assert_eq!(reply.octets, [number]);
        }
    }

    #[test]
    fn a_long_datagram_is_not_shown() {
        let (server, server_address) = bound();
        let (client, _) = bound();
        client.send_to(&[1; 65], server_address).unwrap();
        client.send_to(&[2; 64], server_address).unwrap();
        wait_for(&server);
        let mut batch = Batch::new(4, 64);
        let received = batch.receive(&server, false).unwrap();
        let mut shown = Vec::new();
        let unreadable = batch.answer(0..usize::MAX, &mut |arrival, _| {
            shown.push(arrival.octets[0]);
            0
        });
        assert_eq!((received, unreadable, shown), (2, 1, vec![2]));
        assert_eq!(batch.send(&server), Sent::default());
    }

    #[test]
    fn waits_no_longer_than_told() {
        let (server, _) = bound();
        server.wait_on_receive(Duration::from_millis(30)).unwrap();
        let start = std::time::Instant::now();
        let nothing = Batch::new(4, 64).receive(&server, true).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
        assert!(start.elapsed() >= Duration::from_millis(25));
    }
}
