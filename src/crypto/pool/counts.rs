//! What became of jobs.
use std::sync::atomic::{AtomicU64, Ordering};
use truechimer_proto::autokey::job::Done;

/// Of both classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Of this host's own.
    pub own: ClassCounts,
    /// Of those who asked.
    pub asked: ClassCounts,
}

/// Of one class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Done.
    pub done: u64,
    /// Tried in vain: mostly that what was sent to us is not right.
    pub failed: u64,
    /// Turned away because the queue was full.
    pub refused: u64,
    /// In the queue now.
    pub waiting: usize,
}

#[derive(Default)]
pub(super) struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

impl Counts {
    pub(super) fn note(&self, outcome: &Done) {
        let count = match outcome {
            Done::Failed(_) => &self.failed,
            _ => &self.done,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn told(&self, waiting: usize) -> ClassCounts {
        ClassCounts {
            done: self.done.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            waiting,
        }
    }
}
