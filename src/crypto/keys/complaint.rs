use core::fmt;

/// Complaints kept; a log file given as key file must not become a second log file.
const COMPLAINTS_MAX: usize = 64;

/// What is wrong with a line of a key file. It never quotes the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyComplaint {
    /// Line, from 1; 0 for the whole file.
    pub line: usize,
    /// Column in octets, from 1; 0 for the whole line.
    pub column: usize,
    /// Whether the line gives no key because of it; otherwise it is a warning.
    pub refused: bool,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

impl fmt::Display for KeyComplaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line != 0 {
            write!(f, "line {}, column {}: ", self.line, self.column)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// Collects them, bounded.
#[derive(Default)]
pub(super) struct Complaints {
    kept: Vec<KeyComplaint>,
    dropped: usize,
}

impl Complaints {
    /// The line gives no key.
    pub(super) fn refuse(&mut self, at: (usize, usize), what: String, remedy: &'static str) {
        self.add(at, true, what, remedy);
    }

    /// The line gives a key, though perhaps not the one meant.
    pub(super) fn warn(&mut self, at: (usize, usize), what: String, remedy: &'static str) {
        self.add(at, false, what, remedy);
    }

    fn add(&mut self, at: (usize, usize), refused: bool, what: String, remedy: &'static str) {
        if self.kept.len() == COMPLAINTS_MAX {
            self.dropped += 1;
            return;
        }
        self.kept.push(KeyComplaint {
            line: at.0,
            column: at.1,
            refused,
            what,
            remedy,
        });
    }

    pub(super) fn finish(mut self) -> Vec<KeyComplaint> {
        if self.dropped > 0 {
            self.kept.push(KeyComplaint {
                line: 0,
                column: 0,
                refused: true,
                what: format!("{} more complaints", self.dropped),
                remedy: "is this a key file?",
            });
        }
        self.kept
    }
}
