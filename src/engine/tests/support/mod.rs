//! A host that only watches, and engines that run beside the test.
#![allow(dead_code, reason = "each test file uses its part of this one")]
use core::net::SocketAddr;
use core::time::Duration;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;
use truechimer_engine::{
    Command, Ended, Engine, EngineChoice, EngineConfig, Host, IntakeConfig, Listen, Notice, Report,
    Waker,
};
use truechimer_proto::authentication::NoKeys;
use truechimer_proto::config::{RefclockConfig, SystemConfig};
use truechimer_proto::host::{HostEvent, Output};
use truechimer_proto::refclock::{
    Driver, DriverEvent, DriverOutput, Port, RefclockId, RefclockSample,
};
use truechimer_proto::server::{DepartureTable, Limits, MruTable, Policy, Watch};
use truechimer_proto::system::System;
use truechimer_sys::clock;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Now, NtpDuration};
use truechimer_wire::ReferenceId;

/// The clock that is always right: the system clock itself.
pub(crate) const CLOCK: RefclockId = RefclockId { driver: 5, unit: 0 };

struct Always {
    next: Option<truechimer_time::Instant>,
    ready: bool,
}

impl Driver for Always {
    fn port(&self) -> Port {
        Port::None
    }

    fn handle(&mut self, now: Now, _: DriverEvent) {
        self.ready = true;
        self.next = Some(now.mono.plus(Duration::from_millis(100)));
    }

    fn poll_output(&mut self) -> Option<DriverOutput> {
        core::mem::take(&mut self.ready).then_some(DriverOutput::Sample(RefclockSample {
            id: CLOCK,
            offset: NtpDuration::ZERO,
            dispersion: NtpDuration::from_seconds(1e-6),
            jitter_s: 1e-7,
            leap: LeapIndicator::NoWarning,
        }))
    }

    fn poll_timeout(&self) -> Option<truechimer_time::Instant> {
        self.next
    }
}

pub(crate) fn always_right() -> Vec<Box<dyn Driver>> {
    vec![Box::new(Always {
        next: Some(clock::monotonic()),
        ready: false,
    })]
}

/// A system that follows `always_right`.
pub(crate) fn stratum_one() -> SystemConfig {
    let mut config = unsteered();
    config.refclocks.push(RefclockConfig {
        id: CLOCK,
        stratum: 0,
        reference_id: ReferenceId::from_octets(*b"TEST"),
        minpoll: 3,
        maxpoll: 3,
        prefer: false,
        always_true: false,
        noselect: false,
    });
    config
}

pub(crate) fn unsteered() -> SystemConfig {
    let mut config = SystemConfig::default();
    config.steering.enabled = false;
    config.precision = clock::measure_precision();
    config
}

/// The built-in rules, with memories of clients and of departures, as the daemon has it.
fn watchful() -> Policy {
    let watch = Watch {
        limits: Limits::default(),
        clients: Arc::new(MruTable::new(MruTable::clients_in(1 << 20), &[7; 16])),
    };
    let departures = Arc::new(DepartureTable::new(600, &[8; 16]));
    Policy::default()
        .with_watch(watch, true)
        .with_departures(departures)
}

struct Watcher {
    commands: Receiver<Command>,
    reports: Sender<Report>,
    notices: Arc<Mutex<Vec<String>>>,
    stalls: Receiver<Duration>,
}

impl Host for Watcher {
    fn handle_output(&mut self, _: Now, _: Output) {}

    fn poll_event(&mut self, _: Now) -> Option<HostEvent> {
        None
    }

    fn poll_command(&mut self) -> Option<Command> {
        if let Ok(stall) = self.stalls.try_recv() {
            std::thread::sleep(stall);
        }
        self.commands.try_recv().ok()
    }

    fn handle_notice(&mut self, notice: &Notice) {
        self.notices
            .lock()
            .expect("nobody panicked")
            .push(notice.to_string());
    }

    fn handle_report(&mut self, _: Now, report: Report) {
        self.reports.send(report).expect("the test listens");
    }
}

/// An engine in a thread of its own.
pub(crate) struct Running {
    commands: Sender<Command>,
    stalls: Sender<Duration>,
    reports: Receiver<Report>,
    pub(crate) notices: Arc<Mutex<Vec<String>>>,
    pub(crate) waker: Waker,
    thread: JoinHandle<Ended>,
}

impl Running {
    pub(crate) fn start(
        listen: Vec<SocketAddr>,
        server_threads: usize,
        system: SystemConfig,
        drivers: Vec<Box<dyn Driver>>,
    ) -> Self {
        Self::start_with(EngineChoice::Auto, listen, server_threads, system, drivers)
    }

    pub(crate) fn start_with(
        engine: EngineChoice,
        listen: Vec<SocketAddr>,
        server_threads: usize,
        system: SystemConfig,
        drivers: Vec<Box<dyn Driver>>,
    ) -> Self {
        let config = EngineConfig {
            listen: if listen.is_empty() {
                Listen::Nowhere
            } else {
                Listen::Addresses(listen)
            },
            server_threads,
            intake: IntakeConfig {
                engine,
                ..IntakeConfig::default()
            },
            ..EngineConfig::default()
        };
        let engine = Engine::bind(config).expect("free addresses");
        let waker = engine.waker();
        let (commands, command_receiver) = channel();
        let (stalls, stall_receiver) = channel();
        let (report_sender, reports) = channel();
        let notices = Arc::default();
        let mut watcher = Watcher {
            commands: command_receiver,
            reports: report_sender,
            notices: Arc::clone(&notices),
            stalls: stall_receiver,
        };
        let thread = std::thread::spawn(move || {
            let system = System::new(clock::now(), system, [7; 32], Box::new(NoKeys));
            let policy = Arc::new(watchful());
            let mut keys =
                || -> Box<dyn truechimer_proto::authentication::Authenticator> { Box::new(NoKeys) };
            engine
                .run(system, drivers, policy, &mut keys, &mut watcher)
                .expect("it runs")
        });
        Self {
            commands,
            stalls,
            reports,
            notices,
            waker,
            thread,
        }
    }

    pub(crate) fn command(&self, command: Command) {
        self.commands.send(command).expect("it runs");
    }

    /// Makes the clock thread do nothing for a while.
    pub(crate) fn stall(&self, span: Duration) {
        self.stalls.send(span).expect("it runs");
    }

    pub(crate) fn report(&self) -> Report {
        self.command(Command::Report);
        self.take_report()
    }

    /// The answer to a `Command::Report`.
    pub(crate) fn take_report(&self) -> Report {
        let patience = Duration::from_secs(30);
        self.reports.recv_timeout(patience).expect("a report")
    }

    /// Reports until one is as wanted.
    pub(crate) fn wait_for(&self, longest: Duration, wanted: impl Fn(&Report) -> bool) -> Report {
        let start = Instant::now();
        loop {
            let report = self.report();
            if wanted(&report) {
                return report;
            }
            assert!(start.elapsed() < longest, "in vain: {report:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops it; it takes about a second at most, here with room for a busy machine.
    pub(crate) fn stop(self) -> Ended {
        let start = Instant::now();
        // It may have been told already.
        let _ = self.commands.send(Command::Stop);
        let ended = self.thread.join().expect("no panic");
        assert!(
            start.elapsed() < Duration::from_secs(3),
            "{:?}",
            start.elapsed()
        );
        ended
    }
}

/// A port free a moment ago, on this address.
pub(crate) fn free(ip: &str) -> Option<SocketAddr> {
    let socket = std::net::UdpSocket::bind((ip, 0)).ok()?;
    socket.local_addr().ok()
}
