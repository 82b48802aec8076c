//! Orphan mode as it shows from outside: of ours and of the reference's daemon alike.
use super::mode::Mode;
use super::picture::{Picture, Source};
use serde::Serialize;

/// The part of a host on an island without a source (`tos orphan`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Orphan {
    /// It serves its own clock.
    Parent,
    /// It follows a parent.
    Child,
}

impl Picture {
    /// A parent is known by its reference identifier, here and with the reference. Who follows one
    /// follows nobody else; where others are used beside it, it is a server like them.
    pub(super) fn orphan(&self) -> Option<Orphan> {
        let system = &self.system;
        match self.leader() {
            Some(leader) => {
                let used = self.sources.iter().filter(|it| it.is_used()).count();
                (used == 1 && leader.is_orphan_parent()).then_some(Orphan::Child)
            }
            None if !system.is_synchronised => None,
            None => is_orphan_id(&system.reference_id, system.stratum).then_some(Orphan::Parent),
        }
    }

    /// Stratum of the orphan parent that leads this island, on an island.
    pub(super) fn parents_stratum(&self) -> Option<u8> {
        match self.system.orphan? {
            Orphan::Parent => self.system.stratum,
            Orphan::Child => self.leader()?.stratum,
        }
    }
}

impl Source {
    /// Whether it serves its own clock for want of a source.
    pub(super) fn is_orphan_parent(&self) -> bool {
        let asked = self.mode != Mode::ReferenceClock && self.gives_time();
        asked && is_orphan_id(&self.reference_id, self.stratum)
    }
}

/// What an orphan parent calls its reference: its loopback address, or LOOP at stratum 1.
fn is_orphan_id(reference_id: &str, stratum: Option<u8>) -> bool {
    match stratum {
        Some(1) => reference_id.trim_matches('.') == "LOOP",
        Some(2..=15) => reference_id == "127.0.0.1",
        _ => false,
    }
}
