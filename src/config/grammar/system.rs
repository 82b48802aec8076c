//! `enable` and `disable`.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Line, Word};
use crate::settings::SystemFlags;

use super::Parser;
use super::report::Vocabulary;

type Flag = fn(&mut SystemFlags) -> &mut bool;

const FLAGS: &[(&str, Flag)] = &[
    ("auth", |flags| &mut flags.auth),
    ("bclient", |flags| &mut flags.bclient),
    ("calibrate", |flags| &mut flags.calibrate),
    ("kernel", |flags| &mut flags.kernel),
    ("mode7", |flags| &mut flags.mode7),
    ("monitor", |flags| &mut flags.monitor),
    ("ntp", |flags| &mut flags.ntp),
    ("pll", |flags| &mut flags.ntp),
    ("peer_clear_digest_early", |flags| {
        &mut flags.peer_clear_digest_early
    }),
    ("stats", |flags| &mut flags.stats),
    ("unpeer_crypto_early", |flags| {
        &mut flags.unpeer_crypto_early
    }),
    ("unpeer_crypto_nak_early", |flags| {
        &mut flags.unpeer_crypto_nak_early
    }),
    ("unpeer_digest_early", |flags| {
        &mut flags.unpeer_digest_early
    }),
];

/// What the reference does after a packet with a wrong digest.
const BY_DIGEST: [&str; 2] = ["peer_clear_digest_early", "unpeer_digest_early"];

impl Parser<'_> {
    pub(super) fn enable(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.system_flags(line, first, true);
    }

    pub(super) fn disable(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.system_flags(line, first, false);
    }

    /// Whoever sees a request could end what it came of with one packet that proves nothing.
    fn no_digest(&mut self, line: &mut Line<'_>, word: &Word<'_>) {
        let (text, span) = (word.text.to_string(), word.span.clone());
        self.say(line, |_| {
            let message = format!(
                "`{text}` is not followed: a packet with a wrong digest is refused and counted, and ends \
                 or clears no association"
            );
            Diagnostic::new(codes::DIGEST_ENDS_NOTHING, span, message)
                .label("without effect")
                .help("take it out; `disable` says what is done here")
        });
    }

    fn system_flags(&mut self, line: &mut Line<'_>, first: &Word<'_>, on: bool) {
        if line.peek().is_none() {
            self.missing(line, first, "something to switch");
        }
        let vocabulary = Vocabulary {
            what: "something that `enable` and `disable` know",
            unknown: codes::UNKNOWN_OPTION,
            words: FLAGS,
            of: if on { "enable" } else { "disable" },
        };
        let mut flags = self.settings.flags;
        let mut places = Vec::new();
        while let Some(word) = line.token() {
            if let Some(flag) = self.keyword(line, &word, &vocabulary) {
                *flag(&mut flags) = on;
                if on && BY_DIGEST.contains(&&*word.text) {
                    self.no_digest(line, &word);
                }
                places.push((format!("{} {}", vocabulary.of, word.text), word.span));
            }
        }
        if !line.broken {
            self.settings.flags = flags;
            self.settings.places.extend(places);
        }
    }
}
