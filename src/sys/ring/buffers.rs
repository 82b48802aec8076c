//! Memory that the kernel receives into, and the ring of its pieces that the kernel may have.
use io_uring::types::BufRingEntry;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

const PAGE: usize = 4096;
/// Buffers an exact power of two apart would all meet in the same few cache sets.
const STRIDE_BREAK: usize = 64;

/// One mapping: first the ring of offers, then the buffers. A buffer is either the kernel's, from
/// `offer` until a completion names it, or held by us; only what is held is ever looked at.
pub(super) struct Buffers {
    base: NonNull<u8>,
    len: usize,
    /// Where the first buffer begins.
    first: usize,
    octets_each: usize,
    held: Box<[bool]>,
    tail: u16,
}

// SAFETY: the mapping is this value's own, and no thread-bound state belongs to it.
unsafe impl Send for Buffers {}

impl Buffers {
    /// For `count` buffers, a power of two; all are held at first.
    pub(super) fn new(count: u16, octets_each: usize) -> io::Result<Self> {
        let offers = usize::from(count) * size_of::<BufRingEntry>();
        let first = offers.next_multiple_of(PAGE);
        let len = first + usize::from(count) * (octets_each + STRIDE_BREAK);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: a new mapping at an address of the kernel's choice touches nobody's memory.
        let base = unsafe { libc::mmap(core::ptr::null_mut(), len, protection, kind, -1, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            base,
            len,
            first,
            octets_each,
            held: vec![true; usize::from(count)].into_boxed_slice(),
            tail: 0,
        })
    }

    pub(super) fn count(&self) -> u16 {
        u16::try_from(self.held.len()).unwrap_or(u16::MAX)
    }

    /// Of the ring of offers, for the kernel to be told.
    pub(super) fn address(&self) -> u64 {
        self.base.as_ptr().addr() as u64
    }

    /// Takes a buffer that a completion named; `false` if we had it all along, which would be the
    /// kernel's mistake.
    pub(super) fn take(&mut self, buffer: u16) -> bool {
        match self.held.get_mut(usize::from(buffer)) {
            Some(held) => !core::mem::replace(held, true),
            None => false,
        }
    }

    /// A buffer that is held.
    pub(super) fn get(&self, buffer: u16) -> Option<&[u8]> {
        self.held
            .get(usize::from(buffer))
            .copied()
            .filter(|held| *held)?;
        let at = self.at(buffer);
        // SAFETY: the buffer lies inside the mapping, which lives as long as `self`. It is held, so
        // the kernel does not write to it before `offer`, which needs `self` exclusively.
        Some(unsafe { core::slice::from_raw_parts(at, self.octets_each) })
    }

    /// Gives a held buffer to the kernel, as soon as `publish` is called.
    pub(super) fn offer(&mut self, buffer: u16) {
        let count = self.count();
        let Some(held) = self.held.get_mut(usize::from(buffer)) else {
            return;
        };
        if !core::mem::replace(held, false) {
            return;
        }
        let at = self.at(buffer).addr() as u64;
        let place = usize::from(self.tail & (count - 1));
        // SAFETY: `place` is below the number of entries, with which the mapping begins, aligned to a
        // page; the kernel does not look at an entry past the tail it was told, so none but us has
        // this one, and `self` is exclusively borrowed. Anonymous memory is zeros, a value of this type.
        let mut entry = unsafe { self.base.cast::<BufRingEntry>().add(place) };
        // SAFETY: as above.
        let entry = unsafe { entry.as_mut() };
        entry.set_addr(at);
        entry.set_len(u32::try_from(self.octets_each).unwrap_or(0));
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Tells the kernel of all offers.
    pub(super) fn publish(&self) {
        // SAFETY: the first entry lies at the base of the mapping, as zeros or as we wrote it.
        let tail = unsafe { BufRingEntry::tail(self.base.as_ptr().cast()) };
        // SAFETY: the tail is two octets of that entry, aligned, which only we write and the kernel
        // reads, as an atomic word on both sides.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }

    /// Never gives the mapping back, for the kernel may still write to it.
    pub(super) const fn abandon(&mut self) {
        self.len = 0;
    }

    fn at(&self, buffer: u16) -> *const u8 {
        let offset = self.first + usize::from(buffer) * (self.octets_each + STRIDE_BREAK);
        debug_assert!(offset + self.octets_each <= self.len);
        self.base.as_ptr().wrapping_add(offset)
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        if self.len > 0 {
            // SAFETY: our own mapping; the owner of the kernel's ring has seen to it that no request
            // is left that could write here, or else abandoned it.
            unsafe { libc::munmap(self.base.as_ptr().cast(), self.len) };
        }
    }
}
