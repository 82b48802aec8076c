//! Words of the grammar that are read and have no effect yet. Strike a word out when it has one.

use std::fmt::Write as _;

use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::lexer::Word;

/// By the directive they belong to, and directives themselves under no name. What restricts traps is
/// not among them: there are none, so nobody has them.
const WORDS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "calldelay",
            "device",
            "dscp",
            "extra",
            "leapsmearinterval",
            "mdnstries",
            "nonvolatile",
            "ntpsigndsocket",
            "nts",
            "phone",
            "pollskewlist",
            "rlimit",
            "simulate",
            "tick",
            "trap",
            "unrestrict",
        ],
    ),
    ("server", &["bias"]),
    ("pool", &["bias"]),
    ("peer", &["bias"]),
    ("manycastclient", &["bias"]),
    ("restrict", &["mssntp"]),
    ("fudge", &["abbrev", "minjitter"]),
    ("tos", &["basedate"]),
    ("tinker", &["huffpuff", "tick"]),
    // What they name is off, so that to disable it is no news.
    ("enable", &["calibrate"]),
    ("driftfile", &["wander"]),
    // The lines of these come from drivers, NTS and a debugging build.
    (
        "statistics",
        &[
            "clockstats",
            "ntskestats",
            "ntsstats",
            "timingstats",
            "usestats",
        ],
    ),
];

/// Lines named for each word; the rest is counted.
const LINES_SHOWN: usize = 8;
/// Words that are remembered; there are not so many, but who knows.
const WORDS_KEPT: usize = 256;

/// Whether `word` of the directive `of` has no effect yet.
fn is_listed(of: &str, word: &str) -> bool {
    WORDS
        .iter()
        .any(|(name, words)| *name == of && words.contains(&word))
}

/// What was met of them, to be said once for all files.
#[derive(Default)]
pub(super) struct Met {
    words: Vec<(String, Vec<Span>, usize)>,
}

impl Met {
    /// Notes a word, if it is listed; whether it is.
    pub(super) fn note(&mut self, of: &str, word: &str, at: &Word<'_>) -> bool {
        if !is_listed(of, word) {
            return false;
        }
        let name = if of.is_empty() {
            word.to_owned()
        } else {
            format!("{of} {word}")
        };
        let room = self.words.len() < WORDS_KEPT;
        let found = self.words.iter_mut().find(|(known, ..)| *known == name);
        match found {
            Some((_, spans, _)) if spans.len() < LINES_SHOWN => spans.push(at.span.clone()),
            Some((.., more)) => *more += 1,
            None if room => {
                self.words.push((name, vec![at.span.clone()], 0));
            }
            None => {}
        }
        true
    }

    /// The one complaint about all of them.
    pub(super) fn complaint(&self) -> Option<Diagnostic> {
        let (_, spans, _) = self.words.first()?;
        let first = spans.first()?;
        let mut message = "known, but not built yet and without effect:".to_owned();
        for (at, (name, spans, more)) in self.words.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(message, "{comma} `{name}` ({})", lines(spans, *more, first));
        }
        let label = if self.words.len() == 1 && spans.len() == 1 {
            ""
        } else {
            "the first of them"
        };
        Some(Diagnostic::new(codes::NOT_BUILT, first.clone(), message).label(label))
    }
}

/// "line 3" or "lines 3, 4, more.conf:9"; a file is named where it is not the first word's.
fn lines(spans: &[Span], more: usize, first: &Span) -> String {
    let mut numbers: Vec<String> = spans
        .iter()
        .map(|span| {
            if span.file == first.file {
                span.line.to_string()
            } else {
                format!("{}:{}", crate::lexer::shown(&span.file), span.line)
            }
        })
        .collect();
    numbers.dedup();
    let word = if numbers.len() == 1 && more == 0 {
        "line"
    } else {
        "lines"
    };
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    format!("{word} {}{rest}", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_shrinks_as_work_goes_on() {
        let mut text = String::new();
        for (of, words) in WORDS {
            assert!(words.is_sorted(), "{of}: {words:?}");
            for word in *words {
                text += format!("{of} {word}").trim_start();
                text += "\n";
            }
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("not-built", text));
    }
}
