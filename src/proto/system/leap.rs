//! Leap seconds as far as they concern the system: votes in, leap bits out, no sample across one.
use super::System;
use super::mitigation::LeapVotes;
use truechimer_time::leap::{LeapIndicator, LeapTable};
use truechimer_time::{Now, NtpDuration};

/// Times are taken to be within 68 years of 2026-01-01.
const PIVOT_UNIX_S: i64 = 1_767_225_600;
/// A step that differs from a second by less than this may be the leap, seconds.
const LEAP_STEP_SLACK_S: f64 = 0.2;

impl System {
    /// The clock was set to what the survivors say, so it is worth asking them about leaps.
    pub(super) fn note_slew(&mut self, now: Now, votes: LeapVotes) {
        if !self.is_synchronized() {
            self.variables.leap = LeapIndicator::NoWarning;
        }
        self.leap
            .vote(unix_s(now), votes.add, votes.delete, votes.total);
        self.refresh_leap(now);
    }

    /// Takes another table, or none any more.
    pub(super) fn take_leap_table(&mut self, now: Now, table: Option<LeapTable>) {
        self.leap.set_table(table);
        self.refresh_leap(now);
    }

    /// Brings leap bits, kernel and timer up to date. A clock that was never set, or was just
    /// stepped, does not know what day it is.
    pub(super) fn refresh_leap(&mut self, now: Now) {
        if !self.is_synchronized() {
            self.leap_due = None;
            return;
        }
        let now_s = unix_s(now);
        self.leap.advance(now_s);
        while let Some(event) = self.leap.poll_event() {
            self.tell_system(event);
        }
        self.variables.leap = self.leap.indicator(now_s);
        self.leap_due = self.leap.next_change_unix_s(now_s).map(|at_s| {
            let whole_s = u64::try_from(at_s.saturating_sub(now_s)).unwrap_or(0);
            now.mono.plus(core::time::Duration::from_secs(whole_s))
        });
        let (today, tai_utc_s) = (self.leap_today(now), self.leap.tai_utc_s());
        self.discipline.announce(now, today, tai_utc_s);
    }

    /// What the kernel is to be told.
    pub(super) fn leap_today(&self, now: Now) -> LeapIndicator {
        if self.is_synchronized() {
            self.leap.kernel_indicator(unix_s(now))
        } else {
            LeapIndicator::NoWarning
        }
    }

    /// Whether stamps taken now may be from both sides of a leap.
    pub(super) fn is_near_leap(&self, now: Now) -> bool {
        self.is_synchronized() && self.leap.is_near(unix_s(now))
    }

    /// Whether a step by somebody else was the kernel making the leap.
    pub(super) fn is_leap_step(&self, now: Now, by: NtpDuration) -> bool {
        let off_s = by.to_seconds().abs() - 1.0;
        self.is_near_leap(now) && off_s.abs() < LEAP_STEP_SLACK_S
    }
}

/// Unix time of a moment within 68 years of now, which is given in NTP seconds of its era.
pub(super) fn unix_s_near(now: Now, ntp_s: u32) -> i64 {
    let apart_s = ntp_s.wrapping_sub(now.wall.seconds()).cast_signed();
    unix_s(now) + i64::from(apart_s)
}

pub(super) fn unix_s(now: Now) -> i64 {
    now.wall.to_unix(PIVOT_UNIX_S).0
}
