//! How each server is set up for the same job: answer on 127.0.0.1 from a local clock.
mod contestants;

pub(crate) use contestants::{ALL, Kind, Setup};

use crate::process::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Port of truechimer, where it shares this machine's network with others.
pub(crate) const PORT: u16 = 11_811;
/// Port of NTP; several servers know no other.
pub(crate) const REFERENCE_PORT: u16 = 123;

/// A folder of this process's own for configurations and logs, gone when dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it.
    pub(crate) fn new() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("truechimer-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// A folder in it, for one server of several.
    pub(crate) fn inside(&self, name: &str) -> Result<Self, String> {
        let folder = self.path(name);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// The ends of the logs in it, for a complaint.
    pub(crate) fn last_words(&self) -> String {
        let files = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|it| it == "log"));
        let ends = logs.filter_map(|log| {
            let text = fs::read_to_string(log.path()).ok()?;
            Some(text.lines().last()?.to_owned())
        });
        ends.collect::<Vec<_>>().join("; ")
    }

    /// A place in it.
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file in it.
    fn file(&self, name: &str, text: &str) -> Result<String, String> {
        let path = self.0.join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path.display().to_string())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left over files in the temporary folder do no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The daemon under test with the keys in this folder.
pub(crate) fn truechimer_with_autokey(
    scratch: &Scratch,
    core: usize,
    keys: &Path,
    password: &str,
) -> Result<Server, String> {
    let setup = Setup {
        cores: &core.to_string(),
        port: PORT,
        ..Setup::default()
    };
    let config = autokey_config(&keys.display().to_string(), password);
    contestants::truechimer(scratch, &setup, "poll", &config)
}

fn program() -> Result<PathBuf, String> {
    found("TRUECHIMER_BIN", Path::new("target/release/truechimer"))
}

/// Lines of a host of Autokey with the keys in this folder.
pub(crate) fn autokey_lines(keys: &Path, password: &str) -> String {
    format!(
        "restrict default\nkeysdir {}\ncrypto host server pw {password}\n",
        keys.display()
    )
}

/// In orphan mode both are content with their own clock at once.
fn autokey_config(keys: &str, password: &str) -> String {
    format!(
        "tos orphan 5 orphanwait 1\nrestrict default\nkeysdir {keys}\n\
         crypto host server pw {password}\n"
    )
}

/// Keys of a host `server` with IFF and of one `client`, of today's sizes.
pub(crate) fn autokey_keys(scratch: &Scratch, password: &str) -> Result<PathBuf, String> {
    let folder = scratch.0.join("keys");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for options in ["-T -I -s server", "-H -s client"] {
        let mut keygen = Command::new(program()?);
        keygen.arg("keygen").args(options.split(' '));
        keygen.args(["-p", password]).current_dir(&folder);
        let made = keygen
            .output()
            .map_err(|error| format!("keygen: {error}"))?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
    }
    Ok(folder)
}

/// ntpd 4.2.8p15 with the same keys, inside the tree that holds its own libraries.
pub(crate) fn ntpd_with_autokey(
    scratch: &Scratch,
    core: usize,
    keys: &Path,
    password: &str,
) -> Result<Server, String> {
    let tree = peers_folder().join("ntp4");
    let launcher = peers_folder().join("noclock");
    if !tree.join("usr/sbin/ntpd").exists() || !launcher.exists() {
        return Err("ntpd is not there: run tests/peers/install".into());
    }
    let config = scratch.file("ntpd.conf", &autokey_config("/lab/keys", password))?;
    let lab = scratch.0.display().to_string();
    // The mount is seen by this process and its children alone.
    let script = "mount --bind \"$2\" \"$1/lab\" && mount --bind /dev \"$1/dev\" && \
                  exec chroot \"$1\" /usr/sbin/ntpd -n -g -c \"/lab/$3\" -l /lab/ntpd.log";
    let tree = tree.display().to_string();
    let config = Path::new(&config).file_name().unwrap_or_default();
    let config = config.to_string_lossy();
    debug_assert!(keys.starts_with(&lab), "the tree sees this folder alone");
    let arguments = [
        "unshare", "--mount", "sh", "-c", script, "sh", &tree, &lab, &config,
    ];
    let log = scratch.0.join("ntpd.out");
    Server::start(
        "ntpd 4.2.8p15",
        &core.to_string(),
        &launcher,
        &arguments,
        &log,
    )
}

/// Where tests/peers/install unpacks.
fn peers_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("TRUECHIMER_PEERS") {
        return PathBuf::from(folder);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    cache.unwrap_or_default().join("truechimer-peers")
}

fn found(variable: &str, otherwise: &Path) -> Result<PathBuf, String> {
    let path = std::env::var_os(variable).map_or_else(|| otherwise.to_path_buf(), PathBuf::from);
    // Some are started in another folder.
    fs::canonicalize(&path).map_err(|_| {
        format!(
            "{} is not there; build or install it, or set {variable}",
            path.display()
        )
    })
}
