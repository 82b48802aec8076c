//! The `log` crate's end: one sink behind a lock, exchangeable while running.
use super::outlet::Outlet;
use super::sink::{LogFile, Sink};
use log::{LevelFilter, Log, Metadata, Record};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{env, str::FromStr};
use truechimer_sys::syslog;

/// Names the level: error, warn, info, debug, trace.
const LEVEL_VARIABLE: &str = "TRUECHIMER_LOG";

/// The name lines are logged under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ident {
    /// Under its own name.
    Truechimer,
    /// Called as ntpd.
    Ntpd,
}

impl Ident {
    /// The word before the process id.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truechimer => "truechimer",
            Self::Ntpd => "ntpd",
        }
    }
}

struct Facade {
    state: Mutex<State>,
}

struct State {
    ident: Ident,
    outlet: Outlet,
    /// Whether lines may be written on a thread of their own; it starts with the first of them.
    away: bool,
}

static FACADE: Facade = Facade {
    state: Mutex::new(State {
        ident: Ident::Truechimer,
        outlet: Outlet::Here(Sink::Stderr),
        away: false,
    }),
};

impl Facade {
    /// A thread that panicked while logging leaves a sink that still works.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Facade {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = one_line(&record.args().to_string());
            let mut state = self.state();
            let name = state.ident.name();
            if state.away {
                state.outlet.move_away();
            }
            state.outlet.write(record.level(), name, &text);
        }
    }

    fn flush(&self) {}
}

/// Names from the network and from files reach the log: none may forge a line or a terminal code.
fn one_line(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '?' } else { c };
    text.chars().map(clean).collect()
}

/// Logs to standard error from now on, `debug_steps` levels deeper than usual.
pub fn start(ident: Ident, debug_steps: u8) {
    {
        let mut state = FACADE.state();
        state.ident = ident;
        state.outlet = Outlet::Here(Sink::stderr());
    }
    let usual = match debug_steps {
        0 => LevelFilter::Info,
        1 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    let named = env::var(LEVEL_VARIABLE).ok();
    let level = named.as_deref().map(LevelFilter::from_str);
    log::set_max_level(match &level {
        Some(Ok(level)) => *level,
        _ => usual,
    });
    // Refused only when set before, which is the same facade.
    let _ = log::set_logger(&FACADE);
    if let (Some(Err(_)), Some(named)) = (level, named) {
        log::warn!("{LEVEL_VARIABLE}={named}: not error, warn, info, debug or trace; ignored");
    }
}

/// Logs to a file from now on, which then belongs to `owner`: opened by root, it is reopened after
/// a rotation by whom we become.
///
/// # Errors
/// That it cannot be opened, or is a link; the log then stays where it was.
pub fn to_file(path: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    if path == Path::new("/dev/stderr") {
        // A symbolic link on every system, and where the log is already.
        return Ok(());
    }
    let file = LogFile::open(path)?;
    if let Some((uid, gid)) = owner {
        // Who may not give it away may still write to it.
        let _ = file.give_to(uid, gid);
    }
    FACADE.state().outlet = Outlet::Here(Sink::File(file));
    Ok(())
}

/// Logs to the system log from now on.
pub fn to_system_log() {
    let mut state = FACADE.state();
    syslog::open(state.ident.name());
    state.outlet = Outlet::Here(Sink::SystemLog);
}

/// From now on no line waits for its place: a terminal that was stopped, a pipe nobody reads or a
/// hung disk must not stop the clock. After the last fork and the last change of place.
pub fn never_wait() {
    FACADE.state().away = true;
}

/// Waits until what was logged is written, a third of a second at most; for the end of a run.
pub fn finish() {
    let mut state = FACADE.state();
    let name = state.ident.name();
    state.outlet.finish(name);
}

/// Whether the log goes to standard error and from there to people or a plain file.
pub fn is_for_people() -> bool {
    matches!(FACADE.state().outlet, Outlet::Here(Sink::Stderr))
}

/// Follows the log file's name again, as after a rotation; if it cannot be opened the old file
/// stays in use and says so.
pub fn reopen() {
    let mut state = FACADE.state();
    let name = state.ident.name();
    state.outlet.reopen(name);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_forged() {
        assert_eq!(one_line("a\nntpd[1]: b\x1b[2J\u{85}"), "a?ntpd[1]: b?[2J?");
    }
}
