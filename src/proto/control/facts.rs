//! What only the engine knows.
use crate::autokey::pool_counts::PoolCounts;
use crate::packet::AssociationId;
use crate::server::Counters;
use core::net::SocketAddr;

/// Asked for while a control request is answered; nothing here may wait.
pub trait Facts {
    /// What the server threads made of their datagrams, added up.
    fn served(&self) -> Counters;
    /// Datagrams and buffers.
    fn io(&self) -> IoFacts;
    /// How the server threads receive.
    fn engine(&self) -> EngineFacts;
    /// Use of the keys by the server threads.
    fn keys(&self) -> KeyFacts;
    /// What became of jobs for holders of keys.
    fn pool(&self) -> PoolCounts;
    /// The kernel's clock; `None` where it cannot be read.
    fn kernel(&self) -> Option<KernelFacts>;
    /// Service addresses, in order.
    fn interfaces(&self) -> Vec<InterfaceFacts>;
    /// Where the last request of an association left from.
    fn client_address(&self, association: AssociationId) -> Option<SocketAddr>;
}

/// Datagrams and buffers since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IoFacts {
    /// Buffers to receive into.
    pub buffers: u64,
    /// Of these, holding datagrams that wait.
    pub buffers_used: u64,
    /// Datagrams dropped because a queue was full.
    pub dropped: u64,
    /// Datagrams dropped unread, by an `interface` rule or for want of sense.
    pub ignored: u64,
    /// Datagrams received.
    pub received: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams the kernel did not take.
    pub send_failed: u64,
    /// Times a thread woke.
    pub wakeups: u64,
    /// Of these, for at least one datagram.
    pub useful_wakeups: u64,
    /// Turns of the clock thread that came too late.
    pub overruns: u64,
}

/// How server threads receive, and what befell them since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineFacts {
    /// Server threads.
    pub threads: u64,
    /// Of these, receiving through a ring.
    pub rings: u64,
    /// Why.
    pub reason: String,
    /// Times receiving through a ring began again because all buffers were in use.
    pub starved: u64,
    /// Because the queue of completions was full.
    pub cut_short: u64,
    /// Because of an error of the socket.
    pub failed: u64,
    /// Because somebody cancelled it.
    pub cancelled: u64,
}

impl EngineFacts {
    /// The engine's name: `uring`, `poll`, or both with how many threads have each.
    pub fn name(&self) -> String {
        match self.threads.saturating_sub(self.rings) {
            0 if self.rings > 0 => "uring".to_owned(),
            _ if self.rings == 0 => "poll".to_owned(),
            polls => format!("{} uring, {polls} poll", self.rings),
        }
    }
}

/// Keys and their use since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyFacts {
    /// Keys there are.
    pub keys: u64,
    /// Times a key was looked for.
    pub lookups: u64,
    /// Of these, in vain.
    pub not_found: u64,
    /// MACs made.
    pub sealed: u64,
    /// MACs checked.
    pub checked: u64,
}

impl KeyFacts {
    /// The use that somebody else makes of the same keys on top.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self {
            keys: if self.keys > other.keys {
                self.keys
            } else {
                other.keys
            },
            lookups: self.lookups + other.lookups,
            not_found: self.not_found + other.not_found,
            sealed: self.sealed + other.sealed,
            checked: self.checked + other.checked,
        }
    }

    /// What stays to be counted when the keys are replaced.
    #[must_use]
    pub const fn retired(&self) -> Self {
        Self { keys: 0, ..*self }
    }
}

/// The kernel's clock, as `adjtimex` tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KernelFacts {
    /// Offset still to be taken out, ms.
    pub offset_ms: f64,
    /// Frequency correction, ppm.
    pub freq_ppm: f64,
    /// Bound on the error, ms.
    pub max_error_ms: f64,
    /// Estimate of the error, ms.
    pub estimated_error_ms: f64,
    /// STA_* bits.
    pub status: u32,
    /// Time constant of its loop.
    pub time_constant: i64,
    /// Precision, ms.
    pub precision_ms: f64,
    /// Most it may be off in frequency, ppm.
    pub tolerance_ppm: f64,
    /// Frequency by pulses, ppm.
    pub pps_freq_ppm: f64,
    /// Its wander, ppm.
    pub pps_stability_ppm: f64,
    /// Jitter of the pulses, ms.
    pub pps_jitter_ms: f64,
    /// Calibration interval, log2 s; 0 without pulses.
    pub pps_shift: u32,
    /// Calibrations.
    pub pps_calibrations: u64,
    /// Of these, failed.
    pub pps_errors: u64,
    /// Times the jitter was too great.
    pub pps_jitter_exceeded: u64,
    /// Times the wander was too great.
    pub pps_stability_exceeded: u64,
}

/// One service address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceFacts {
    /// The address.
    pub address: SocketAddr,
    /// Its interface.
    pub name: String,
    /// Open only to drop what comes.
    pub is_dropping: bool,
    /// Datagrams received.
    pub received: u64,
    /// Datagrams sent.
    pub sent: u64,
    /// Datagrams the kernel did not take.
    pub send_failed: u64,
    /// How long it has been open, seconds.
    pub up_s: u64,
}

/// What became of control requests on the clock thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlCounts {
    /// Looked at.
    pub requests: u64,
    /// Answered without an error.
    pub answered: u64,
    /// Answered with an error.
    pub refused: u64,
    /// Private requests whose MAC, stamp or key was not right.
    pub unauthentic: u64,
    /// Not answered: no requests at all, nonces that are not ours, or over a stranger's budget.
    pub ignored: u64,
    /// Datagrams sent for all that.
    pub datagrams: u64,
}

/// Knows nothing: where there is no engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFacts;

impl Facts for NoFacts {
    fn served(&self) -> Counters {
        Counters::default()
    }

    fn io(&self) -> IoFacts {
        IoFacts::default()
    }

    fn engine(&self) -> EngineFacts {
        EngineFacts::default()
    }

    fn keys(&self) -> KeyFacts {
        KeyFacts::default()
    }

    fn pool(&self) -> PoolCounts {
        PoolCounts::default()
    }

    fn kernel(&self) -> Option<KernelFacts> {
        None
    }

    fn interfaces(&self) -> Vec<InterfaceFacts> {
        Vec::new()
    }

    fn client_address(&self, _: AssociationId) -> Option<SocketAddr> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_by_their_names() {
        let name = |threads, rings| {
            let facts = EngineFacts {
                threads,
                rings,
                ..EngineFacts::default()
            };
            facts.name()
        };
        assert_eq!(name(0, 0), "poll");
        assert_eq!(name(2, 0), "poll");
        assert_eq!(name(2, 2), "uring");
        assert_eq!(name(3, 1), "1 uring, 2 poll");
    }
}
