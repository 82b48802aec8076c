//! `cargo xtask units`: the systemd unit is understood by systemd, and as closed as promised.

use crate::run::{self, Line};
use std::{fs, path::Path};

/// Greatest exposure allowed, in tenths (`systemd-analyze security`).
const EXPOSURE_TENTHS: &str = "25";
const UNIT: &str = "systemd/truechimer.service";
/// What renews keys, and when.
const RENEWAL: &str = "systemd/truechimer-keys.service";
const TIMER: &str = "systemd/truechimer-keys.timer";
/// Where packages put the daemon; `verify` wants a program to be there.
const INSTALLED: &str = "/usr/sbin/truechimer";

/// Verifies the unit and its exposure score.
///
/// # Errors
/// What systemd said about the unit.
pub(crate) fn run(top: &Path) -> Result<(), String> {
    let folder = run::target_folder(top).join("units");
    let file = copy_of(top, UNIT, &folder)?;
    let renewal = copy_of(top, RENEWAL, &folder)?;
    let timer = top.join(TIMER).display().to_string();
    let arguments = ["verify", &file, &renewal, &timer];
    // It warns with exit status 0, so silence is what counts.
    let said = Line::new("systemd-analyze", &arguments).output_of_both()?;
    if !said.trim().is_empty() {
        return Err(format!("systemd-analyze verify is not silent:\n{said}"));
    }
    let threshold = format!("--threshold={EXPOSURE_TENTHS}");
    let arguments = [
        "security",
        "--offline=true",
        "--no-pager",
        &threshold,
        &file,
    ];
    let said = Line::new("systemd-analyze", &arguments).output_of_both()?;
    println!("{}", said.lines().last().unwrap_or_default());
    Ok(())
}

/// A copy of a unit whose program exists here; its path.
fn copy_of(top: &Path, unit: &str, folder: &Path) -> Result<String, String> {
    let text = fs::read_to_string(top.join(unit)).map_err(|error| format!("{unit}: {error}"))?;
    let copy = here_instead_of_installed(
        &text,
        &std::env::current_exe()
            .map_or_else(|_| "/bin/true".to_owned(), |own| own.display().to_string()),
    )?;
    let name = Path::new(unit).file_name().unwrap_or_default();
    let file = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, copy))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file.display().to_string())
}

/// The unit with a program that exists here in place of the installed one.
fn here_instead_of_installed(text: &str, program: &str) -> Result<String, String> {
    let start = format!("ExecStart={INSTALLED} ");
    if text.matches(&start).count() == 1 {
        Ok(text.replace(&start, &format!("ExecStart={program} ")))
    } else {
        Err(format!("{UNIT} does not start {INSTALLED} exactly once"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_replaced_and_nothing_else() {
        let unit = "[Service]\nExecStart=/usr/sbin/truechimer run\n";
        assert_eq!(
            here_instead_of_installed(unit, "/bin/true").as_deref(),
            Ok("[Service]\nExecStart=/bin/true run\n")
        );
        assert!(here_instead_of_installed("[Service]\n", "/bin/true").is_err());
    }
}
