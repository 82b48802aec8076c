//! A complaint, where it points, and how it is shown.

mod render;

use std::ops::Range;
use std::sync::Arc;

use crate::codes::Code;
pub use render::render;

/// How grave a complaint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// The reference knows this word and we do not build it yet. Shown as a warning; a caller may
    /// treat it as an error.
    NotBuilt,
    /// Taken, but probably not what was meant.
    Warning,
    /// The line is not understood and the daemon must not start on it.
    Error,
}

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The file's name as it was given to [`parse`](crate::parse) or to `includefile`.
    pub file: Arc<str>,
    /// Line number, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// Bytes of the file's text (as UTF-8, after replacement of what was not).
    pub bytes: Range<usize>,
}

/// One positioned complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// Its code in [`codes`](crate::codes).
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where; absent when the complaint is about the whole configuration.
    pub span: Option<Span>,
    /// A few words beside the caret.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// An error in a line that guards access or authentication: to carry on without the line could
    /// open what it was to close.
    pub guards: bool,
}

impl Diagnostic {
    /// At this place.
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            span: Some(span),
            ..Self::unplaced(code, message)
        }
    }

    /// About the whole configuration.
    #[must_use]
    pub fn unplaced(code: Code, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity,
            code: code.id,
            message: message.into(),
            span: None,
            label: String::new(),
            help: None,
            guards: false,
        }
    }

    /// With a few words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// With what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) const fn guarding(mut self) -> Self {
        self.guards = true;
        self
    }

    /// The file complained about, if the complaint has a place.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.span.as_ref().map(|span| &*span.file)
    }
}
