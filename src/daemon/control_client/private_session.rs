//! A daemon that is asked in mode 7.
use super::private::{
    AskPrivately, PrivateAssembly, PrivateFailure, PrivateItems, PrivateProgress,
};
use super::session::{GLANCE, Patience, connected, wait};
use crate::query::{Family, Keyed};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use truechimer_sys::clock;
use truechimer_sys::socket::{ReceiveBuffer, Socket};
use truechimer_time::NtpDuration;
use truechimer_wire::private::PrivateRequest;

/// Room for one datagram: header, 500 octets of items, and what a sender adds.
const DATAGRAM: usize = 1024;
/// Longest digest, octets.
const DIGEST_MAX: usize = 20;
/// Datagrams that are thrown away before a request, at most: what is late of an earlier answer.
const STALE_MAX: usize = 256;

/// A socket to one daemon, and what its requests carry.
pub struct PrivateSession {
    socket: Socket,
    address: SocketAddr,
    /// How long answers are waited for.
    pub patience: Patience,
    /// What requests that need it are sealed with.
    pub key: Option<Keyed>,
    /// Added to stamps of sealed requests, milliseconds.
    pub delay_ms: i64,
    /// Set when the operator wants the waiting to end.
    pub interrupt: Arc<AtomicBool>,
}

impl PrivateSession {
    /// Finds the host and opens a socket to the first address that takes one.
    ///
    /// # Errors
    /// When the name has no such address, or the kernel has no way there.
    pub fn open(host: &str, family: Option<Family>, port: u16) -> io::Result<Self> {
        let (socket, address) = connected(host, family, port)?;
        Ok(Self {
            socket,
            address,
            patience: Patience::default(),
            key: None,
            delay_ms: 0,
            interrupt: Arc::default(),
        })
    }

    fn octets(
        &mut self,
        request: &PrivateRequest,
        sealed: bool,
    ) -> Result<Vec<u8>, PrivateFailure> {
        // A question from afar may have a long answer, which not everybody gets.
        let of_use = self.key.is_some() && !self.address.ip().is_loopback();
        if !sealed && !of_use {
            return Ok(request.to_octets());
        }
        let key = self.key.as_mut().ok_or(PrivateFailure::NoKey)?;
        let delay = NtpDuration::from_nanoseconds(self.delay_ms.saturating_mul(1_000_000));
        let stamp = clock::wall().plus(delay);
        let mut digest = [0; DIGEST_MAX];
        // How long a digest is tells what it has to cover.
        let trial = key.authenticator.seal(key.id, &[0; 8], &mut digest);
        let len = trial.ok_or(PrivateFailure::NoKey)?;
        let mut octets = request.to_seal(stamp, len);
        let sealed = key.authenticator.seal(key.id, &octets, &mut digest);
        let digest = sealed.and_then(|len| digest.get(..len));
        octets.extend_from_slice(&key.id.get().to_be_bytes());
        octets.extend_from_slice(digest.ok_or(PrivateFailure::NoKey)?);
        Ok(octets)
    }
}

impl AskPrivately for PrivateSession {
    fn ask(
        &mut self,
        request: &PrivateRequest,
        sealed: bool,
    ) -> Result<PrivateItems, PrivateFailure> {
        let octets = self.octets(request, sealed)?;
        let mut buffer = ReceiveBuffer::new(DATAGRAM);
        for _ in 0..STALE_MAX {
            if !matches!(self.socket.receive(&mut buffer), Ok(Some(_))) {
                break;
            }
        }
        let failed = |what| move |error| PrivateFailure::System(what, error);
        self.socket.send(&octets).map_err(failed("write"))?;
        let mut assembly = PrivateAssembly::new(request);
        let mut since = clock::monotonic();
        loop {
            // Only datagrams that fit prolong the wait: a stream of others must not.
            let (patience, nothing) = if assembly.is_empty() {
                (self.patience.first, PrivateFailure::Timeout)
            } else {
                (self.patience.further, PrivateFailure::Incomplete)
            };
            let left = patience.saturating_sub(clock::monotonic().since(since));
            if left.is_zero() {
                return Err(nothing);
            }
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(PrivateFailure::Interrupted);
            }
            wait(&self.socket, left.min(GLANCE)).map_err(failed("read"))?;
            let arrival = match self.socket.receive(&mut buffer) {
                Ok(Some(arrival)) => arrival,
                Ok(None) => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(PrivateFailure::System("read", error)),
            };
            match assembly.take(arrival.octets) {
                PrivateProgress::Ignored => {}
                PrivateProgress::Partial => since = clock::monotonic(),
                PrivateProgress::Complete(items) => return Ok(items),
                PrivateProgress::Refused(error) => return Err(PrivateFailure::Refused(error)),
            }
        }
    }
}
