//! What several tests of the system process need.
use super::candidate::Candidate;
use crate::packet::AssociationId;
use truechimer_time::leap::LeapIndicator;

/// A stratum 2 server with 0.1 ms of jitter.
pub(super) fn candidate(id: u16, offset_s: f64, distance_s: f64) -> Candidate {
    Candidate {
        id: AssociationId(id),
        offset_s,
        age_s: 0.0,
        distance_s,
        jitter_s: 1e-4,
        stratum: 2,
        leap: LeapIndicator::NoWarning,
        prefer: false,
        always_true: false,
        refclock: false,
    }
}
