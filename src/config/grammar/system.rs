//! `enable` and `disable`.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::SystemFlags;

use super::report::Vocabulary;
use super::{Parser, not_built};

#[derive(Clone, Copy)]
enum FlagWord {
    Built(fn(&mut SystemFlags) -> &mut bool),
    NotBuilt,
}

const BUILT: [(&str, FlagWord); 3] = [
    ("auth", FlagWord::Built(|flags| &mut flags.auth)),
    ("kernel", FlagWord::Built(|flags| &mut flags.kernel)),
    ("ntp", FlagWord::Built(|flags| &mut flags.ntp)),
];

impl Parser<'_> {
    pub(super) fn enable(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.system_flags(line, first, true);
    }

    pub(super) fn disable(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.system_flags(line, first, false);
    }

    fn system_flags(&mut self, line: &mut Line<'_>, first: &Word<'_>, on: bool) {
        if line.peek().is_none() {
            self.missing(line, first, "something to switch");
        }
        let not_built = not_built::SYSTEM_FLAGS
            .iter()
            .map(|name| (*name, FlagWord::NotBuilt));
        let words: Vec<_> = BUILT.into_iter().chain(not_built).collect();
        let vocabulary = Vocabulary {
            what: "something that `enable` and `disable` know",
            unknown: codes::UNKNOWN_OPTION,
            words: &words,
            not_built: &[],
        };
        let mut flags = self.settings.flags;
        while let Some(word) = line.token() {
            match self.keyword(line, &word, &vocabulary) {
                Some(FlagWord::Built(flag)) => *flag(&mut flags) = on,
                // What is not built is off: to ask for that is no complaint.
                Some(FlagWord::NotBuilt) if on => self.not_built(line, &word, " of `enable`"),
                Some(FlagWord::NotBuilt) | None => {}
            }
        }
        if !line.broken {
            self.settings.flags = flags;
        }
    }
}
