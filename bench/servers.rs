//! How each server is set up for the same job: answer on 127.0.0.1 from a local clock.
use crate::process::Server;
use std::fs;
use std::path::{Path, PathBuf};

/// Port of truechimer; chronyd takes the next.
pub(crate) const PORT: u16 = 11_811;

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
    let conf = scratch.file(
        "ntp.conf",
        "disable ntp\nserver 127.127.1.0\nfudge 127.127.1.0 stratum 5\nrestrict default\n",
    )?;
    let program = found("TRUECHIMER_BIN", Path::new("target/release/truechimer"))?;
    let port = PORT.to_string();
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
        &program,
        &arguments,
        &scratch.0.join("truechimer.log"),
    )
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
    if path.exists() {
        Ok(path)
    } else {
        Err(format!(
            "{} is not there; build or install it, or set {variable}",
            path.display()
        ))
    }
}
