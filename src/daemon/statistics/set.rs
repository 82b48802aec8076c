//! Which statistics there are and how each is kept.
use std::collections::BTreeMap;
use truechimer_config::settings::FilePeriod;

/// A kind of statistics that has lines to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `loopstats`: what the discipline did.
    Loop,
    /// `peerstats`: what the sources' filters put forward.
    Peer,
    /// `rawstats`: the stamps of each exchange.
    Raw,
    /// `sysstats`: what was received and answered, hourly.
    Sys,
    /// `protostats`: events.
    Proto,
    /// `cryptostats`: what Autokey did.
    Crypto,
}

impl Kind {
    /// Permissions of its files. Autokey's tell the cookies by which packets are forged.
    pub(super) const fn mode(self) -> u32 {
        match self {
            Self::Crypto => 0o640,
            Self::Loop | Self::Peer | Self::Raw | Self::Sys | Self::Proto => 0o644,
        }
    }
}

/// One `filegen`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Name after the folder.
    pub file: String,
    /// When a new file begins.
    pub period: FilePeriod,
    /// Whether the plain name is a hard link to the newest file.
    pub link: bool,
}

/// What is written and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What every name begins with, its slash included.
    pub prefix: String,
    /// The kinds that are written.
    pub sets: BTreeMap<Kind, Set>,
}

impl Plan {
    /// Whether this kind is written.
    pub fn has(&self, kind: Kind) -> bool {
        self.sets.contains_key(&kind)
    }
}
