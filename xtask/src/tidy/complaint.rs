//! What tidy says: where, which rule, what is wrong, what to do.

use std::fmt;

/// One breach of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    /// File, from the top of the repository.
    pub(crate) file: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// Short name of the rule.
    pub(crate) rule: &'static str,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) fix: String,
}

impl Complaint {
    /// A complaint about one line of a file.
    pub(crate) fn new(
        file: &str,
        line: usize,
        rule: &'static str,
        what: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            file: file.to_owned(),
            line,
            rule,
            what: what.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{}:{}: {} [{}]",
            self.file, self.line, self.what, self.rule
        )?;
        write!(out, "    fix: {}", self.fix)
    }
}
