//! The kernel's door: clocks, sockets, interfaces, polling, privileges, entropy, the system log.
//!
//! The only room with `unsafe`; outside it everything is a safe function over plain values. It
//! calls libc by its ordinary names, so a preload simulator sees each call; one call that has no name
//! goes by number (ADR 0016), and never under a simulator.
//! It decides nothing: what to send, where to listen and how to steer is said by its callers.

#[cfg(feature = "allocation-counter")]
pub mod allocation;
pub mod batch;
pub mod clock;
pub mod departures;
pub mod entropy;
pub mod hardware;
pub mod interfaces;
#[cfg(any(test, feature = "measuring"))]
pub mod measuring;
pub mod names;
#[cfg(any(test, feature = "own-network"))]
pub mod own_network;
pub mod poll;
pub mod process;
pub mod ring;
pub mod socket;
pub mod syslog;
pub mod wake;

use std::io;

/// The kernel's verdict on a call that returns -1 on failure.
fn checked(returned: libc::c_int) -> io::Result<libc::c_int> {
    if returned < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(returned)
    }
}

/// The same for calls that return a length.
fn checked_len(returned: libc::ssize_t) -> io::Result<usize> {
    usize::try_from(returned).map_err(|_| io::Error::last_os_error())
}
