//! Settings to the text of an ntp.conf that says the same, in words the reference reads too.
//!
//! For `--saveconfigquit` and for control requests that save the configuration. What is at its
//! default is not written, and included files are written out. Counters that were to be reset are not
//! written: at a start they are zero. NTPsec's `baud` and `subtype` have no words in the reference.

mod access;
mod autokey;
mod machine;
mod monitoring;
mod sources;
mod system;

use crate::settings::Settings;

/// Most entries of a list on one line: no line may become too long to be read again.
const LIST_ENTRIES: usize = 64;

/// The text of an ntp.conf that [`parse`](crate::parse) reads as these settings, places aside.
///
/// The one exception is a `tinker allan` of 17 s or less, which is written as its logarithm and may
/// come back with another last digit.
#[must_use]
pub fn write(settings: &Settings) -> String {
    let mut lines = Lines::default();
    system::files(settings, &mut lines);
    access::keys(&settings.authentication, &mut lines);
    system::flags(&settings.flags, &mut lines);
    system::tos(&settings.tos, &mut lines);
    system::tinker(&settings.tinker, &mut lines);
    sources::associations(&settings.associations, &mut lines);
    sources::refclocks(&settings.refclocks, &mut lines);
    access::restrictions(&settings.restrictions, &mut lines);
    access::listen_rules(&settings.listen_rules, &mut lines);
    monitoring::rates(settings, &mut lines);
    monitoring::monitoring(&settings.monitoring, &mut lines);
    autokey::autokey(&settings.autokey, &mut lines);
    machine::broadcasting(&settings.broadcasting, &mut lines);
    machine::machine(&settings.machine, &mut lines);
    lines.text
}

/// The text so far.
#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    /// Adds a line of these words.
    fn push<W: AsRef<str>>(&mut self, words: impl IntoIterator<Item = W>) {
        let mut first = true;
        for word in words {
            if !std::mem::take(&mut first) {
                self.text.push(' ');
            }
            self.text.push_str(word.as_ref());
        }
        self.text.push('\n');
    }

    /// Adds `directive` with these words after it, unless there are none.
    fn push_any(&mut self, directive: &str, words: Vec<String>) {
        if !words.is_empty() {
            self.push(std::iter::once(directive.to_owned()).chain(words));
        }
    }
}

/// A word that is read as one whatever is in it. No text that was read holds a quote or a line end.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// `name value`, where the value is not the default.
fn changed<T: PartialEq + std::fmt::Display>(name: &str, value: &T, default: &T) -> Option<String> {
    (value != default).then(|| format!("{name} {value}"))
}
