//! Where programs say things, and the hosts of their command lines.
use crate::query::Family;
use std::io::Write;

/// Where a command's output and its complaints go.
pub(in crate::persona) struct Screen<'a> {
    /// Standard output, or the file after `>`.
    pub(in crate::persona) out: &'a mut dyn Write,
    /// Standard error.
    pub(in crate::persona) err: &'a mut dyn Write,
}

impl Screen<'_> {
    /// A reader that went away is no reason to stop.
    pub(in crate::persona) fn say(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    pub(in crate::persona) fn complain(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
    }
}

/// A host of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::persona) struct HostWord {
    pub(in crate::persona) name: String,
    pub(in crate::persona) family: Option<Family>,
}
