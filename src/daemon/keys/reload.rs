//! Tells the running daemon to read its keys of Autokey again, and nothing else.
use super::failed;
use crate::cli::print;
use crate::exit::Exit;
use crate::files::config::Origin;
use crate::files::pid;
use crate::paths;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};

/// What to do without a file that says which process it is.
const OTHERWISE: &str = "with systemd: systemctl kill -s USR2 truechimer.service";

/// By the file that holds the daemon's number: this one, or the one that the configuration names.
pub fn reload(pid_file: Option<PathBuf>, config: Option<&Path>) -> Exit {
    let path = match pid_file.map_or_else(|| named_by(config), Ok) {
        Ok(path) => path,
        Err(why) => return failed(&why),
    };
    let Some(pid) = pid::daemon(&path) else {
        let path = path.display();
        return failed(&format!(
            "{path}: not the number of a running daemon of this program; {OTHERWISE}"
        ));
    };
    let number = Pid::from_raw(pid.cast_signed());
    match kill(number, Signal::SIGUSR2) {
        Ok(()) => {
            print(&format!(
                "process {pid} reads its keys; its log says what came of it\n"
            ));
            Exit::Good
        }
        Err(error) => failed(&format!("process {pid} cannot be told: {error}")),
    }
}

fn named_by(config: Option<&Path>) -> Result<PathBuf, String> {
    let origin = Origin::find(config, &paths::configurations());
    let parsed = origin.read();
    let parsed = parsed.map_err(|error| format!("{}: {error}", origin.name()))?;
    let named = parsed.settings.files.pid.map(|it| PathBuf::from(it.value));
    named.ok_or_else(|| {
        format!(
            "{}: no `pidfile` line says which process it is; give --pidfile FILE, or {OTHERWISE}",
            origin.name()
        )
    })
}
