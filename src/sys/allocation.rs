//! A global allocator that counts, for tests that promise not to allocate.
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

static BY_PROCESS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system allocator, counting each thread's and all threads' allocations.
#[derive(Debug)]
pub struct CountingAllocator;

/// Allocations and reallocations this thread has made so far.
pub fn made_by_this_thread() -> u64 {
    ALLOCATIONS.try_with(Cell::get).unwrap_or_default()
}

/// Allocations and reallocations all threads have made so far.
pub fn made_by_process() -> u64 {
    BY_PROCESS.load(Ordering::Relaxed)
}

fn count() {
    BY_PROCESS.fetch_add(1, Ordering::Relaxed);
    // A thread that is ending has no counter any more; it is not measured either.
    let _ = ALLOCATIONS.try_with(|made| made.set(made.get() + 1));
}

// SAFETY: every call goes unchanged to the system allocator, which upholds the contract; counting
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise about `layout` is passed on; the memory is the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller got `memory` from `alloc` or `realloc` above, so from `System`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as for `dealloc`; the old memory is the caller's until this returns.
        unsafe { System.realloc(memory, layout, new_size) }
    }
}
