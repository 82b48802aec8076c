//! Waking a thread that waits in poll(2). Not for the one-thread engine: the preload simulator
//! would take the descriptor for one that is always ready.
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// An eventfd(2): any thread may wake, one waits and hushes.
#[derive(Debug)]
pub struct Wake(OwnedFd);

impl Wake {
    /// A new one, not ringing.
    ///
    /// # Errors
    /// The kernel's, when descriptors run out.
    pub fn new() -> io::Result<Self> {
        let flags = libc::EFD_CLOEXEC | libc::EFD_NONBLOCK;
        // SAFETY: no memory is passed.
        let raw = crate::checked(unsafe { libc::eventfd(0, flags) })?;
        // SAFETY: the descriptor was made just now, and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(raw) }))
    }

    /// Makes it readable. It cannot fail but by being so already.
    pub fn wake(&self) {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the kernel reads the eight octets of `one`, ours during the call.
        let _ = unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes it unreadable until woken again.
    pub fn hush(&self) {
        let mut count = [0_u8; 8];
        let into = count.as_mut_ptr().cast();
        // SAFETY: the kernel writes at most the eight octets of `count`, ours during the call.
        let _ = unsafe { libc::read(self.0.as_raw_fd(), into, count.len()) };
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
