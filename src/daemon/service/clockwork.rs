//! The protocol and the engine put together and run.
use super::drift_keeper::DriftKeeper;
use super::gate::Gate;
use super::launch::Launch;
use super::reload::{Basis, Reloader};
use super::run::Failure;
use super::setup::Setup;
use super::signals::Signals;
use super::steward::{Offices, SharedKeys, Steward};
use crate::autokey::{Office, Reading, closed_at, trusted_for_nothing};
use crate::cli;
use crate::exit::Exit;
use crate::files::config::Origin;
use crate::files::drift::{self, Found};
use crate::files::marker::PanicGate;
use crate::logging::Ident;
use crate::translate;
use crate::translate::system::Findings;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use truechimer_config::Settings;
use truechimer_engine::{Ended, Engine, Why};
use truechimer_proto::config::SystemConfig;
use truechimer_proto::host::Exit as ProtocolExit;
use truechimer_proto::server::DepartureTable;
use truechimer_proto::system::System;
use truechimer_sys::process::Startup;
use truechimer_sys::{clock, entropy};
use truechimer_time::Instant;

/// Parts of a run, ready to be put together.
pub(super) struct Machine {
    pub(super) launch: Launch,
    pub(super) origin: Origin,
    pub(super) setup: Setup,
    pub(super) engine: Engine,
    pub(super) drift: Option<DriftKeeper>,
    pub(super) runtime: Option<PathBuf>,
    pub(super) may_steer: bool,
    /// Cores that threads are bound to, the first ones.
    pub(super) taken_cores: Option<usize>,
    pub(super) signals: Signals,
    /// For whoever waits for us to have come up.
    pub(super) startup: Option<Startup>,
}

/// Runs the machine to its end.
pub(super) fn run(machine: Machine) -> Result<Exit, Failure> {
    let Machine {
        launch,
        origin,
        mut setup,
        mut engine,
        drift,
        runtime,
        may_steer,
        taken_cores,
        signals,
        startup,
    } = machine;
    let mark = runtime.as_deref().map(PanicGate::new);
    let findings = Findings {
        may_steer,
        stored_freq_ppm: drift.as_ref().and_then(|keeper| stored(keeper.path())),
        panic_gate_spent: mark.as_ref().is_some_and(is_spent),
        own_addresses: engine.own_addresses(),
        links: engine.links(),
        departures: departures(&launch)?,
        ..found_in(&setup)?
    };
    let settings = &setup.settings;
    let mut config = translate::system::config(settings, &launch, findings.clone());
    let now = clock::now();
    let drift_path = drift.as_ref().map(DriftKeeper::path);
    let mut office = Office::new(drift_path, &settings.autokey, taken_cores);
    if let Some(reading) = setup.autokey.take() {
        open(&mut office, now.mono, reading, settings, &mut config)?;
    }
    engine.use_crypto(office.pool());
    let gate = mark
        .zip(config.tinker.panic_s)
        .filter(|_| config.steering.allow_panic_once);
    let gate = gate.map(|(mark, panic_s)| Gate::new(mark, panic_s));
    let policy = Arc::clone(&config.access);
    let drivers = translate::system::drivers(settings);
    let digest = findings.autokey.as_ref().map(|it| it.digest.clone());
    let keys: SharedKeys = Rc::new(RefCell::new(setup.keys.with_autokey(digest)));
    let authenticator = keys.borrow().authenticator();
    let system = System::new(now, config, random()?, authenticator);
    let (ident, one_shot) = (launch.ident, launch.one_shot);
    let wait_sync = launch.wait_sync.is_some();
    let reloader = Reloader::new(Basis {
        origin,
        launch,
        findings,
    });
    let offices = Offices {
        signals,
        reloader,
        keys: Rc::clone(&keys),
        settings: settings.clone(),
        waker: engine.waker(),
        office,
        drift,
        gate,
        startup,
        wait_sync,
    };
    let mut steward = Steward::new(now.mono, offices);
    let mut make_authenticator = || keys.borrow().authenticator();
    let keys = &mut make_authenticator;
    let ended = engine.run(system, drivers, policy, keys, &mut steward);
    let ended = ended.map_err(Failure::Engine)?;
    steward.finish(frequency_to_keep(&ended).filter(|_| !one_shot));
    Ok(tell_end(ident, ended.why))
}

/// One thread for all asks for no departures, so it tells none: the simulators that it is for do not
/// know how that is done.
fn departures(launch: &Launch) -> Result<Option<Arc<DepartureTable>>, Failure> {
    if launch.threads == Some(0) {
        return Ok(None);
    }
    Ok(Some(translate::access::departures(&random()?)))
}

fn found_in(setup: &Setup) -> Result<Findings, Failure> {
    Ok(Findings {
        precision: clock::measure_precision(),
        leap_table: setup.leap_table.clone(),
        clients: Some(translate::access::memory(&setup.settings, &random()?)),
        autokey: setup.autokey.as_ref().map(Reading::host),
        ..Findings::default()
    })
}

/// Has Autokey's keys and cookies ready before the first packet.
fn open(
    office: &mut Office,
    now: Instant,
    reading: Reading,
    settings: &Settings,
    config: &mut SystemConfig,
) -> Result<(), Failure> {
    if let Some(trusted) = trusted_for_nothing(&reading.facts, settings) {
        log::warn!("{trusted}");
    }
    let said = &settings.autokey;
    let values = office.private_values(said, now).map_err(Failure::Other)?;
    office.take(reading, now);
    if let Some(autokey) = &mut config.autokey {
        autokey.private_values = values;
        if let Some(closed) = closed_at(&config.own_addresses, said) {
            log::warn!("{closed}");
        }
    }
    Ok(())
}

fn random<const LEN: usize>() -> Result<[u8; LEN], Failure> {
    let mut octets = [0; LEN];
    entropy::fill(&mut octets).map_err(Failure::Other)?;
    Ok(octets)
}

/// The drift file's frequency, or what is wrong with the file.
fn stored(path: &Path) -> Option<f64> {
    let name = path.display();
    match drift::load(path) {
        Found::Frequency(freq_ppm) => Some(freq_ppm),
        Found::Nothing => {
            log::info!("{name}: not there yet; the frequency will be measured");
            None
        }
        Found::Refused(error) => {
            log::warn!("{name}: not believed: {error}; the frequency will be measured");
            None
        }
        Found::Unreadable(error) => {
            log::warn!("{name}: {error}; the frequency will be measured");
            None
        }
    }
}

fn is_spent(mark: &PanicGate) -> bool {
    let spent = mark.is_spent();
    if spent {
        let path = mark.path().display();
        log::warn!("-g has been used since boot and is not given again; remove {path} to allow it");
    }
    spent
}

/// Only a frequency that was measured or stored is worth keeping.
fn frequency_to_keep(ended: &Ended) -> Option<f64> {
    let status = ended.system.status(clock::now());
    let known = matches!(status.discipline_state, "sync" | "spike");
    (status.steering && known).then_some(status.frequency_ppm)
}

fn tell_end(ident: Ident, why: Why) -> Exit {
    match why {
        Why::Stopped => Exit::Good,
        Why::Exit(ProtocolExit::OneShotDone { offset_s, stepped }) => {
            let how = if stepped { "set" } else { "slew" };
            cli::print(&format!("{}: time {how} {offset_s:+.6}s\n", ident.name()));
            log::info!("time {how} {offset_s:+.6} s");
            Exit::Good
        }
        Why::Exit(ProtocolExit::NoServers) => {
            cli::print(&format!("{}: no servers found\n", ident.name()));
            log::error!("no servers found");
            Exit::Failed
        }
        // The event before it has said why.
        Why::Exit(ProtocolExit::Panic { .. }) => match ident {
            Ident::Ntpd => Exit::NtpdFailure,
            Ident::Truechimer => Exit::Failed,
        },
    }
}
