//! A daemon on a host that may be the reference or ours, with the same configuration and asked by
//! the same ntpq: so each play has the real thing for its yardstick.

use super::command::finish;
use super::daemon::Daemon;
use super::peers::Tree;
use super::table::{self, Row};
use super::truechimer::Truechimer;
use super::upstreams::{self, wait_serving};
use super::wait::{seconds, until};
use super::world::Host;
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

/// Whose daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// truechimer.
    Ours,
    /// ntpd 4.2.8p15.
    Ntp4,
    /// The same, with its Autokey's faults mended.
    Mended,
}

/// Between two looks at a table, besides the pause of every wait.
const PAUSE: Duration = Duration::from_millis(500);

/// A running daemon of either side.
#[derive(Debug)]
pub struct Node<'a> {
    /// Whose it is.
    pub side: Side,
    /// Where it runs.
    pub host: Host<'a>,
    /// The process.
    pub daemon: Daemon,
}

/// Every node may be asked from its own host.
const ASKED: &str = "restrict 127.0.0.1\nrestrict ::1\n";

impl<'a> Node<'a> {
    /// Starts it; `LAB` in the configuration stands for the host's folder.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(side: Side, host: Host<'a>, config: &str) -> Self {
        let config = format!("{config}{ASKED}");
        let daemon = match side {
            Side::Ours => {
                let folder = host.folder().display().to_string();
                Truechimer::start(host, &config.replace("LAB", &folder)).daemon
            }
            Side::Ntp4 => upstreams::ntpd(host, Tree::Ntp4, &config.replace("LAB", "/lab")),
            Side::Mended => upstreams::ntpd(host, Tree::Mended, &config.replace("LAB", "/lab")),
        };
        Self { side, host, daemon }
    }

    /// What the reference's ntpq says when it asks this node about itself.
    #[must_use]
    pub fn ntpq(&self, arguments: &[&str]) -> String {
        let mut command = self.host.peer(Tree::Ntp4, "/usr/bin/ntpq");
        command.args(arguments).arg("127.0.0.1");
        finish(command).text
    }

    /// Its table of peers.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        table::last(&self.ntpq(&["-pn"]))
    }

    /// Waits until the table is as wanted, and gives it. What it was at each change is shown.
    ///
    /// # Panics
    /// When it is not so within `limit`.
    pub fn wait_rows(
        &mut self,
        what: &str,
        limit: Duration,
        mut wanted: impl FnMut(&[Row]) -> bool,
    ) -> Vec<Row> {
        let mut shown = String::new();
        until(what, limit, || {
            assert!(self.daemon.lives(), "{:?} ended", self.side);
            let said = self.ntpq(&["-pn"]);
            let rows = table::last(&said);
            if said != shown {
                eprintln!("{:?} at {}:\n{said}", self.side, self.host.v4());
                shown = said;
            }
            let found = wanted(&rows).then_some(rows);
            if found.is_none() {
                // Many worlds at once ask their nodes.
                thread::sleep(PAUSE);
            }
            found
        })
    }

    /// Waits until it follows this remote.
    ///
    /// # Panics
    /// When it does not within `limit`.
    pub fn wait_follows(&mut self, remote: &str, limit: Duration) -> Row {
        let what = format!("{:?} to follow {remote}", self.side);
        let follows = |row: &Row| row.tally == '*' && remote.starts_with(&row.remote);
        let rows = self.wait_rows(&what, limit, |rows| rows.iter().any(follows));
        match rows.into_iter().find(follows) {
            Some(row) => {
                self.daemon.assert_clock_safe();
                row
            }
            None => unreachable!("it was there"),
        }
    }

    /// Waits until it calls itself synchronised.
    ///
    /// # Panics
    /// When it does not within `limit`.
    pub fn wait_serving(&mut self, limit: Duration) {
        wait_serving(self.host, &mut self.daemon, limit);
        self.daemon.assert_clock_safe();
    }

    /// Its system variables, or those of its only association: `rv 0` or `rv &1`.
    #[must_use]
    pub fn variables(&self, association: &str) -> BTreeMap<String, String> {
        let said = self.ntpq(&["-n", "-c", &format!("rv {association}")]);
        let pairs = said
            .split([',', '\n'])
            .filter_map(|pair| pair.trim().split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
            .collect()
    }

    /// Its stratum by its own account; 16 where it does not tell.
    #[must_use]
    pub fn stratum(&self) -> u8 {
        let said = self.variables("0");
        said.get("stratum")
            .and_then(|it| it.parse().ok())
            .unwrap_or(16)
    }

    /// Ends it as an init system does, and waits for that.
    ///
    /// # Panics
    /// When it goes on for five seconds.
    pub fn stop(&mut self) {
        self.daemon.signal("TERM");
        self.daemon.wait_end(seconds(5));
    }
}
