//! Signals as flags: handlers do nothing else, and the clock thread's wait ends for them.
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use truechimer_sys::poll::HeldSignals;

/// What was asked by signal since the last look.
#[derive(Debug, Default)]
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
    report: Arc<AtomicBool>,
    keys: Arc<AtomicBool>,
    ignored: Arc<AtomicBool>,
    held: Option<HeldSignals>,
}

/// What the clock thread has something to do about.
const ACTED_UPON: [i32; 5] = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2];

impl Signals {
    /// Takes over SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2; makes SIGPIPE harmless. To be called
    /// before any thread is started.
    ///
    /// # Errors
    /// The kernel's.
    pub(super) fn take_over() -> io::Result<Self> {
        let signals = Self {
            held: HeldSignals::hold(&ACTED_UPON)?,
            ..Self::default()
        };
        for (signal, flag) in [
            (SIGTERM, &signals.stop),
            (SIGINT, &signals.stop),
            (SIGHUP, &signals.reload),
            (SIGUSR1, &signals.report),
            (SIGUSR2, &signals.keys),
            (SIGPIPE, &signals.ignored),
        ] {
            flag::register(signal, Arc::clone(flag))?;
        }
        Ok(signals)
    }

    /// For the engine, which alone lets them in.
    pub(super) const fn held(&self) -> Option<HeldSignals> {
        self.held
    }

    /// Whether to end; stays so.
    pub(super) fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether to read the configuration again; once for each asking.
    pub(super) fn take_reload(&self) -> bool {
        self.reload.swap(false, Ordering::Relaxed)
    }

    /// Whether to read Autokey's keys again; once for each asking.
    pub(super) fn take_keys(&self) -> bool {
        self.keys.swap(false, Ordering::Relaxed)
    }

    /// Whether to log the peers; once for each asking.
    pub(super) fn take_report(&self) -> bool {
        self.report.swap(false, Ordering::Relaxed)
    }
}
