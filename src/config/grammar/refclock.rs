//! Reference clocks: `server 127.127.t.u` and `fudge`.

use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::{Line, Word};
use crate::settings::{AssociationKind, Fudge, Refclock};

use super::association::Options;
use super::host::{family_and_target, refclock_address};
use super::report::Vocabulary;
use super::{Parser, drivers, limits, not_built};

/// A `fudge` line: it may stand before the clock's own line.
pub(super) struct PendingFudge {
    clock: (u8, u8),
    fudge: Fudge,
    span: Span,
}

#[derive(Clone, Copy)]
enum Factor {
    Time1,
    Time2,
    Stratum,
    Refid,
    Flag(usize),
}

const FACTORS: &[(&str, Factor)] = &[
    ("time1", Factor::Time1),
    ("time2", Factor::Time2),
    ("stratum", Factor::Stratum),
    ("refid", Factor::Refid),
    ("flag1", Factor::Flag(0)),
    ("flag2", Factor::Flag(1)),
    ("flag3", Factor::Flag(2)),
    ("flag4", Factor::Flag(3)),
];

/// No clock is a day wrong; a greater value is a slip of units.
const GREATEST_FUDGE_S: f64 = 86_400.0;

impl Parser<'_> {
    pub(super) fn refclock(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        kind: AssociationKind,
        (driver, unit): (u8, u8),
        mut options: Options<'_>,
    ) {
        // A reference clock is polled at one interval unless told otherwise.
        let maxpoll = options.single_poll();
        self.settle_polls(line, &mut options, maxpoll);
        if kind == AssociationKind::Pool {
            let message = format!(
                "`{}` is a reference clock and cannot be a pool",
                word.shown()
            );
            self.word_error(line, codes::REFCLOCK_POOL, word, message, "use `server`");
        }
        if !self.check_driver(line, word, driver) || line.broken {
            if self.notes.absent_clocks.len() < limits::ASSOCIATIONS {
                self.notes.absent_clocks.push((driver, unit));
            }
            return;
        }
        let again = |other: &Refclock| (other.driver, other.unit) == (driver, unit);
        if self.settings.refclocks.iter().any(again) {
            let message = format!("`{}` is named twice; this line is dropped", word.shown());
            self.word_error(line, codes::DUPLICATE_SERVER, word, message, "named before");
            return;
        }
        if self.room_for_one_more(line, word) {
            self.settings.refclocks.push(Refclock {
                driver,
                unit,
                mode: options.mode,
                prefer: options.set.prefer,
                truechimer: options.set.truechimer,
                noselect: options.set.noselect,
                minpoll_log2_s: options.set.minpoll_log2_s,
                maxpoll_log2_s: options.set.maxpoll_log2_s,
                fudge: Fudge::default(),
                span: word.span.clone(),
            });
        }
    }

    fn check_driver(&mut self, line: &mut Line<'_>, word: &Word<'_>, driver: u8) -> bool {
        if drivers::is_built(driver) {
            return true;
        }
        if let Some(name) = drivers::driver_name(driver) {
            let message = format!(
                "`{}`: driver {driver} ({name}) is known but not built yet, so this clock is left out",
                word.shown()
            );
            self.word_error(
                line,
                codes::DRIVER_NOT_BUILT,
                word,
                message,
                "not built yet",
            );
        } else {
            let message = format!("there is no reference clock driver {driver}");
            let span = word.span.clone();
            self.say(line, |_| {
                Diagnostic::new(codes::UNKNOWN_DRIVER, span, message)
                    .label("unknown driver")
                    .help("in 127.127.t.u the t is the driver and the u its unit")
            });
        }
        false
    }

    pub(super) fn fudge(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let (_, word) = family_and_target(line);
        let Some(word) = word else {
            self.missing(line, first, "a reference clock's address");
            return;
        };
        let clock = word.text.parse().ok().and_then(refclock_address);
        if clock.is_none() {
            let message = format!("`{}` is no reference clock", word.shown());
            self.word_error(
                line,
                codes::NOT_A_REFCLOCK,
                &word,
                message,
                "should be 127.127.t.u",
            );
        }
        if line.peek().is_none() {
            self.missing(line, first, "something to set");
        }
        let fudge = self.factors(line);
        let Some(clock) = clock.filter(|_| !line.broken) else {
            return;
        };
        if self.notes.fudges.len() < limits::ASSOCIATIONS {
            self.notes.fudges.push(PendingFudge {
                clock,
                fudge,
                span: word.span,
            });
        } else {
            let message = format!("there are more than {} fudge lines", limits::ASSOCIATIONS);
            self.word_error(
                line,
                codes::TOO_MANY_ASSOCIATIONS,
                &word,
                message,
                "one too many",
            );
        }
    }

    fn factors(&mut self, line: &mut Line<'_>) -> Fudge {
        let vocabulary = Vocabulary {
            what: "a `fudge` option",
            unknown: codes::UNKNOWN_OPTION,
            words: FACTORS,
            not_built: not_built::FUDGE_OPTIONS,
        };
        let seconds = -GREATEST_FUDGE_S..=GREATEST_FUDGE_S;
        let mut fudge = Fudge::default();
        while let Some(word) = line.token() {
            match self.keyword(line, &word, &vocabulary) {
                Some(Factor::Time1) => {
                    fudge.time1_s = self.number(line, &word, seconds.clone(), "s")
                }
                Some(Factor::Time2) => {
                    fudge.time2_s = self.number(line, &word, seconds.clone(), "s")
                }
                Some(Factor::Stratum) => fudge.stratum = self.small(line, &word, 0..=16),
                Some(Factor::Refid) => fudge.refid = self.refid(line, &word),
                Some(Factor::Flag(at)) => {
                    let value = self.boolean(line, &word);
                    if let Some(flag) = fudge.flags.get_mut(at) {
                        *flag = value;
                    }
                }
                None => {}
            }
        }
        fudge
    }

    fn refid(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<[u8; 4]> {
        let Some(value) = line.string() else {
            self.missing(line, word, "one to four characters");
            return None;
        };
        let text = &*value.text;
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
            let message = format!("`{}` is no refid", value.shown());
            let label = "one to four printable ASCII characters belong here";
            self.word_error(line, codes::BAD_REFID, &value, message, label);
            return None;
        }
        let mut refid = [0; 4];
        for (to, from) in refid.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        if let Some(kept) = text.get(..4).filter(|kept| *kept != text) {
            let message = format!("a refid has at most four characters; `{kept}` is used");
            self.word_error(line, codes::REFID_TRUNCATED, &value, message, "too long");
        }
        Some(refid)
    }

    /// Gives each clock its fudges, once all lines are read.
    pub(super) fn attach_fudges(&mut self) {
        for pending in std::mem::take(&mut self.notes.fudges) {
            let (driver, unit) = pending.clock;
            let own = |clock: &&mut Refclock| (clock.driver, clock.unit) == pending.clock;
            if let Some(clock) = self.settings.refclocks.iter_mut().find(own) {
                clock.fudge.merge(&pending.fudge);
            } else if !self.notes.absent_clocks.contains(&pending.clock) {
                let clock = format!("127.127.{driver}.{unit}");
                let message =
                    format!("no `server` line starts {clock}, so this fudge has no effect");
                self.report.push(
                    Diagnostic::new(codes::ORPHAN_FUDGE, pending.span, message)
                        .label("no such clock")
                        .help(format!("add `server {clock}`")),
                );
            }
        }
    }
}
