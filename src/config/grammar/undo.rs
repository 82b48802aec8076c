//! Lines that take back what lines before them made: `unpeer`, `unconfig`, `delrestrict`.

use crate::codes;
use crate::lexer::{Line, Word};
use crate::settings::{RestrictFlags, Settings};

use super::Parser;
use super::host::{Reach, family_and_target, refclock_address};

impl Parser<'_> {
    /// `unpeer HOST` and `unconfig HOST`. The number of an association is of no use in a file.
    pub(super) fn unpeer(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let (family, word) = family_and_target(line);
        let Some(word) = word else {
            self.missing(line, first, "a host name or address");
            return;
        };
        let clock = word.text.parse().ok().and_then(refclock_address);
        let named = clock.is_none() && word.text.parse::<u32>().is_err();
        let host = if named {
            self.host(line, &word, family, Reach::Any)
        } else {
            None
        };
        self.no_more(line, first);
        if line.broken {
            return;
        }
        let before = sources(&self.settings);
        let settings = &mut self.settings;
        if let Some(host) = host {
            settings.associations.retain(|other| other.host != host);
        }
        if let Some(clock) = clock {
            settings
                .refclocks
                .retain(|other| (other.driver, other.unit) != clock);
        }
        if sources(&self.settings) == before {
            self.nothing_removed(line, &word);
        }
    }

    /// `delrestrict ADDR [mask M] [ntpport]`, `delrestrict source ADDR`.
    pub(super) fn delrestrict(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let (family, word) = family_and_target(line);
        let Some(word) = word else {
            self.missing(line, first, "an address or `default`");
            return;
        };
        if word.text == "source" && line.peek().is_some() {
            // The rule of one server, which none has before the daemon runs.
            line.string();
            self.no_more(line, first);
            self.nothing_removed(line, &word);
            return;
        }
        let mut draft = self.restrict_target(line, &word, family);
        self.restrict_words(line, &mut draft);
        let Some(target) = draft.target.filter(|_| !line.broken) else {
            return;
        };
        let target = self.without_host_bits(target, &word);
        let ntp_port = draft.flags.contains(RestrictFlags::NTPPORT);
        let rules = &mut self.settings.restrictions;
        let before = rules.len();
        rules.retain(|rule| {
            rule.target != target || rule.flags.contains(RestrictFlags::NTPPORT) != ntp_port
        });
        if rules.len() == before {
            self.nothing_removed(line, &word);
        }
    }

    fn nothing_removed(&mut self, line: &mut Line<'_>, word: &Word<'_>) {
        let message = format!("no line before this one is about `{}`", word.shown());
        let code = codes::NOTHING_TO_REMOVE;
        self.word_error(line, code, word, message, "nothing to remove");
    }
}

fn sources(settings: &Settings) -> usize {
    settings.associations.len() + settings.refclocks.len()
}
