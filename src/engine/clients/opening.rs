//! Sockets for requests, and the requests' way out.
use super::ours;
use crate::ears::with_scope;
use crate::listeners::Listeners;
use crate::nic_clocks::{NicClocks, NicId};
use crate::senders::reach_many;
use core::net::SocketAddr;
use std::io;
use truechimer_proto::packet::{LinkId, Stamp};
use truechimer_sys::clock;
use truechimer_sys::socket::{AddressFamily, Socket};

/// A socket with a port of its own that nobody else can answer to, and the interface that stamps what
/// passes there.
pub(super) fn connected(to: SocketAddr, nics: &NicClocks) -> io::Result<(Socket, Option<NicId>)> {
    let socket = Socket::open(AddressFamily::of(to.ip()))?;
    socket.connect(to)?;
    let nic = match socket.local_address() {
        Ok(local) => nics.at(local.ip()),
        Err(_) => None,
    };
    // Where the kernel cannot stamp, ours stands.
    match nic {
        Some(_) => socket.stamp_both_in_hardware(),
        None => socket.stamp_both(),
    };
    Ok((socket, nic))
}

/// Sends, and stamps just before.
pub(super) fn request(socket: Socket, octets: &[u8]) -> io::Result<(Socket, Stamp)> {
    let stamp = ours(clock::wall());
    socket.send(octets)?;
    Ok((socket, stamp))
}

/// Sends to a group behind one interface, from there; anybody may answer.
pub(super) fn search(
    octets: &[u8],
    to: SocketAddr,
    link: LinkId,
    hops: u8,
    listeners: &Listeners,
) -> io::Result<(Socket, Stamp)> {
    let gone = || io::Error::from(io::ErrorKind::NetworkDown);
    let named = listeners.link_to(to.ip(), link).ok_or_else(gone)?;
    let mut local = named.service;
    local.set_port(0);
    let socket = Socket::open(AddressFamily::of(to.ip()))?;
    socket.stamp_both();
    reach_many(&socket, to.ip(), link, hops)?;
    socket.bind(local)?;
    let stamp = ours(clock::wall());
    socket.send_to(octets, with_scope(to.ip(), to.port(), link))?;
    Ok((socket, stamp))
}
