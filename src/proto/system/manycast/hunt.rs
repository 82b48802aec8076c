//! The search of one template: which ring is asked next, and who answered.
use crate::association::{Counts, Exchange};
use core::net::SocketAddr;
use truechimer_time::Instant;

/// Servers kept of one round: more than any client needs, and a bound for whoever forges them.
const FOUND_AT_MOST: usize = 32;

/// How well off we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// Fewer than `tos minclock` survive.
    pub(super) few: bool,
    /// There are fewer servers than `tos maxclock`.
    pub(super) room: bool,
}

/// The search for servers in a group.
#[derive(Debug)]
pub(in crate::system) struct Hunt {
    pub(super) group: SocketAddr,
    /// Hops of each ring, the nearest first; never none.
    rings: Vec<u8>,
    /// Place of the ring asked last, while a search is on.
    at: Option<usize>,
    /// The widest ring was asked since the nearest was.
    swept: bool,
    /// Rounds in a row in which the widest ring was asked, or nobody could be.
    widest: u32,
    /// The round is one of `tos beacon`: what it finds may take the place of what there is.
    beacon: bool,
    /// When the group was last asked.
    asked: Option<Instant>,
    /// When to see again whether it is to be asked.
    pub(super) due: Instant,
    /// The request of this round, which everybody may answer.
    pub(super) exchange: Exchange,
    /// Who did and is not used yet.
    found: Vec<SocketAddr>,
    pub(in crate::system) counts: Counts,
    /// The missing key was complained about.
    pub(super) key_missed: bool,
}

impl Hunt {
    pub(in crate::system) fn new(group: SocketAddr, rings: Vec<u8>, first: Instant) -> Self {
        let mut this = Self {
            group,
            rings: Vec::new(),
            at: None,
            swept: false,
            widest: 0,
            beacon: false,
            asked: None,
            due: first,
            exchange: Exchange::default(),
            found: Vec::new(),
            counts: Counts::default(),
            key_missed: false,
        };
        this.set_rings(rings);
        this
    }

    /// Takes other rings; a search that is on goes on among them.
    pub(in crate::system) fn set_rings(&mut self, rings: Vec<u8>) {
        if self.rings != rings {
            self.swept = false;
            self.widest = 0;
        }
        self.rings = if rings.is_empty() { vec![1] } else { rings };
        self.at = self.at.map(|at| at.min(self.rings.len() - 1));
    }

    /// Asks as soon as may be.
    pub(in crate::system) const fn hurry(&mut self, now: Instant) {
        self.due = now;
    }

    pub(in crate::system) const fn group(&self) -> SocketAddr {
        self.group
    }

    /// Who answered in this round.
    pub(in crate::system) fn found(&self) -> &[SocketAddr] {
        &self.found
    }

    pub(in crate::system) const fn is_beacon(&self) -> bool {
        self.beacon
    }

    /// Whether all was tried: the widest ring was asked, and its answers waited for.
    pub(in crate::system) const fn is_exhausted(&self) -> bool {
        self.widest > 1
    }

    /// Whether as many answered this round as are kept.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= FOUND_AT_MOST
    }

    /// Keeps who answered, once.
    pub(super) fn keep(&mut self, server: SocketAddr) {
        if !self.is_full() && !self.found.contains(&server) {
            self.found.push(server);
        }
    }

    /// The hops of the ring to ask now, if there is a need: rings widen with each round until there
    /// are enough servers or no wider one; then nobody is bothered until `tos beacon` has passed, or
    /// too few survive. Every search begins near by.
    pub(super) fn next_ring(&self, now: Instant, need: Need, beacon_s: f64) -> Option<Plan> {
        let last = self.rings.len() - 1;
        let overdue = self
            .asked
            .is_some_and(|asked| now.seconds_since(asked) >= beacon_s);
        let (at, beacon) = if need.few || need.room && !self.swept {
            (self.at.map_or(0, |at| (at + 1).min(last)), false)
        } else if overdue {
            (0, true)
        } else {
            return None;
        };
        let hops = self.rings.get(at).copied().unwrap_or(1);
        Some(Plan { at, hops, beacon })
    }

    /// A round was begun.
    pub(super) fn begin(&mut self, now: Instant, plan: Plan) {
        let last = self.rings.len() - 1;
        let begins = self.at.is_none() || plan.beacon;
        self.swept = plan.at == last || self.swept && !begins;
        self.widest = if plan.at == last { self.widest + 1 } else { 0 };
        self.at = Some(plan.at);
        self.beacon = plan.beacon;
        self.asked = Some(now);
        self.found.clear();
        self.counts.sent = self.counts.sent.saturating_add(1);
    }

    /// There was no way to ask: no link, or no key.
    pub(super) const fn note_futile(&mut self) {
        self.widest = self.widest.saturating_add(1);
    }

    /// There is no need.
    pub(super) const fn rest(&mut self, need: Need) {
        self.at = None;
        self.beacon = false;
        self.swept &= need.room;
        self.widest = self.widest.saturating_add(self.swept as u32);
    }
}

/// A round that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    at: usize,
    pub(super) hops: u8,
    beacon: bool,
}

/// The rings of a template: those that are configured, as far as its line lets them go.
pub(in crate::system) fn rings(configured: &[u8], hops: u8) -> Vec<u8> {
    let mut rings: Vec<u8> = configured.iter().map(|ring| (*ring).min(hops)).collect();
    rings.dedup();
    rings
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARVED: Need = Need {
        few: true,
        room: true,
    };
    const SERVED: Need = Need {
        few: false,
        room: true,
    };
    const FULL: Need = Need {
        few: false,
        room: false,
    };
    const BEACON_S: f64 = 3600.0;

    fn at(second: f64) -> Instant {
        Instant::default().plus_seconds(second)
    }

    fn hunt() -> Hunt {
        Hunt::new(([239, 1, 1, 1], 123).into(), vec![1, 4, 32], at(0.0))
    }

    /// One look at this second; the hops asked, if any.
    fn look(hunt: &mut Hunt, second: f64, need: Need) -> Option<u8> {
        let plan = hunt.next_ring(at(second), need, BEACON_S);
        match plan {
            Some(plan) => hunt.begin(at(second), plan),
            None => hunt.rest(need),
        }
        plan.map(|plan| plan.hops)
    }

    #[test]
    fn rings_widen_and_stay_wide_while_too_few_are_found() {
        let mut hunt = hunt();
        let asked: Vec<_> = (0..5_u8)
            .map(|round| look(&mut hunt, 64.0 * f64::from(round), STARVED))
            .collect();
        assert_eq!(asked, [1, 4, 32, 32, 32].map(Some));
        assert!(hunt.is_exhausted());
    }

    #[test]
    fn enough_ends_the_search_and_want_begins_it_near_by() {
        let mut hunt = hunt();
        assert_eq!(look(&mut hunt, 0.0, STARVED), Some(1));
        assert_eq!(look(&mut hunt, 64.0, STARVED), Some(4));
        assert_eq!(look(&mut hunt, 128.0, FULL), None);
        assert_eq!(look(&mut hunt, 192.0, FULL), None);
        assert_eq!(look(&mut hunt, 256.0, SERVED), Some(1), "one is gone");
        assert_eq!(look(&mut hunt, 320.0, STARVED), Some(4));
    }

    #[test]
    fn all_rings_asked_in_vain_is_enough_if_enough_survive() {
        let mut hunt = hunt();
        for (second, hops) in [(0.0, 1), (64.0, 4), (128.0, 32)] {
            assert_eq!(look(&mut hunt, second, SERVED), Some(hops));
        }
        assert_eq!(look(&mut hunt, 192.0, SERVED), None);
        assert_eq!(look(&mut hunt, 3000.0, SERVED), None);
        assert_eq!(look(&mut hunt, 3064.0, STARVED), Some(1));
    }

    #[test]
    fn the_beacon_asks_near_by_whatever_there_is() {
        let mut hunt = hunt();
        assert_eq!(look(&mut hunt, 0.0, STARVED), Some(1));
        assert_eq!(look(&mut hunt, 64.0, FULL), None);
        assert!(!hunt.is_beacon());
        assert_eq!(look(&mut hunt, 3600.0, FULL), Some(1));
        assert!(hunt.is_beacon());
        assert_eq!(look(&mut hunt, 3664.0, FULL), None);
        assert!(!hunt.is_beacon());
        assert_eq!(look(&mut hunt, 7200.0, FULL), Some(1));
        // With room left the search goes on from there.
        assert_eq!(look(&mut hunt, 7264.0, SERVED), Some(4));
        assert_eq!(look(&mut hunt, 7328.0, SERVED), Some(32));
        assert_eq!(look(&mut hunt, 7392.0, SERVED), None);
    }

    #[test]
    fn one_ring_is_a_search() {
        let group = ([239, 1, 1, 1], 123).into();
        let mut hunt = Hunt::new(group, rings(&[1, 32, 64], 1), at(0.0));
        assert_eq!(look(&mut hunt, 0.0, SERVED), Some(1));
        assert_eq!(look(&mut hunt, 64.0, SERVED), None);
        assert_eq!(look(&mut hunt, 128.0, STARVED), Some(1));
    }

    #[test]
    fn the_line_bounds_the_rings() {
        assert_eq!(rings(&[1, 32, 64, 96], 48), [1, 32, 48]);
        assert_eq!(rings(&[1, 32], 255), [1, 32]);
        let none = Hunt::new(([239, 1, 1, 1], 123).into(), rings(&[], 9), at(0.0));
        assert_eq!(none.rings, [1]);
    }

    #[test]
    fn answers_kept_are_bounded_and_forgotten_with_the_next_round() {
        let mut hunt = hunt();
        look(&mut hunt, 0.0, STARVED);
        for last in 0..=255 {
            hunt.keep(([192, 0, 2, last], 123).into());
            hunt.keep(([192, 0, 2, last], 123).into());
        }
        assert!(hunt.is_full());
        assert_eq!(hunt.found().len(), FOUND_AT_MOST);
        look(&mut hunt, 64.0, STARVED);
        assert!(hunt.found().is_empty());
    }
}
