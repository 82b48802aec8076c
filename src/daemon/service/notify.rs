//! What systemd is told: ready, how things are, still alive (sd_notify(3)).
use core::time::Duration;
use sd_notify::NotifyState;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::{env, io};
use truechimer_proto::status::SystemStatus;
use truechimer_time::Instant;

/// Between two status lines, at least.
const STATUS_EVERY_S: f64 = 5.0;

/// Tells the service manager, if there is one.
#[derive(Debug)]
pub(super) struct Notifier {
    listening: bool,
    watchdog: Option<Duration>,
    barked: Option<Instant>,
    status_due: bool,
    status_told: Option<Instant>,
    last_status: String,
    line: Option<UnixDatagram>,
    /// What the manager's full queue did not take; alive and status lines age and are not kept.
    owed: VecDeque<String>,
}

/// Messages kept for a manager that does not listen, at most.
const OWED_MAX: usize = 8;

impl Notifier {
    /// From the environment the service manager set.
    pub(super) fn from_environment() -> Self {
        let line = env::var_os("NOTIFY_SOCKET").and_then(|name| {
            connect(&name)
                .inspect_err(|error| log::warn!("cannot reach the service manager: {error}"))
                .ok()
        });
        Self::with_line(line)
    }

    fn with_line(line: Option<UnixDatagram>) -> Self {
        let listening = line.is_some();
        Self {
            listening,
            watchdog: listening.then(sd_notify::watchdog_enabled).flatten(),
            barked: None,
            status_due: listening,
            status_told: None,
            last_status: String::new(),
            line,
            owed: VecDeque::new(),
        }
    }

    /// Sockets are open and requests are answered.
    pub(super) fn ready(&mut self) {
        self.insist(&[NotifyState::Ready]);
    }

    /// The end has begun.
    pub(super) fn stopping(&mut self) {
        self.insist(&[NotifyState::Stopping]);
    }

    /// The configuration is being read again; `ready` follows.
    pub(super) fn reloading(&mut self) {
        if !self.listening {
            return;
        }
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.insist(&[NotifyState::Reloading, now]),
            Err(error) => log::debug!("no RELOADING without the time: {error}"),
        }
    }

    /// Shows that the clock thread turns; to be called at least once a second.
    pub(super) fn tick(&mut self, now: Instant) {
        self.pay();
        let Some(interval) = self.watchdog else {
            return;
        };
        let due = |barked: Instant| now.since(barked) >= interval / 2;
        if self.barked.is_none_or(due) {
            self.barked = Some(now);
            self.tell(&[NotifyState::Watchdog]);
        }
    }

    /// Something changed that the status line shows.
    pub(super) const fn changed(&mut self) {
        self.status_due = self.listening;
    }

    /// Whether a new status line is due, and not too soon after the last.
    pub(super) fn wants_status(&self, now: Instant) -> bool {
        let rested = |told: Instant| now.seconds_since(told) >= STATUS_EVERY_S;
        self.status_due && self.status_told.is_none_or(rested)
    }

    /// Tells the status.
    pub(super) fn status(&mut self, now: Instant, status: &SystemStatus) {
        self.status_due = false;
        self.status_told = Some(now);
        let line = status_line(status);
        if line != self.last_status {
            self.tell(&[NotifyState::Status(&line)]);
            self.last_status = line;
        }
    }

    /// Tells what may be lost.
    fn tell(&self, states: &[NotifyState<'_>]) {
        // A refusal was logged where it matters: at what may not be lost.
        let _ = self.send(&text_of(states));
    }

    /// Tells what must arrive, in order, later if need be.
    fn insist(&mut self, states: &[NotifyState<'_>]) {
        if !self.listening {
            return;
        }
        if self.owed.len() >= OWED_MAX {
            log::warn!("the service manager has not listened for long; a message to it is lost");
            self.owed.pop_front();
        }
        self.owed.push_back(text_of(states));
        self.pay();
    }

    fn pay(&mut self) {
        while let Some(text) = self.owed.front() {
            match self.send(text) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => log::debug!("the service manager does not hear us: {error}"),
                Ok(()) => {}
            }
            self.owed.pop_front();
        }
    }

    fn send(&self, text: &str) -> io::Result<()> {
        match &self.line {
            Some(line) => line.send(text.as_bytes()).map(drop),
            None => Ok(()),
        }
    }
}

/// Never waits afterwards: a manager that hangs must not stop the clock thread.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let line = UnixDatagram::unbound()?;
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    line.connect_addr(&address)?;
    line.set_nonblocking(true)?;
    Ok(line)
}

fn text_of(states: &[NotifyState<'_>]) -> String {
    states.iter().map(|state| format!("{state}\n")).collect()
}

/// One line on who leads and how well.
fn status_line(status: &SystemStatus) -> String {
    let leader = status
        .associations
        .iter()
        .find(|association| Some(association.id) == status.system_peer);
    let Some(leader) = leader else {
        let reachable = status.associations.iter().filter(|it| it.reach != 0);
        return format!(
            "not synchronized; {} of {} sources reachable",
            reachable.count(),
            status.associations.len()
        );
    };
    let from = leader
        .remote
        .map_or_else(|| leader.name.clone(), |address| address.ip().to_string());
    format!(
        "stratum {}, from {from}, offset {:+.3} ms, frequency {:+.3} ppm{}",
        status.stratum,
        status.offset_s * 1e3,
        status.frequency_ppm,
        if status.steering {
            ""
        } else {
            "; not steering the clock"
        }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanoseconds(seconds * 1_000_000_000)
    }

    #[test]
    fn status_lines_are_rare_and_only_for_listeners() {
        let mut notifier = Notifier::with_line(None);
        notifier.changed();
        assert!(!notifier.wants_status(at(1)));
        notifier.listening = true;
        notifier.changed();
        assert!(notifier.wants_status(at(1)));
        notifier.status_told = Some(at(1));
        assert!(!notifier.wants_status(at(5)));
        assert!(notifier.wants_status(at(6)));
    }

    #[test]
    fn a_manager_that_hangs_costs_no_time_and_hears_of_it_later() {
        let scratch = crate::testing::Scratch::new("notify");
        let path = scratch.path("socket");
        let manager = UnixDatagram::bind(&path).expect("a socket");
        manager.set_nonblocking(true).expect("ours");
        let mut notifier = Notifier::with_line(Some(connect(path.as_os_str()).expect("there")));
        // More than any queue of datagrams holds.
        for _ in 0..5000 {
            notifier.tell(&[NotifyState::Watchdog]);
        }
        notifier.reloading();
        notifier.ready();
        assert_eq!(notifier.owed.len(), 2);
        let mut buffer = [0; 128];
        let mut last = String::new();
        let mut hear = || -> String {
            while let Ok(len) = manager.recv(&mut buffer) {
                last = String::from_utf8_lossy(&buffer[..len]).into_owned();
            }
            last.clone()
        };
        assert_eq!(hear(), "WATCHDOG=1\n");
        notifier.tick(at(1));
        assert!(notifier.owed.is_empty());
        assert_eq!(hear(), "READY=1\n");
    }
}
