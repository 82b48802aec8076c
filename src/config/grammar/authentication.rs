//! `keys`, `trustedkey`, `controlkey`, `requestkey`.

use std::ops::RangeInclusive;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::lexer::{Line, Word};
use crate::settings::Located;

use super::Parser;

impl Parser<'_> {
    pub(super) fn keys(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(path) = self.only_path(line, first) {
            self.settings.authentication.keys_file = Some(path);
        }
    }

    pub(super) fn controlkey(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(key) = self.only_key(line, first) {
            self.settings.authentication.control_key = Some(key);
        }
    }

    pub(super) fn requestkey(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(key) = self.only_key(line, first) {
            self.settings.authentication.request_key = Some(key);
        }
    }

    fn only_key(&mut self, line: &mut Line<'_>, first: &Word<'_>) -> Option<Located<u16>> {
        let place = line.peek().map(|word| word.span);
        let key = self.key_id(line, first);
        self.no_more(line, first);
        let (value, span) = key.zip(place)?;
        (!line.broken).then_some(Located { value, span })
    }

    /// The key identifier after `word`.
    pub(super) fn key_id(&mut self, line: &mut Line<'_>, word: &Word<'_>) -> Option<u16> {
        let Some(value) = line.token() else {
            self.missing(line, word, "a key identifier");
            return None;
        };
        self.key_id_in(line, &value, &value.text)
    }

    fn key_id_in(&mut self, line: &mut Line<'_>, word: &Word<'_>, text: &str) -> Option<u16> {
        let number = text.parse::<u64>();
        if let Some(key) = number
            .as_ref()
            .ok()
            .and_then(|number| u16::try_from(*number).ok())
            && key != 0
        {
            return Some(key);
        }
        let message = format!("`{}` is no key identifier", crate::lexer::shown(text));
        let label = if text.contains(['-', '.']) {
            "a range is written `(first ... last)`"
        } else if number.is_ok_and(|number| number > 0) {
            "must be 1 to 65535; greater ones are Autokey's"
        } else {
            "must be 1 to 65535"
        };
        self.word_error(line, codes::BAD_KEY_ID, word, message, label);
        None
    }

    pub(super) fn trustedkey(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if line.peek().is_none() {
            self.missing(line, first, "key identifiers");
        }
        let mut ranges = Vec::new();
        while let Some(word) = line.token() {
            let range = if word.text == "(" && !word.quoted {
                self.key_range(line, &word)
            } else {
                self.key_id_in(line, &word, &word.text).map(|key| key..=key)
            };
            ranges.extend(range);
        }
        if line.broken {
            return;
        }
        for range in ranges {
            self.settings.authentication.trusted_keys.insert(range);
        }
        if self.notes.trusted_keys_seen && !self.notes.trusted_keys_noted {
            self.notes.trusted_keys_noted = true;
            let span = first.span.clone();
            self.say(line, |_| {
                let message = "several `trustedkey` lines add up; in ntpd only the last one counts";
                Diagnostic::new(codes::TRUSTED_KEYS_ADD_UP, span, message)
                    .label("adds to the lines before")
            });
        }
        self.notes.trusted_keys_seen = true;
    }

    /// Reads `first ... last )`. The dots may touch the numbers.
    fn key_range(&mut self, line: &mut Line<'_>, open: &Word<'_>) -> Option<RangeInclusive<u16>> {
        let mut inside = String::new();
        loop {
            match line.token() {
                Some(word) if word.text == ")" => break,
                Some(word) if word.text != "(" => inside.push_str(&word.text),
                _ => return self.bad_range(line, open),
            }
        }
        let Some((first, last)) = inside.split_once("...") else {
            return self.bad_range(line, open);
        };
        let first = self.key_id_in(line, open, first)?;
        let last = self.key_id_in(line, open, last)?;
        if first > last {
            return self.bad_range(line, open);
        }
        Some(first..=last)
    }

    fn bad_range<T>(&mut self, line: &mut Line<'_>, open: &Word<'_>) -> Option<T> {
        let message = "this is no range of keys".to_owned();
        let label = "write `(first ... last)`, the lesser first";
        self.word_error(line, codes::BAD_KEY_RANGE, open, message, label);
        None
    }
}
