//! The trees with the real NTP programs, as `tests/peers/install` unpacks them.

use std::env;
use std::fs;
use std::path::PathBuf;

/// Which tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tree {
    /// ntpd, ntpq, ntpdate, sntp 4.2.8p15.
    Ntp4,
    /// The same tree, for `ntpd-mended`: Autokey's faults of that version mended.
    Mended,
    /// chronyd and chronyc.
    Chrony,
    /// NTPsec's ntpd, ntpq, ntpdig.
    Ntpsec,
    /// ntp-daemon and ntp-ctl.
    NtpdRs,
    /// OpenNTPD's ntpd and ntpctl.
    OpenNtpd,
    /// The monitoring plugins' check_ntp_time.
    Plugins,
    /// Python with ntplib.
    Ntplib,
    /// NTPsec's ntpviz.
    Ntpviz,
    /// tcpdump and smcrouted.
    Netlab,
    /// tshark.
    Tshark,
}

/// Furnishes a tree for one process: $0 is the tree, $1 the host's folder, the rest is run. The
/// mounts are seen by that process and its children alone.
pub(super) const FURNISH: &str = "
tree=$0 lab=$1; shift
mount --bind /dev \"$tree/dev\" && mount -t proc proc \"$tree/proc\" &&
mount --bind \"$lab\" \"$tree/lab\" || exit 125
for folder in tmp run var/lib var/log; do
    mount -t tmpfs -o mode=755 tmpfs \"$tree/$folder\" || exit 125
done
cd \"$tree\" && mkdir -p -m 750 run/chrony && mkdir -p run/openntpd var/lib/chrony \\
    var/lib/ntp var/lib/ntpsec var/lib/sntp var/lib/openntpd/db var/lib/openntpd/run \\
    var/log/ntpsec && exec \"$@\"";

impl Tree {
    const fn name(self) -> &'static str {
        match self {
            Self::Ntp4 | Self::Mended => "ntp4",
            Self::Chrony => "chrony",
            Self::Ntpsec => "ntpsec",
            Self::NtpdRs => "ntpd-rs",
            Self::OpenNtpd => "openntpd",
            Self::Plugins => "plugins",
            Self::Ntplib => "ntplib",
            Self::Ntpviz => "ntpviz",
            Self::Netlab => "netlab",
            Self::Tshark => "tshark",
        }
    }

    /// The tree's folder.
    ///
    /// # Panics
    /// When it is not installed.
    pub(super) fn root(self) -> PathBuf {
        let root = cache().join(self.name());
        let whole = root.join(".recipe").exists();
        assert!(
            whole,
            "the peer {0} is not installed; run: tests/peers/install {0}",
            self.name()
        );
        root
    }

    /// A library to load first, as the tree sees it.
    pub(super) const fn preload(self) -> Option<&'static str> {
        match self {
            Self::OpenNtpd => Some("/adjclock.so"),
            Self::Mended => Some("/gqmend.so"),
            _ => None,
        }
    }
}

/// The launcher that takes the clock away.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn noclock() -> PathBuf {
    let path = cache().join("noclock");
    assert!(
        path.exists(),
        "the peers are not installed; run: tests/peers/install"
    );
    path
}

/// The library that steps one program's clock.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn stepclock() -> PathBuf {
    let path = cache().join("stepclock.so");
    assert!(
        path.exists(),
        "the clock's library is not built; run: tests/peers/install"
    );
    path
}

/// Where the trees are: as tests/peers/install says.
fn cache() -> PathBuf {
    let set = |name| env::var_os(name).map(PathBuf::from);
    set("TRUECHIMER_PEERS")
        .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("truechimer-peers")))
        .or_else(|| set("HOME").map(|path| path.join(".cache/truechimer-peers")))
        .unwrap_or_else(|| panic!("none of TRUECHIMER_PEERS, XDG_CACHE_HOME and HOME is set"))
}

/// Says why a process could still set the machine's clock, if it could.
#[must_use]
pub fn clock_danger(pid: u32) -> Option<String> {
    /// CAP_SYS_TIME in the masks of /proc.
    const SYS_TIME: u64 = 1 << 25;
    let status = match fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => status,
        Err(_) => return None,
    };
    for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
        match mask {
            Some(mask) if mask & SYS_TIME == 0 => {}
            _ => {
                return Some(format!(
                    "process {pid} holds the right to set the clock ({name})"
                ));
            }
        }
    }
    None
}
