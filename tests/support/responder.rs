//! Programs of our own on a host: a server that lies as it is told, and a line of changing speed;
//! see `bin/responder.rs` and `bin/slow_line.rs`.

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
        let mut command = host.native(&built("ntp-responder"));
        command.args(arguments);
        let mut daemon = Daemon::start(host, "responder", command);
        daemon.wait_log(&["listening"], seconds(5));
        Self { daemon }
    }
}

/// A line from this host to a server, on which OpenNTPD gets on faster.
///
/// # Panics
/// When it does not listen within five seconds.
#[must_use]
pub fn slow_line(host: Host<'_>, server: &str) -> Daemon {
    let mut command = host.native(&built("ntp-slow-line"));
    command.arg(server);
    let mut daemon = Daemon::start(host, "slow-line", command);
    daemon.wait_log(&["listening"], seconds(5));
    daemon
}

/// A program of this package. Cargo builds it beside the tests, whose own files are one folder
/// deeper.
pub(super) fn built(name: &str) -> PathBuf {
    let own = match env::current_exe() {
        Ok(path) => path,
        Err(error) => panic!("cannot tell where the tests were built: {error}"),
    };
    own.ancestors()
        .nth(2)
        .map(|folder| folder.join(name))
        .unwrap_or_default()
}
