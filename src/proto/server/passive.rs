//! Which symmetric packets of strangers are worth the clock thread's time.
use super::RestrictFlags;
use truechimer_time::{NtpDuration, NtpTimestamp};
use truechimer_wire::Header;

/// Poll exponents of a peer as far as they are believed here.
const POLL_RANGE: (i8, i8) = (4, 12);
/// How old the stamp of ours may be that a packet echoes, in poll intervals of its sender. Less than
/// two: who is refused an association does not echo a new stamp, so that every other packet gets a
/// reply as a stranger's.
const ECHO_AGE_MAX_POLLS: f64 = 1.5;

/// Whether the rules let a sender make a passive association, once its MAC is right. `nopeer` binds
/// only those without one.
pub(crate) const fn permits_passive(flags: RestrictFlags) -> bool {
    !flags.contains(RestrictFlags::IGNORE) && !flags.contains(RestrictFlags::NOEPEER)
}

/// Whether a packet echoes a stamp that our clock showed not long ago: then whoever made its MAC had
/// just heard from us. A packet that was recorded long before does not.
pub(crate) fn is_fresh_echo(header: &Header, now: NtpTimestamp) -> bool {
    let poll = header.poll.clamp(POLL_RANGE.0, POLL_RANGE.1);
    let age = now.since(header.origin_time);
    !header.origin_time.is_zero()
        && age >= NtpDuration::ZERO
        && age.to_seconds() <= ECHO_AGE_MAX_POLLS * f64::from(poll).exp2()
}
