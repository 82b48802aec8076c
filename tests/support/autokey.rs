//! What a node tells of its Autokey: cryptostats, flags, whom it holds for authentic.

use super::node::Node;
use super::wait::until;
use std::fs;
use std::time::{Duration, Instant};

/// Of a client that has done everything: bits 8 to 14, and the lowest.
pub const DONE: u32 = 0x7f01;
/// The client has proved the server's identity.
pub const VERIFIED: u32 = 0x200;
/// What every configuration of these plays begins with.
pub const LINES: &str = "keysdir LAB/keys\nstatsdir LAB/\nstatistics cryptostats\n\
    filegen cryptostats file cryptostats type none enable\n";

impl Node<'_> {
    /// Its cryptostats so far.
    #[must_use]
    pub fn cryptostats(&self) -> String {
        fs::read_to_string(self.host.folder().join("cryptostats")).unwrap_or_default()
    }

    /// Waits for a line of its cryptostats that contains this.
    ///
    /// # Panics
    /// When there is none within `limit`.
    pub fn wait_crypto(&mut self, part: &str, limit: Duration) -> String {
        let what = format!("{part:?} in the cryptostats of {:?}", self.side);
        until(&what, limit, || {
            assert!(self.daemon.lives(), "{:?} ended", self.side);
            let said = self.cryptostats();
            said.lines()
                .find(|line| line.contains(part))
                .map(str::to_owned)
        })
    }

    /// The flags of its association, `&1` is the first; 0 while it has none.
    #[must_use]
    pub fn flags(&self, association: &str) -> u32 {
        let said = self.ntpq(&["-n", "-c", &format!("rv {association} flags")]);
        let digits = said
            .split("flags=0x")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        digits.map_or(0, |digits| u32::from_str_radix(digits, 16).unwrap_or(0))
    }

    /// The column `auth` of its associations.
    #[must_use]
    pub fn auth(&self) -> Vec<String> {
        let said = self.ntpq(&["-n", "-c", "as"]);
        let rows = said.lines().skip_while(|line| !line.starts_with("==="));
        rows.skip(1)
            .filter_map(|row| row.split_whitespace().nth(5))
            .map(str::to_owned)
            .collect()
    }

    /// Waits until its association holds all these flags; says how long that took.
    ///
    /// # Panics
    /// When it does not within `limit`.
    pub fn wait_flags(&mut self, association: &str, wanted: u32, limit: Duration) -> Duration {
        let start = Instant::now();
        let mut shown = 0;
        let what = format!("flags {wanted:#x} of {:?}", self.side);
        until(&what, limit, || {
            assert!(self.daemon.lives(), "{:?} ended", self.side);
            let flags = self.flags(association);
            if flags != shown {
                let passed_s = start.elapsed().as_secs();
                eprintln!(
                    "{:?} at {}: {flags:#x} after {passed_s} s",
                    self.side,
                    self.host.v4()
                );
                shown = flags;
            }
            (flags & wanted == wanted).then(|| start.elapsed())
        })
    }
}
