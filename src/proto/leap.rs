//! When a leap second is due, who says so, and who is to be told.
//!
//! A table that has not expired decides alone. Otherwise the sources vote with their leap bits, and
//! count only in June and December: those are the months the IERS uses, and a leap announced in any
//! other is an error or an attack. As in the reference, a leap is armed up to 28 days ahead, but
//! packets and kernel hear of it only in its last day, for many a client takes the bits to mean
//! "at the end of today". The kernel makes the leap; nothing here steps a clock.
mod calendar;
#[cfg(test)]
mod tests;

use crate::event::SystemEvent;
pub(crate) use calendar::compact;
use calendar::{DAY_S, month_end};
use std::collections::VecDeque;
use truechimer_time::leap::{LeapIndicator, LeapTable};

/// How far ahead a leap is armed, and the end of a table warned of, seconds.
const AHEAD_S: i64 = 28 * DAY_S;
/// On either side of a leap, seconds in which stamps may be from both sides of it.
const NEAR_S: i64 = 10;
/// How late a leap is still noticed as one; later, the clock must have been stepped past it.
const LATE_S: i64 = 60;
/// The kernel keeps its orders this much past the leap, seconds: withdrawn on the stroke, they may be
/// gone before the tick that was to carry them out.
const KERNEL_LINGERS_S: i64 = 2;

/// A leap second still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leap {
    /// Unix time of the midnight it comes before.
    at_unix_s: i64,
    insert: bool,
}

impl Leap {
    const fn indicator(self) -> LeapIndicator {
        if self.insert {
            LeapIndicator::AddSecond
        } else {
            LeapIndicator::DeleteSecond
        }
    }

    const fn change_s(self) -> i32 {
        if self.insert { 1 } else { -1 }
    }
}

/// What the operator was told of the table's age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
enum Warned {
    Nothing,
    Soon,
    Expired,
}

/// The leap second schedule. Times are Unix seconds of a clock that has been set.
#[derive(Debug)]
pub struct LeapSchedule {
    table: Option<LeapTable>,
    voted: Option<Leap>,
    armed: Option<Leap>,
    /// The last leap seen to happen.
    happened: Option<Leap>,
    /// What leaps the table did not know have added to TAI-UTC.
    beyond_table_s: i32,
    /// TAI-UTC as a server told it, for want of a table.
    told_s: Option<i32>,
    tai_utc_s: Option<i32>,
    warned: Warned,
    events: VecDeque<SystemEvent>,
}

impl LeapSchedule {
    /// With or without a table.
    pub const fn new(table: Option<LeapTable>) -> Self {
        Self {
            table,
            voted: None,
            armed: None,
            happened: None,
            beyond_table_s: 0,
            told_s: None,
            tai_utc_s: None,
            warned: Warned::Nothing,
            events: VecDeque::new(),
        }
    }

    /// Replaces the table. Call `advance` after it.
    pub fn set_table(&mut self, table: Option<LeapTable>) {
        if self.table != table {
            self.table = table;
            self.beyond_table_s = 0;
            self.warned = Warned::Nothing;
        }
    }

    /// Learns TAI-UTC of now from a server. A table knows better, though it be an old one: it is the
    /// operator's. No leap comes of this, for one server is no majority. Call `advance` after it.
    pub fn tell_tai(&mut self, tai_utc_s: i32) {
        if self.table.is_none() {
            self.told_s = Some(tai_utc_s);
            self.beyond_table_s = 0;
        }
    }

    /// Counts the leap bits of the survivors: how many say insert, how many delete, of how many in
    /// all. More than half must agree. Call `advance` after it.
    pub fn vote(&mut self, now_unix_s: i64, inserts: usize, deletes: usize, survivors: usize) {
        if survivors == 0 || self.is_near(now_unix_s) {
            // Nobody is there to ask, or it is too late to change one's mind.
            return;
        }
        let insert = inserts > deletes;
        let month = month_end(now_unix_s);
        let majority = inserts != deletes && inserts.max(deletes) > survivors / 2;
        self.voted = (majority && matches!(month.number, 6 | 12)).then_some(Leap {
            at_unix_s: month.end_unix_s,
            insert,
        });
    }

    /// Brings the schedule up to this moment. Call it whenever `next_change_unix_s` has come, and
    /// after each vote.
    pub fn advance(&mut self, now_unix_s: i64) {
        self.notice_leap(now_unix_s);
        let due = self.due(now_unix_s);
        if due != self.armed {
            if self.armed.is_some() {
                self.report(SystemEvent::LeapDisarmed);
            }
            if let Some(leap) = due {
                self.report(SystemEvent::LeapArmed(leap.insert));
            }
            self.armed = due;
        }
        self.warn_of_age(now_unix_s);
        let tai_utc_s = self.tai_at(now_unix_s);
        if tai_utc_s != self.tai_utc_s {
            self.tai_utc_s = tai_utc_s;
            if let Some(tai_utc_s) = tai_utc_s {
                self.report(SystemEvent::TaiOffset(tai_utc_s));
            }
        }
    }

    /// The next thing to tell the operator.
    pub fn poll_event(&mut self) -> Option<SystemEvent> {
        self.events.pop_front()
    }

    /// What packets announce: a leap in the last day before it.
    pub fn indicator(&self, now_unix_s: i64) -> LeapIndicator {
        self.armed
            .filter(|leap| (leap.at_unix_s - DAY_S..leap.at_unix_s).contains(&now_unix_s))
            .map_or(LeapIndicator::NoWarning, Leap::indicator)
    }

    /// What the kernel is told: the same, and for a moment after.
    pub fn kernel_indicator(&self, now_unix_s: i64) -> LeapIndicator {
        let told = |leap: &Leap| {
            (leap.at_unix_s - DAY_S..leap.at_unix_s + KERNEL_LINGERS_S).contains(&now_unix_s)
        };
        self.happened
            .into_iter()
            .chain(self.armed)
            .find(told)
            .map_or(LeapIndicator::NoWarning, Leap::indicator)
    }

    /// Whether a leap is so near that two stamps may be from both sides of it.
    pub fn is_near(&self, now_unix_s: i64) -> bool {
        let near = |leap: &Leap| leap.at_unix_s.abs_diff(now_unix_s) <= NEAR_S.unsigned_abs();
        self.happened.iter().chain(&self.armed).any(near)
    }

    /// Last change in the table and its end, Unix seconds, where there is a table.
    pub fn table_span_unix_s(&self) -> Option<(i64, i64)> {
        let table = self.table.as_ref()?;
        Some((table.last_change_unix_s(), table.expires_unix_s()))
    }

    /// TAI-UTC in seconds as of the last `advance`, where a table tells.
    pub const fn tai_utc_s(&self) -> Option<i32> {
        self.tai_utc_s
    }

    /// When `advance` is next needed.
    pub fn next_change_unix_s(&self, now_unix_s: i64) -> Option<i64> {
        let to_come = self
            .table
            .as_ref()
            .and_then(|table| table.next_after(now_unix_s))
            .map(|event| event.at_unix_s.saturating_sub(AHEAD_S));
        let leaps = self
            .armed
            .into_iter()
            .chain(self.happened)
            .flat_map(|leap| {
                let at = leap.at_unix_s;
                [at - DAY_S, at, at + KERNEL_LINGERS_S, at + NEAR_S + 1]
            });
        let expiry = self.table.as_ref().map(LeapTable::expires_unix_s);
        let expiries = expiry
            .into_iter()
            .flat_map(|at| [at.saturating_sub(AHEAD_S), at]);
        leaps
            .chain(expiries)
            .chain(to_come)
            .filter(|at| *at > now_unix_s)
            .min()
    }

    fn notice_leap(&mut self, now_unix_s: i64) {
        // The clock was set back before a leap that seemed over: it is still to come.
        self.happened = self
            .happened
            .filter(|leap| now_unix_s >= leap.at_unix_s - LATE_S);
        let Some(leap) = self.armed.filter(|leap| leap.at_unix_s <= now_unix_s) else {
            return;
        };
        if now_unix_s >= leap.at_unix_s + LATE_S {
            return;
        }
        self.armed = None;
        self.voted = None;
        self.happened = Some(leap);
        if !self.table_knows(leap) {
            self.beyond_table_s += leap.change_s();
        }
        self.report(SystemEvent::LeapEvent(leap.insert));
    }

    /// The leap to be armed now.
    fn due(&self, now_unix_s: i64) -> Option<Leap> {
        let after_unix_s = self
            .happened
            .map_or(now_unix_s, |leap| leap.at_unix_s.max(now_unix_s));
        let listed = self
            .table
            .as_ref()
            .and_then(|table| table.next_after(after_unix_s))
            .filter(|event| {
                event.at_unix_s.saturating_sub(now_unix_s) <= AHEAD_S && event.change_s.abs() == 1
            })
            .map(|event| Leap {
                at_unix_s: event.at_unix_s,
                insert: event.change_s > 0,
            });
        let voted = self
            .voted
            .filter(|leap| leap.at_unix_s > after_unix_s && !self.table_decides(now_unix_s));
        listed.or(voted)
    }

    fn table_decides(&self, now_unix_s: i64) -> bool {
        self.table
            .as_ref()
            .is_some_and(|table| now_unix_s < table.expires_unix_s())
    }

    fn table_knows(&self, leap: Leap) -> bool {
        let before_s = leap.at_unix_s - 1;
        self.table
            .as_ref()
            .and_then(|table| table.next_after(before_s))
            .is_some_and(|event| event.at_unix_s == leap.at_unix_s)
    }

    fn tai_at(&self, now_unix_s: i64) -> Option<i32> {
        // In an inserted second the clock reads the second before again, but the leap is made.
        let happened_unix_s = self.happened.map_or(now_unix_s, |leap| leap.at_unix_s);
        let listed_s = match &self.table {
            Some(table) => table.tai_utc_s(now_unix_s.max(happened_unix_s))?,
            None => self.told_s?,
        };
        Some(listed_s.saturating_add(self.beyond_table_s))
    }

    fn warn_of_age(&mut self, now_unix_s: i64) {
        let Some(table) = &self.table else {
            return;
        };
        let left_s = table.expires_unix_s().saturating_sub(now_unix_s);
        let stage = match left_s {
            ..=0 => Warned::Expired,
            1..=AHEAD_S => Warned::Soon,
            _ => Warned::Nothing,
        };
        if stage > self.warned {
            // From the very moment of expiry the count is negative.
            let days_left = if left_s > 0 {
                left_s / DAY_S
            } else {
                left_s / DAY_S - 1
            };
            self.report(SystemEvent::StaleLeapTable { days_left });
        }
        self.warned = stage;
    }

    /// At most four events come of one call, and they are fetched after each.
    fn report(&mut self, event: SystemEvent) {
        const EVENTS_AT_MOST: usize = 32;
        if self.events.len() < EVENTS_AT_MOST {
            self.events.push_back(event);
        }
    }
}
