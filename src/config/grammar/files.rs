//! Files: what is named, and `includefile` and `end`, which steer the reading itself.

use std::sync::Arc;

use crate::codes::{self, Code};
use crate::diagnostic::Diagnostic;
use crate::lexer::{Line, Word};

use super::report::Vocabulary;
use super::{Parser, limits};

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
        self.ended = true;
    }

    pub(super) fn includefile(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        let Some(path) = self.only_path(line, first) else {
            return;
        };
        let name: Arc<str> = Arc::from(path.value.as_str());
        let shown = crate::lexer::shown(&path.value);
        let mut refuse = |parser: &mut Self, code: Code, message: String| {
            let span = path.span.clone();
            parser.say(line, |_| {
                Diagnostic::new(code, span, message)
                    .guarding()
                    .label("not included")
                    .help("its lines may hold access rules, so nothing starts without them")
            });
        };
        if self.open_files.contains(&name) {
            refuse(
                self,
                codes::INCLUDE_LOOP,
                format!("`{shown}` includes itself"),
            );
            return;
        }
        // The first open file is the configuration itself, which is no include.
        if self.open_files.len() > limits::INCLUDE_DEPTH {
            let message = format!("includes are more than {} deep", limits::INCLUDE_DEPTH);
            refuse(self, codes::INCLUDE_TOO_DEEP, message);
            return;
        }
        if self.includes >= limits::INCLUDES || self.included_bytes >= limits::INCLUDED_BYTES {
            let message = format!(
                "more than {} files or {} MiB are included",
                limits::INCLUDES,
                limits::INCLUDED_BYTES >> 20
            );
            refuse(self, codes::TOO_MANY_INCLUDES, message);
            return;
        }
        self.includes += 1;
        match self.loader.load(&path.value) {
            Ok(bytes) => {
                self.included_bytes = self.included_bytes.saturating_add(bytes.len());
                self.file(&name, &bytes);
            }
            Err(error) => {
                let message = format!("cannot include `{shown}`: {error}");
                refuse(self, codes::CANNOT_INCLUDE, message);
            }
        }
    }
}
