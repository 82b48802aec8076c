//! The system variables (RFC 5905 §11.1) and what of them is published.
use crate::packet::AssociationId;
use crate::snapshot::Snapshot;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpShort, NtpTimestamp};
use truechimer_wire::ReferenceId;

/// What the system believes of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variables {
    pub(super) leap: LeapIndicator,
    pub(super) stratum: u8,
    pub(super) precision: i8,
    pub(super) root_delay_s: f64,
    /// At `updated`.
    pub(super) root_dispersion_s: f64,
    pub(super) updated: Instant,
    pub(super) reference_id: ReferenceId,
    pub(super) reference_time: NtpTimestamp,
    pub(super) step_epoch: NtpTimestamp,
    pub(super) offset_s: f64,
    pub(super) jitter_s: f64,
    /// Who leads.
    pub(super) peer: Option<AssociationId>,
    /// When the sample was taken that the clock was last set from.
    pub(super) epoch: Option<Instant>,
    pub(super) survivors: usize,
    /// Whether this is an orphan parent: it serves its own clock.
    pub(super) orphan: bool,
}

impl Variables {
    /// Never set.
    pub(super) fn new(now: Instant, precision: i8) -> Self {
        Self {
            leap: LeapIndicator::NotSynchronized,
            stratum: 16,
            precision,
            root_delay_s: 0.0,
            root_dispersion_s: 0.0,
            updated: now,
            reference_id: ReferenceId::from_letters("INIT"),
            reference_time: NtpTimestamp::ZERO,
            step_epoch: NtpTimestamp::ZERO,
            offset_s: 0.0,
            jitter_s: f64::from(precision).exp2(),
            peer: None,
            epoch: None,
            survivors: 0,
            orphan: false,
        }
    }

    /// The clock reads something else from now on: nobody may believe it until it is set again.
    /// `now` is what it reads after the step.
    pub(super) fn forget(&mut self, now: Now) {
        let fresh = Self::new(now.mono, self.precision);
        *self = Self {
            reference_id: ReferenceId::from_letters("STEP"),
            step_epoch: now.wall,
            epoch: self.epoch,
            ..fresh
        };
    }

    /// Root dispersion now, seconds.
    pub(super) fn root_dispersion_at_s(&self, now: Instant, phi_s_per_s: f64) -> f64 {
        self.root_dispersion_s + phi_s_per_s * now.seconds_since(self.updated)
    }

    /// Bound on the error of our clock now, seconds (RFC 5905 §11.1, root distance).
    pub(super) fn root_distance_at_s(&self, now: Instant, phi_s_per_s: f64) -> f64 {
        self.root_delay_s / 2.0 + self.root_dispersion_at_s(now, phi_s_per_s)
    }

    /// What server threads answer from.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            leap: self.leap,
            stratum: self.stratum,
            precision: self.precision,
            root_delay: NtpShort::from_seconds(self.root_delay_s),
            root_dispersion: NtpShort::from_seconds(self.root_dispersion_s),
            reference_id: self.reference_id,
            reference_time: self.reference_time,
            updated: self.updated,
            step_epoch: self.step_epoch,
        }
    }
}
