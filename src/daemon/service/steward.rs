//! The engine's host: names, files, log, signals and the service manager.
use super::counts;
use super::drift_keeper::DriftKeeper;
use super::events::EventLog;
use super::gate::Gate;
use super::notify::Notifier;
use super::operator::Operator;
use super::reload::{Fresh, Reloader};
use super::reread::{Reread, Rereader};
use super::resolver::Resolver;
use super::setup::Setup;
use super::signals::Signals;
use super::trace;
use crate::autokey::Office;
use crate::billboard;
use crate::logging;
use crate::statistics::{Desk, Entry};
use crate::translate::{self, keys::Keys};
use log::Level;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use truechimer_config::Settings;
use truechimer_engine::{Command, Hearing, Host, Listen, Notice, Report, Waker};
use truechimer_proto::event::{self, Event, PeerEvent, SystemEvent};
use truechimer_proto::host::{Exit, HostEvent, Output};
use truechimer_proto::statistics::{Measured, Record};
use truechimer_sys::process::Startup;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Instant, Now};

/// Keys of now, shared with whoever makes authenticators.
pub(super) type SharedKeys = Rc<RefCell<Keys>>;

/// What a steward is given to see to.
pub(super) struct Offices {
    pub(super) signals: Signals,
    pub(super) reloader: Reloader,
    pub(super) keys: SharedKeys,
    /// What the run was started with.
    pub(super) settings: Settings,
    /// Rings for the clock thread.
    pub(super) waker: Waker,
    /// For what Autokey has to have done beside the protocol.
    pub(super) office: Office,
    pub(super) drift: Option<DriftKeeper>,
    pub(super) gate: Option<Gate>,
    /// For whoever waits for us to have come up.
    pub(super) startup: Option<Startup>,
    /// They wait for the clock to be synchronized.
    pub(super) wait_sync: bool,
}

/// Hosts the engine.
pub(super) struct Steward {
    started: Instant,
    events: EventLog,
    resolver: Resolver,
    drift: Option<DriftKeeper>,
    office: Office,
    notifier: Notifier,
    operator: Operator,
    signals: Signals,
    reloader: Reloader,
    rereader: Rereader,
    gate: Option<Gate>,
    statistics: Desk,
    keys: SharedKeys,
    startup: Option<Startup>,
    wait_sync: bool,
    waiting: VecDeque<HostEvent>,
    /// Where to serve and what to hear after a reload, until the engine knows it.
    listen: Option<(Listen, Hearing)>,
    peers_asked: bool,
    ready: bool,
    stopping: bool,
}

impl Steward {
    /// Nothing has happened yet.
    pub(super) fn new(now: Instant, offices: Offices) -> Self {
        Self {
            started: now,
            events: EventLog::new(now, offices.settings.monitoring.log_mask),
            resolver: Resolver::default(),
            drift: offices.drift,
            office: offices.office,
            notifier: Notifier::from_environment(),
            statistics: Desk::new(now, translate::statistics::plan(&offices.settings)),
            operator: Operator::new(offices.settings, offices.waker),
            signals: offices.signals,
            reloader: offices.reloader,
            rereader: Rereader::default(),
            gate: offices.gate,
            keys: offices.keys,
            startup: offices.startup,
            wait_sync: offices.wait_sync,
            waiting: VecDeque::new(),
            listen: None,
            peers_asked: false,
            ready: false,
            stopping: false,
        }
    }

    /// The end: stores the frequency, if it is known, and the last of the statistics.
    pub(super) fn finish(self, freq_ppm: Option<f64>) {
        if let Some(drift) = self.drift {
            drift.finish(freq_ppm);
        }
        self.statistics.finish();
    }

    fn handle_event(&mut self, now: Now, report: event::Report) {
        self.events.write(now.mono, &report);
        let event = &report.event;
        if let (Some(gate), Event::System(what)) = (&mut self.gate, event) {
            gate.hear(what);
        }
        match event {
            Event::System(
                SystemEvent::ClockStep(_) | SystemEvent::ClockSync | SystemEvent::NoSystemPeer,
            )
            | Event::Peer {
                what: PeerEvent::SystemPeer,
                ..
            } => self.notifier.changed(),
            _ => {}
        }
        self.statistics.take(Entry::Event(now.wall, report));
    }

    /// What was done for a control request changes the configuration, or only has to be told.
    fn hear_operator(&mut self) -> Option<Command> {
        let outcome = {
            let keys = self.keys.borrow();
            self.operator.poll(&keys)?
        };
        let fresh = outcome.setup.map(|setup| self.reloader.take(setup));
        let command = fresh.map(|fresh| self.change_to(fresh));
        self.waiting.push_back(HostEvent::Operated(outcome.done));
        command
    }

    /// Keys that were read again by themselves.
    fn hear_keys(&mut self, now: Instant) -> Option<Command> {
        if self.signals.take_keys() {
            self.rereader.ask();
        }
        let (running, known) = (self.operator.running(), self.reloader.known_errors());
        let Reread {
            reading,
            leap_table,
            remarks,
        } = self.rereader.poll(now, running, known)?;
        let setup = Setup {
            settings: running.clone(),
            keys: self.keys.borrow().clone(),
            autokey: Some(reading),
            leap_table,
            included: Vec::new(),
            remarks,
        };
        let fresh = self.reloader.take(setup);
        if fresh.reading.is_none() {
            log::info!("the key files were read again: the keys are those in use");
        }
        Some(self.take_over(fresh))
    }

    fn change_to(&mut self, fresh: Fresh) -> Command {
        log::info!("the configuration changed");
        self.take_over(fresh)
    }

    fn take_over(&mut self, mut fresh: Fresh) -> Command {
        self.take_over_autokey(&mut fresh);
        self.statistics
            .follow(translate::statistics::plan(&fresh.settings));
        self.events.follow(fresh.settings.monitoring.log_mask);
        self.operator.run_on(fresh.settings);
        let keys = fresh.keys.after(&self.keys.borrow());
        let keys = keys.with_autokey(fresh.digest);
        *self.keys.borrow_mut() = keys;
        self.waiting.push_back(HostEvent::Reconfigured {
            config: Box::new(fresh.config),
            authenticator: self.keys.borrow().authenticator(),
        });
        self.listen = Some((fresh.listen, fresh.hearing));
        Command::ReplacePolicy(fresh.policy)
    }

    fn take_over_autokey(&mut self, fresh: &mut Fresh) {
        let now = truechimer_sys::clock::monotonic();
        if let Some(autokey) = &mut fresh.config.autokey {
            match self.office.private_values(&fresh.settings.autokey, now) {
                Ok(values) => autokey.private_values = values,
                Err(error) => {
                    log::error!("Autokey is off: no randomness for its cookies: {error}");
                    fresh.config.autokey = None;
                    fresh.config.associations.retain(|it| !it.autokey);
                }
            }
        }
        if let Some(reading) = fresh.reading.take() {
            log::info!("new keys of Autokey: {}", reading.facts.name);
            self.office.take(reading, now);
        }
    }

    /// What is due of Autokey's, beside the protocol.
    fn run_office(&mut self, now: Now) {
        if let Some(values) = self.office.poll(now.mono) {
            self.waiting.push_back(HostEvent::PrivateValues(values));
        }
        while let Some(text) = self.office.take_line() {
            self.statistics.take(Entry::Record(Record {
                at: now.wall,
                measured: Measured::Crypto { remote: None, text },
            }));
        }
    }

    fn tell_startup(&mut self) {
        if let Some(startup) = self.startup.take() {
            startup.succeeded();
        }
    }

    fn start_reload(&mut self) {
        logging::reopen();
        self.notifier.reloading();
        self.reloader.ask();
    }
}

impl Host for Steward {
    fn handle_output(&mut self, now: Now, output: Output) {
        match output {
            Output::Resolve(question) => self.resolver.ask(question),
            Output::Event(report) => self.handle_event(now, report),
            Output::Record(record) => self.statistics.take(Entry::Record(record)),
            Output::Trace(trace) => trace::write(&trace, self.started),
            Output::StoreFrequency(freq_ppm) => {
                if let Some(drift) = &mut self.drift {
                    drift.store(freq_ppm);
                }
            }
            Output::Exit(Exit::OneShotDone { offset_s, .. } | Exit::Panic { offset_s }) => {
                if let Some(gate) = &mut self.gate {
                    gate.shut(offset_s);
                }
            }
            Output::Operate(operation) => self.operator.ask(operation),
            // The engine does these itself.
            Output::Exit(Exit::NoServers)
            | Output::Send(_)
            | Output::Compose(_)
            | Output::Prepare(..)
            | Output::Close(_)
            | Output::Adjust(_)
            | Output::Control(_)
            | Output::Autokey(_)
            | Output::Crypto(..)
            | Output::Sources(_) => {}
            Output::Publish(snapshot) => {
                if self.wait_sync && snapshot.leap != LeapIndicator::NotSynchronized {
                    self.tell_startup();
                }
            }
        }
    }

    fn poll_event(&mut self, now: Now) -> Option<HostEvent> {
        if !self.ready {
            self.ready = true;
            self.notifier.ready();
            if !self.wait_sync {
                self.tell_startup();
            }
        }
        self.notifier.tick(now.mono);
        self.events.sweep(now.mono);
        self.statistics.tick(now.mono);
        self.run_office(now);
        if let Some(drift) = &mut self.drift {
            drift.poll();
        }
        self.waiting.pop_front().or_else(|| {
            let (request, outcome) = self.resolver.poll()?;
            Some(HostEvent::Resolved { request, outcome })
        })
    }

    fn poll_command(&mut self) -> Option<Command> {
        if self.signals.stop() {
            if core::mem::replace(&mut self.stopping, true) {
                return None;
            }
            log::info!("exiting on a signal");
            self.notifier.stopping();
            return Some(Command::Stop);
        }
        if let Some((listen, hearing)) = self.listen.take() {
            return Some(Command::ReplaceListen(listen, hearing));
        }
        if self.signals.take_reload() {
            self.start_reload();
        }
        match self.reloader.poll() {
            Some(Some(fresh)) => {
                self.notifier.ready();
                return Some(self.change_to(fresh));
            }
            Some(None) => self.notifier.ready(),
            None => {}
        }
        if let Some(command) = self.hear_operator() {
            return Some(command);
        }
        let now = truechimer_sys::clock::monotonic();
        if let Some(command) = self.hear_keys(now) {
            return Some(command);
        }
        if self.signals.take_report() {
            self.peers_asked = true;
            return Some(Command::Report);
        }
        let wanted = self.notifier.wants_status(now) || self.statistics.wants_counts(now);
        wanted.then_some(Command::Report)
    }

    fn handle_notice(&mut self, notice: &Notice) {
        let level = match notice {
            Notice::Hearing(what) if what.is_trouble() => Level::Warn,
            Notice::Hearing(_) => Level::Info,
            Notice::Listening(..)
            | Notice::Dropping(..)
            | Notice::Unlistening(_)
            | Notice::NoKernelStamps(_)
            | Notice::HardwareStamps(..)
            | Notice::NotTold(_)
            | Notice::NoRings {
                were_asked_for: false,
                ..
            } => Level::Info,
            Notice::NotPinned(_) => Level::Debug,
            Notice::CannotListen(_)
            | Notice::CannotList(_)
            | Notice::NoAddress
            | Notice::HeldUp(_)
            | Notice::NoHardwareStamps(..)
            | Notice::StampsMissing(..)
            | Notice::CannotAsk(..)
            | Notice::FewerThreads(..)
            | Notice::TracesLost(_)
            | Notice::NoRings { .. }
            | Notice::NoCore(_)
            | Notice::RingsLost(..)
            | Notice::LeftOut(_) => Level::Warn,
            Notice::NotRestored(_) => Level::Error,
        };
        log::log!(level, "{notice}");
    }

    fn handle_report(&mut self, now: Now, report: Report) {
        if core::mem::take(&mut self.peers_asked) {
            for line in billboard::billboard(&report.system).lines() {
                log::info!("{line}");
            }
            log::info!("{}", billboard::events_line(&report.system));
            log::info!("{}", counts::served(&report));
            let unsolicited = &report.system.unsolicited;
            log::info!("packets nobody asked for, refused: {unsolicited}");
        }
        if self.statistics.wants_counts(now.mono) {
            self.statistics
                .take_counts(now, counts::system_counts(&report));
        }
        if self.notifier.wants_status(now.mono) {
            self.notifier.status(now.mono, &report.system);
        }
    }
}
