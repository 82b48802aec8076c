use super::{BATCH, Patience, Portion};
use crate::roster::plan::Door;
use core::time::Duration;
use std::io;
use std::sync::Arc;
use truechimer_sys::clock;
use truechimer_sys::ring::{Ring, Waiting};
use truechimer_sys::socket::Socket;

/// Receives through a ring: the kernel has taken datagrams before we ask.
pub(in crate::roster) struct Ringed {
    pub(super) ring: Ring,
    patience: Patience,
    spins: bool,
    /// Datagrams since the wait, and since the portions were last fresh.
    taken: usize,
    since_fresh: usize,
}

impl Ringed {
    pub(in crate::roster) const fn new(ring: Ring, patience: Patience, spins: bool) -> Self {
        Self {
            ring,
            patience,
            spins,
            taken: 0,
            since_fresh: BATCH,
        }
    }

    pub(super) fn set_doors(&mut self, doors: &[Door]) -> io::Result<()> {
        let sockets: Vec<Arc<Socket>> = doors.iter().map(|door| Arc::clone(&door.socket)).collect();
        self.ring.set_sockets(&sockets)
    }

    pub(super) fn wait(&mut self, longest: Duration) -> io::Result<()> {
        let waiting = if self.spins {
            Waiting::Spin
        } else {
            let lingers = self.patience.lingers(clock::monotonic(), self.taken);
            lingers.map_or(Waiting::First, Waiting::Linger)
        };
        (self.taken, self.since_fresh) = (0, BATCH);
        self.ring.wait(longest, waiting)
    }

    pub(super) fn next(&mut self) -> Option<Portion> {
        let portion = self.ring.receive()?;
        self.taken += portion.count;
        let is_fresh = self.since_fresh >= BATCH;
        self.since_fresh = if is_fresh { 0 } else { self.since_fresh } + portion.count;
        Some(Portion {
            door: portion.place,
            count: portion.count,
            is_fresh,
        })
    }
}
