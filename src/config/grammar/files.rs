//! Files that are named, and `end`, which ends the reading.

use crate::codes;
use crate::lexer::{Line, Word};

use super::Parser;
use super::report::Vocabulary;

/// More than the frequency can ever change.
pub(super) const GREATEST_WANDER_PPM: f64 = 1000.0;

impl Parser<'_> {
    /// `driftfile [FILE [WANDER]]`; no file, or an empty name, is no drift file.
    pub(super) fn driftfile(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let mut empty = line.clone();
        if empty.string().is_none_or(|word| word.text.is_empty()) && empty.token().is_none() {
            self.settings.files.drift = None;
            return;
        }
        let path = self.path(line, first);
        let mut threshold_ppm = None;
        if let Some(wander) = line.token() {
            if let Ok(ppm) = wander.text.parse::<f64>()
                && (0.0..=GREATEST_WANDER_PPM).contains(&ppm)
            {
                self.note_unbuilt(line, "driftfile", "wander", &wander);
                threshold_ppm = Some(ppm);
            } else {
                let message = "a wander threshold in ppm may follow the drift file".to_owned();
                self.word_error(
                    line,
                    codes::BAD_NUMBER,
                    &wander,
                    message,
                    "not a number of ppm",
                );
            }
        }
        self.no_more(line, first);
        if let Some(path) = path.filter(|_| !line.broken) {
            let files = &mut self.settings.files;
            files.drift = Some(path);
            files.wander_threshold_ppm = threshold_ppm.or(files.wander_threshold_ppm);
        }
    }

    /// `leapfile FILE [checkhash|ignorehash]`.
    pub(super) fn leapfile(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let path = self.path(line, first);
        let vocabulary = Vocabulary {
            what: "`checkhash` or `ignorehash`",
            unknown: codes::UNKNOWN_OPTION,
            words: &[("checkhash", true), ("ignorehash", false)],
            of: "leapfile",
        };
        let mut check = true;
        while let Some(word) = line.token() {
            check = self.keyword(line, &word, &vocabulary).unwrap_or(check);
        }
        if let Some(path) = path.filter(|_| !line.broken) {
            self.settings.files.leap = Some(path);
            self.settings.files.check_leap_hash = check;
        }
    }

    pub(super) fn logfile(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(path) = self.only_path(line, first) {
            self.settings.files.log = Some(path);
        }
    }

    pub(super) fn pidfile(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(path) = self.only_path(line, first) {
            self.settings.files.pid = Some(path);
        }
    }

    pub(super) fn saveconfigdir(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(path) = self.only_path(line, first) {
            self.settings.files.save_config = Some(path);
        }
    }

    /// `end`: nothing after it is read, in this file or in those that include it.
    pub(super) fn end(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        self.no_more(line, first);
        // `end of servers` is a comment that lost its mark; access rules may follow it.
        self.ended |= !line.broken;
    }
}
