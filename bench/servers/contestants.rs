//! The servers that are compared, each set up to answer anybody from its own clock.
use super::{REFERENCE_PORT, Scratch, peers_folder, program};
use crate::load::keys;
use crate::process::Server;
use std::path::Path;

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The yardstick.
    Raw,
    /// Ours, with the engine `poll`.
    Poll,
    /// Ours, with the engine `uring`.
    Uring,
    Chrony,
    Ntp4,
    Ntpsec,
    NtpdRs,
    OpenNtpd,
}

/// All of them, the yardstick first.
pub(crate) const ALL: [Kind; 8] = [
    Kind::Raw,
    Kind::Poll,
    Kind::Uring,
    Kind::Chrony,
    Kind::Ntp4,
    Kind::Ntpsec,
    Kind::NtpdRs,
    Kind::OpenNtpd,
];

/// How a server is set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    /// Where it may run, as taskset(1) lists them.
    pub(crate) cores: &'a str,
    pub(crate) port: u16,
    /// Server threads, where it can have more than one.
    pub(crate) threads: u8,
    /// Lines of ours beside the rest of the configuration.
    pub(crate) lines: &'a str,
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self {
            cores: "0",
            port: REFERENCE_PORT,
            threads: 1,
            lines: "",
        }
    }
}

/// In orphan mode it serves at once, where a LOCAL clock would first have to be believed.
const NTPD: &str = "tos orphan 5 orphanwait 1\nkeys KEYS\ntrustedkey 1 2 3\n";
const CHRONY: &str = "local stratum 5\nallow\ncmdport 0\nkeyfile /lab/chrony.keys\n";
/// Without a source it says that it has no time.
const NTPD_RS: &str = "[observability]\nlog-level = \"info\"\n\
    [synchronization]\nminimum-agreeing-sources = 1\nlocal-stratum = 5\n\
    [[server]]\nlisten = \"0.0.0.0:123\"\n";

/// Furnishes a tree for one process: $0 is the tree, $1 the folder of this run. The mounts are seen by
/// that process and its children alone.
const FURNISH: &str = "
tree=$0 lab=$1; shift
mount --bind /dev \"$tree/dev\" && mount -t proc proc \"$tree/proc\" &&
mount --bind \"$lab\" \"$tree/lab\" || exit 125
for folder in tmp run var/lib var/log; do
    mount -t tmpfs -o mode=755 tmpfs \"$tree/$folder\" || exit 125
done
cd \"$tree\" && mkdir -p -m 750 run/chrony && mkdir -p run/openntpd var/lib/chrony \\
    var/lib/ntp var/lib/ntpsec var/lib/openntpd/db var/lib/openntpd/run var/log/ntpsec &&
exec chroot \"$tree\" \"$@\"";

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw responder",
            Self::Poll => "truechimer poll",
            Self::Uring => "truechimer uring",
            Self::Chrony => "chronyd 4.6.1",
            Self::Ntp4 => "ntpd 4.2.8p15",
            Self::Ntpsec => "NTPsec",
            Self::NtpdRs => "ntpd-rs",
            Self::OpenNtpd => "OpenNTPD",
        }
    }

    /// The tree of tests/peers/install.
    const fn tree(self) -> Option<&'static str> {
        match self {
            Self::Raw | Self::Poll | Self::Uring => None,
            Self::Chrony => Some("chrony"),
            Self::Ntp4 => Some("ntp4"),
            Self::Ntpsec => Some("ntpsec"),
            Self::NtpdRs => Some("ntpd-rs"),
            Self::OpenNtpd => Some("openntpd"),
        }
    }

    /// Whether its replies are taken though they say that it has no time: it would need a source.
    pub(crate) const fn has_no_time(self) -> bool {
        matches!(self, Self::NtpdRs | Self::OpenNtpd)
    }

    /// Whether it is one of ours.
    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::Poll | Self::Uring)
    }

    /// Whether it can be had: peers that are not installed are passed over.
    pub(crate) fn is_present(self) -> bool {
        self.tree()
            .is_none_or(|tree| peers_folder().join(tree).join(".recipe").exists())
    }

    /// Starts it, in the network of the calling thread.
    pub(crate) fn start(self, scratch: &Scratch, setup: &Setup<'_>) -> Result<Server, String> {
        let strict = "restrict default\n";
        let of_ntpd = |keys: &str, lines: &str| {
            let config = NTPD.replace("KEYS", keys) + lines;
            scratch.file("ntpd.conf", &config)
        };
        match self {
            Self::Raw => {
                let own = std::env::current_exe().map_err(|error| error.to_string())?;
                let port = setup.port.to_string();
                let log = scratch.path("raw.log");
                let arguments = ["raw-responder", &port];
                Server::start(self.name(), setup.cores, &own, &arguments, &log)
            }
            Self::Poll | Self::Uring => {
                let keys = scratch.file("ntp.keys", &keys::ntp_keys())?;
                let lines = if setup.lines.is_empty() {
                    strict
                } else {
                    setup.lines
                };
                let config = NTPD.replace("KEYS", &keys) + lines;
                let engine = if self == Self::Poll { "poll" } else { "uring" };
                truechimer(scratch, setup, engine, &config)
            }
            Self::Chrony => {
                scratch.file("chrony.keys", &keys::chrony_keys())?;
                let config = format!("{CHRONY}port {}\n", setup.port);
                scratch.file("chrony.conf", &config)?;
                let arguments = ["-x", "-n", "-u", "root", "-f", "/lab/chrony.conf"];
                self.in_its_tree(scratch, setup, "/usr/sbin/chronyd", &arguments)
            }
            Self::Ntp4 | Self::Ntpsec => {
                scratch.file("ntp.keys", &keys::ntp_keys())?;
                // NTPsec limits whom it was not told to leave alone.
                let lifted = if self == Self::Ntp4 {
                    ""
                } else {
                    "unrestrict default limited\n"
                };
                of_ntpd("/lab/ntp.keys", &format!("{strict}{lifted}"))?;
                let arguments = ["-n", "-g", "-c", "/lab/ntpd.conf", "-l", "/dev/stderr"];
                self.in_its_tree(scratch, setup, "/usr/sbin/ntpd", &arguments)
            }
            Self::NtpdRs => {
                scratch.file("ntp.toml", NTPD_RS)?;
                let arguments = ["-c", "/lab/ntp.toml"];
                self.in_its_tree(scratch, setup, "/usr/bin/ntp-daemon", &arguments)
            }
            Self::OpenNtpd => {
                // It does not start without a server; this one never answers.
                scratch.file("openntpd.conf", "listen on 127.0.0.1\nserver 127.0.0.2\n")?;
                let arguments = ["-d", "-f", "/lab/openntpd.conf"];
                self.in_its_tree(scratch, setup, "/usr/sbin/ntpd", &arguments)
            }
        }
    }

    /// Starts a peer inside the tree that holds its own libraries.
    fn in_its_tree(
        self,
        scratch: &Scratch,
        setup: &Setup<'_>,
        inside: &str,
        arguments: &[&str],
    ) -> Result<Server, String> {
        let tree = peers_folder().join(self.tree().unwrap_or_default());
        let launcher = peers_folder().join("noclock");
        if !tree.join(".recipe").exists() || !launcher.exists() {
            return Err(format!(
                "{} is not there: run tests/peers/install",
                self.name()
            ));
        }
        let (tree, lab) = (
            tree.display().to_string(),
            scratch.path("").display().to_string(),
        );
        let launcher = launcher.display().to_string();
        let mut all = vec!["--mount"];
        // Two of them give up when they may not steer; the launcher has them believe that they do, at
        // the price of a filter of system calls, such as ours has.
        let mut wrapped = vec!["sh", "-c", FURNISH, &tree, &lab, inside];
        if !matches!(self, Self::Chrony) {
            all.push(&launcher);
        }
        all.append(&mut wrapped);
        all.extend(arguments);
        let log = scratch.path(&format!("{}.log", self.tree().unwrap_or_default()));
        Server::start(self.name(), setup.cores, Path::new("unshare"), &all, &log)
    }
}

/// Ours, with this engine and configuration.
pub(super) fn truechimer(
    scratch: &Scratch,
    setup: &Setup<'_>,
    engine: &str,
    config: &str,
) -> Result<Server, String> {
    let conf = scratch.file(&format!("truechimer-{engine}.conf"), config)?;
    let (port, threads) = (setup.port.to_string(), setup.threads.to_string());
    let arguments = [
        "run",
        "-c",
        &conf,
        "--engine",
        engine,
        "--threads",
        &threads,
        "--port",
        &port,
        "-u",
        "root",
    ];
    let log = scratch.path(&format!("truechimer-{engine}.log"));
    let name = if engine == "poll" {
        Kind::Poll
    } else {
        Kind::Uring
    }
    .name();
    Server::start(name, setup.cores, &program()?, &arguments, &log)
}
