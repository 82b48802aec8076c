use crate::socket::{AddressFamily, Socket};
use core::ptr;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Signals that are blocked but while a `PollSet` lets them in. A flag set by their handlers is
/// then never set between the look at it and the wait, which would leave it unseen for the whole
/// of the wait.
#[derive(Clone, Copy, Debug)]
pub struct HeldSignals {
    /// The thread's mask before.
    before: SigSet,
}

impl HeldSignals {
    /// Blocks these signals for the calling thread and those it starts, so to be called before any
    /// other runs. `None`, and nothing is blocked, where ppoll(2) does not know our sockets: a
    /// preload simulator's are its own, and it imitates poll(2) only.
    ///
    /// # Errors
    /// The kernel's, for a number that is no signal.
    pub fn hold(signals: &[libc::c_int]) -> io::Result<Option<Self>> {
        if !ppoll_knows_our_sockets() {
            return Ok(None);
        }
        let mut held = SigSet::empty();
        for signal in signals {
            held.add(Signal::try_from(*signal)?);
        }
        let before = held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        Ok(Some(Self { before }))
    }

    pub(super) fn mask(&self) -> &libc::sigset_t {
        self.before.as_ref()
    }
}

fn ppoll_knows_our_sockets() -> bool {
    let Ok(socket) = Socket::open(AddressFamily::V4) else {
        return false;
    };
    let mut entry = libc::pollfd {
        fd: socket.as_fd().as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let at_once = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the kernel reads and writes one entry and reads the time, all ours during the call.
    let answer = unsafe { libc::ppoll(&raw mut entry, 1, &raw const at_once, ptr::null()) };
    answer >= 0 && entry.revents & libc::POLLNVAL == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::PollSet;
    use core::time::Duration;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    static SEEN: AtomicU32 = AtomicU32::new(0);

    extern "C" fn note(_: libc::c_int) {
        SEEN.fetch_add(1, Ordering::SeqCst);
    }

    #[test]
    fn a_signal_before_the_wait_ends_it() {
        // SAFETY: the handler does nothing but count, by an atomic.
        unsafe { libc::signal(libc::SIGUSR2, note as *const () as libc::sighandler_t) };
        std::thread::spawn(|| {
            let held = HeldSignals::hold(&[libc::SIGUSR2]).unwrap().unwrap();
            // SAFETY: no memory is passed; the signal has a handler.
            unsafe { libc::raise(libc::SIGUSR2) };
            assert_eq!(SEEN.load(Ordering::SeqCst), 0, "not yet let in");
            let start = Instant::now();
            let long = Duration::from_secs(20);
            let mut set = PollSet::default();
            assert_eq!(set.wait_letting_in(long, &held).unwrap(), 0);
            assert!(start.elapsed() < long);
            assert_eq!(SEEN.load(Ordering::SeqCst), 1);
            let short = Duration::from_millis(20);
            assert_eq!(set.wait_letting_in(short, &held).unwrap(), 0);
            assert_eq!(SEEN.load(Ordering::SeqCst), 1);
        })
        .join()
        .unwrap();
        assert!(HeldSignals::hold(&[-1]).is_err());
    }
}
