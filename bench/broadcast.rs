//! How punctually many broadcasts leave: the real engine and protocol, in a network of their own.
//!
//! Once 64 groups behind one interface, once one group behind 64 interfaces. What is told is how long
//! after their scheduled moment the last packet of a round had been given to the kernel.
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use truechimer_engine::{Command, Engine, EngineConfig, Host, Listen, Notice, Report};
use truechimer_proto::authentication::{Authenticator, NoKeys};
use truechimer_proto::config::{
    AssociationConfig, AssociationKind, Family, RefclockConfig, Remote, SystemConfig,
};
use truechimer_proto::host::{HostEvent, Output};
use truechimer_proto::refclock::{
    Driver, DriverEvent, DriverOutput, Port, RefclockId, RefclockSample,
};
use truechimer_proto::system::System;
use truechimer_sys::clock;
use truechimer_sys::own_network::{cable, in_own_network};
use truechimer_sys::poll::HeldSignals;
use truechimer_sys::process::run_at_real_time;
use truechimer_time::leap::LeapIndicator;
use truechimer_time::{Now, NtpDuration};
use truechimer_wire::ReferenceId;

/// Groups, or interfaces.
const MANY: u8 = 64;
/// Of the broadcasts, log2 seconds. Lines begin a second after one another, so all are due together.
const POLL: i8 = 0;
/// What issue 5 allows.
const BAR: Duration = Duration::from_millis(1);

/// Runs so many rounds of each kind.
pub(crate) fn run(rounds: usize) -> Result<(), String> {
    println!("lateness of the last of {MANY} broadcasts, {rounds} rounds each, µs");
    println!(
        "{:>34} {:>8} {:>8} {:>8}",
        "", "to begin", "median", "worst"
    );
    let groups = in_own_network(|| {
        cable("v1", "v2", 0);
        let lines = (1..=MANY).map(|last| Ipv4Addr::new(239, 1, 1, last));
        measure("64 groups, one interface", lines.collect(), rounds)
    });
    let interfaces = in_own_network(|| {
        for number in 0..MANY / 2 {
            cable(&format!("a{number}"), &format!("b{number}"), number);
        }
        measure(
            "one group, 64 interfaces",
            vec![Ipv4Addr::new(224, 0, 1, 1)],
            rounds,
        )
    });
    groups.and(interfaces)
}

fn measure(what: &str, groups: Vec<Ipv4Addr>, rounds: usize) -> Result<(), String> {
    let only_first = groups.len() > 1;
    let engine = Engine::bind(EngineConfig {
        listen: listen(only_first),
        server_threads: 1,
        held_signals: HeldSignals::hold(&[]).map_err(|error| error.to_string())?,
        ..EngineConfig::default()
    })
    .map_err(|error| error.to_string())?;
    let mut config = SystemConfig {
        links: engine.links(),
        precision: clock::measure_precision(),
        refclocks: vec![reference()],
        associations: groups.into_iter().map(line).collect(),
        ..SystemConfig::default()
    };
    config.steering.enabled = false;
    let system = System::new(clock::now(), config, [7; 32], Box::new(NoKeys));
    let (reports, reported) = channel();
    let (commands, commanded) = channel();
    let waker = engine.waker();
    let ask = move || -> Result<Report, String> {
        let gone = |_| "the engine ended".to_owned();
        commands.send(Command::Report).map_err(|_| gone(()))?;
        waker.wake();
        let report = reported.recv_timeout(Duration::from_secs(30));
        report.map_err(|_| gone(()))
    };
    let mut watcher = Watcher {
        commands: commanded,
        reports,
    };
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            // As `-N` has it; without, the figures are those of whatever else runs here.
            run_at_real_time(None).map_err(|error| format!("no real-time priority: {error}"))?;
            let mut keys = || Box::new(NoKeys) as Box<dyn Authenticator>;
            let clock = Box::new(Always {
                next: clock::monotonic(),
                ready: false,
            });
            let ended = engine.run(system, vec![clock], Arc::default(), &mut keys, &mut watcher);
            ended.map(drop).map_err(|error| error.to_string())
        });
        let outcome = watch(what, rounds, &ask);
        drop(ask);
        outcome.and(
            thread
                .join()
                .map_err(|_| "the engine panicked".to_owned())?,
        )
    })
}

/// Waits until the time is known and told, then takes the worst of each interval.
fn watch(
    what: &str,
    rounds: usize,
    ask: &dyn Fn() -> Result<Report, String>,
) -> Result<(), String> {
    let mut first = Duration::ZERO;
    let mut report = ask()?;
    for _ in 0..2 * u32::from(MANY) {
        first = first.max(report.worst_lateness);
        if all_told(&report) {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
        report = ask()?;
    }
    let before = told(&report);
    let mut late = Vec::new();
    for _ in 0..=rounds {
        std::thread::sleep(Duration::from_secs(1 << POLL));
        report = ask()?;
        late.push(report.worst_lateness);
    }
    let sent = told(&report) - before;
    if sent < u64::from(MANY) * rounds as u64 {
        return Err(format!("{what}: only {sent} packets were sent"));
    }
    late.sort_unstable();
    let (median, worst) = (late[late.len() / 2], late[late.len() - 1]);
    let [first, median, shown] = [first, median, worst].map(|it| it.as_micros());
    println!("{what:>34} {first:>8} {median:>8} {shown:>8}");
    if worst > BAR {
        return Err(format!("{what}: later than {BAR:?}"));
    }
    Ok(())
}

/// Broadcasts sent so far, of each line.
fn each_told(report: &Report) -> impl Iterator<Item = u64> {
    let all = report.system.associations.iter();
    all.filter(|it| it.remote.is_some_and(|remote| remote.ip().is_multicast()))
        .map(|it| u64::from(it.sent))
}

fn told(report: &Report) -> u64 {
    each_told(report).sum()
}

fn all_told(report: &Report) -> bool {
    told(report) > 0 && each_told(report).all(|count| count > 0)
}

fn listen(only_first: bool) -> Listen {
    use truechimer_engine::{Action, InterfaceRule, Matches};
    let rule = |action, matches| InterfaceRule { action, matches };
    let first = Matches::Name("v1".to_owned());
    let rules = vec![
        rule(Action::Ignore, Matches::All),
        rule(Action::Listen, first),
    ];
    Listen::Interfaces {
        port: 123,
        family: Family::V4,
        aliases: true,
        rules: if only_first { rules } else { Vec::new() },
    }
}

fn line(group: Ipv4Addr) -> AssociationConfig {
    AssociationConfig {
        kind: AssociationKind::Broadcast,
        minpoll: POLL,
        maxpoll: POLL,
        interleaved: true,
        ..AssociationConfig::server(Remote::Address(IpAddr::V4(group)))
    }
}

const CLOCK: RefclockId = RefclockId { driver: 5, unit: 0 };

fn reference() -> RefclockConfig {
    RefclockConfig {
        id: CLOCK,
        stratum: 0,
        reference_id: ReferenceId::from_octets(*b"TEST"),
        minpoll: 3,
        maxpoll: 3,
        prefer: false,
        always_true: false,
        noselect: false,
    }
}

/// The clock that is always right: the system clock itself.
struct Always {
    next: truechimer_time::Instant,
    ready: bool,
}

impl Driver for Always {
    fn port(&self) -> Port {
        Port::None
    }

    fn handle(&mut self, now: Now, _: DriverEvent) {
        self.ready = true;
        self.next = now.mono.plus(Duration::from_secs(1));
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
        Some(self.next)
    }
}

struct Watcher {
    commands: Receiver<Command>,
    reports: Sender<Report>,
}

impl Host for Watcher {
    fn handle_output(&mut self, _: Now, _: Output) {}

    fn poll_event(&mut self, _: Now) -> Option<HostEvent> {
        None
    }

    fn poll_command(&mut self) -> Option<Command> {
        use std::sync::mpsc::TryRecvError;
        match self.commands.try_recv() {
            Ok(command) => Some(command),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Command::Stop),
        }
    }

    fn handle_notice(&mut self, notice: &Notice) {
        if matches!(notice, Notice::CannotAsk(..) | Notice::LeftOut(_)) {
            eprintln!("{notice}");
        }
    }

    fn handle_report(&mut self, _: Now, report: Report) {
        // Nobody listens any more only at the end.
        let _ = self.reports.send(report);
    }
}
