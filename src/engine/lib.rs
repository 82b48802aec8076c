//! The engine: waits for sockets, clock and timers, and carries events between them and `proto`.
//!
//! One form runs everything in the calling thread by poll(2), so that it works under a preload
//! simulator and on small devices. The other runs the clock in the calling thread and answers
//! requests in a roster of server threads, which read a published snapshot and wait for nobody.
//! Nothing is decided here: `System` and `Responder` say what to do, `sys` knows how.
#![forbid(unsafe_code)]

mod clerk;
mod clients;
mod clock_hand;
mod clock_thread;
mod config;
mod counters;
mod departures;
mod ears;
mod errands;
mod error;
mod hearing_notice;
mod host;
mod latch;
mod listeners;
mod nic_clocks;
mod notice;
mod queries;
mod rings;
mod roster;
mod rules;
mod senders;
mod sizing;
mod traces;
mod traffic;

pub use config::{
    Action, EngineChoice, EngineConfig, Hearing, IntakeConfig, InterfaceRule, Listen, Matches,
};
pub use counters::ServerCounts;
pub use error::{BindFailure, EngineError};
pub use hearing_notice::HearingNotice;
pub use host::{Command, Ended, Host, Report, Why};
pub use latch::{Publisher, Reader, latch};
pub use nic_clocks::HardwareStamping;
pub use notice::Notice;
pub use rings::EngineReason;

use clock_thread::{ClockThread, Counter, Serving};
use core::net::IpAddr;
use core::time::Duration;
use ears::Ears;
use errands::errands;
use listeners::Listeners;
use nic_clocks::NicClocks;
use rings::Rings;
use roster::{Manner, Roster};
use std::sync::Arc;
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::job::CryptoPool;
use truechimer_proto::packet::Link;
use truechimer_proto::refclock::Driver;
use truechimer_proto::server::Policy;
use truechimer_proto::system::System;
use truechimer_sys::interfaces::Watch;
use truechimer_sys::process::{self, Core};
use truechimer_sys::wake::Wake;

/// Makes an authenticator with the keys of now; asked once for each server thread, and again
/// whenever the policy is replaced.
pub type MakeAuthenticator<'a> = &'a mut dyn FnMut() -> Box<dyn Authenticator>;

/// An engine whose service sockets are open, but which does not run yet: the moment to give up
/// privileges.
pub struct Engine {
    config: EngineConfig,
    listeners: Listeners,
    ears: Ears,
    nics: NicClocks,
    notices: Vec<Notice>,
    watch: Option<Watch>,
    /// Only beside server threads; see `Engine::waker`.
    wake: Option<Arc<Wake>>,
    crypto: Option<Arc<dyn CryptoPool>>,
    rings: Option<Rings>,
}

/// Makes the clock thread look at its host again at once, from any thread.
#[derive(Clone, Debug)]
pub struct Waker(Option<Arc<Wake>>);

impl Waker {
    /// Wakes it. In the one-thread form this does nothing: it looks once a second by itself.
    pub fn wake(&self) {
        if let Some(wake) = &self.0 {
            wake.wake();
        }
    }
}

/// An address in use at the start is tried again so often, and so long after: the kernel lets go of the
/// sockets of a ring a moment after the end of a daemon that was killed (ADR 0040).
const BINDS_AGAIN: usize = 10;
const BIND_AGAIN_AFTER: Duration = Duration::from_millis(50);

fn open_service(new: impl Fn() -> Listeners, notices: &mut Vec<Notice>) -> Listeners {
    let is_in_use = |notice: &Notice| match notice {
        Notice::CannotListen(failure) => failure.error.kind() == std::io::ErrorKind::AddrInUse,
        _ => false,
    };
    let mut again = BINDS_AGAIN;
    loop {
        let (mut listeners, mut told) = (new(), Vec::new());
        listeners.rescan(&mut told);
        if again == 0 || !told.iter().any(is_in_use) {
            notices.append(&mut told);
            return listeners;
        }
        // What was opened goes before it is wanted again.
        drop(listeners);
        again -= 1;
        std::thread::sleep(BIND_AGAIN_AFTER);
    }
}

impl Engine {
    /// Opens the service sockets, having raised the limit of open descriptors as far as it goes.
    ///
    /// # Errors
    /// `EngineError::NoService` if addresses were there and not one could be had; where some
    /// could, the failures become notices. A host may have no address yet, or rules that leave
    /// none: that is no error.
    pub fn bind(mut config: EngineConfig) -> Result<Self, EngineError> {
        let mut notices = Vec::new();
        let (wanted, clients) = (config.server_threads, config.client_sockets_max);
        let cores = process::cores().len();
        let descriptors = process::raise_descriptor_limit();
        let sizes = sizing::sizes(wanted, clients, cores, descriptors);
        if sizes.threads < wanted {
            notices.push(Notice::FewerThreads(wanted, sizes.threads));
        }
        config.server_threads = sizes.threads;
        config.client_sockets_max = sizes.clients;
        let sockets_each = sizes.threads.max(1);
        let new = || Listeners::new(config.listen.clone(), sockets_each, sizes.service);
        let listeners = open_service(new, &mut notices);
        if listeners.is_empty() && !matches!(config.listen, Listen::Nowhere) {
            let failure = |notice| match notice {
                Notice::CannotListen(failure) => Some(failure),
                _ => None,
            };
            let place = notices
                .iter()
                .position(|it| matches!(it, Notice::CannotListen(_)));
            if let Some(failed) = place.and_then(|place| failure(notices.swap_remove(place))) {
                return Err(EngineError::NoService(failed));
            }
            notices.push(Notice::NoAddress);
        }
        let mut ears = Ears::new(config.hearing.clone());
        ears.rescan(&listeners, &mut notices);
        let mut nics = NicClocks::new(config.hardware_stamping.clone());
        nics.rescan(&mut notices);
        let watch = match (&config.listen, config.rescan_every) {
            (Listen::Nowhere, _) | (_, None) => None,
            _ => Watch::open()
                .inspect_err(|error| notices.push(Notice::NotTold(error.kind().into())))
                .ok(),
        };
        let wake = match config.server_threads {
            0 => None,
            _ => Some(Arc::new(Wake::new().map_err(EngineError::Thread)?)),
        };
        Ok(Self {
            config,
            listeners,
            ears,
            nics,
            notices,
            watch,
            wake,
            crypto: None,
            rings: None,
        })
    }

    /// Opens the rings of server threads, where they are wanted and can be had; whether there are any.
    /// Before the process locks itself in, and after it has gone to the background, for a ring does not
    /// go there. Otherwise `run` does it.
    pub fn open_rings(&mut self) -> bool {
        let rings = self.take_rings();
        !self.rings.insert(rings).idle.is_empty()
    }

    fn take_rings(&mut self) -> Rings {
        if let Some(rings) = self.rings.take() {
            return rings;
        }
        let choice = self.config.intake.engine;
        let rings = Rings::open(choice, self.config.server_threads);
        self.notices.extend(rings.notice(choice));
        rings
    }

    /// Cores for the threads; none where they are not to be bound.
    fn cores(&self, host: &mut dyn Host) -> Vec<Core> {
        let all = process::cores();
        let wanted = &self.config.cores;
        if !self.config.pin_threads {
            return Vec::new();
        }
        let found = wanted.iter().filter_map(|number| {
            let core = all.iter().find(|core| core.number() == *number);
            if core.is_none() {
                host.handle_notice(&Notice::NoCore(*number));
            }
            core.copied()
        });
        let found: Vec<Core> = found.collect();
        if found.is_empty() { all } else { found }
    }

    /// Has what needs Autokey's keys done there; without it nothing of that is done.
    pub fn use_crypto(&mut self, pool: Arc<dyn CryptoPool>) {
        self.crypto = Some(pool);
    }

    /// Addresses of this host, for `SystemConfig::own_addresses`.
    pub fn own_addresses(&self) -> Vec<IpAddr> {
        self.listeners.own_addresses().to_vec()
    }

    /// Interfaces through which many can be reached, for `SystemConfig::links`.
    pub fn links(&self) -> Vec<Link> {
        self.listeners.plain_links()
    }

    /// For threads that make host events, as a resolver does. The one-thread form has no
    /// descriptor to be woken by, for the preload simulator could not tell when it is ready.
    pub fn waker(&self) -> Waker {
        Waker(self.wake.clone())
    }

    /// Runs until the protocol or the host ends it. The calling thread becomes the clock thread.
    ///
    /// # Errors
    /// When waiting itself fails, or a thread cannot be started.
    pub fn run(
        mut self,
        mut system: System,
        drivers: Vec<Box<dyn Driver>>,
        policy: Arc<Policy>,
        make_authenticator: MakeAuthenticator<'_>,
        host: &mut dyn Host,
    ) -> Result<Ended, EngineError> {
        let (rings, cores) = (self.take_rings(), self.cores(host));
        for notice in &self.notices {
            host.handle_notice(notice);
        }
        let (tracer, traces) = traces::traces(self.config.trace).unzip();
        let waker = self.waker();
        let (errands, finished) = self.crypto.map(|pool| errands(pool, waker)).unzip();
        let counter = |policy, keys, system: &mut System| {
            let seed = system.draw_seed();
            Counter::new(policy, keys, seed, (tracer.clone(), errands.clone()))
        };
        let serving = match self.wake {
            None => {
                let counter = counter(Arc::clone(&policy), make_authenticator(), &mut system);
                Serving::here(self.listeners, policy, counter)
            }
            Some(wake) => {
                let start = roster::Start {
                    listeners: self.listeners,
                    policy,
                    snapshot: system.snapshot(),
                    wake,
                    cores,
                    seeds: (0..self.config.server_threads)
                        .map(|_| system.draw_seed())
                        .collect(),
                    rings,
                    manner: Manner {
                        linger: self.config.intake.linger,
                        spins: self.config.intake.spins,
                    },
                    tracer: tracer.clone(),
                    errands: errands.clone(),
                };
                let roster = Roster::start(start, make_authenticator, host)?;
                let policy = Arc::clone(roster.policy());
                Serving::beside(roster, counter(policy, make_authenticator(), &mut system))
            }
        };
        ClockThread::new(
            &self.config,
            system,
            (drivers, traces),
            serving,
            (self.ears, self.nics),
            self.watch,
            errands.zip(finished),
        )
        .run(make_authenticator, host)
    }
}

/// `Engine::bind` and `Engine::run` in one, for hosts without privileges to give up.
///
/// # Errors
/// As either of them.
pub fn run(
    config: EngineConfig,
    system: System,
    drivers: Vec<Box<dyn Driver>>,
    policy: Arc<Policy>,
    make_authenticator: MakeAuthenticator<'_>,
    host: &mut dyn Host,
) -> Result<Ended, EngineError> {
    Engine::bind(config)?.run(system, drivers, policy, make_authenticator, host)
}
