//! Offsets from packets that only come: what one way says of a clock, and how well.
//!
//! A broadcast that left at T3 of the server's clock and came in at T4 of ours gives
//! `r = T3 - T4 = theta - d - e`: the offset `theta` less the least time `d` of the path and less the
//! time `e >= 0` it was held up. One packet tells neither `d` nor `e`. Three things do:
//!
//! - **A window.** All we did to our own clock is known (`Steered`), so packets of the last fourteen
//!   intervals can be compared as if they had come together; what is left between them is `e` and
//!   the wander of an oscillator over a quarter of an hour (with more of them that wander would
//!   be the greater error). What they say together is their *level*.
//!   Where packets queue, `e` has a long tail and its least values are sharp: the level is the mean
//!   of the better half. (The least alone would be sharper still for one exponential queue, with an
//!   error of 1/n, but is nothing to build on for any other.) Where `e` is the sum of many small
//!   delays, it is nearly Gaussian, its least values are as loose as its greatest, and nothing beats
//!   the mean of all. Which it is shows in where the median of the last 32 lies between the ends.
//! - **The same level on both occasions.** The level lies below `theta` by the path and by the usual
//!   hold-up of those that made it, an amount that nobody can know from one way, but that is the
//!   same each time. So it is not computed but measured: at a volley the offset is known from
//!   both ways, and what the level around that moment lacks is the *bias* that is added ever after.
//!   It counts as many packets after the volley as before it, so that a frequency that is still wrong
//!   does not pass for a bias. A group that is carried more slowly than a datagram to one host is in
//!   it too.
//! - **More than one volley.** Six exchanges leave an error of a third of the path's noise, which
//!   would stay for ever. Volleys come again, so their biases are averaged, each with the weight of
//!   its own scatter, until one contradicts the rest: then the path is another one.
//!
//! What remains unsure, of the level and of the bias, is told as dispersion of the sample.
use super::level::{Both, Level, SCATTER_LEAST_S, consistent, count, has_tail, level, mean};
use crate::clock_filter::Sample;
use crate::discipline::Steered;
use std::collections::VecDeque;

/// Packets that are remembered, and that the shape of their delays is judged by.
const REMEMBERED: usize = 32;
/// Packets in the window of a level.
const WINDOW: usize = 14;
/// Packets on each side of a volley that its bias is found from.
const BESIDE_VOLLEY: usize = 8;
/// A bias from fewer packets makes way for the next one.
const PACKETS_FOR_BIAS: usize = 8;
/// So many packets in a row that lie beyond so many times the usual scatter are another path.
const JUMP_PACKETS: usize = 3;
const JUMP_SCATTERS: f64 = 6.0;
/// Below this a path is not called another one, seconds.
const JUMP_LEAST_S: f64 = 0.000_2;
/// A volley's bias this many standard errors from the mean of those before begins anew.
const BIAS_APART: f64 = 5.0;
/// Volleys that count: with more, a slow change of the path would never show.
const VOLLEYS: f64 = 24.0;
/// What is taken for the path before it was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Assumed {
    /// One way, seconds.
    pub(crate) delay_s: f64,
    /// How wrong that may be, seconds.
    pub(crate) error_s: f64,
}

/// A difference of clocks, and how ours had been steered when it was measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Apart {
    pub(super) seconds: f64,
    pub(super) then: Steered,
}

impl Apart {
    fn as_of(&self, now: &Steered) -> f64 {
        self.seconds - now.since(&self.then)
    }
}

/// The path as volleys measured it.
#[derive(Clone, Copy, Debug)]
struct Path {
    /// What the level lacks.
    bias_s: Both,
    error_s: f64,
    /// Least round trip.
    delay_s: f64,
    volleys: f64,
    /// From too few packets to be kept.
    provisional: bool,
}

/// What a volley told.
#[derive(Debug)]
struct Measured {
    offset: Apart,
    error_s: f64,
    /// Least round trip.
    delay_s: f64,
    packets_since: usize,
}

impl Measured {
    /// `exchanges` are offsets and round trips; those that took longest are left out.
    fn new(mut exchanges: Vec<(Apart, f64)>, now: &Steered) -> Option<Self> {
        exchanges.sort_by(|a, b| a.1.total_cmp(&b.1));
        let delay_s = exchanges.first()?.1;
        exchanges.truncate(exchanges.len().div_ceil(3) * 2);
        let offsets: Vec<f64> = exchanges.iter().map(|it| it.0.as_of(now)).collect();
        let offset_s = mean(&offsets);
        let squares: f64 = offsets.iter().map(|it| (it - offset_s).powi(2)).sum();
        let several = count(offsets.len());
        // A single exchange may be wrong by all of its delay.
        let scatter_s = if offsets.len() < 2 {
            delay_s / 2.0
        } else {
            (squares / (several - 1.0)).sqrt()
        };
        Some(Self {
            offset: Apart {
                seconds: offset_s,
                then: *now,
            },
            error_s: scatter_s / several.sqrt(),
            delay_s,
            packets_since: 0,
        })
    }

    fn path(&self, now: &Steered, level: Level, provisional: bool) -> Path {
        let error_s = self.error_s.hypot(level.error_s());
        Path {
            bias_s: level.at_s.map(|at_s| self.offset.as_of(now) - at_s),
            error_s: error_s.max(SCATTER_LEAST_S),
            delay_s: self.delay_s,
            volleys: 1.0,
            provisional,
        }
    }
}

/// One-way measurements of one source.
#[derive(Debug)]
pub(crate) struct OneWay {
    assumed: Assumed,
    window: VecDeque<Apart>,
    /// Of the volley under way: offset and round trip.
    exchanges: Vec<(Apart, f64)>,
    /// The last volley, while packets after it are waited for, and how many of them.
    measured: Option<(Measured, usize)>,
    path: Option<Path>,
    /// The path is another one than was measured.
    in_doubt: bool,
}

impl OneWay {
    pub(crate) fn new(assumed: Assumed) -> Self {
        Self {
            assumed,
            window: VecDeque::new(),
            exchanges: Vec::new(),
            measured: None,
            path: None,
            in_doubt: false,
        }
    }

    /// A packet came: `apart` is its T3 - T4. True if it is the third in a row that cannot have come
    /// by the path of those before; while the discipline settles nobody can tell.
    pub(super) fn note_packet(&mut self, apart: Apart, now: Steered, settling: bool) -> bool {
        self.window.push_front(apart);
        self.window.truncate(REMEMBERED);
        self.compare(&now);
        !settling && self.has_jumped(&now)
    }

    /// An exchange of the volley under way.
    pub(super) fn note_exchange(&mut self, offset_s: f64, delay_s: f64, now: Steered) {
        let apart = Apart {
            seconds: offset_s,
            then: now,
        };
        self.exchanges.push((apart, delay_s));
    }

    /// The volley is over; true if it told something of the path. Its bias is found when as many
    /// packets have come after it as before; until then a first one is used as it stands.
    pub(crate) fn end_volley(&mut self, now: &Steered) -> bool {
        let exchanges = core::mem::take(&mut self.exchanges);
        let Some(measured) = Measured::new(exchanges, now) else {
            return false;
        };
        let before = self.window.len().min(BESIDE_VOLLEY);
        if self.path.is_none() || self.in_doubt {
            self.in_doubt = false;
            if let Some(level) = self.level(now) {
                self.path = Some(measured.path(now, level, true));
            }
        }
        self.measured = Some((measured, before));
        true
    }

    /// Finds the bias of the last volley from as many packets before it as after it: a frequency
    /// that is still wrong makes the ones too early and the others too late by the same.
    fn compare(&mut self, now: &Steered) {
        let Some((mut measured, before)) = self.measured.take() else {
            return;
        };
        measured.packets_since += 1;
        if measured.packets_since < before {
            self.measured = Some((measured, before));
            return;
        }
        let around = 2 * before;
        if let Some(level) = level(&self.values_beside(&measured.offset, around, now)) {
            let new = measured.path(now, level, around < PACKETS_FOR_BIAS);
            self.learn(new);
        }
    }

    fn learn(&mut self, new: Path) {
        let Some(old) = self.path.filter(|it| !it.provisional) else {
            self.path = Some(new);
            return;
        };
        let spread_s = old.error_s.hypot(new.error_s);
        let apart_s = new.bias_s.with(old.bias_s, |new_s, old_s| new_s - old_s);
        let jumped = apart_s.better_half.abs().min(apart_s.all.abs()) > BIAS_APART * spread_s;
        if jumped {
            self.path = Some(new);
            return;
        }
        // The scatter of one volley is too poor a weight to tell it from the others.
        let volleys = (old.volleys + 1.0).min(VOLLEYS);
        let share = 1.0 / volleys;
        let variance =
            (1.0 - share).powi(2) * old.error_s.powi(2) + share.powi(2) * new.error_s.powi(2);
        self.path = Some(Path {
            bias_s: old
                .bias_s
                .with(apart_s, |old_s, apart_s| old_s + share * apart_s),
            error_s: variance.sqrt(),
            delay_s: old.delay_s + share * (new.delay_s - old.delay_s),
            volleys,
            provisional: false,
        });
    }

    /// The offset now. While the discipline settles the newest packet speaks alone.
    pub(crate) fn sample(&self, now: &Steered, settling: bool) -> Option<Sample> {
        let level = self.level(now)?;
        let values = self.values(now);
        let queues = has_tail(&values);
        let chosen = |both: Both| if queues { both.better_half } else { both.all };
        let at_s = match values.first() {
            Some(newest_s) if settling => *newest_s,
            _ => chosen(level.at_s),
        };
        let (bias_s, delay_s, error_s) = match &self.path {
            Some(path) => (chosen(path.bias_s), path.delay_s, path.error_s),
            None => (
                self.assumed.delay_s,
                2.0 * self.assumed.delay_s,
                self.assumed.error_s,
            ),
        };
        Some(Sample {
            offset_s: at_s + bias_s,
            delay_s,
            dispersion_s: error_s + level.error_s(),
        })
    }

    /// The path, or a clock, is another one since the last few packets: those before say nothing
    /// more, and the next volley is believed against all before it.
    pub(crate) fn doubt(&mut self) {
        self.window.truncate(JUMP_PACKETS);
        self.measured = None;
        self.in_doubt = true;
    }

    /// What comes now is not to be compared with what came before.
    pub(crate) fn forget_packets(&mut self) {
        self.window.clear();
        self.measured = None;
    }

    /// Our clock was stepped: what was measured by it is void. The path is as it was.
    pub(crate) fn forget_time(&mut self) {
        self.forget_packets();
        self.exchanges.clear();
    }

    /// What is added to one-way differences, seconds; `None` before it was measured.
    pub(crate) fn bias_s(&self) -> Option<f64> {
        self.path.map(|path| path.bias_s.all)
    }

    /// All that is remembered, newest first.
    fn values(&self, now: &Steered) -> Vec<f64> {
        self.window.iter().map(|it| it.as_of(now)).collect()
    }

    /// The newest values without their common drift, as they would have been at `moment`: of values
    /// that drift, the better half would be those of one end.
    fn values_beside(&self, moment: &Apart, packets: usize, now: &Steered) -> Vec<f64> {
        let points: Vec<(f64, f64)> = self
            .window
            .iter()
            .take(packets)
            .map(|it| (it.then.seconds_after(&moment.then), it.as_of(now)))
            .collect();
        let (at_s, values): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
        let (mean_at_s, mean_s) = (mean(&at_s), mean(&values));
        let (mut products, mut squares) = (0.0, 0.0);
        for (at_s, value_s) in &points {
            products += (at_s - mean_at_s) * (value_s - mean_s);
            squares += (at_s - mean_at_s).powi(2);
        }
        let drift = if squares > 0.0 {
            products / squares
        } else {
            0.0
        };
        let undrifted = |(at_s, value_s): &(f64, f64)| value_s - drift * at_s;
        points.iter().map(undrifted).collect()
    }

    fn level(&self, now: &Steered) -> Option<Level> {
        let mut values = self.values(now);
        values.truncate(WINDOW);
        level(consistent(&values))
    }

    fn has_jumped(&self, now: &Steered) -> bool {
        let mut values = self.values(now);
        values.truncate(WINDOW);
        let Some((new, old)) = values.split_at_checked(JUMP_PACKETS) else {
            return false;
        };
        let Some(before) = level(consistent(old)).filter(|it| it.packets >= PACKETS_FOR_BIAS / 2)
        else {
            return false;
        };
        let bound_s = (JUMP_SCATTERS * before.scatter_s).max(JUMP_LEAST_S);
        let at_s = before.at_s.better_half;
        new.iter().all(|it| it - at_s > bound_s) || new.iter().all(|it| at_s - it > bound_s)
    }
}
