//! Directives that only NTPsec has: `refclock`, `nts`, `extra`, `calldelay`, `unrestrict`.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::AssociationKind;
use crate::suggest;

use super::Parser;
use super::drivers;
use super::host::family_and_target;
use super::report::Vocabulary;

/// How many values follow each word of `nts`.
const NTS_WORDS: &[(&str, u8)] = &[
    ("enable", 0),
    ("disable", 0),
    ("aead", 1),
    ("ca", 1),
    ("cert", 1),
    ("cookie", 1),
    ("key", 1),
    ("maxtls", 1),
    ("mintls", 1),
    ("port", 1),
    ("tlscipherserverpreference", 0),
    ("tlsciphers", 1),
    ("tlsciphersuites", 1),
    ("tlsecdhcurves", 1),
];

impl Parser<'_> {
    /// `refclock NAME [unit N] ...`: the same clocks as `server 127.127.t.u` and `fudge` have.
    pub(super) fn refclock_by_name(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let Some(word) = line.string() else {
            self.missing(line, first, "a driver's name");
            return;
        };
        let driver = drivers::driver_number(&word.text);
        if driver.is_none() {
            let near = suggest::nearest(&word.text, drivers::names_of_ntpsec());
            let label = near.map_or("unknown driver".into(), |near| {
                format!("did you mean `{near}`?")
            });
            let message = format!("`{}` is no reference clock driver", word.shown());
            self.word_error(line, codes::UNKNOWN_DRIVER, &word, message, label);
        }
        let clock = self.clock_options(line);
        if let Some(driver) = driver {
            let place = (driver, clock.unit);
            let kind = AssociationKind::Server;
            self.refclock(line, &word, kind, place, clock.options);
            self.keep_factors(line, &word, place, clock.factors);
        }
    }

    pub(super) fn nts(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "an `nts` option",
            unknown: codes::UNKNOWN_OPTION,
            words: NTS_WORDS,
            of: "nts",
        };
        self.needs_a_word(line, first);
        while let Some(word) = line.token() {
            for _ in 0..self.keyword(line, &word, &vocabulary).unwrap_or(0) {
                self.text(line, &word, "a value");
            }
        }
    }

    /// `extra port N`: a second port to serve on.
    pub(super) fn extra(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        match line.token() {
            Some(word) if word.text == "port" => {
                self.only_integer::<u16>(line, &word, 1..=65535);
            }
            _ => self.missing(line, first, "`port N`"),
        }
    }

    /// `calldelay S`: how long a modem clock waits.
    pub(super) fn calldelay(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.only_integer::<u32>(line, first, 0..=i64::from(u32::MAX));
    }

    /// `unrestrict TARGET [FLAGS]`: takes flags back. Without it more is restricted, not less.
    pub(super) fn unrestrict(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let (family, word) = family_and_target(line);
        let Some(word) = word else {
            self.missing(line, first, "an address or `default`");
            return;
        };
        let mut draft = self.restrict_target(line, &word, family);
        self.restrict_words(line, &mut draft);
    }
}
