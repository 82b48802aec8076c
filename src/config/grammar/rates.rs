//! `discard` and `mru`.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::MruSize;

use super::Parser;
use super::report::Vocabulary;

#[derive(Clone, Copy)]
enum DiscardWord {
    Average,
    Minimum,
    Monitor,
}

#[derive(Clone, Copy)]
enum MruWord {
    Initalloc,
    Initmem,
    Incalloc,
    Incmem,
    Maxdepth,
    Maxmem,
    Mindepth,
    Maxage,
}

/// Numbers are 32 bits and signed in the reference.
const GREATEST: i64 = i32::MAX as i64;
const LEAST: i64 = i32::MIN as i64;

impl Parser<'_> {
    pub(super) fn discard(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "a `discard` option",
            unknown: codes::UNKNOWN_OPTION,
            words: &[
                ("average", DiscardWord::Average),
                ("minimum", DiscardWord::Minimum),
                ("monitor", DiscardWord::Monitor),
            ],
            of: "discard",
        };
        self.needs_a_word(line, first);
        let mut discard = self.settings.discard;
        while let Some(word) = line.token() {
            match self.keyword(line, &word, &vocabulary) {
                Some(DiscardWord::Average) => {
                    let log2_s = self.small(line, &word, 0..=255);
                    discard.average_log2_s = log2_s.unwrap_or(discard.average_log2_s);
                }
                Some(DiscardWord::Minimum) => {
                    let seconds = self.small(line, &word, 0..=GREATEST);
                    discard.minimum_s = seconds.unwrap_or(discard.minimum_s);
                }
                Some(DiscardWord::Monitor) => {
                    let seconds = self.small(line, &word, 0..=GREATEST);
                    discard.monitor_s = seconds.unwrap_or(discard.monitor_s);
                }
                None => {}
            }
        }
        if !line.broken {
            self.settings.discard = discard;
        }
    }

    pub(super) fn mru(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let vocabulary = Vocabulary {
            what: "an `mru` option",
            unknown: codes::UNKNOWN_OPTION,
            words: &[
                ("initalloc", MruWord::Initalloc),
                ("initmem", MruWord::Initmem),
                ("incalloc", MruWord::Incalloc),
                ("incmem", MruWord::Incmem),
                ("maxdepth", MruWord::Maxdepth),
                ("maxmem", MruWord::Maxmem),
                ("mindepth", MruWord::Mindepth),
                ("maxage", MruWord::Maxage),
            ],
            of: "mru",
        };
        self.needs_a_word(line, first);
        let mut mru = self.settings.mru;
        while let Some(word) = line.token() {
            let Some(option) = self.keyword(line, &word, &vocabulary) else {
                continue;
            };
            // A negative greatest size is none.
            let least = match option {
                MruWord::Maxdepth | MruWord::Maxmem => LEAST,
                _ => 0,
            };
            let Some(number) = self.integer(line, &word, least..=GREATEST) else {
                continue;
            };
            let size = u32::try_from(number).ok();
            let entries = size.map_or(MruSize::Unlimited, MruSize::Entries);
            let kilobytes = size.map_or(MruSize::Unlimited, MruSize::Kilobytes);
            match option {
                MruWord::Initalloc => mru.initial = entries,
                MruWord::Initmem => mru.initial = kilobytes,
                MruWord::Incalloc => mru.increment = entries,
                MruWord::Incmem => mru.increment = kilobytes,
                MruWord::Maxdepth => mru.most = entries,
                MruWord::Maxmem => mru.most = kilobytes,
                MruWord::Mindepth => mru.mindepth = size.unwrap_or(mru.mindepth),
                MruWord::Maxage => mru.maxage_s = size.unwrap_or(mru.maxage_s),
            }
        }
        if !line.broken {
            self.settings.mru = mru;
        }
    }
}
