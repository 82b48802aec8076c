//! Counting while threads work.
use std::sync::atomic::{AtomicU64, Ordering};
use truechimer_proto::autokey::job::Done;
use truechimer_proto::autokey::pool_counts::ClassCounts;

#[derive(Default)]
pub(super) struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    most_waiting: AtomicU64,
}

impl Counts {
    pub(super) fn note(&self, outcome: &Done) {
        let count = match outcome {
            Done::Failed(_) => &self.failed,
            _ => &self.done,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn note_late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// So many wait, one of them since now.
    pub(super) fn note_waiting(&self, waiting: usize) {
        self.most_waiting
            .fetch_max(waiting as u64, Ordering::Relaxed);
    }

    pub(super) fn told(&self, waiting: usize) -> ClassCounts {
        ClassCounts {
            done: self.done.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            late: self.late.load(Ordering::Relaxed),
            waiting: waiting as u64,
            most_waiting: self.most_waiting.load(Ordering::Relaxed),
        }
    }
}
