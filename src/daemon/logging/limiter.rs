//! Lines that strangers can cause are counted, not written, once there are many.
//!
//! Without this, one host sending bad packets fills the disk or hides what matters.
use std::collections::HashMap;
use truechimer_time::Instant;

/// Kinds of line kept apart; further ones share the fate of the last slot.
const KEYS_AT_MOST: usize = 256;
/// Lines of one kind before it falls silent.
const BURST: u32 = 4;
/// How long a kind stays silent, seconds.
const SILENCE_S: f64 = 300.0;
/// Lines of all kinds together in one silence; new addresses must not be a way around.
const ALL_KINDS: u32 = 60;

/// Whether a line may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes; `suppressed` like it were not since the last one.
    Say {
        /// Lines of this kind that were counted instead of written.
        suppressed: u32,
    },
    /// No; it was counted.
    Hold,
}

#[derive(Debug)]
struct Slot {
    began: Instant,
    said: u32,
    held: u32,
}

/// Counts lines by kind; bounded.
#[derive(Debug)]
pub struct Limiter {
    slots: HashMap<String, Slot>,
    all: Slot,
}

impl Limiter {
    /// Nothing said yet.
    pub fn new(now: Instant) -> Self {
        Self {
            slots: HashMap::new(),
            all: Slot::new(now),
        }
    }

    /// Asks for a line of this kind.
    pub fn admit(&mut self, now: Instant, kind: &str) -> Admission {
        if now.seconds_since(self.all.began) >= SILENCE_S {
            self.all = Slot::new(now);
        }
        if self.slots.len() >= KEYS_AT_MOST && !self.slots.contains_key(kind) {
            self.all.held = self.all.held.saturating_add(1);
            return Admission::Hold;
        }
        let slot = self
            .slots
            .entry(kind.to_owned())
            .or_insert_with(|| Slot::new(now));
        let mut suppressed = 0;
        if now.seconds_since(slot.began) >= SILENCE_S {
            suppressed = slot.held;
            *slot = Slot::new(now);
        }
        if slot.said >= BURST || self.all.said >= ALL_KINDS {
            slot.held = slot.held.saturating_add(1);
            return Admission::Hold;
        }
        slot.said += 1;
        self.all.said += 1;
        Admission::Say { suppressed }
    }

    /// Kinds whose silence is over and that nobody asked for since, with how many lines were
    /// held: to be said now, or they never would be. Forgets them.
    pub fn take_due(&mut self, now: Instant) -> Vec<(String, u32)> {
        let mut due = Vec::new();
        self.slots.retain(|kind, slot| {
            let over = now.seconds_since(slot.began) >= SILENCE_S;
            if over && slot.held > 0 {
                due.push((kind.clone(), slot.held));
            }
            !over
        });
        if now.seconds_since(self.all.began) >= SILENCE_S && self.all.held > 0 {
            due.push(("other datagrams".to_owned(), self.all.held));
            self.all = Slot::new(now);
        }
        due
    }
}

impl Slot {
    const fn new(began: Instant) -> Self {
        Self {
            began,
            said: 0,
            held: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanoseconds(seconds * 1_000_000_000)
    }

    #[test]
    fn a_burst_then_silence_then_a_count() {
        let mut limiter = Limiter::new(at(0));
        for _ in 0..BURST {
            let said = limiter.admit(at(1), "a");
            assert_eq!(said, Admission::Say { suppressed: 0 });
        }
        for _ in 0..7 {
            assert_eq!(limiter.admit(at(2), "a"), Admission::Hold);
        }
        assert!(matches!(limiter.admit(at(3), "b"), Admission::Say { .. }));
        let said = limiter.admit(at(400), "a");
        assert_eq!(said, Admission::Say { suppressed: 7 });
    }

    #[test]
    fn what_was_held_is_said_even_if_it_never_comes_again() {
        let mut limiter = Limiter::new(at(0));
        for _ in 0..10 {
            limiter.admit(at(0), "a");
        }
        assert_eq!(limiter.take_due(at(10)), []);
        assert_eq!(limiter.take_due(at(301)), [("a".to_owned(), 10 - BURST)]);
        assert_eq!(limiter.take_due(at(302)), []);
    }

    #[test]
    fn many_kinds_are_bounded_in_lines_and_in_memory() {
        let mut limiter = Limiter::new(at(0));
        let mut said = 0;
        for kind in 0..10_000 {
            if limiter.admit(at(1), &kind.to_string()) != Admission::Hold {
                said += 1;
            }
        }
        assert_eq!(said, ALL_KINDS);
        assert_eq!(limiter.slots.len(), KEYS_AT_MOST);
        let held: u32 = limiter.take_due(at(400)).iter().map(|due| due.1).sum();
        assert_eq!(held, 10_000 - ALL_KINDS);
        assert!(limiter.slots.is_empty());
    }
}
