//! The daemon under test.

use super::command::{Finished, finish};
use super::daemon::Daemon;
use super::table::{self, Row};
use super::wait::{seconds, until};
use super::world::Host;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A running truechimer. Its log is on its standard error.
#[derive(Debug)]
pub struct Truechimer<'a> {
    /// The process.
    pub daemon: Daemon,
    host: Host<'a>,
}

impl<'a> Truechimer<'a> {
    /// Runs it in the foreground with a configuration, and waits until it serves.
    ///
    /// # Panics
    /// When it does not answer within ten seconds.
    #[must_use]
    pub fn start(host: Host<'a>, config: &str) -> Self {
        let mut started = Self::start_unchecked(host, "truechimer", config);
        started.wait_answer();
        started
    }

    /// Runs it under another name beside a first one, without asking how it fares.
    #[must_use]
    pub fn start_unchecked(host: Host<'a>, name: &str, config: &str) -> Self {
        Self::start_with(host, name, config, &[])
    }

    /// The same with more options.
    #[must_use]
    pub fn start_with(host: Host<'a>, name: &str, config: &str, options: &[&str]) -> Self {
        let path = host.write(&format!("{name}.conf"), config);
        let mut command = host.native(&binary());
        command.args(["run", "-u", "root", "-c"]).arg(path);
        command.args(options);
        Self {
            daemon: Daemon::start(host, name, command),
            host,
        }
    }

    /// Runs it after a script of the shell has changed the mounts that it alone sees.
    ///
    /// # Panics
    /// When it does not answer within ten seconds.
    #[must_use]
    pub fn start_prepared(host: Host<'a>, config: &str, script: &str) -> Self {
        let who = ["run", "-u", "root", "-c"];
        Self::after(host, host.native(Path::new("sh")), config, script, &who)
    }

    /// The same, and it believes that it steers the clock.
    ///
    /// # Panics
    /// When it does not answer within ten seconds.
    #[must_use]
    pub fn start_pretending(host: Host<'a>, config: &str, script: &str) -> Self {
        // The user namespace has one user and no way to become another.
        let who = ["run", "-c"];
        Self::after(host, host.pretending(Path::new("sh")), config, script, &who)
    }

    fn after(
        host: Host<'a>,
        mut shell: Command,
        config: &str,
        script: &str,
        arguments: &[&str],
    ) -> Self {
        let path = host.write("truechimer.conf", config);
        shell.arg("-c").arg(format!("{script} && exec \"$@\""));
        shell.arg("sh").arg(binary());
        shell.args(arguments).arg(path);
        let mut started = Self {
            daemon: Daemon::start(host, "truechimer", shell),
            host,
        };
        started.wait_answer();
        started
    }

    /// Waits for the first answer to a query.
    fn wait_answer(&mut self) {
        let host = self.host;
        until("truechimer's first answer", seconds(10), || {
            assert!(self.daemon.lives(), "truechimer ended at its start");
            let reply = query(host, &["--json", "127.0.0.1"]);
            // Unsynchronised it answers with the kiss INIT.
            let words = ["\"stratum\"", "\"kiss\""];
            words
                .iter()
                .any(|word| reply.stdout.contains(word))
                .then_some(())
        });
    }

    /// Its table of peers, printed to the log at our request.
    ///
    /// # Panics
    /// When none is printed within five seconds.
    pub fn peers(&mut self) -> Vec<Row> {
        let before = table::count(&self.daemon.log());
        self.daemon.signal("USR1");
        until("a table of peers in the log", seconds(5), || {
            (table::count(&self.daemon.log()) > before).then_some(())
        });
        // The rows follow the head at once; the log is one write a line.
        std::thread::sleep(Duration::from_millis(50));
        table::last(&self.daemon.log())
    }

    /// Waits until the table is as wanted, and gives it.
    ///
    /// # Panics
    /// When it is not so within `limit`.
    pub fn wait_peers(
        &mut self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&[Row]) -> bool,
    ) -> Vec<Row> {
        until(what, limit, || {
            std::thread::sleep(Duration::from_millis(500));
            let rows = self.peers();
            wanted(&rows).then_some(rows)
        })
    }

    /// Waits until every peer has been heard eight times in a row and one is the system peer.
    ///
    /// # Panics
    /// When that does not come about within `limit`.
    pub fn wait_full_reach(&mut self, limit: Duration) -> Vec<Row> {
        self.wait_peers("reach 377 and a system peer", limit, |rows| {
            !rows.is_empty()
                && rows.iter().all(|row| row.reach == 0o377)
                && rows.iter().filter(|row| row.tally == '*').count() == 1
        })
    }

    /// What `truechimer query --json` says about this daemon.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn answer(&self) -> serde_json::Value {
        let reply = query(self.host, &["--json", "127.0.0.1"]);
        match serde_json::from_str(&reply.stdout) {
            Ok(value) => first(value),
            Err(error) => panic!("query said {}: {error}", reply.text),
        }
    }
}

/// A list of answers holds ours first.
fn first(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Array(mut list) if !list.is_empty() => list.swap_remove(0),
        other => other,
    }
}

/// Runs `truechimer query` on a host.
///
/// # Panics
/// When there is no binary.
#[must_use]
pub fn query(host: Host<'_>, arguments: &[&str]) -> Finished {
    let mut command = host.native(&binary());
    command.arg("query").args(arguments);
    finish(command)
}

/// The program under test: $TRUECHIMER_BIN, else the one built beside the tests, the release
/// build if there is one that is newer.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = env::var_os("TRUECHIMER_BIN") {
        return PathBuf::from(path);
    }
    let own = match env::current_exe() {
        Ok(path) => path,
        Err(error) => panic!("cannot tell where the tests were built: {error}"),
    };
    let target = own
        .ancestors()
        .nth(3)
        .map(PathBuf::from)
        .unwrap_or_default();
    ["debug", "release"]
        .iter()
        .map(|profile| target.join(profile).join("truechimer"))
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .max()
        .map_or_else(
            || panic!("no truechimer to test; run: cargo build, or set TRUECHIMER_BIN"),
            |(_, path)| path,
        )
}
