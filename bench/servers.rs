//! How each server is set up for the same job: answer on 127.0.0.1 from a local clock.
use crate::process::Server;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Port of truechimer; chronyd takes the next.
pub(crate) const PORT: u16 = 11_811;
/// Port of ntpd, which knows no other.
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

/// The daemon under test, one server thread.
pub(crate) fn truechimer(scratch: &Scratch, core: usize) -> Result<Server, String> {
    let config = "disable ntp\nserver 127.127.1.0\nfudge 127.127.1.0 stratum 5\nrestrict default\n";
    started(scratch, core, config, PORT)
}

/// The same, with the keys in this folder, at this port.
pub(crate) fn truechimer_with_autokey(
    scratch: &Scratch,
    core: usize,
    keys: &Path,
    password: &str,
    port: u16,
) -> Result<Server, String> {
    let config = autokey_config(&keys.display().to_string(), password);
    started(scratch, core, &config, port)
}

fn started(scratch: &Scratch, core: usize, config: &str, port: u16) -> Result<Server, String> {
    let conf = scratch.file(&format!("ntp-{port}.conf"), config)?;
    let port = port.to_string();
    let arguments = [
        "run",
        "-c",
        &conf,
        "--threads",
        "1",
        "--port",
        &port,
        "-u",
        "root",
    ];
    Server::start(
        "truechimer",
        core,
        &program()?,
        &arguments,
        &scratch.0.join(format!("truechimer-{port}.log")),
    )
}

fn program() -> Result<PathBuf, String> {
    found("TRUECHIMER_BIN", Path::new("target/release/truechimer"))
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
    Server::start("ntpd 4.2.8p15", core, &launcher, &arguments, &log)
}

/// chronyd, serving only, inside the tree that holds its own libraries.
pub(crate) fn chronyd(scratch: &Scratch, core: usize) -> Result<Server, String> {
    let tree = peers_folder().join("chrony");
    if !tree.join("usr/sbin/chronyd").exists() {
        return Err("chronyd is not there: run tests/peers/install".into());
    }
    let tree = tree.display().to_string();
    let port = format!("port {}", PORT + 1);
    let log = scratch.0.join("chronyd.log");
    let mut arguments = vec![tree.as_str(), "/usr/sbin/chronyd", "-x", "-n", "-u", "root"];
    arguments.extend([
        "local stratum 5",
        "allow 127.0.0.0/8",
        "cmdport 0",
        "bindcmdaddress /",
    ]);
    arguments.extend(["pidfile /tmp/chronyd-bench.pid", &port]);
    Server::start("chronyd", core, Path::new("chroot"), &arguments, &log)
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
