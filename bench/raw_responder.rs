//! The yardstick: a responder that does nothing but receive in batches with the kernel's stamps, copy
//! what a reply must have, and send in batches; what the kernel charges for an answer.
use core::net::{Ipv4Addr, SocketAddr};
use std::convert::Infallible;
use std::io;
use truechimer_sys::batch::Batch;
use truechimer_sys::clock;
use truechimer_sys::socket::{AddressFamily, Socket};
use truechimer_wire::{HEADER_LEN, Header, Mode};

/// Datagrams in one system call.
const BATCH: usize = 64;
/// A reply and a header are as long.
const LEN_MAX: usize = 128;
/// Stratum of a server that has the time from itself.
const STRATUM: u8 = 1;
/// Where the stamps are in a header.
const ORIGIN: core::ops::Range<usize> = 24..32;
const RECEIVE: core::ops::Range<usize> = 32..40;
const TRANSMIT: core::ops::Range<usize> = 40..48;

/// Answers on this port until it is ended.
pub(crate) fn run(port: &str) -> Result<(), String> {
    let port = port.parse().map_err(|_| format!("{port} is no port"))?;
    match serve(port) {
        Err(error) => Err(format!("raw responder: {error}")),
    }
}

fn serve(port: u16) -> io::Result<Infallible> {
    let socket = Socket::open(AddressFamily::V4)?;
    socket.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))?;
    socket.stamp_receives();
    socket.wait_on_receive(core::time::Duration::from_secs(3600))?;
    let mut template = Header::blank(4, Mode::Server);
    template.stratum = STRATUM;
    let template = template.to_octets();
    let mut batch = Batch::new(BATCH, LEN_MAX);
    loop {
        if batch.receive(&socket, true).is_err() {
            continue;
        }
        let wall = clock::wall();
        batch.answer(0..BATCH, &mut |arrival, out| {
            let Some(asked) = arrival.octets.first_chunk::<HEADER_LEN>() else {
                return 0;
            };
            let arrived = arrival.stamp.map_or(wall, |stamp| stamp.at);
            let leaves = clock::wall();
            out[..HEADER_LEN].copy_from_slice(&template);
            out[ORIGIN].copy_from_slice(&asked[TRANSMIT]);
            out[RECEIVE].copy_from_slice(&arrived.to_bits().to_be_bytes());
            out[TRANSMIT].copy_from_slice(&leaves.to_bits().to_be_bytes());
            HEADER_LEN
        });
        batch.send(&socket);
    }
}
