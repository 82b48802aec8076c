//! A ring that was opened and does nothing yet: it may still be given to another thread.
use super::buffers::Buffers;
use core::fmt;
use io_uring::register::Restriction;
use io_uring::{IoUring, opcode, squeue};
use std::{fs, io};

/// Submissions that wait to be told to the kernel, at most; more are told in between.
const SUBMISSIONS: u32 = 64;
/// IORING_REGISTER_FILES_UPDATE of linux/io_uring.h, which the crate does not name.
const FILES_UPDATE: u8 = 6;
/// The group of buffers; each ring has one.
pub(super) const GROUP: u16 = 0;
/// 1: only a group may; 2: nobody.
const SWITCH: &str = "/proc/sys/kernel/io_uring_disabled";

/// How large a ring is.
#[derive(Clone, Copy, Debug)]
pub struct RingSize {
    /// Datagrams the kernel may receive ahead of us; a power of two.
    pub buffers: u16,
    /// Longest datagram.
    pub octets_each: usize,
    /// Sockets at once, and those on their way out.
    pub sockets: u16,
    /// Datagrams shown, and replies sent, together.
    pub portion: usize,
}

/// An io_uring that is not started. It can do nothing but receive from registered sockets, poll one
/// descriptor and cancel these, whoever may take over this process: a filter of system calls does not
/// see what goes through a ring, so the kernel is told here.
pub struct IdleRing {
    pub(super) uring: IoUring,
    pub(super) buffers: Buffers,
    pub(super) size: RingSize,
}

impl IdleRing {
    /// Opens one.
    ///
    /// # Errors
    /// Why there is none.
    pub fn open(size: RingSize) -> Result<Self, Refused> {
        // One for each buffer that may be named, and for each request that may end.
        let completions = u32::from(size.buffers) + 2 * u32::from(size.sockets) + 8;
        let completions = completions.next_power_of_two().max(SUBMISSIONS);
        Self::with_completions(size, completions)
    }

    pub(super) fn with_completions(size: RingSize, completions: u32) -> Result<Self, Refused> {
        let uring = setup(completions)?;
        if !uring.params().is_feature_ext_arg() || !uring.params().is_feature_nodrop() {
            return Err(Refused::TooOld);
        }
        let octets = super::message::room(size.octets_each);
        let mut buffers = Buffers::new(size.buffers, octets).map_err(Refused::of)?;
        let submitter = uring.submitter();
        // SAFETY: the memory belongs to `buffers`, which `Ring::drop` lets go only after all requests
        // have ended; in this type there are none yet.
        unsafe {
            let (address, count) = (buffers.address(), buffers.count());
            submitter
                .register_buf_ring_with_flags(address, count, GROUP, 0)
                .map_err(Refused::of)?;
        }
        for buffer in 0..buffers.count() {
            buffers.offer(buffer);
        }
        buffers.publish();
        submitter
            .register_files_sparse(size.sockets.into())
            .map_err(Refused::of)?;
        let flags = squeue::Flags::FIXED_FILE | squeue::Flags::BUFFER_SELECT;
        let mut allowed = [
            Restriction::sqe_op(opcode::RecvMsgMulti::CODE),
            Restriction::sqe_op(opcode::PollAdd::CODE),
            Restriction::sqe_op(opcode::AsyncCancel::CODE),
            Restriction::sqe_flags_allowed(flags.bits()),
            Restriction::register_op(FILES_UPDATE),
        ];
        submitter
            .register_restrictions(&mut allowed)
            .map_err(Refused::of)?;
        Ok(Self {
            uring,
            buffers,
            size,
        })
    }
}

/// One thread submits, and completions are worked off only when it asks: the cheapest way. Kernels
/// before 6.1 do not know the second.
fn setup(completions: u32) -> Result<IoUring, Refused> {
    let mut best = IoUring::builder();
    best.setup_r_disabled()
        .setup_submit_all()
        .setup_single_issuer()
        .setup_cqsize(completions)
        .setup_taskrun_flag();
    let mut second = best.clone();
    let built = best.setup_defer_taskrun().build(SUBMISSIONS);
    let built = match built {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
            second.setup_coop_taskrun().build(SUBMISSIONS)
        }
        other => other,
    };
    built.map_err(Refused::of)
}

/// Why there is no ring.
#[derive(Debug)]
pub enum Refused {
    /// The kernel has none, or whoever made this container says so.
    NotThere,
    /// `kernel.io_uring_disabled` has this value.
    SwitchedOff(String),
    /// Somebody between us and the kernel forbids it.
    Forbidden,
    /// The limit of locked memory leaves no room.
    NoMemory,
    /// The kernel's is older than 6.0.
    TooOld,
    /// Anything else.
    Other(io::Error),
}

impl Refused {
    pub(super) fn of(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOSYS) => Self::NotThere,
            Some(libc::EINVAL) => Self::TooOld,
            Some(libc::ENOMEM) => Self::NoMemory,
            Some(libc::EPERM | libc::EACCES) => {
                let switch = fs::read_to_string(SWITCH).unwrap_or_default();
                match switch.trim() {
                    "" | "0" => Self::Forbidden,
                    value => Self::SwitchedOff(value.to_owned()),
                }
            }
            _ => Self::Other(error),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere => f.write_str("this kernel or container has no io_uring"),
            Self::SwitchedOff(value) => write!(
                f,
                "io_uring is switched off (sysctl kernel.io_uring_disabled={value})"
            ),
            Self::Forbidden => f.write_str(
                "io_uring is forbidden, by a filter of system calls or a security module",
            ),
            Self::NoMemory => f.write_str(
                "no memory for io_uring, or not under the limit of locked memory (`ulimit -l`, \
                 LimitMEMLOCK=)",
            ),
            Self::TooOld => f.write_str("the kernel's io_uring is older than 6.0"),
            Self::Other(error) => write!(f, "io_uring: {error}"),
        }
    }
}

impl core::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_name_their_remedy() {
        let of = |code| Refused::of(io::Error::from_raw_os_error(code)).to_string();
        assert!(of(libc::ENOSYS).contains("no io_uring"));
        assert!(of(libc::ENOMEM).contains("ulimit -l"));
        assert!(of(libc::EINVAL).contains("6.0"));
        assert!(of(libc::EMFILE).contains("io_uring: "));
        let off = Refused::SwitchedOff("2".to_owned()).to_string();
        assert!(off.contains("kernel.io_uring_disabled=2"), "{off}");
    }
}
