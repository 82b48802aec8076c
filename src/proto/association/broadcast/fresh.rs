//! Whether an authentic broadcast is a new one: replays and packets out of order or out of time
//! change nothing, not even what the next packet is judged by (CVE-2015-7973, CVE-2016-7427).
use super::{POLL_FIELD, expected_poll};
use crate::discipline::Steered;
use crate::packet::Received;
use crate::unsolicited::Unsolicited;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now, NtpDuration, NtpTimestamp};
use truechimer_wire::Header;

/// A packet may come this part of its interval early, and a second besides: paths are uneven.
const EARLY_PART: f64 = 0.125;
const EARLY_S: f64 = 1.0;
/// Strata from here on mean "unsynchronized".
const STRATUM_MAX: u8 = 16;
/// MAXDISP, seconds.
const ROOT_DISTANCE_MAX_S: f64 = 16.0;
/// A server may read its clock for the one field before, and for the other after, it was set anew.
const REFERENCE_LATE_MAX_S: f64 = 0.001;

/// A packet that was accepted, as the next one is measured by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    /// Its transmit stamp.
    pub(super) transmit: NtpTimestamp,
    /// When it came, on our clock.
    pub(super) arrived: NtpTimestamp,
    /// How that was steered then.
    pub(super) steered: Steered,
    at: Instant,
    poll: i8,
}

impl Accepted {
    pub(super) fn new(
        now: Now,
        received: &Received<'_>,
        header: &Header,
        steered: Steered,
    ) -> Self {
        Self {
            steered,
            transmit: header.transmit_time,
            arrived: received.stamp.at,
            at: now.mono,
            poll: expected_poll(header.poll),
        }
    }

    /// Whether a packet may follow this one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn check_next(&self, now: Instant, header: &Header) -> Result<(), Unsolicited> {
        let ahead = header.transmit_time.since(self.transmit);
        if ahead == NtpDuration::ZERO {
            return Err(Unsolicited::Replayed);
        }
        if ahead < NtpDuration::ZERO {
            return Err(Unsolicited::Reordered);
        }
        // The lesser of the two: a packet that claims a longer interval came by the old one.
        let interval_s = f64::from(self.poll.min(expected_poll(header.poll))).exp2();
        let least_s = interval_s * (1.0 - EARLY_PART) - EARLY_S;
        if now.seconds_since(self.at) < least_s {
            return Err(Unsolicited::TooSoon);
        }
        Ok(())
    }
}

/// A packet of a source that is not known yet, seen to be worth an association.
#[derive(Debug)]
pub(crate) struct FirstPacket(());

impl FirstPacket {
    /// # Errors
    /// What is wrong with it, or that its sender does not know the time.
    pub(crate) fn examine(header: &Header) -> Result<Self, Unsolicited> {
        check_fields(header)?;
        check_time(header)?;
        Ok(Self(()))
    }
}

/// Whether the fields make sense, whatever the sender knows.
///
/// # Errors
/// `PollField` or `Malformed`.
pub(super) fn check_fields(header: &Header) -> Result<(), Unsolicited> {
    if !POLL_FIELD.contains(&header.poll) {
        return Err(Unsolicited::PollField);
    }
    if header.transmit_time.is_zero() {
        return Err(Unsolicited::Malformed);
    }
    Ok(())
}

/// Whether the sender has time to give (the packet tests of RFC 5905 §9.2, as far as they apply).
///
/// # Errors
/// `NotSynchronized` or `Malformed`.
pub(super) fn check_time(header: &Header) -> Result<(), Unsolicited> {
    let synchronized = header.leap != LeapIndicator::NotSynchronized;
    if !synchronized || !(1..STRATUM_MAX).contains(&header.stratum) {
        return Err(Unsolicited::NotSynchronized);
    }
    let distance_s = header.root_delay.to_seconds() / 2.0 + header.root_dispersion.to_seconds();
    let since_set = header.transmit_time.since(header.reference_time);
    let set_later =
        !header.reference_time.is_zero() && since_set.to_seconds() < -REFERENCE_LATE_MAX_S;
    if distance_s >= ROOT_DISTANCE_MAX_S || set_later {
        return Err(Unsolicited::Malformed);
    }
    Ok(())
}

/// A source whose time seems to have gone back (`tos bcpollbstep`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backstep {
    last: Option<Accepted>,
    polls: u8,
}

impl Backstep {
    /// Takes a packet older than the newest accepted one. True if it is the last of as many in a row
    /// as it takes to believe that the server's clock was set back; never where the operator did
    /// not say how many: whoever recorded yesterday's packets can play them back. Then the source is
    /// lost first, and found again.
    pub(super) fn take(
        &mut self,
        now: Instant,
        packet: Accepted,
        header: &Header,
        polls: u8,
    ) -> bool {
        if polls == 0 {
            return false;
        }
        match self.last.map(|last| last.check_next(now, header)) {
            None => self.polls = 1,
            Some(Ok(())) => self.polls = self.polls.saturating_add(1),
            // Older still, or the same again: the count goes on from where it is.
            Some(Err(_)) => return false,
        }
        self.last = Some(packet);
        self.polls >= polls
    }

    /// The source goes on as before.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
