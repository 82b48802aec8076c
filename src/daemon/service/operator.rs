//! What whoever proved the control key or the request key may have done: lines of configuration,
//! saving it, and what no line says. One thing at a time, on a thread of its own, for files may be slow.
mod deeds;

use super::amend::amend;
use super::setup::Setup;
use crate::calendar;
use crate::translate::keys::Keys;
use core::fmt::Write as _;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};
use truechimer_config::{Settings, write};
use truechimer_engine::Waker;
use truechimer_proto::control::{Done, Operation, OperationId, Task};

/// Operations that wait, at most.
const WAITING_MAX: usize = 8;
/// Remarks shown to who configures; the log has all.
const REMARKS_MAX: usize = 8;
/// For the parser and the lists it may hold.
const STACK_OCTETS: usize = 2 * 1024 * 1024;

/// What came of an operation.
pub(super) struct Outcome {
    /// For the asker.
    pub(super) done: Done,
    /// The configuration from now on, if it changed.
    pub(super) setup: Option<Setup>,
}

/// Does what is asked, in order.
pub(super) struct Operator {
    running: Settings,
    waiting: VecDeque<Operation>,
    under_way: Option<(OperationId, Receiver<Outcome>)>,
    /// Rung when something is done.
    waker: Waker,
}

impl Operator {
    /// For a run with these settings.
    pub(super) const fn new(running: Settings, waker: Waker) -> Self {
        Self {
            running,
            waiting: VecDeque::new(),
            under_way: None,
            waker,
        }
    }

    /// The settings that hold.
    pub(super) const fn running(&self) -> &Settings {
        &self.running
    }

    /// These settings hold from now on.
    pub(super) fn run_on(&mut self, settings: Settings) {
        self.running = settings;
    }

    /// Takes an operation; what is too much gets no answer.
    pub(super) fn ask(&mut self, operation: Operation) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push_back(operation);
            self.waker.wake();
        }
    }

    /// What came of the operation under way, once it is done. The next one begins when this is
    /// asked again, so it finds the settings that came of it.
    pub(super) fn poll(&mut self, keys: &Keys) -> Option<Outcome> {
        let Some((id, receiver)) = &self.under_way else {
            let operation = self.waiting.pop_front()?;
            return self.start(operation, keys);
        };
        let outcome = match receiver.try_recv() {
            Ok(outcome) => outcome,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => failed(*id, "the daemon failed at it"),
        };
        self.under_way = None;
        if !self.waiting.is_empty() {
            self.waker.wake();
        }
        Some(outcome)
    }

    fn start(&mut self, operation: Operation, keys: &Keys) -> Option<Outcome> {
        let Operation { id, what, asker } = operation;
        match &what {
            Task::Configure(lines) => {
                let lines = truechimer_config::mask_passwords(lines);
                log::info!("{} config: {lines}", asker.ip());
            }
            Task::Save(name) => log::info!("{} saves the configuration as {name}", asker.ip()),
            Task::Relax(rule, how) => log::info!("{} takes back {how:?} of {rule:?}", asker.ip()),
            Task::Distrust(keys) => log::info!("{} distrusts {keys:?}", asker.ip()),
            Task::ReadKeys => log::info!("{} has the keys read again", asker.ip()),
        }
        let (sender, receiver) = bounded(1);
        let (running, keys) = (self.running.clone(), keys.clone());
        let waker = self.waker.clone();
        let started = thread::Builder::new()
            .name("operator".to_owned())
            .stack_size(STACK_OCTETS)
            .spawn(move || {
                let outcome = match what {
                    Task::Configure(lines) => configured(id, amend(&running, &keys, &lines)),
                    Task::Save(name) => save(id, &running, &name),
                    Task::Relax(rule, how) => {
                        configured(id, deeds::relax(&running, &keys, &rule, how))
                    }
                    Task::Distrust(ids) => {
                        configured(id, Ok(deeds::distrust(&running, &keys, &ids)))
                    }
                    Task::ReadKeys => configured(id, deeds::read_keys(&running)),
                };
                // Nobody listens any more only at the end of the run.
                let _ = sender.send(outcome);
                waker.wake();
            });
        match started {
            Ok(_) => {
                self.under_way = Some((id, receiver));
                None
            }
            Err(error) => Some(failed(id, &error.to_string())),
        }
    }
}

fn failed(id: OperationId, why: &str) -> Outcome {
    Outcome {
        done: Done {
            id,
            succeeded: false,
            text: format!("runtime configuration failed: {why}"),
            saved: None,
        },
        setup: None,
    }
}

/// A private request has no room for a complaint in its answer, so the log has it too.
fn configured(id: OperationId, outcome: Result<Setup, String>) -> Outcome {
    let (text, setup) = match outcome {
        Ok(setup) => (succeeded(&setup), Some(setup)),
        Err(complaint) => {
            let told = truechimer_config::mask_passwords(&complaint);
            log::warn!("not done: {}", told.replace('\n', " | "));
            (complaint, None)
        }
    };
    Outcome {
        done: Done {
            id,
            succeeded: setup.is_some(),
            text,
            saved: None,
        },
        setup,
    }
}

/// The reference's words, and under them what is to be known of the lines.
fn succeeded(setup: &Setup) -> String {
    let mut text = "Config Succeeded".to_owned();
    for remark in setup.remarks.iter().take(REMARKS_MAX) {
        text.push('\n');
        text.push_str(&remark.text);
    }
    text
}

fn save(id: OperationId, running: &Settings, name: &str) -> Outcome {
    let name = expand(name, unix_s());
    let folder = running.files.save_config.as_ref();
    let (text, saved) = match folder {
        None => (
            "saveconfig prohibited, no saveconfigdir configured".to_owned(),
            None,
        ),
        Some(folder) => match write_new(&Path::new(&folder.value).join(&name), &write(running)) {
            Ok(()) => (format!("Configuration saved to '{name}'"), Some(name)),
            Err(error) => (
                format!("Unable to save configuration to file '{name}': {error}"),
                None,
            ),
        },
    };
    Outcome {
        done: Done {
            id,
            succeeded: saved.is_some(),
            text,
            saved,
        },
        setup: None,
    }
}

/// Only a new file: nothing that is there can be overwritten from the network.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The conversions of strftime(3) that date a file, in UTC; any other one stays as it is, but for
/// its `%`.
fn expand(name: &str, unix_s: i64) -> String {
    // 2026-11-22 00:06:30.123456
    let stamp = calendar::microsecond(unix_s, 0);
    let part = |range: core::ops::Range<usize>| stamp.get(range).unwrap_or_default();
    let mut out = String::with_capacity(name.len());
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('Y') => out.push_str(part(0..4)),
            Some('y') => out.push_str(part(2..4)),
            Some('m') => out.push_str(part(5..7)),
            Some('d') => out.push_str(part(8..10)),
            Some('H') => out.push_str(part(11..13)),
            Some('M') => out.push_str(part(14..16)),
            Some('S') => out.push_str(part(17..19)),
            Some('F') => out.push_str(part(0..10)),
            Some('s') => {
                let _ = write!(out, "{unix_s}");
            }
            Some(other) if other != '%' => out.push(other),
            _ => {}
        }
    }
    // What began with a conversion must not have become hidden or empty.
    if out.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
        out
    } else {
        format!("_{out}")
    }
}

fn unix_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;
    use std::time::{Duration, Instant};
    use truechimer_config::{NoFiles, parse};
    use truechimer_engine::{Engine, EngineConfig};

    fn run(operator: &mut Operator, what: Task) -> Outcome {
        operator.ask(Operation {
            id: OperationId(1),
            what,
            asker: ([127, 0, 0, 1], 5000).into(),
        });
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            assert!(Instant::now() < until);
            if let Some(outcome) = operator.poll(&Keys::default()) {
                return outcome;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn configured_saved_and_read_again() {
        let scratch = Scratch::new("operator");
        let folder = scratch.path("save");
        fs::create_dir(&folder).expect("writable");
        let text = format!("server 192.0.2.1\nsaveconfigdir {}\n", folder.display());
        let settings = parse("test", text.as_bytes(), &NoFiles).settings;
        let waker = Engine::bind(EngineConfig::default())
            .expect("no service")
            .waker();
        let mut operator = Operator::new(settings, waker);
        let outcome = run(
            &mut operator,
            Task::Configure("server 192.0.2.2".to_owned()),
        );
        assert_eq!(outcome.done.text, "Config Succeeded");
        operator.run_on(outcome.setup.expect("changed").settings);
        let save = || Task::Save("a.conf".to_owned());
        let outcome = run(&mut operator, save());
        assert_eq!(outcome.done.text, "Configuration saved to 'a.conf'");
        assert_eq!(outcome.done.saved.as_deref(), Some("a.conf"));
        let octets = fs::read(folder.join("a.conf")).expect("saved");
        let again = parse("again", &octets, &NoFiles);
        assert_eq!(again.settings.associations.len(), 2);
        let outcome = run(&mut operator, save());
        let start = "Unable to save configuration to file 'a.conf': ";
        assert!(
            outcome.done.text.starts_with(start),
            "{}",
            outcome.done.text
        );
        let outcome = run(
            &mut operator,
            Task::Configure("restrict nonsense".to_owned()),
        );
        assert!(outcome.setup.is_none());
        assert!(
            outcome.done.text.contains("\n_________^\ncolumn 9 "),
            "{}",
            outcome.done.text
        );
    }

    #[test]
    fn names_are_dated_and_stay_plain() {
        let at = 1_795_219_590;
        assert_eq!(
            expand("ntp-%Y%m%d-%H%M%S.conf", at),
            "ntp-20261121-000630.conf"
        );
        assert_eq!(expand("%q.conf", at), "q.conf");
        assert_eq!(expand("%%.%", at), "_.");
    }
}
