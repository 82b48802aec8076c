//! Real clients for the daemon under test to serve.

use super::daemon::Daemon;
use super::keys;
use super::peers::Tree;
use super::table::{self, Row};
use super::upstreams::{chrony, ntpd, openntpd};
use super::wait::until_true;
use super::world::Host;
use std::time::Duration;

/// NTPsec answers questions about itself only when told so.
const ASKED: &str = "restrict 127.0.0.1\nrestrict ::1\n";

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// ntpd 4.2.8p15.
    Ntp4,
    /// chronyd.
    Chrony,
    /// NTPsec's ntpd.
    Ntpsec,
    /// ntpd-rs.
    NtpdRs,
    /// OpenNTPD, which takes minutes to call itself synchronised: see `slow_line`.
    OpenNtpd,
}

/// A running client of some servers.
#[derive(Debug)]
pub struct Client {
    kind: ClientKind,
    /// The process.
    pub daemon: Daemon,
    servers: usize,
}

impl Client {
    /// Starts a client of servers at these addresses.
    #[must_use]
    pub fn start(kind: ClientKind, host: Host<'_>, servers: &[&str]) -> Self {
        let lines = |line: &dyn Fn(&str) -> String| -> String {
            servers.iter().map(|server| line(server) + "\n").collect()
        };
        let daemon = match kind {
            ClientKind::Ntp4 | ClientKind::Ntpsec => {
                let servers = lines(&|s| format!("server {s} iburst minpoll 3"));
                ntpd(host, kind.tree(), &(servers + ASKED))
            }
            ClientKind::Chrony => chrony(
                host,
                &lines(&|s| format!("server {s} iburst minpoll 0 maxpoll 0")),
            ),
            ClientKind::OpenNtpd => openntpd(host, &lines(&|s| format!("server {s}"))),
            ClientKind::NtpdRs => ntpd_rs(
                host,
                &lines(&|s| {
                    // It splits an address at its first colon; names of these are in the tree.
                    let name = s.replace("fd77::", "six");
                    format!("[[source]]\nmode = \"server\"\naddress = \"{name}\"")
                }),
            ),
        };
        Self::checked(kind, daemon, servers.len())
    }

    /// Starts a client that asks each server with the shared key of the same position.
    ///
    /// # Panics
    /// For a kind that knows no symmetric keys.
    #[must_use]
    pub fn start_keyed(kind: ClientKind, host: Host<'_>, servers: &[&str], keys: &str) -> Self {
        let lines = |rest: &str| -> String {
            servers
                .iter()
                .zip(keys::KEYS)
                .map(|(server, key)| format!("server {server} key {} {rest}\n", key.id))
                .collect()
        };
        let daemon = match kind {
            ClientKind::Ntp4 | ClientKind::Ntpsec => {
                host.write("ntp.keys", keys);
                let tail = format!("keys /lab/ntp.keys\n{}{ASKED}", keys::TRUSTED);
                ntpd(host, kind.tree(), &(lines("iburst minpoll 3") + &tail))
            }
            ClientKind::Chrony => {
                host.write("chrony.keys", keys);
                let tail = "keyfile /lab/chrony.keys\n";
                chrony(host, &(lines("iburst minpoll 0 maxpoll 0") + tail))
            }
            other => panic!("{other:?} knows no symmetric keys"),
        };
        Self::checked(kind, daemon, servers.len())
    }

    fn checked(kind: ClientKind, daemon: Daemon, servers: usize) -> Self {
        Self {
            kind,
            daemon,
            servers,
        }
    }

    /// Waits until it follows one server, hears all of them, and all are near.
    ///
    /// # Panics
    /// When it does not within `limit`, and when it could set the machine's clock.
    pub fn wait_synchronised(&mut self, limit: Duration) {
        let what = format!("{:?} to follow its server", self.kind);
        let mut said = String::new();
        until_true(&what, limit, || {
            assert!(self.daemon.lives(), "{:?} ended", self.kind);
            let (now, synchronised) = self.look();
            if now != said {
                eprintln!("{:?} says: {}", self.kind, now.trim_end());
                said = now;
            }
            synchronised
        });
        self.daemon.assert_clock_safe();
    }

    /// What it says of itself, and whether that means synchronised.
    fn look(&self) -> (String, bool) {
        match self.kind {
            ClientKind::Ntp4 | ClientKind::Ntpsec => {
                let said = self.daemon.ask("/usr/bin/ntpq", &["-pn"]).text;
                let synchronised = follows(&table::last(&said), self.servers);
                (said, synchronised)
            }
            ClientKind::Chrony => {
                let said = self
                    .daemon
                    .ask("/usr/bin/chronyc", &["-n", "-c", "sources"])
                    .text;
                let synchronised = chrony_follows(&said, self.servers);
                (said, synchronised)
            }
            ClientKind::OpenNtpd => {
                let said = self.daemon.ask("/usr/sbin/ntpctl", &["-s", "all"]).text;
                let valid = format!("{0}/{0} peers valid", self.servers);
                let synchronised = said.contains(&valid) && said.contains("clock synced");
                (said, synchronised)
            }
            ClientKind::NtpdRs => {
                let arguments = ["-c", "/lab/ntp.toml", "status"];
                let said = self.daemon.ask("/usr/bin/ntp-ctl", &arguments).text;
                let own_stratum = said
                    .lines()
                    .find_map(|line| line.strip_prefix("Stratum: "))
                    .and_then(|stratum| stratum.trim().parse::<u8>().ok());
                let synchronised = own_stratum.is_some_and(|stratum| stratum < 16);
                (said, synchronised)
            }
        }
    }

    /// The table of peers, of a client that has one.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        table::last(&self.daemon.ask("/usr/bin/ntpq", &["-pn"]).text)
    }
}

impl ClientKind {
    const fn tree(self) -> Tree {
        match self {
            Self::Ntp4 => Tree::Ntp4,
            Self::Chrony => Tree::Chrony,
            Self::Ntpsec => Tree::Ntpsec,
            Self::NtpdRs => Tree::NtpdRs,
            Self::OpenNtpd => Tree::OpenNtpd,
        }
    }
}

fn ntpd_rs(host: Host<'_>, sources: &str) -> Daemon {
    host.write(
        "ntp.toml",
        &format!(
            "[observability]\nlog-level = \"info\"\nobservation-path = \"/run/observe\"\n\
             [synchronization]\nminimum-agreeing-sources = 1\n\
             [source-defaults]\ninitial-poll-interval = 4\n\
             poll-interval-limits = {{ min = 4, max = 4 }}\n{sources}"
        ),
    );
    Daemon::peer(
        host,
        "ntpd-rs",
        Tree::NtpdRs,
        "/usr/bin/ntp-daemon",
        &["-c", "/lab/ntp.toml"],
    )
}

fn follows(rows: &[Row], servers: usize) -> bool {
    rows.len() == servers
        && rows.iter().any(|row| row.tally == '*')
        && rows
            .iter()
            .all(|row| row.reach != 0 && row.offset_ms.abs() < 50.0)
}

/// chronyc's comma-separated sources: mode, state, address, stratum, poll, reach, ...
fn chrony_follows(said: &str, servers: usize) -> bool {
    let sources: Vec<Vec<_>> = said.lines().map(|line| line.split(',').collect()).collect();
    let field = |source: &[&str], at: usize| source.get(at).map(|field| (*field).to_owned());
    sources.len() == servers
        && sources
            .iter()
            .any(|source| field(source, 1).as_deref() == Some("*"))
        && sources
            .iter()
            .all(|source| field(source, 5).is_some_and(|reach| reach != "0"))
}
