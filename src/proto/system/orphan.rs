//! Orphan mode (`tos orphan N`): hosts of an island without a source agree on one of them.
//!
//! Who has had no source for `tos orphanwait` serves its own clock at stratum N: an orphan parent. Of
//! the parents it hears a host follows the one with the least metric, and is one itself only while
//! its own metric is less than theirs, so that in the end all follow one. The metric is the reference
//! identifier of an address, as in the reference, so that islands may be mixed. What has a stratum
//! above N may get its time from a parent and is nobody's source, or time would go in circles.
use super::System;
use super::candidate::{Candidate, OwnAddress};
use super::variables::Variables;
use crate::event::SystemEvent;
use crate::packet::AssociationId;
use core::net::IpAddr;
use core::time::Duration;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now};
use truechimer_wire::ReferenceId;

/// How often a parent says that its clock is as good as ever: what it claims ages, and nobody may
/// lose it for that.
const RENEW_EVERY: Duration = Duration::from_secs(16);

/// What a source is to a host that may be an orphan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinship {
    /// No orphan has to do with it, as far as its stratum tells.
    Source,
    /// It may be an orphan parent.
    Parent,
    /// It may follow one.
    Descendant,
}

/// How a source of this stratum relates to orphans of that stratum, if there are any.
pub(super) fn kinship(stratum: u8, orphan: Option<u8>) -> Kinship {
    match orphan {
        Some(orphan) if stratum == orphan => Kinship::Parent,
        Some(orphan) if stratum > orphan => Kinship::Descendant,
        _ => Kinship::Source,
    }
}

impl System {
    /// The parent to follow: the least metric of those below our own.
    pub(super) fn best_parent(&mut self, parents: Vec<Candidate>) -> Option<Candidate> {
        let mut best: Option<(u32, Candidate)> = None;
        for candidate in parents {
            let Some((theirs, ours)) = self.metrics(candidate.id) else {
                continue;
            };
            if theirs < ours && best.is_none_or(|(least, _)| theirs < least) {
                best = Some((theirs, candidate));
            }
        }
        best.map(|(_, candidate)| candidate)
    }

    /// Metrics of an association's other side and of ours; a reference clock has none.
    fn metrics(&mut self, id: AssociationId) -> Option<(u32, u32)> {
        let association = self.associations.get(&id)?;
        if association.refclock_id().is_some() {
            return None;
        }
        let (remote, local) = (association.remote?.ip(), association.local);
        let ours = match local {
            Some(local) => metric(self.reference_id_of(local)),
            None => least_own_metric(&self.own, remote),
        };
        Some((metric(self.reference_id_of(remote)), ours))
    }

    /// When an orphan wants its turn.
    pub(super) fn orphan_due(&self) -> Option<Instant> {
        if !self.may_be_orphan() {
            return None;
        }
        let from = self.leaderless.plus_seconds(self.config.tos.orphan_wait_s);
        Some(if self.variables.orphan {
            self.variables.updated.plus(RENEW_EVERY)
        } else {
            from
        })
    }

    fn may_be_orphan(&self) -> bool {
        let enabled = self.config.tos.orphan.is_some() && !self.config.steering.one_shot;
        enabled && self.variables.peer.is_none() && !self.ended
    }

    /// Becomes an orphan parent if it is time for that, and stays one; ends it where the
    /// configuration does not want it any more.
    pub(super) fn run_orphan(&mut self, now: Now) {
        let Some(stratum) = self.config.tos.orphan else {
            if self.variables.orphan {
                self.variables = Variables {
                    epoch: self.variables.epoch,
                    step_epoch: self.variables.step_epoch,
                    ..Variables::new(now.mono, self.variables.precision)
                };
                self.refresh_leap(now);
            }
            return;
        };
        let due = self.orphan_due().is_some_and(|due| due <= now.mono);
        let moved = self.variables.orphan && self.variables.stratum != stratum;
        if !due && !moved {
            return;
        }
        let begins = !self.variables.orphan;
        let it = &mut self.variables;
        it.orphan = true;
        it.stratum = stratum;
        it.reference_id = if stratum > 1 {
            ReferenceId::from_octets([127, 0, 0, 1])
        } else {
            ReferenceId::from_letters("LOOP")
        };
        it.offset_s = 0.0;
        it.root_delay_s = 0.0;
        it.root_dispersion_s = 0.0;
        it.updated = now.mono;
        it.reference_time = now.wall;
        if it.leap == LeapIndicator::NotSynchronized {
            it.leap = LeapIndicator::NoWarning;
            self.refresh_leap(now);
        }
        if begins {
            self.tell_system(SystemEvent::OrphanParent(stratum));
        }
    }
}

/// What orphans are ordered by: the number that an IPv4 address is, or the one made of an IPv6
/// address.
const fn metric(id: ReferenceId) -> u32 {
    u32::from_be_bytes(id.octets())
}

/// Ours where it is not known by which address that host knows us: the least that it may be, so that
/// two hosts in doubt do not follow each other.
fn least_own_metric(own: &[OwnAddress], remote: IpAddr) -> u32 {
    let likely = own.iter().filter(|it| {
        let same_family = it.address.is_ipv4() == remote.is_ipv4();
        same_family && !it.address.is_loopback()
    });
    let metrics = likely.map(|it| metric(it.reference_id));
    metrics.min().unwrap_or(u32::MAX)
}
