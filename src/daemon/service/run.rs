//! A run from its launch to its end.
use super::clockwork::{self, Machine};
use super::drift_keeper::DriftKeeper;
use super::launch::{Launch, RealTime};
use super::setup::{self, Refused, Setup};
use super::signals::Signals;
use super::{places, surroundings};
use crate::cli;
use crate::exit::Exit;
use crate::files::config::Origin;
use crate::files::pid::PidFile;
use crate::logging::{self, Ident};
use crate::paths;
use crate::privilege::user::Plan;
use crate::privilege::{self, Locks};
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::{fs, io, process};
use surroundings::Surroundings;
use truechimer_engine::{Engine, EngineError};
use truechimer_sys::process::{Side, Startup, go_to_background, run_at_real_time};

/// Files of this run, whoever named them.
#[derive(Debug, Default)]
struct Paths {
    drift: Option<PathBuf>,
    log: Option<PathBuf>,
    pid: Option<PathBuf>,
    runtime: Option<PathBuf>,
}

impl Paths {
    /// The command line has the last word.
    fn new(launch: &Launch, setup: &Setup) -> Self {
        let files = &setup.settings.files;
        let named = |said: &Option<truechimer_config::settings::Located<String>>| {
            said.as_ref().map(|it| PathBuf::from(&it.value))
        };
        Self {
            drift: launch.drift_file.clone().or_else(|| named(&files.drift)),
            log: launch.log_file.clone().or_else(|| named(&files.log)),
            pid: launch.pid_file.clone().or_else(|| named(&files.pid)),
            runtime: places::runtime_folder(),
        }
    }
}

/// Runs until the end.
pub fn run(launch: Launch) -> Exit {
    // Before anything else: a signal that comes while we start must end or reload us the same way.
    let signals = Signals::take_over();
    logging::start(launch.ident, launch.debug_steps);
    let ident = launch.ident;
    let exit = match attempt(launch, signals) {
        Ok(exit) => exit,
        Err(failure) => failure.tell(ident),
    };
    logging::finish();
    exit
}

fn attempt(launch: Launch, signals: io::Result<Signals>) -> Result<Exit, Failure> {
    let signals = signals.map_err(Failure::Other)?;
    let launch = launch.with_environment().map_err(Failure::Usage)?;
    let origin = Origin::find(launch.config.as_deref(), &paths::configurations());
    let setup = setup::read(&origin, &launch).map_err(Failure::Setup)?;
    for remark in &launch.remarks {
        log::warn!("{remark}");
    }
    if let Some(path) = &launch.save_config {
        return save(path, &setup);
    }
    if launch.one_shot && setup.settings.associations.is_empty() {
        return Err(Failure::NothingToAsk(origin.name()));
    }
    let paths = Paths::new(&launch, &setup);
    let plan = Plan::make(launch.user.as_deref(), launch.sandbox).map_err(Failure::Privileges)?;
    open_log(&launch, &paths, &plan);
    log::info!(
        "truechimer {} starting, configuration: {}",
        env!("CARGO_PKG_VERSION"),
        origin.name()
    );
    for remark in &setup.remarks {
        remark.say();
    }
    let surroundings = Surroundings::look(&launch, &origin, &setup, signals.held());
    if launch.one_shot && setup.settings.flags.ntp && !surroundings.engine.may_adjust {
        return Err(Failure::MayNotSet);
    }
    let mut engine = Engine::bind(surroundings.engine.clone()).map_err(Failure::Engine)?;
    surroundings.explain(&launch, &origin, &setup);
    let startup = if launch.foreground {
        None
    } else {
        Some(detach(&paths, launch.wait_sync)?)
    };
    if let Some(priority) = launch.real_time {
        go_first(priority);
    }
    let pid_file = write_pid(paths.pid.as_deref());
    let runtime = prepare_runtime(&launch, &paths, &plan);
    let needed = places::needed(
        &origin,
        &setup,
        paths.drift.as_deref(),
        paths.log.as_deref(),
        runtime.as_deref(),
    );
    let locks = Locks {
        sandbox: launch.sandbox,
        drop_caps: launch.drop_caps,
        rings: engine.open_rings(),
    };
    privilege::give_up(&plan, locks, &needed).map_err(Failure::Privileges)?;
    logging::never_wait();
    let exit = clockwork::run(Machine {
        launch,
        origin,
        setup,
        engine,
        drift: paths.drift.map(DriftKeeper::new),
        runtime,
        may_steer: surroundings.engine.may_adjust,
        taken_cores: surroundings.taken_cores(),
        signals,
        startup,
    });
    drop(pid_file);
    exit
}

fn open_log(launch: &Launch, paths: &Paths, plan: &Plan) {
    let Some(path) = &paths.log else {
        return;
    };
    let owner = plan.owner().filter(|_| launch.sandbox);
    if let Err(error) = logging::to_file(path, owner) {
        log::error!("{}: {error}; logging goes on here", path.display());
    }
}

/// The classic fork, before any thread exists. The parent ends here, with the code of a start that
/// failed if it did; it drops nothing, for all of it is the child's.
fn detach(paths: &Paths, patience: Option<Duration>) -> Result<Startup, Failure> {
    log::info!("going to the background; the log goes on in the file or the system log");
    if paths.log.is_none() {
        logging::to_system_log();
    }
    match go_to_background(patience).map_err(Failure::Other)? {
        Side::Child(startup) => Ok(startup),
        Side::Parent(code) => process::exit(code.into()),
    }
}

/// `--saveconfigquit`: what the configuration says, command line included, as one file.
fn save(path: &Path, setup: &Setup) -> Result<Exit, Failure> {
    for remark in &setup.remarks {
        remark.say();
    }
    let text = truechimer_config::write(&setup.settings);
    fs::write(path, text).map_err(|error| Failure::NotSaved(path.to_owned(), error))?;
    cli::print(&format!("configuration saved to {}\n", path.display()));
    Ok(Exit::Good)
}

/// The thread that reads the clock goes before others. It takes a capability, so not everybody can
/// have it; stamps are the kernel's, so little is lost without.
fn go_first(priority: RealTime) {
    let level = match priority {
        RealTime::Highest => None,
        RealTime::At(level) => Some(level),
    };
    if let Err(error) = run_at_real_time(level) {
        log::warn!("-N or -P: no real-time priority: {error}");
    }
}

fn write_pid(path: Option<&Path>) -> Option<PidFile> {
    let path = path?;
    PidFile::write(path)
        .inspect_err(|error| log::error!("{}: {error}", path.display()))
        .ok()
}

/// Where the mark of a spent `-g` goes; made only when it may be needed.
fn prepare_runtime(launch: &Launch, paths: &Paths, plan: &Plan) -> Option<PathBuf> {
    if !launch.panic_gate {
        return None;
    }
    let Some(folder) = paths.runtime.clone() else {
        log::warn!(
            "no runtime folder (RUNTIME_DIRECTORY, XDG_RUNTIME_DIR): a restart will have -g again"
        );
        return None;
    };
    if let Err(error) = places::make(&folder, plan.owner()) {
        let name = folder.display();
        log::warn!("{name}: {error}: a restart will have -g again");
        return None;
    }
    Some(folder)
}

/// Why a run did not come to be.
#[derive(Debug)]
pub(super) enum Failure {
    Usage(String),
    Setup(Refused),
    NothingToAsk(String),
    Privileges(privilege::user::DropError),
    Engine(EngineError),
    MayNotSet,
    NotSaved(PathBuf, io::Error),
    Other(io::Error),
}

impl Failure {
    /// Tells the operator, and how to end.
    fn tell(&self, ident: Ident) -> Exit {
        match self {
            Self::Usage(text) => {
                log::error!("{text}");
                match ident {
                    Ident::Ntpd => Exit::Failed,
                    Ident::Truechimer => Exit::Usage,
                }
            }
            Self::Setup(refused) => {
                // For people as the parser shows it, with carets; for the journal a line each.
                if logging::is_for_people() {
                    cli::print_error(&format!("{refused}\n"));
                } else {
                    for line in refused.lines() {
                        log::error!("{line}");
                    }
                }
                log::error!("not started: {}", refused.summary());
                Exit::Configuration
            }
            Self::NothingToAsk(name) => {
                log::error!("{name} names no server: there is nothing to set the clock by");
                Exit::Configuration
            }
            Self::Privileges(error) => {
                log::error!("{error}");
                match ident {
                    Ident::Ntpd => Exit::NtpdFailure,
                    Ident::Truechimer => Exit::NoPermission,
                }
            }
            Self::Engine(error) => {
                log::error!("{error}");
                of_engine(error)
            }
            Self::MayNotSet => {
                log::error!("-q: the clock cannot be set: no CAP_SYS_TIME");
                Exit::Failed
            }
            Self::NotSaved(path, error) => {
                log::error!("{}: {error}", path.display());
                Exit::Failed
            }
            Self::Other(error) => {
                log::error!("{error}");
                Exit::Failed
            }
        }
    }
}

fn of_engine(error: &EngineError) -> Exit {
    match error {
        EngineError::NoService(failure)
            if failure.error.kind() == io::ErrorKind::PermissionDenied =>
        {
            Exit::NoPermission
        }
        EngineError::NoService(_) => Exit::Unavailable,
        EngineError::Wait(_) | EngineError::Thread(_) => Exit::Failed,
    }
}
