//! The poll process (RFC 5905 §13): when to ask next, and whether anybody answers.
//!
//! A server's poll exponent is not heeded, though the reference takes the lesser of the two: our
//! requests carry none, so its reply would only show the default it puts there. A symmetric peer's
//! is, for both sides must poll alike to hear each other.
mod hasten;

use crate::trace::Polling;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use truechimer_time::Instant;

/// BCOUNT: requests in a burst (RFC 5905 §13).
const BURST: u8 = 8;
/// Polls for which a burst stays armed while nobody answers.
const RETRIES: u8 = 3;
/// UNREACH: polls of an unreachable source after which the interval grows (RFC 5905 §13).
pub(crate) const UNREACHABLE_POLLS: u32 = 10;
/// Least time between two requests, seconds.
const GUARD_S: f64 = 2.0;
/// Intervals of headway a burst may use up before it is held back.
const HEADWAY_INTERVALS: f64 = 7.0;
/// With `-q`, how long the last answer of a burst is waited for, seconds.
const LAST_ANSWER_S: f64 = 4.0;
/// A RATE kiss cannot push us past this exponent, else it would be a way to silence us.
const RATE_POLL_MAX: i8 = 10;
/// Good answers after which we dare to ask twice as often again, down to what is configured.
const RATE_FORGIVEN_AFTER: u8 = 16;
/// Polls for which a peer's word about its own counts: as many as the reach register has bits.
const HEEDED_POLLS: u8 = 8;

/// Limits and habits from the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habits {
    pub(crate) minpoll: i8,
    pub(crate) maxpoll: i8,
    pub(crate) iburst: bool,
    pub(crate) burst: bool,
    /// `-q`: one burst, and what that brings is all there will be.
    pub(crate) once: bool,
}

/// What a poll turn brought to light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// A new poll, not one more request of a burst.
    pub(crate) fresh: bool,
    /// Nobody answered the last eight polls: the filter is to be told.
    pub(crate) silent: bool,
    /// Just became so.
    pub(crate) lost: bool,
    /// The poll before went unanswered: the first ever, or the first in a row.
    pub(crate) missed: bool,
}

/// When the next request is due, and the reachability of one source.
#[derive(Clone, Debug)]
pub(crate) struct PollProcess {
    habits: Habits,
    /// As they were before a RATE kiss.
    configured: Habits,
    /// Good answers since a RATE kiss, or since its effect was last lessened.
    good: u8,
    host_poll: i8,
    /// A symmetric peer's exponent, and for how many polls it counts without another word of it.
    peer_poll: Option<(i8, u8)>,
    next: Option<Instant>,
    last: Instant,
    burst: u8,
    retry: u8,
    reach: u8,
    unanswered: u32,
    /// Polls since reach was lost.
    silent: u32,
    /// Polls since the start, and whether a burst was begun.
    polls: u32,
    burst_begun: bool,
    /// Leaky bucket of requests, in seconds of polling used up.
    headway_s: f64,
    headway_at: Instant,
}

impl PollProcess {
    /// First request at `next`.
    pub(crate) const fn new(habits: Habits, now: Instant, next: Instant) -> Self {
        Self {
            habits,
            configured: habits,
            good: 0,
            host_poll: habits.minpoll,
            peer_poll: None,
            next: Some(next),
            last: now,
            burst: 0,
            retry: 0,
            reach: 0,
            unanswered: 0,
            silent: 0,
            polls: 0,
            burst_begun: false,
            headway_s: 0.0,
            headway_at: now,
        }
    }

    /// Begins anew after a step; a server's wish for fewer requests and the headway stay.
    pub(crate) fn restart(&mut self, now: Instant, rng: &mut ChaCha20Rng) {
        let spread_s = f64::from(self.habits.minpoll.max(1)) * fraction(rng);
        let next = self.next.map(|_| now.plus_seconds(spread_s));
        *self = Self {
            next,
            headway_s: self.headway_s,
            headway_at: self.headway_at,
            configured: self.configured,
            ..Self::new(self.habits, now, now)
        };
    }

    /// Takes a turn that has come due: shifts the reach register, arms bursts.
    /// `system_poll` is the time constant of the discipline, `fit` whether the source may be used.
    pub(crate) fn turn(&mut self, now: Instant, system_poll: i8, fit: bool) -> Turn {
        let mut turn = Turn::default();
        if self.burst > 0 {
            self.burst -= 1;
        } else {
            let before = self.reach;
            turn.fresh = true;
            self.polls = self.polls.saturating_add(1);
            self.last = now;
            self.reach <<= 1;
            self.peer_poll = self
                .peer_poll
                .map(|(poll, left)| (poll, left.saturating_sub(1)));
            self.unanswered = self.unanswered.saturating_add(1);
            turn.silent = self.reach == 0;
            turn.lost = turn.silent && before != 0;
            turn.missed = before & 0b11 == 0b10 || (before == 0 && self.unanswered == 2);
            if turn.silent {
                self.arm(self.habits.iburst);
                self.silent = self.silent.saturating_add(1);
                if self.silent >= UNREACHABLE_POLLS {
                    self.set_host_poll(self.host_poll.saturating_add(1));
                }
            } else {
                self.silent = 0;
                self.arm(self.habits.burst && fit);
                self.set_host_poll(system_poll);
            }
        }
        self.retry = self.retry.saturating_sub(1);
        turn
    }

    const fn arm(&mut self, wanted: bool) {
        if wanted && self.retry == 0 {
            self.retry = RETRIES;
        }
    }

    /// An interval of a source that speaks by itself is over; whether it spoke, `reached` tells.
    pub(crate) const fn shift(&mut self) -> Turn {
        let before = self.reach;
        self.reach <<= 1;
        self.unanswered = self.unanswered.saturating_add(1);
        Turn {
            fresh: true,
            silent: self.reach == 0,
            lost: self.reach == 0 && before != 0,
            missed: before & 1 == 1,
        }
    }

    /// The source speaks at these intervals.
    pub(crate) const fn follow(&mut self, poll: i8) {
        self.habits.minpoll = poll;
        self.habits.maxpoll = poll;
        self.configured = self.habits;
        self.host_poll = poll;
    }

    /// Counts a request that went out against the headway.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.leak(now);
        self.headway_s += (self.minimum_s() - GUARD_S).max(0.0);
    }

    /// An answer came, good or not: if a burst is armed, begin it.
    pub(crate) fn answered(&mut self, now: Instant) {
        if self.retry == 0 {
            return;
        }
        self.retry = 0;
        let longer = u32::from(self.host_poll.abs_diff(self.habits.minpoll)).min(3);
        let requests = if self.reach == 0 { BURST } else { 1 << longer };
        self.burst = requests - 1;
        self.burst_begun = true;
        if self.burst > 0 && self.next.is_some() {
            self.next = Some(now);
        }
    }

    /// An answer came that measures nothing, to a request that a measurement needs. If `prolongs`, a
    /// burst is to have one more, and nobody is called silent for it.
    pub(crate) fn answered_step(&mut self, now: Instant, prolongs: bool) {
        let bursts = self.burst > 0;
        self.answered(now);
        if prolongs {
            self.burst += u8::from(bursts);
            self.unanswered = 0;
            self.silent = 0;
        }
    }

    /// A good answer came.
    pub(crate) fn reached(&mut self) {
        self.reach |= 1;
        self.unanswered = 0;
        if self.habits.minpoll > self.configured.minpoll {
            self.good += 1;
            if self.good >= RATE_FORGIVEN_AFTER {
                self.forgive();
            }
        }
    }

    fn forgive(&mut self) {
        self.good = 0;
        self.habits.minpoll -= 1;
        self.habits.maxpoll = self.configured.maxpoll.max(self.habits.minpoll);
        if self.habits.minpoll <= self.configured.minpoll {
            self.habits = self.configured;
        }
    }

    /// Another server: what the one before could not bear does not concern it.
    pub(crate) const fn forget_rate(&mut self) {
        self.habits = self.configured;
        self.host_poll = self.configured.minpoll;
        self.peer_poll = None;
        self.good = 0;
        self.headway_s = 0.0;
    }

    /// Puts the next request at its place for the poll exponent wanted (the reference's
    /// `poll_update`). Randomised upwards by up to 6 %, so that clients do not fall into step.
    pub(crate) fn reschedule(&mut self, now: Instant, wanted: i8, rng: &mut ChaCha20Rng) {
        self.set_host_poll(wanted);
        let Some(next) = self.next else { return };
        self.leak(now);
        let guard_s = GUARD_S.min(self.minimum_s());
        let debt_s = self.headway_s - HEADWAY_INTERVALS * self.minimum_s();
        let earliest = now.plus_seconds(debt_s.max(guard_s));
        if self.burst > 0 {
            if next <= now {
                self.next = Some(earliest);
            }
            return;
        }
        if self.is_spent() && self.burst_begun {
            // Nothing is to come but the answer to the last request.
            self.next = Some(now.plus_seconds(LAST_ANSWER_S));
            return;
        }
        let poll = if self.retry > 0 {
            self.habits.minpoll
        } else {
            self.common_poll()
        };
        let interval_s = f64::from(poll).exp2() * (1.0 + fraction(rng) / 16.0);
        let regular = self.last.plus_seconds(interval_s);
        let mut at = regular.max(earliest);
        if self.headway_s > self.minimum_s() {
            at = at.plus_seconds(guard_s);
        }
        self.next = Some(at);
    }

    /// Learns how often a symmetric peer polls.
    pub(crate) const fn heed(&mut self, peer_poll: i8) {
        self.peer_poll = Some((peer_poll, HEEDED_POLLS));
    }

    /// The lesser of both sides' exponents, within our limits, while the peer is heard. Not only while it
    /// is reachable: by Autokey a peer is not before it knows the time, which it may have to learn of us.
    fn common_poll(&self) -> i8 {
        let heard = self.peer_poll.filter(|(_, left)| *left > 0);
        let peer_poll = heard.map_or(self.host_poll, |(poll, _)| poll);
        self.host_poll.min(peer_poll).max(self.habits.minpoll)
    }

    /// Obeys a RATE kiss: asks at most half as often, or as seldom as the server says, from now on.
    /// Returns the new exponent.
    pub(crate) fn slow_down(&mut self, now: Instant, server_poll: i8) -> i8 {
        let wanted = server_poll.max(self.host_poll.saturating_add(1));
        let slower = wanted.min(RATE_POLL_MAX).max(self.host_poll);
        self.good = 0;
        self.habits.minpoll = self.habits.minpoll.max(slower);
        self.habits.maxpoll = self.habits.maxpoll.max(slower);
        self.habits.iburst = false;
        self.habits.burst = false;
        self.burst = 0;
        self.retry = 0;
        self.set_host_poll(slower);
        self.headway_s = (HEADWAY_INTERVALS + 2.0) * self.minimum_s();
        self.headway_at = now;
        slower
    }

    /// One burst, and what it brings is all there will be (`-q`).
    pub(crate) const fn ask_once(&mut self) {
        self.habits.iburst = true;
        self.habits.once = true;
    }

    /// Whether all was tried that `-q` tries: a burst, or as many polls as could have begun one.
    pub(crate) fn is_spent(&self) -> bool {
        let tried = self.burst_begun || self.polls >= u32::from(RETRIES);
        self.habits.once && self.burst == 0 && tried
    }

    /// Asks no more.
    pub(crate) const fn stop(&mut self) {
        self.next = None;
        self.burst = 0;
        self.retry = 0;
    }

    /// Asks next at this moment, even if it was to ask no more.
    pub(crate) const fn resume(&mut self, at: Instant) {
        self.next = Some(at);
    }

    fn set_host_poll(&mut self, wanted: i8) {
        self.host_poll = wanted.clamp(self.habits.minpoll, self.habits.maxpoll);
    }

    fn leak(&mut self, now: Instant) {
        let leaked_s = now.seconds_since(self.headway_at);
        self.headway_s = (self.headway_s - leaked_s).max(0.0);
        self.headway_at = now;
    }

    fn minimum_s(&self) -> f64 {
        f64::from(self.habits.minpoll).exp2()
    }

    /// For traces.
    pub(crate) fn view(&self, now: Instant) -> Polling {
        let headway_s = (self.headway_s - now.seconds_since(self.headway_at)).max(0.0);
        let debt_s = headway_s - HEADWAY_INTERVALS * self.minimum_s();
        Polling {
            poll: self.host_poll,
            burst: self.burst,
            retry: self.retry,
            headway_s,
            early_s: debt_s.max(GUARD_S.min(self.minimum_s())),
            next_s: self.next.map(|next| next.seconds_since(now)),
        }
    }

    pub(crate) const fn next(&self) -> Option<Instant> {
        self.next
    }

    pub(crate) const fn host_poll(&self) -> i8 {
        self.host_poll
    }

    pub(crate) const fn habits(&self) -> Habits {
        self.habits
    }

    /// What is in the bucket of requests now, seconds of polling.
    pub(crate) fn headway_s(&self, now: Instant) -> f64 {
        (self.headway_s - now.seconds_since(self.headway_at)).max(0.0)
    }

    pub(crate) const fn reach(&self) -> u8 {
        self.reach
    }

    pub(crate) const fn unanswered(&self) -> u32 {
        self.unanswered
    }

    pub(crate) const fn bursting(&self) -> bool {
        self.burst > 0
    }
}

/// Uniform in 0..1.
fn fraction(rng: &mut ChaCha20Rng) -> f64 {
    f64::from(rng.next_u32()) / 4_294_967_296.0
}

#[cfg(test)]
mod tests;
