//! perf_event_open(2): how many instructions a thread has executed, in user space and in the kernel.
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `PERF_TYPE_HARDWARE`, of which `PERF_COUNT_HW_INSTRUCTIONS`.
const HARDWARE: (u32, u64) = (0, 1);
/// Flags of `perf_event_attr`, as its bit fields lie on Linux's machines: the children of the thread
/// are counted too.
const INHERIT: u64 = 1 << 1;
/// Octets of `struct perf_event_attr` as it was first (`PERF_ATTR_SIZE_VER0`); any kernel takes it.
const ATTRIBUTES_LEN: u32 = 64;
/// `PERF_FLAG_FD_CLOEXEC`
const CLOSED_ON_EXEC: libc::c_ulong = 1 << 3;

/// A counter of a thread's instructions, which the kernel keeps until it is dropped.
#[derive(Debug)]
pub struct InstructionCounter(OwnedFd);

impl InstructionCounter {
    /// Counts the instructions of this thread and of those it starts from now on.
    ///
    /// # Errors
    /// ENOENT or EOPNOTSUPP on a machine that counts none, as most virtual ones; EACCES or EPERM where
    /// `kernel.perf_event_paranoid` forbids it; ESRCH.
    pub fn of_thread(thread: u32) -> io::Result<Self> {
        open(HARDWARE, thread)
    }

    /// Instructions so far.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&self) -> io::Result<u64> {
        let mut count = [0_u8; 8];
        let (into, len) = (count.as_mut_ptr().cast(), count.len());
        // SAFETY: the kernel writes at most `len` octets to `count`, ours during the call.
        crate::checked_len(unsafe { libc::read(self.0.as_raw_fd(), into, len) })?;
        Ok(u64::from_ne_bytes(count))
    }
}

/// Opens a counter of this type and sort.
fn open((kind, which): (u32, u64), thread: u32) -> io::Result<InstructionCounter> {
    let thread = libc::pid_t::try_from(thread).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut attributes = [0_u8; ATTRIBUTES_LEN as usize];
    // type, size, config; then, after period, sample and read format, the flags.
    attributes[0..4].copy_from_slice(&kind.to_ne_bytes());
    attributes[4..8].copy_from_slice(&ATTRIBUTES_LEN.to_ne_bytes());
    attributes[8..16].copy_from_slice(&which.to_ne_bytes());
    attributes[40..48].copy_from_slice(&INHERIT.to_ne_bytes());
    let from = attributes.as_ptr();
    let (any_core, no_group): (libc::c_int, libc::c_int) = (-1, -1);
    // SAFETY: the kernel reads as many octets of `attributes` as they say, ours during the call.
    let opened = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            from,
            thread,
            any_core,
            no_group,
            CLOSED_ON_EXEC,
        )
    };
    let opened = libc::c_int::try_from(opened).unwrap_or(-1);
    let raw = crate::checked(opened)?;
    // SAFETY: the descriptor was made just now, and nobody else has it.
    Ok(InstructionCounter(unsafe { OwnedFd::from_raw_fd(raw) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `PERF_TYPE_SOFTWARE`, `PERF_COUNT_SW_TASK_CLOCK`: what the kernel counts without help of the
    /// hardware, nanoseconds of processor time.
    const TASK_CLOCK: (u32, u64) = (1, 1);

    #[test]
    fn a_counter_counts() {
        let counter = match open(TASK_CLOCK, 0) {
            Ok(counter) => counter,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return,
            Err(error) => panic!("{error}"),
        };
        let before = counter.read().unwrap();
        let mut sum = 0_u64;
        for number in 0..100_000_u64 {
            sum = core::hint::black_box(sum.wrapping_add(number));
        }
        assert!(counter.read().unwrap() > before, "{sum}");
    }

    #[test]
    fn nobody_is_not_counted() {
        assert!(InstructionCounter::of_thread(u32::MAX).is_err());
    }
}
