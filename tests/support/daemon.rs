//! Daemons: started, watched, signalled, and ended by process id.

use super::command::{Finished, finish, must, words};
use super::peers::{Tree, clock_danger, noclock};
use super::wait::until;
use super::world::Host;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Lines of a daemon's log shown when its test fails.
const SHOWN: usize = 30;

/// A running daemon. Dropping it ends it.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
    tree: Option<Tree>,
    ended: Option<ExitStatus>,
}

impl Daemon {
    /// Starts a command whose output goes to NAME.log in the host's folder.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(host: Host<'_>, name: &str, mut command: Command) -> Self {
        let log = host.folder().join(format!("{name}.log"));
        let opened = File::options().create(true).append(true).open(&log);
        let (out, err) = match opened.and_then(|file| Ok((file.try_clone()?, file))) {
            Ok(files) => files,
            Err(error) => panic!("{}: {error}", log.display()),
        };
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot start {name}: {error}"),
        };
        Self {
            name: name.to_owned(),
            child,
            log,
            tree: None,
            ended: None,
        }
    }

    /// Starts a program of a peer's tree.
    ///
    /// # Panics
    /// When the tree is missing.
    #[must_use]
    pub fn peer(host: Host<'_>, name: &str, tree: Tree, program: &str, arguments: &[&str]) -> Self {
        let mut command = host.peer(tree, program);
        command.args(arguments);
        let mut daemon = Self::start(host, name, command);
        daemon.tree = Some(tree);
        daemon
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All it has said so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Whether it still runs.
    pub fn lives(&mut self) -> bool {
        self.status().is_none()
    }

    fn status(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Waits until the log contains one of the words, in any case.
    ///
    /// # Panics
    /// When it does not within `limit`, or the daemon ends first.
    pub fn wait_log(&mut self, any_of: &[&str], limit: Duration) -> String {
        let what = format!("{} to say one of {any_of:?}", self.name);
        until(&what, limit, || {
            let found = self.line_with(any_of);
            assert!(
                found.is_some() || self.lives(),
                "{} ended before it said one of {any_of:?}",
                self.name
            );
            found
        })
    }

    /// The first line of the log that contains one of the words, in any case.
    #[must_use]
    pub fn line_with(&self, any_of: &[&str]) -> Option<String> {
        self.log()
            .lines()
            .find(|line| contains_any(line, any_of))
            .map(str::to_owned)
    }

    /// How many lines contain one of the words, in any case.
    #[must_use]
    pub fn count_lines(&self, any_of: &[&str]) -> usize {
        self.log()
            .lines()
            .filter(|line| contains_any(line, any_of))
            .count()
    }

    /// Sends a signal, named without its SIG.
    ///
    /// # Panics
    /// When there is no such process any more.
    pub fn signal(&self, name: &str) {
        must(words(&format!("kill -{name} {}", self.pid())));
    }

    /// Waits for its end and says how it ended and how long that took.
    ///
    /// # Panics
    /// When it goes on after `limit`.
    pub fn wait_end(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.status() {
                return (status, start.elapsed());
            }
            assert!(
                start.elapsed() < limit,
                "{} did not end within {limit:?}",
                self.name
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it at once, with whatever it has started.
    pub fn kill(&mut self) {
        if self.status().is_none() {
            for pid in family(self.pid()) {
                finish(words(&format!("kill -KILL {pid}")));
            }
            self.ended = self.child.wait().ok();
        }
    }

    /// Runs a program of the same tree where the daemon lives: same network, mounts and name.
    ///
    /// # Panics
    /// When the daemon is not a peer.
    #[must_use]
    pub fn ask(&self, program: &str, arguments: &[&str]) -> Finished {
        let Some(tree) = self.tree else {
            panic!("{} is no peer", self.name);
        };
        let mut command = Command::new(noclock());
        command.args(["timeout", "--kill-after=1", "10", "nsenter", "--target"]);
        command.arg(self.pid().to_string());
        command.args(["--net", "--mount", "--uts", "chroot"]);
        command.arg(tree.root()).arg(program).args(arguments);
        finish(command)
    }

    /// Asserts that neither it nor its children can set the machine's clock.
    ///
    /// # Panics
    /// When one of them can.
    pub fn assert_clock_safe(&self) {
        for pid in family(self.pid()) {
            if let Some(danger) = clock_danger(pid) {
                panic!("{}: {danger}", self.name);
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(SHOWN)..];
            eprintln!(
                "--- {} ({})\n{}",
                self.name,
                self.log.display(),
                tail.join("\n")
            );
        }
    }
}

fn contains_any(line: &str, any_of: &[&str]) -> bool {
    let line = line.to_lowercase();
    any_of
        .iter()
        .any(|word| line.contains(&word.to_lowercase()))
}

/// A process and all that descend from it.
fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        let path = format!("/proc/{pid}/task/{pid}/children");
        if let Ok(children) = fs::read_to_string(Path::new(&path)) {
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
        }
        next += 1;
    }
    found
}
