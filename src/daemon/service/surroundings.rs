//! What this host, this user and this configuration allow, found out before anything is opened.
use super::launch::{Launch, Rescan};
use super::setup::Setup;
use crate::files::config::Origin;
use crate::paths;
use crate::translate::{hardware, listening, threads};
use truechimer_config::Settings;
use truechimer_engine::{EngineConfig, Hearing, IntakeConfig, Listen};
use truechimer_sys::clock;
use truechimer_sys::poll::HeldSignals;
use truechimer_sys::process::cores;

/// Client sockets at once: each server has one for the length of a request.
const CLIENT_SOCKETS_MAX: usize = 256;

/// Where to serve.
pub(super) fn listen(launch: &Launch, origin: &Origin, settings: &Settings) -> Listen {
    if launch.one_shot {
        Listen::Nowhere
    } else if !is_configured(origin, settings) {
        listening::tryout(launch.families, launch.port)
    } else {
        listening::listen(settings, launch)
    }
}

/// What is heard of that which is sent to many.
pub(super) fn hearing(launch: &Launch, settings: &Settings) -> Hearing {
    if launch.one_shot {
        Hearing::default()
    } else {
        listening::hearing(settings, launch)
    }
}

/// Without a configuration nobody asked us to touch the clock, or to serve others; a server on the
/// command line is one.
fn is_configured(origin: &Origin, settings: &Settings) -> bool {
    *origin != Origin::Embedded || !settings.associations.is_empty()
}

/// What the engine is to be.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// Sockets, threads and the hand on the clock.
    pub(super) engine: EngineConfig,
}

impl Surroundings {
    /// Looks around; changes nothing.
    pub(super) fn look(
        launch: &Launch,
        origin: &Origin,
        setup: &Setup,
        held_signals: Option<HeldSignals>,
    ) -> Self {
        let configured = is_configured(origin, &setup.settings);
        let listen = listen(launch, origin, &setup.settings);
        let wanted = threads::wanted(&setup.settings);
        let server_threads = if launch.one_shot {
            0
        } else {
            let threads = launch.threads.or(wanted.threads);
            threads.unwrap_or_else(|| match wanted.cores.len() {
                0 => cores().len().max(1),
                named => named,
            })
        };
        Self {
            engine: EngineConfig {
                listen,
                hearing: hearing(launch, &setup.settings),
                server_threads,
                intake: IntakeConfig {
                    engine: launch.engine.unwrap_or(wanted.intake.engine),
                    ..wanted.intake
                },
                cores: wanted.cores,
                may_adjust: configured && launch.adjust && clock::may_adjust(),
                client_sockets_max: CLIENT_SOCKETS_MAX,
                pin_threads: launch.sandbox,
                held_signals,
                hardware_stamping: hardware::stamping(&setup.settings),
                trace: launch.trace(),
                rescan_every: match launch.rescan {
                    Rescan::Usual => EngineConfig::default().rescan_every,
                    Rescan::Every(interval) => Some(interval),
                    Rescan::Never => None,
                },
            },
        }
    }

    /// Cores that threads of the engine are bound to, the first ones: those of the server threads and
    /// the clock's. None where they were named: then these are wherever the operator has left room.
    pub(super) const fn taken_cores(&self) -> Option<usize> {
        match self.engine.server_threads {
            1.. if self.engine.pin_threads && self.engine.cores.is_empty() => {
                Some(self.engine.server_threads + 1)
            }
            _ => None,
        }
    }

    /// Says in one line what is not done and why.
    pub(super) fn explain(&self, launch: &Launch, origin: &Origin, setup: &Setup) {
        if *origin == Origin::Embedded {
            let Listen::Addresses(addresses) = &self.engine.listen else {
                return;
            };
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            log::info!(
                "no {} found: serving this machine's clock as it is, to this machine only, on {}; \
                 the clock is left alone; write one to change that",
                paths::configurations().join(", "),
                addresses.join(" and ")
            );
        } else if !launch.adjust {
            log::info!("not steering the clock: --no-adjust");
        } else if !setup.settings.flags.ntp {
            log::info!("not steering the clock: disable ntp");
        } else if !self.engine.may_adjust {
            log::warn!("not steering the clock, serving only: no CAP_SYS_TIME");
        }
    }
}
