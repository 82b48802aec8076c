//! The mark that `-g` has been spent: a second big step in one boot is an attack, not a cold start.
//!
//! A server that can make the daemon exit can make a service manager restart it; if each restart
//! came with a fresh `-g`, the attacker could walk the clock anywhere (RFC 8633 §5.2). The mark
//! lives in the runtime folder, which is emptied at boot.
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const NAME: &str = "panic-gate-spent";

/// The mark of one runtime folder.
#[derive(Clone, Debug)]
pub struct PanicGate {
    mark: PathBuf,
}

impl PanicGate {
    /// The mark in this runtime folder.
    pub fn new(runtime_folder: &Path) -> Self {
        Self {
            mark: runtime_folder.join(NAME),
        }
    }

    /// Where the mark is.
    pub fn path(&self) -> &Path {
        &self.mark
    }

    /// Whether the gate was used since boot. Anything in the mark's place counts, and so does a
    /// folder that cannot be looked into: doubt keeps the gate shut.
    pub fn is_spent(&self) -> bool {
        match fs::symlink_metadata(&self.mark) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    /// Leaves the mark.
    ///
    /// # Errors
    /// What the operating system says; that the mark exists already is no error.
    pub fn spend(&self, offset_s: f64) -> io::Result<()> {
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&self.mark);
        match made {
            Ok(mut mark) => writeln!(mark, "offset {offset_s:+.6} s"),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn spent_once_and_for_all() {
        let scratch = Scratch::new("gate");
        let gate = PanicGate::new(&scratch.path(""));
        assert!(!gate.is_spent());
        gate.spend(4000.0).expect("writable");
        assert!(gate.is_spent());
        gate.spend(5000.0).expect("no error the second time");
        let text = fs::read_to_string(gate.path()).expect("text");
        assert_eq!(text, "offset +4000.000000 s\n");
        assert!(
            PanicGate::new(&scratch.path("")).is_spent(),
            "after a restart"
        );
    }

    #[test]
    fn a_planted_link_counts_and_is_not_followed() {
        let scratch = Scratch::new("gate-link");
        let gate = PanicGate::new(&scratch.path(""));
        let victim = scratch.path("victim");
        std::os::unix::fs::symlink(&victim, gate.path()).expect("a link");
        assert!(gate.is_spent());
        gate.spend(4000.0).expect("counts as spent");
        assert!(!victim.exists());
    }

    #[test]
    fn a_folder_that_is_none_keeps_the_gate_shut() {
        let scratch = Scratch::new("gate-file");
        let file = scratch.path("file");
        fs::write(&file, "").expect("writable");
        let gate = PanicGate::new(&file);
        assert!(gate.is_spent());
        gate.spend(1.0).expect_err("no folder");
    }
}
