//! `tos` and `tinker`.

use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::{Line, Word};
use crate::settings::{BaseDate, Tos};

use super::Parser;
use super::report::Vocabulary;

#[derive(Clone, Copy)]
enum TosWord {
    Minclock,
    Maxclock,
    Minsane,
    Floor,
    Ceiling,
    Cohort,
    Mindist,
    Maxdist,
    Beacon,
    Orphan,
    Orphanwait,
    Bcpollbstep,
    Volleywait,
    Basedate,
}

const TOS_WORDS: &[(&str, TosWord)] = &[
    ("minclock", TosWord::Minclock),
    ("maxclock", TosWord::Maxclock),
    ("minsane", TosWord::Minsane),
    ("floor", TosWord::Floor),
    ("ceiling", TosWord::Ceiling),
    ("cohort", TosWord::Cohort),
    ("mindist", TosWord::Mindist),
    ("maxdist", TosWord::Maxdist),
    ("beacon", TosWord::Beacon),
    ("orphan", TosWord::Orphan),
    ("orphanwait", TosWord::Orphanwait),
    ("bcpollbstep", TosWord::Bcpollbstep),
    ("volleywait", TosWord::Volleywait),
    ("basedate", TosWord::Basedate),
];

#[derive(Clone, Copy)]
enum TinkerWord {
    Step,
    Stepback,
    Stepfwd,
    Stepout,
    Panic,
    Dispersion,
    Allan,
    Freq,
    Huffpuff,
    Tick,
}

const TINKER_WORDS: &[(&str, TinkerWord)] = &[
    ("step", TinkerWord::Step),
    ("stepback", TinkerWord::Stepback),
    ("stepfwd", TinkerWord::Stepfwd),
    ("stepout", TinkerWord::Stepout),
    ("panic", TinkerWord::Panic),
    ("dispersion", TinkerWord::Dispersion),
    ("allan", TinkerWord::Allan),
    ("freq", TinkerWord::Freq),
    ("huffpuff", TinkerWord::Huffpuff),
    ("tick", TinkerWord::Tick),
];

/// Greatest stratum a ceiling may be: 16 means unsynchronised.
const GREATEST_CEILING: u8 = 15;
/// Least stepout threshold, seconds: below it the start-up intervals break down.
const LEAST_STEPOUT_S: f64 = 300.0;
/// Greatest frequency error that is corrected, ppm (RFC 5905 MAXFREQ).
const GREATEST_FREQ_PPM: f64 = 500.0;
/// A day: a client that measures its path later might as well not.
const LONGEST_VOLLEY_WAIT_S: i64 = 86_400;
/// A greater `allan` is in seconds, up to it the value is log2 seconds.
const GREATEST_ALLAN_LOG2_S: f64 = 17.0;
/// A hundred years: more is a slip of the finger.
const GREATEST_S: f64 = 3.2e9;

impl Parser<'_> {
    pub(super) fn tos(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "a `tos` option",
            unknown: codes::UNKNOWN_OPTION,
            words: TOS_WORDS,
            of: "tos",
        };
        self.needs_a_word(line, first);
        let mut tos = self.settings.tos.clone();
        let mut places = Vec::new();
        while let Some(word) = line.token() {
            let Some(option) = self.keyword(line, &word, &vocabulary) else {
                continue;
            };
            places.push(place(first, &word));
            self.tos_word(line, &word, option, &mut tos);
        }
        if !line.broken {
            self.settings.tos = tos;
            self.settings.places.extend(places);
        }
    }

    fn tos_word(&mut self, line: &mut Line<'_>, word: &Word<'_>, option: TosWord, tos: &mut Tos) {
        let any = 0..=i64::from(u32::MAX);
        match option {
            TosWord::Minclock | TosWord::Maxclock => {
                let limit = self.whole(line, word);
                let field = match option {
                    TosWord::Minclock => &mut tos.minclock,
                    _ => &mut tos.maxclock,
                };
                set(field, limit);
                self.notes.clock_limits = Some(word.span.clone());
            }
            TosWord::Minsane => set(&mut tos.minsane, self.small(line, word, any)),
            TosWord::Floor => set(&mut tos.floor, self.small(line, word, 0..=15)),
            TosWord::Ceiling => set(&mut tos.ceiling, self.ceiling(line, word)),
            TosWord::Cohort => set(&mut tos.cohort, self.boolean(line, word)),
            TosWord::Mindist => set(&mut tos.mindist_s, self.seconds(line, word)),
            TosWord::Maxdist => set(&mut tos.maxdist_s, self.seconds(line, word)),
            TosWord::Beacon => set(&mut tos.beacon_s, self.small(line, word, any)),
            TosWord::Orphan => set(&mut tos.orphan_stratum, self.small(line, word, 1..=16)),
            TosWord::Orphanwait => set(&mut tos.orphan_wait_s, self.small(line, word, any)),
            TosWord::Bcpollbstep => {
                set(
                    &mut tos.broadcast_backstep_polls,
                    self.small(line, word, 0..=255),
                );
            }
            TosWord::Volleywait => {
                let wait_s = self.small(line, word, 0..=LONGEST_VOLLEY_WAIT_S);
                set(&mut tos.volley_wait_s, wait_s);
            }
            TosWord::Basedate => tos.base_date = self.base_date(line, word).or(tos.base_date),
        }
    }

    fn base_date(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<BaseDate> {
        let Some(value) = line.string() else {
            self.missing(line, word, "a date");
            return None;
        };
        let date = base_date(&value.text);
        if date.is_none() {
            let message = format!("`{}` is no date", value.shown());
            let label = "such as 2024-01-31, from 1970 on";
            self.word_error(line, codes::BAD_DATE, &value, message, label);
        }
        date
    }

    fn ceiling(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<u8> {
        let value: u8 = self.small(line, word, 1..=255)?;
        if value > GREATEST_CEILING {
            let message = format!("`ceiling {value}` is lowered to {GREATEST_CEILING}");
            let label = "16 and above mean unsynchronised";
            self.word_error(line, codes::CEILING_LOWERED, word, message, label);
        }
        Some(value.min(GREATEST_CEILING))
    }

    /// The reference takes `minclock` and `maxclock` as fractions and cuts them.
    fn whole(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<u32> {
        let value = self.number(line, word, 1.0..=f64::from(u32::MAX), "sources")?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be within 1 and u32::MAX, and cutting is meant"
        )]
        let whole = value as u32;
        Some(whole)
    }

    fn seconds(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<f64> {
        self.number(line, word, 0.0..=GREATEST_S, "s")
    }

    /// A threshold that 0 turns off.
    fn threshold(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<Option<f64>> {
        let value = self.seconds(line, word)?;
        Some(Some(value).filter(|value| *value > 0.0))
    }

    pub(super) fn needs_a_word(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if line.peek().is_none() {
            self.missing(line, first, "something to set");
        }
    }

    pub(super) fn tinker(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "a `tinker` option",
            unknown: codes::UNKNOWN_OPTION,
            words: TINKER_WORDS,
            of: "tinker",
        };
        self.needs_a_word(line, first);
        let mut tinker = self.settings.tinker.clone();
        let mut places = Vec::new();
        while let Some(word) = line.token() {
            let option = self.keyword(line, &word, &vocabulary);
            if option.is_some() {
                places.push(place(first, &word));
            }
            match option {
                Some(TinkerWord::Step) => {
                    let step = self.threshold(line, &word);
                    set(&mut tinker.stepback_s, step);
                    set(&mut tinker.stepfwd_s, step);
                }
                Some(TinkerWord::Stepback) => {
                    set(&mut tinker.stepback_s, self.threshold(line, &word));
                }
                Some(TinkerWord::Stepfwd) => {
                    set(&mut tinker.stepfwd_s, self.threshold(line, &word));
                }
                Some(TinkerWord::Stepout) => set(&mut tinker.stepout_s, self.stepout(line, &word)),
                Some(TinkerWord::Panic) => set(&mut tinker.panic_s, self.threshold(line, &word)),
                Some(TinkerWord::Dispersion) => {
                    let ppm = self.number(line, &word, 0.0..=GREATEST_FREQ_PPM, "ppm");
                    set(&mut tinker.dispersion_ppm, ppm);
                }
                Some(TinkerWord::Allan) => set(&mut tinker.allan_s, self.allan(line, &word)),
                Some(TinkerWord::Freq) => {
                    let range = -GREATEST_FREQ_PPM..=GREATEST_FREQ_PPM;
                    tinker.freq_ppm = self.number(line, &word, range, "ppm");
                }
                Some(TinkerWord::Huffpuff) => {
                    set(&mut tinker.huffpuff_s, self.threshold(line, &word));
                }
                Some(TinkerWord::Tick) => set(&mut tinker.tick_s, self.threshold(line, &word)),
                None => {}
            }
        }
        if !line.broken {
            self.settings.tinker = tinker;
            self.settings.places.extend(places);
        }
    }

    fn stepout(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<f64> {
        let value = self.seconds(line, word)?;
        if value < LEAST_STEPOUT_S {
            let message = format!("`stepout {value}` is raised to {LEAST_STEPOUT_S} s");
            self.word_error(line, codes::STEPOUT_RAISED, word, message, "as ntpd does");
        }
        Some(value.max(LEAST_STEPOUT_S))
    }

    fn allan(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<f64> {
        let value = self.number(line, word, 1.0..=GREATEST_S, "s")?;
        Some(if value <= GREATEST_ALLAN_LOG2_S {
            value.exp2()
        } else {
            value
        })
    }

    /// Looks at `minclock` and `maxclock` when both are known: they may be on two lines.
    pub(super) fn check_clock_limits(&mut self) {
        let tos = &self.settings.tos;
        if let Some(span) = self.notes.clock_limits.take()
            && tos.minclock > tos.maxclock
        {
            let message = format!(
                "`tos minclock` is {} and `tos maxclock` is {}",
                tos.minclock, tos.maxclock
            );
            self.report.push(
                Diagnostic::new(codes::CLOCKS_CROSSED, span, message)
                    .label("maxclock must not be less"),
            );
            // A line with an error leaves nothing behind, and here it may be either.
            let usual = Tos::default();
            self.settings.tos.minclock = usual.minclock;
            self.settings.tos.maxclock = usual.maxclock;
        }
    }
}

/// `YYYY-MM-DD` or `@DAYS`.
fn base_date(text: &str) -> Option<BaseDate> {
    if let Some(days) = text.strip_prefix('@') {
        return days.parse().ok().map(BaseDate::NtpDay);
    }
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok().filter(|year| *year >= 1970)?;
    let month = parts
        .next()?
        .parse()
        .ok()
        .filter(|month| (1..=12).contains(month))?;
    let day = parts
        .next()?
        .parse()
        .ok()
        .filter(|day| (1..=31).contains(day))?;
    Some(BaseDate::Civil { year, month, day })
}

/// Where a word stands, for complaints that take all lines to see.
fn place(first: &Word<'_>, word: &Word<'_>) -> (String, Span) {
    (format!("{} {}", first.text, word.text), word.span.clone())
}

/// Keeps what was there when the new value was complained about.
fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}
