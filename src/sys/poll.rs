//! Waiting for sockets, by poll(2): the one way of waiting the preload simulator knows. Where the
//! kernel itself is below, by ppoll(2) as well, which lets no signal slip by just before the wait.
mod signals;

pub use signals::HeldSignals;

use core::time::Duration;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The descriptors to wait for; made anew before each wait, in memory used again.
#[derive(Debug, Default)]
pub struct PollSet {
    entries: Vec<libc::pollfd>,
}

/// What a descriptor has to offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// A datagram is waiting.
    pub readable: bool,
    /// The error queue holds something, or an error is pending.
    pub error: bool,
}

impl PollSet {
    /// An empty set with room for `capacity`.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            entries: Vec::with_capacity(capacity),
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Adds a descriptor and returns its place. Whoever adds it keeps it open until after `wait`;
    /// if it is closed early the worst is a wrong `Readiness`.
    pub fn push(&mut self, descriptor: &impl AsFd) -> usize {
        self.add(descriptor, libc::POLLIN | libc::POLLPRI)
    }

    /// The same; datagrams that are waiting do not end the wait.
    pub fn push_for_errors(&mut self, descriptor: &impl AsFd) -> usize {
        self.add(descriptor, libc::POLLPRI)
    }

    fn add(&mut self, descriptor: &impl AsFd, events: libc::c_short) -> usize {
        self.entries.push(libc::pollfd {
            fd: descriptor.as_fd().as_raw_fd(),
            events,
            revents: 0,
        });
        self.entries.len() - 1
    }

    /// Waits until a descriptor is ready, `timeout` is over (rounded up to milliseconds), or a
    /// signal came; returns how many are ready.
    ///
    /// # Errors
    /// The kernel's, but for EINTR, which counts as none ready.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<usize> {
        let milliseconds = timeout.as_nanos().div_ceil(1_000_000);
        let milliseconds = libc::c_int::try_from(milliseconds).unwrap_or(libc::c_int::MAX);
        self.finish(|entries, len| {
            // SAFETY: the kernel reads and writes `len` entries, exclusively ours during the call.
            unsafe { libc::poll(entries, len, milliseconds) }
        })
    }

    /// The same, and held signals come in meanwhile, and only then: one that came before the wait
    /// ends it at once.
    ///
    /// # Errors
    /// As for `wait`.
    pub fn wait_letting_in(&mut self, timeout: Duration, held: &HeldSignals) -> io::Result<usize> {
        let timeout = libc::timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        let mask = held.mask();
        self.finish(|entries, len| {
            // SAFETY: the kernel reads and writes `len` entries, exclusively ours during the call,
            // and reads the time and the mask, which both outlive it.
            unsafe { libc::ppoll(entries, len, &raw const timeout, mask) }
        })
    }

    fn finish(
        &mut self,
        wait: impl FnOnce(*mut libc::pollfd, libc::nfds_t) -> libc::c_int,
    ) -> io::Result<usize> {
        let len = self.entries.len() as libc::nfds_t;
        for entry in &mut self.entries {
            entry.revents = 0;
        }
        match crate::checked(wait(self.entries.as_mut_ptr(), len)) {
            Ok(ready) => Ok(usize::try_from(ready).unwrap_or(0)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                for entry in &mut self.entries {
                    entry.revents = 0;
                }
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }

    /// What the descriptor at `place` has to offer since the last `wait`.
    pub fn readiness(&self, place: usize) -> Readiness {
        self.entries
            .get(place)
            .map_or_else(Readiness::default, |entry| Readiness {
                readable: entry.revents & libc::POLLIN != 0,
                error: entry.revents & (libc::POLLERR | libc::POLLPRI) != 0,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wake::Wake;
    use std::time::Instant;

    #[test]
    fn times_out_and_wakes() {
        let wake = Wake::new().unwrap();
        let mut set = PollSet::with_capacity(1);
        let place = set.push(&wake);
        let start = Instant::now();
        assert_eq!(set.wait(Duration::from_micros(20_500)).unwrap(), 0);
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!(set.readiness(place), Readiness::default());
        wake.wake();
        assert_eq!(set.wait(Duration::from_secs(5)).unwrap(), 1);
        assert!(set.readiness(place).readable);
        assert_eq!(set.readiness(99), Readiness::default());
    }
}
