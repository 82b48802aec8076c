//! SO_TIMESTAMPING: who stamps what.
use super::control::CONTROL_LEN;
use super::control::stamped_number;
use super::{ControlBuffer, Socket, kernel_stamp};
use std::io;
use truechimer_time::NtpTimestamp;

/// Who took a kernel stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampSource {
    /// The kernel, from the system clock.
    Software,
}

/// A moment of the system clock, as the kernel saw a datagram pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelStamp {
    /// The moment.
    pub at: NtpTimestamp,
    /// Who took it.
    pub source: StampSource,
}

/// When a datagram left, as the kernel saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransmitStamp {
    /// Which one of those that the socket sent, counted from 0; `None` where the kernel does not
    /// say.
    pub number: Option<u32>,
    /// The moment.
    pub stamp: KernelStamp,
}

impl Socket {
    /// Asks for a stamp with every datagram received; `false` if the kernel cannot.
    pub fn stamp_receives(&self) -> bool {
        self.request(libc::SOF_TIMESTAMPING_RX_SOFTWARE)
    }

    /// Asks for stamps with every datagram received, and for one on the error queue, without its
    /// datagram, for every one sent; `false` if the kernel cannot.
    pub fn stamp_both(&self) -> bool {
        // Lets `poll` tell a queued stamp (POLLPRI) from a refused datagram (POLLERR alone).
        // Kernels without it still raise POLLERR.
        let _ = self.set(libc::SOL_SOCKET, libc::SO_SELECT_ERR_QUEUE, 1);
        self.request(
            libc::SOF_TIMESTAMPING_RX_SOFTWARE
                | libc::SOF_TIMESTAMPING_TX_SOFTWARE
                | libc::SOF_TIMESTAMPING_OPT_ID
                | libc::SOF_TIMESTAMPING_OPT_TSONLY,
        )
    }

    fn request(&self, flags: libc::c_uint) -> bool {
        let flags = flags | libc::SOF_TIMESTAMPING_SOFTWARE;
        let Ok(flags) = libc::c_int::try_from(flags) else {
            return false;
        };
        self.set(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, flags)
            .is_ok()
    }

    /// Takes one message off the error queue and gives the transmit stamp in it. To be called
    /// once for each time `poll` reports an error: the preload simulator gives an ordinary
    /// datagram to whoever asks an empty queue.
    ///
    /// # Errors
    /// `WouldBlock` if the queue is empty; otherwise the kernel's.
    pub fn transmit_stamp(&self) -> io::Result<Option<TransmitStamp>> {
        // The looped datagram: headers of any link layer and what we sent. Not looked at.
        let mut looped = [0_u8; 256];
        let mut control = ControlBuffer([0; CONTROL_LEN]);
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        let message = super::receive::receive(self, &mut looped, &mut control, None, flags)?;
        let control = &control.0[..message.control_len];
        Ok(kernel_stamp(control).map(|stamp| TransmitStamp {
            number: stamped_number(control),
            stamp,
        }))
    }
}
