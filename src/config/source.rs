//! Texts that were read, and the door through which more are asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity, render};
use crate::lexer;

/// Why an included file could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no such file.
    NotFound,
    /// It may not be read.
    Denied,
    /// It is larger than the loader is willing to read.
    TooLarge,
    /// Anything else, in the operating system's words.
    Other(String),
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such file"),
            Self::Denied => f.write_str("permission denied"),
            Self::TooLarge => f.write_str("the file is too large"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for LoadError {}

/// Reads the files that `includefile` names, so that this room does no I/O.
pub trait Loader {
    /// The bytes of the file at `path`, which is given as written in the configuration.
    ///
    /// # Errors
    /// A [`LoadError`] becomes a complaint at the `includefile` line. An implementation should not
    /// read more than [`limits::FILE_BYTES`](crate::limits::FILE_BYTES).
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError>;

    /// The names of the files in the folder at `path`, in any order, or `None` if there is no such
    /// folder.
    ///
    /// # Errors
    /// As for [`load`](Self::load).
    fn list(&self, _path: &str) -> Result<Option<Vec<String>>, LoadError> {
        Ok(None)
    }
}

/// A [`Loader`] that has no files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _path: &str) -> Result<Vec<u8>, LoadError> {
        Err(LoadError::NotFound)
    }
}

/// The texts that were parsed, by file name, kept to show complaints in.
///
/// Passwords on `crypto` lines are masked in them: complaints go to logs that more people read than
/// may read the configuration.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    texts: BTreeMap<Arc<str>, String>,
}

impl Sources {
    pub(crate) fn add(&mut self, file: Arc<str>, text: &str) {
        self.texts.insert(file, mask_passwords(text));
    }

    /// The text of a file, if it was read.
    #[must_use]
    pub fn text(&self, file: &str) -> Option<&str> {
        self.texts.get(file).map(String::as_str)
    }

    /// All complaints in order, a blank line between them, and a last line that counts them.
    #[must_use]
    pub fn render_all(&self, diagnostics: &[Diagnostic], color: bool) -> String {
        let mut out = String::new();
        for diagnostic in diagnostics {
            let text = diagnostic.file().and_then(|file| self.text(file));
            out.push_str(&render(diagnostic, text, color));
            out.push_str("\n\n");
        }
        out.push_str(&tally(diagnostics));
        out
    }
}

fn tally(diagnostics: &[Diagnostic]) -> String {
    let kinds = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::NotBuilt, "not built yet"),
        (Severity::Note, "note"),
    ];
    let mut parts = Vec::new();
    for (severity, name) in kinds {
        let count = diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count();
        let plural = if count == 1 || severity == Severity::NotBuilt {
            ""
        } else {
            "s"
        };
        if count > 0 {
            parts.push(format!("{count} {name}{plural}"));
        }
    }
    if parts.is_empty() {
        String::new()
    } else {
        format!("{}\n", parts.join(", "))
    }
}

/// Masks the word after `pw` on every line, whatever the line begins with: a mistyped `crypto` must
/// not give the password away. Byte for byte, so that spans still hold.
#[must_use]
pub fn mask_passwords(text: &str) -> String {
    // Few files have any, and to look at every word costs as much as to parse it.
    if !text.contains("pw") && !text.contains("p\"w") {
        return text.to_owned();
    }
    let mut out = text.as_bytes().to_vec();
    for raw in lexer::raw_lines(text) {
        let mut line = lexer::Line::unnamed(&raw);
        while let Some(word) = line.string() {
            if word.text == "pw"
                && let Some(secret) = line.string()
                && let Some(bytes) = out.get_mut(secret.span.bytes)
            {
                bytes.fill(b'*');
            }
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_never_reach_a_rendered_line() {
        let text = "crypto pw s3cret ident GR1\n crypt pw \"two w\u{f6}rds\" host h # pw x\npw";
        let masked = mask_passwords(text);
        assert_eq!(
            masked,
            "crypto pw ****** ident GR1\n crypt pw ************ host h # pw x\npw"
        );
        assert_eq!(masked.len(), text.len());
    }

    #[test]
    fn tally_counts_each_kind() {
        let of = |code| Diagnostic::unplaced(code, "m");
        let all = [
            of(crate::codes::NOT_BUILT),
            of(crate::codes::BAD_MASK),
            of(crate::codes::BAD_MASK),
        ];
        assert_eq!(tally(&all), "2 errors, 1 not built yet\n");
        assert_eq!(tally(&[]), "");
    }
}
