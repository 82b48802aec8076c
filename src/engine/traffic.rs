//! Datagrams, counted.
use std::sync::atomic::{AtomicU64, Ordering};

/// Of one kind of the clock thread's sockets, all of them since the start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SocketTraffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) send_failed: u64,
}

/// Of one service address, counted by all threads that serve it.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
    failed: AtomicU64,
}

impl Traffic {
    pub(crate) fn note_received(&self, count: usize) {
        self.received.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn note_sent(&self, sent: usize, failed: usize) {
        self.sent.fetch_add(sent as u64, Ordering::Relaxed);
        if failed > 0 {
            self.failed.fetch_add(failed as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}
