//! A server of our own that lies as it is told; see `bin/responder.rs` for its words.

use super::daemon::Daemon;

use super::wait::seconds;
use super::world::Host;
use std::env;
use std::path::PathBuf;

/// A running responder.
#[derive(Debug)]
pub struct Responder {
    /// The process.
    pub daemon: Daemon,
}

impl Responder {
    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it does not listen within five seconds.
    #[must_use]
    pub fn start(host: Host<'_>, arguments: &[&str]) -> Self {
        let mut command = host.native(&path());
        command.args(arguments);
        let mut daemon = Daemon::start(host, "responder", command);
        daemon.wait_log(&["listening"], seconds(5));
        Self { daemon }
    }
}

/// Cargo builds it beside the tests, whose own files are one folder deeper.
fn path() -> PathBuf {
    let own = match env::current_exe() {
        Ok(path) => path,
        Err(error) => panic!("cannot tell where the tests were built: {error}"),
    };
    own.ancestors()
        .nth(2)
        .map(|folder| folder.join("ntp-responder"))
        .unwrap_or_default()
}
