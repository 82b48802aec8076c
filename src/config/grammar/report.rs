//! Where complaints go, and the ways of making the common ones.

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Severity};
use crate::lexer::{Line, Word};
use crate::suggest;

use super::{Parser, directives, limits};

/// Complaints so far: bounded, so that a file of nonsense costs no more than a file of sense.
#[derive(Default)]
pub(super) struct Report {
    kept: Vec<Diagnostic>,
    dropped: usize,
    dropped_errors: bool,
}

impl Report {
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if self.kept.len() < limits::DIAGNOSTICS {
            self.kept.push(diagnostic);
        } else {
            self.dropped += 1;
            self.dropped_errors |= diagnostic.severity == Severity::Error;
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.kept.len() >= limits::DIAGNOSTICS
    }

    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        if self.dropped > 0 {
            let message = format!("{} more complaints are not shown", self.dropped);
            let mut last = Diagnostic::unplaced(codes::TOO_MANY_COMPLAINTS, message);
            // Nobody looked whether they are about lines that guard something.
            last.guards = self.dropped_errors;
            self.kept.push(last);
        }
        self.kept
    }
}

/// Options that other programs call otherwise.
const MISTAKEN: &[(&str, &str)] = &[("netmask", "mask"), ("offline", "noselect")];

/// How a word of a table is named in complaints, and whose list of unbuilt words goes with it.
pub(super) struct Vocabulary<'t, K> {
    /// As in "is not {what}".
    pub(super) what: &'static str,
    pub(super) unknown: Code,
    pub(super) words: &'t [(&'static str, K)],
    /// The directive they are listed under in `not_built.rs`.
    pub(super) of: &'static str,
}

impl Parser<'_> {
    /// Complains about a line. An error on a line that guards something says what its loss would
    /// do, because an operator may be tempted to delete the line.
    pub(super) fn say(
        &mut self,
        line: &mut Line<'_>,
        diagnostic: impl FnOnce(&Line<'_>) -> Diagnostic,
    ) {
        let mut diagnostic = diagnostic(line);
        if diagnostic.severity == Severity::Error {
            line.broken = true;
            // Once there are too many complaints any further one counts as one of a guard.
            if line.consequence.is_none() && !self.report.is_full() {
                line.consequence = directives::hidden_consequence(line.content()).map(Into::into);
            }
            diagnostic.guards |= line.consequence.is_some();
            if let Some(consequence) = &line.consequence {
                diagnostic.message += "; not starting, for without this line ";
                diagnostic.message += consequence;
            }
        }
        self.report.push(diagnostic);
    }

    /// Complains about one word.
    pub(super) fn word_error(
        &mut self,
        line: &mut Line<'_>,
        code: Code,
        word: &Word<'_>,
        message: String,
        label: impl Into<String>,
    ) {
        let span = word.span.clone();
        self.say(line, |_| Diagnostic::new(code, span, message).label(label));
    }

    /// Notes a word of the directive `of` if it has no effect yet. Words of a directive that has
    /// none itself are no news.
    pub(super) fn note_unbuilt(
        &mut self,
        line: &mut Line<'_>,
        of: &str,
        name: &str,
        at: &Word<'_>,
    ) {
        if !line.unbuilt {
            line.unbuilt = self.unbuilt.note(of, name, at) && of.is_empty();
        }
    }

    /// Looks a word up. An unknown word is an error: it gives `None` and reading goes on after it.
    pub(super) fn keyword<K: Copy>(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        vocabulary: &Vocabulary<'_, K>,
    ) -> Option<K> {
        if !word.quoted {
            let of = |(name, _): &&(&str, K)| *name == word.text;
            if let Some((name, found)) = vocabulary.words.iter().find(of) {
                self.note_unbuilt(line, vocabulary.of, name, word);
                return Some(*found);
            }
        }
        self.unknown_word(line, word, vocabulary);
        None
    }

    fn unknown_word<K>(
        &mut self,
        line: &mut Line<'_>,
        word: &Word<'_>,
        vocabulary: &Vocabulary<'_, K>,
    ) {
        let known = vocabulary.words.iter().map(|(name, _)| *name);
        let near = if self.report.is_full() {
            None
        } else if let Some((_, meant)) = MISTAKEN.iter().find(|(said, _)| *said == word.text) {
            vocabulary
                .words
                .iter()
                .map(|(name, _)| *name)
                .find(|name| name == meant)
        } else {
            suggest::nearest(&word.text, known)
        };
        let label = near.map_or("unknown word".into(), |near| {
            format!("did you mean `{near}`?")
        });
        let message = format!("`{}` is not {}", word.shown(), vocabulary.what);
        self.word_error(line, vocabulary.unknown, word, message, label);
        // A number or address after an unknown word is its value, not one more unknown word.
        let is_value =
            |text: &str| text.parse::<f64>().is_ok() || text.parse::<std::net::IpAddr>().is_ok();
        if line.peek().is_some_and(|next| is_value(&next.text)) {
            line.string();
        }
    }

    /// Complains about words after the end of a directive.
    pub(super) fn no_more(&mut self, line: &mut Line<'_>, first: &Word<'_>) {
        if let Some(extra) = line.token() {
            let message = format!("`{}` takes no more words", first.shown());
            self.word_error(
                line,
                codes::TRAILING_WORDS,
                &extra,
                message,
                "not expected here",
            );
        }
    }

    /// Complains that something is missing where the line has ended.
    pub(super) fn missing(&mut self, line: &mut Line<'_>, after: &Word<'_>, what: &str) {
        let message = format!("`{}` needs {what}", after.shown());
        self.say(line, |line| {
            Diagnostic::new(codes::MISSING_VALUE, line.end(), message).label("missing")
        });
    }
}
