//! SO_TIMESTAMPING: who stamps what.
use super::control::CONTROL_LEN;
use super::control::stamped_number;
use super::{ControlBuffer, Socket, hardware_stamp, kernel_stamp};
use std::io;
use truechimer_time::NtpTimestamp;

/// A moment of the system clock, as the kernel saw a datagram pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelStamp {
    /// The moment.
    pub at: NtpTimestamp,
}

/// A moment of an interface's own clock, as it saw a datagram pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HardwareStamp {
    /// The moment, nanoseconds since the epoch of that clock.
    pub ns: i64,
    /// Index of the interface; 0 where the kernel does not say.
    pub link: u32,
    /// Length of the frame without its check sequence, octets; 0 where the kernel does not say.
    pub len: u32,
}

/// When a datagram left, as the kernel saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransmitStamp {
    /// Which one of those that the socket sent, counted from 0; `None` where the kernel does not
    /// say.
    pub number: Option<u32>,
    /// The moment of the system clock. The kernel's stamp and the interface's come one by one.
    pub kernel: Option<KernelStamp>,
    /// The moment of the interface's clock.
    pub hardware: Option<HardwareStamp>,
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

    /// The same, and beside these stamps those of the interface, if it takes any.
    pub fn stamp_both_in_hardware(&self) -> bool {
        let _ = self.set(libc::SOL_SOCKET, libc::SO_SELECT_ERR_QUEUE, 1);
        let software = libc::SOF_TIMESTAMPING_RX_SOFTWARE
            | libc::SOF_TIMESTAMPING_TX_SOFTWARE
            | libc::SOF_TIMESTAMPING_OPT_ID
            | libc::SOF_TIMESTAMPING_OPT_TSONLY;
        let hardware = libc::SOF_TIMESTAMPING_RX_HARDWARE
            | libc::SOF_TIMESTAMPING_TX_HARDWARE
            | libc::SOF_TIMESTAMPING_RAW_HARDWARE;
        // Kernels before 4.13 know neither of the other two.
        let both = libc::SOF_TIMESTAMPING_OPT_TX_SWHW | libc::SOF_TIMESTAMPING_OPT_PKTINFO;
        self.request(software | hardware | both) || self.stamp_both()
    }

    /// Asks for stamps with every datagram received, and for one on the error queue, without its
    /// datagram, for every one sent by `send_asking`, numbered from 0 as of now; `false` if the kernel
    /// cannot.
    pub fn stamp_on_request(&self) -> bool {
        // Without the numbers first: to ask for them anew sets them back.
        self.stamp_receives()
            && self.request(
                libc::SOF_TIMESTAMPING_RX_SOFTWARE
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
        let (kernel, hardware) = (kernel_stamp(control), hardware_stamp(control));
        let is_stamp = kernel.is_some() || hardware.is_some();
        Ok(is_stamp.then(|| TransmitStamp {
            number: stamped_number(control),
            kernel,
            hardware,
        }))
    }
}
