//! What an association came from, and what follows from that.
use crate::config::{AssociationConfig, RefclockConfig};
use crate::packet::AssociationId;
use truechimer_wire::Mode;

/// What an association came from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Role {
    /// A `server` line.
    Server(AssociationConfig),
    /// Spun up by a `pool` line.
    Member {
        /// Which.
        pool: AssociationId,
        /// The pool's line.
        line: AssociationConfig,
    },
    /// A reference clock.
    Refclock(RefclockConfig),
    /// A `peer` line: symmetric active.
    Peer(AssociationConfig),
    /// Made by the packet of a symmetric peer that no line names: symmetric passive.
    Passive(AssociationConfig),
    /// A `broadcast` line: it tells the time and hears nothing.
    Broadcast(AssociationConfig),
    /// Made by the packet of a broadcast server.
    BroadcastClient(AssociationConfig),
}

impl Role {
    /// The line, written or made up; a reference clock has another.
    pub(crate) const fn line(&self) -> Option<&AssociationConfig> {
        match self {
            Self::Server(line)
            | Self::Member { line, .. }
            | Self::Peer(line)
            | Self::Passive(line)
            | Self::Broadcast(line)
            | Self::BroadcastClient(line) => Some(line),
            Self::Refclock(_) => None,
        }
    }

    /// Whether the configuration has it; all others go when they are of no use.
    pub(crate) const fn is_configured(&self) -> bool {
        match self {
            Self::Server(_) | Self::Refclock(_) | Self::Peer(_) | Self::Broadcast(_) => true,
            Self::Member { .. } | Self::Passive(_) | Self::BroadcastClient(_) => false,
        }
    }

    /// Our side's mode (RFC 5905 §3).
    pub(crate) const fn mode(&self) -> Mode {
        match self {
            Self::Server(_) | Self::Member { .. } | Self::Refclock(_) => Mode::Client,
            Self::Peer(_) => Mode::SymmetricActive,
            Self::Passive(_) => Mode::SymmetricPassive,
            Self::Broadcast(_) => Mode::Broadcast,
            // The reference numbers it so, though no packet ever has this mode.
            Self::BroadcastClient(_) => Mode::Control,
        }
    }
}
