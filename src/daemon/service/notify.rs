//! What systemd is told: ready, how things are, still alive (sd_notify(3)).
use core::time::Duration;
use sd_notify::NotifyState;
use std::env;
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
}

impl Notifier {
    /// From the environment the service manager set.
    pub(super) fn from_environment() -> Self {
        let listening = env::var_os("NOTIFY_SOCKET").is_some();
        Self {
            listening,
            watchdog: listening.then(sd_notify::watchdog_enabled).flatten(),
            barked: None,
            status_due: listening,
            status_told: None,
            last_status: String::new(),
        }
    }

    /// Sockets are open and requests are answered.
    pub(super) fn ready(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// The end has begun.
    pub(super) fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    /// The configuration is being read again; `ready` follows.
    pub(super) fn reloading(&self) {
        if !self.listening {
            return;
        }
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => log::debug!("no RELOADING without the time: {error}"),
        }
    }

    /// Shows that the clock thread turns; to be called at least once a second.
    pub(super) fn tick(&mut self, now: Instant) {
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

    fn tell(&self, states: &[NotifyState<'_>]) {
        if !self.listening {
            return;
        }
        if let Err(error) = sd_notify::notify(states) {
            log::debug!("the service manager does not hear us: {error}");
        }
    }
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
        let mut notifier = Notifier {
            listening: false,
            watchdog: None,
            barked: None,
            status_due: false,
            status_told: None,
            last_status: String::new(),
        };
        notifier.changed();
        assert!(!notifier.wants_status(at(1)));
        notifier.listening = true;
        notifier.changed();
        assert!(notifier.wants_status(at(1)));
        notifier.status_told = Some(at(1));
        assert!(!notifier.wants_status(at(5)));
        assert!(notifier.wants_status(at(6)));
    }
}
