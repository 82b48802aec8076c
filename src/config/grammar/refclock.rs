//! Reference clocks: `server 127.127.t.u`, `fudge` and `device`.

use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::{Line, Word};
use crate::settings::{AssociationKind, Device, Fudge, Refclock};

use super::association_options::{CLOCK_OPTIONS, OptionWord, Options};
use super::host::{family_and_target, refclock_address};
use super::report::Vocabulary;
use super::{Parser, drivers, limits};

/// What lines beside a clock's own say of it.
#[derive(Default)]
pub(super) struct Factors {
    fudge: Fudge,
    device: Device,
}

/// A `fudge` or `device` line: it may stand before the clock's own line.
pub(super) struct Pending {
    clock: (u8, u8),
    factors: Factors,
    span: Span,
}

/// What a `refclock` line of NTPsec says.
pub(super) struct Named<'t> {
    pub(super) unit: u8,
    pub(super) options: Options<'t>,
    pub(super) factors: Factors,
}

#[derive(Clone, Copy)]
enum Factor {
    Time1,
    Time2,
    Stratum,
    Refid,
    Flag(usize),
    Abbrev,
    MinJitter,
    TimeDevice,
    PpsDevice,
    Baud,
    Subtype,
}

/// A word of a `refclock` line.
#[derive(Clone, Copy)]
enum ClockWord {
    Unit,
    Server(OptionWord),
    Factor(Factor),
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
    ("abbrev", Factor::Abbrev),
    ("minjitter", Factor::MinJitter),
];

const DEVICE_FACTORS: &[(&str, Factor)] = &[
    ("timedata", Factor::TimeDevice),
    ("ppsdata", Factor::PpsDevice),
];

const NTPSEC_FACTORS: &[(&str, Factor)] = &[
    ("path", Factor::TimeDevice),
    ("ppspath", Factor::PpsDevice),
    ("baud", Factor::Baud),
    ("subtype", Factor::Subtype),
];

const FUDGE: Vocabulary<'_, Factor> = Vocabulary {
    what: "a `fudge` option",
    unknown: codes::UNKNOWN_OPTION,
    words: FACTORS,
    of: "fudge",
};

const DEVICE: Vocabulary<'_, Factor> = Vocabulary {
    what: "a `device` option",
    unknown: codes::UNKNOWN_OPTION,
    words: DEVICE_FACTORS,
    of: "device",
};

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
                device: Device::default(),
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
        self.beside(line, first, FUDGE);
    }

    pub(super) fn device(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.beside(line, first, DEVICE);
    }

    /// Reads `fudge ADDR ...` or `device ADDR ...`.
    fn beside(&mut self, line: &mut Line<'_>, first: &Word<'_>, words: Vocabulary<'_, Factor>) {
        let (_, word) = family_and_target(line);
        let Some(word) = word else {
            self.missing(line, first, "a reference clock's address");
            return;
        };
        let clock = word.text.parse().ok().and_then(refclock_address);
        if clock.is_none() {
            let message = format!("`{}` is no reference clock", word.shown());
            let label = "should be 127.127.t.u";
            self.word_error(line, codes::NOT_A_REFCLOCK, &word, message, label);
        }
        self.needs_a_word(line, first);
        let mut factors = Factors::default();
        while let Some(word) = line.token() {
            if let Some(factor) = self.keyword(line, &word, &words) {
                self.factor(line, &word, factor, &mut factors);
            }
        }
        if let Some(clock) = clock {
            self.keep_factors(line, &word, clock, factors);
        }
    }

    /// Keeps what a line says of a clock until all lines are read.
    pub(super) fn keep_factors(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        clock: (u8, u8),
        factors: Factors,
    ) {
        if line.broken {
            return;
        }
        if self.notes.fudges.len() < limits::ASSOCIATIONS {
            self.notes.fudges.push(Pending {
                clock,
                factors,
                span: word.span.clone(),
            });
            return;
        }
        let message = format!("there are more than {} fudge lines", limits::ASSOCIATIONS);
        let code = codes::TOO_MANY_ASSOCIATIONS;
        self.word_error(line, code, word, message, "one too many");
    }

    /// The words of a `refclock` line after the driver's name: those of `server` and `fudge`.
    pub(super) fn clock_options<'t>(&mut self, line: &mut Line<'t>) -> Named<'t> {
        let server = CLOCK_OPTIONS
            .iter()
            .map(|(name, word)| (*name, ClockWord::Server(*word)));
        let fudge = FACTORS.iter().chain(DEVICE_FACTORS).chain(NTPSEC_FACTORS);
        let fudge = fudge.map(|(name, word)| (*name, ClockWord::Factor(*word)));
        let words: Vec<_> = server
            .chain(fudge)
            .chain([("unit", ClockWord::Unit)])
            .collect();
        let vocabulary = Vocabulary {
            what: "a `refclock` option",
            unknown: codes::UNKNOWN_OPTION,
            words: &words,
            of: "refclock",
        };
        let mut named = Named {
            unit: 0,
            options: Options::default(),
            factors: Factors::default(),
        };
        while let Some(word) = line.token() {
            match self.keyword(line, &word, &vocabulary) {
                Some(ClockWord::Unit) => named.unit = self.small(line, &word, 0..=255).unwrap_or(0),
                Some(ClockWord::Server(option)) => {
                    self.option(line, word, option, None, &mut named.options);
                }
                Some(ClockWord::Factor(factor)) => {
                    self.factor(line, &word, factor, &mut named.factors);
                }
                None => {}
            }
        }
        named
    }

    fn factor(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        factor: Factor,
        factors: &mut Factors,
    ) {
        let seconds = -GREATEST_FUDGE_S..=GREATEST_FUDGE_S;
        let any = 0..=i64::from(u32::MAX);
        let Factors { fudge, device } = factors;
        match factor {
            Factor::Time1 => fudge.time1_s = self.number(line, word, seconds, "s"),
            Factor::Time2 => fudge.time2_s = self.number(line, word, seconds, "s"),
            Factor::Stratum => fudge.stratum = self.small(line, word, 0..=16),
            Factor::Abbrev => fudge.abbrev = self.text(line, word, "a name"),
            Factor::MinJitter => {
                fudge.min_jitter_s = self.number(line, word, 0.0..=GREATEST_FUDGE_S, "s");
            }
            Factor::Refid => fudge.refid = self.refid(line, word),
            Factor::Flag(at) => {
                let value = self.boolean(line, word);
                if let Some(flag) = fudge.flags.get_mut(at) {
                    *flag = value;
                }
            }
            Factor::TimeDevice => device.time = self.path(line, word).map(|path| path.value),
            Factor::PpsDevice => device.pps = self.path(line, word).map(|path| path.value),
            Factor::Baud => device.baud = self.small(line, word, any),
            Factor::Subtype => device.subtype = self.small(line, word, any),
        }
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
                clock.fudge.merge(&pending.factors.fudge);
                clock.device.merge(pending.factors.device);
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
