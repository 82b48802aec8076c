//! Real servers for the daemon under test to follow, all on this machine's own clock.

use super::daemon::Daemon;
use super::keys;
use super::peers::Tree;
use super::wait::{seconds, until_true};
use super::world::Host;
use std::time::Duration;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// ntpd 4.2.8p15.
    Ntp4,
    /// chronyd.
    Chrony,
    /// NTPsec's ntpd.
    Ntpsec,
}

/// Stratum each serves.
pub const STRATUM: u8 = 3;

/// Orphan mode serves at once, where a LOCAL clock would first have to be believed.
const NTPD: &str = "tos orphan 3 orphanwait 1\nrestrict default\n";

/// Without a source ntpd-rs says that its clock is not synchronised.
const NTPD_RS: &str = r#"
[observability]
log-level = "info"
observation-path = "/run/observe"
[synchronization]
minimum-agreeing-sources = 1
[source-defaults]
initial-poll-interval = 4
poll-interval-limits = { min = 4, max = 4 }
[[source]]
mode = "server"
address = "#;

impl Upstream {
    /// Starts it on a host and waits until it serves time.
    ///
    /// # Panics
    /// When it does not within twenty seconds.
    #[must_use]
    pub fn start(self, host: Host<'_>) -> Daemon {
        let mut daemon = match self {
            Self::Ntp4 => ntpd(host, Tree::Ntp4, NTPD),
            Self::Ntpsec => ntpd(host, Tree::Ntpsec, NTPD),
            Self::Chrony => chrony(host, "local stratum 3\nallow\n"),
        };
        wait_serving(host, &mut daemon, seconds(20));
        daemon.assert_clock_safe();
        daemon
    }

    /// The same with the shared keys loaded.
    ///
    /// # Panics
    /// As `start`.
    #[must_use]
    pub fn start_keyed(self, host: Host<'_>) -> Daemon {
        let mut daemon = match self {
            Self::Ntp4 | Self::Ntpsec => {
                host.write("ntp.keys", &keys::ntp_keys());
                // NTPsec limits whom it was not told to leave alone, and this asker has four keys.
                let (tree, unlimited) = if self == Self::Ntp4 {
                    (Tree::Ntp4, "")
                } else {
                    (Tree::Ntpsec, "unrestrict default limited\n")
                };
                let trusted = keys::TRUSTED;
                let config = format!("{NTPD}{unlimited}keys /lab/ntp.keys\n{trusted}");
                ntpd(host, tree, &config)
            }
            Self::Chrony => {
                host.write("chrony.keys", &keys::chrony_keys());
                chrony(host, "local stratum 3\nallow\nkeyfile /lab/chrony.keys\n")
            }
        };
        wait_serving(host, &mut daemon, seconds(20));
        daemon.assert_clock_safe();
        daemon
    }
}

/// Starts ntpd-rs, which follows a source itself, and waits until it serves.
///
/// # Panics
/// When it does not within ninety seconds.
#[must_use]
pub fn ntpd_rs(host: Host<'_>, source: &str) -> Daemon {
    let listen = |at: String| format!("[[server]]\nlisten = \"{at}:123\"\n");
    let v6 = format!("[{}]", host.v6());
    let source = format!("\"{source}\"\n");
    let config = [NTPD_RS, &source, &listen(host.v4()), &listen(v6)].concat();
    host.write("ntp.toml", &config);
    let arguments = ["-c", "/lab/ntp.toml"];
    let program = "/usr/bin/ntp-daemon";
    let mut daemon = Daemon::peer(host, "ntpd-rs", Tree::NtpdRs, program, &arguments);
    wait_serving(host, &mut daemon, seconds(90));
    daemon.assert_clock_safe();
    daemon
}

/// Starts ntpd 4.2.8, mended or not, or NTPsec, in the foreground and logging to its output.
///
/// # Panics
/// When its tree is missing.
#[must_use]
pub fn ntpd(host: Host<'_>, tree: Tree, config: &str) -> Daemon {
    host.write("ntp.conf", config);
    let arguments = ["-n", "-g", "-c", "/lab/ntp.conf", "-l", "/dev/stderr"];
    let program = match tree {
        Tree::Mended => "/usr/sbin/ntpd-mended",
        _ => "/usr/sbin/ntpd",
    };
    Daemon::peer(host, "ntpd", tree, program, &arguments)
}

/// Starts chronyd, in the foreground and keeping off the clock.
///
/// # Panics
/// When its tree is missing.
#[must_use]
pub fn chrony(host: Host<'_>, config: &str) -> Daemon {
    host.write("chrony.conf", config);
    let arguments = ["-x", "-d", "-f", "/lab/chrony.conf"];
    Daemon::peer(
        host,
        "chronyd",
        Tree::Chrony,
        "/usr/sbin/chronyd",
        &arguments,
    )
}

/// Starts OpenNTPD.
///
/// # Panics
/// When its tree is missing.
#[must_use]
pub fn openntpd(host: Host<'_>, config: &str) -> Daemon {
    host.write("ntpd.conf", config);
    let arguments = ["-d", "-v", "-f", "/lab/ntpd.conf"];
    Daemon::peer(
        host,
        "openntpd",
        Tree::OpenNtpd,
        "/usr/sbin/ntpd",
        &arguments,
    )
}

/// Waits until the host serves time that is synchronised.
///
/// # Panics
/// When it does not within `limit`, or its daemon ends.
pub fn wait_serving(host: Host<'_>, daemon: &mut Daemon, limit: Duration) {
    until_true("the upstream to serve", limit, || {
        assert!(daemon.lives(), "the upstream ended");
        serves(host)
    });
}

/// Whether a host serves time that is synchronised, asked by ntplib from the host itself.
#[must_use]
pub fn serves(host: Host<'_>) -> bool {
    const ASK: &str = "import ntplib, sys\n\
        r = ntplib.NTPClient().request(sys.argv[1], version=4, timeout=1)\n\
        sys.exit(0 if r.leap != 3 and 0 < r.stratum < 16 else 1)";
    let mut command = host.peer(Tree::Ntplib, "/usr/bin/python3");
    command.args(["-c", ASK, &host.v4()]);
    super::command::finish(command).code == Some(0)
}
