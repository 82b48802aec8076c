//! `truechimer check`: reads everything a run would read, changes nothing, and says what is wrong.
use crate::cli;
use crate::exit::Exit;
use crate::files::config::Origin;
use crate::files::drift::{self, Found};
use crate::files::leap;
use crate::paths;
use crate::translate::keys::Keys;
use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use truechimer_config::Settings;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// For people, in order.
    pub text: String,
    /// How many of them keep a daemon from working as meant.
    pub errors: usize,
}

impl Findings {
    fn note(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn error(&mut self, line: &str) {
        self.errors += 1;
        self.note(&format!("error: {line}"));
    }
}

/// Checks the configuration at `named`, or the one a run would find, and prints what it found.
pub fn run(named: Option<&Path>) -> Exit {
    let color = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
    let findings = check(&Origin::find(named, &paths::configurations()), color);
    cli::print(&findings.text);
    if findings.errors > 0 {
        Exit::Configuration
    } else {
        Exit::Good
    }
}

/// Checks a configuration and the files it names.
pub fn check(origin: &Origin, color: bool) -> Findings {
    let mut findings = Findings::default();
    let name = origin.name();
    let parsed = match origin.read() {
        Ok(parsed) => parsed,
        Err(error) => {
            findings.error(&format!("{name}: {error}"));
            return findings;
        }
    };
    if let Some(remark) = origin.remark() {
        findings.note(&format!("note: {remark}"));
    }
    let rendered = parsed.render(color);
    if !rendered.is_empty() {
        findings.note(rendered.trim_end());
    }
    if parsed.has_errors() {
        findings.errors += 1;
    }
    check_keys(&parsed.settings, &mut findings);
    check_leap(&parsed.settings, &mut findings);
    check_drift(&parsed.settings, &mut findings);
    if findings.text.is_empty() {
        findings.note(&format!("{name}: good"));
    } else if findings.errors > 0 {
        findings.note(&format!("{name}: to be mended, see the errors above"));
    }
    findings
}

fn check_keys(settings: &Settings, findings: &mut Findings) {
    let Some(named) = &settings.authentication.keys_file else {
        return;
    };
    let loaded = match Keys::load(settings) {
        Ok(loaded) => loaded,
        Err(error) => return findings.error(&format!("{}: {error}", named.value)),
    };
    for complaint in &loaded.complaints {
        let line = format!("{}: {complaint}", named.value);
        if complaint.refused {
            findings.error(&line);
        } else {
            findings.note(&format!("warning: {line}"));
        }
    }
    if let Some(warning) = loaded.warning {
        findings.note(&format!("warning: {warning}"));
    }
}

fn check_leap(settings: &Settings, findings: &mut Findings) {
    let Some(named) = &settings.files.leap else {
        return;
    };
    let path = Path::new(&named.value);
    match leap::load(path, settings.files.check_leap_hash) {
        Err(error) => findings.error(&format!("{}: {error}", named.value)),
        Ok(table) => {
            let since = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            let now_unix_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
            if let Some(complaint) = leap::complaint_of_age(path, &table, now_unix_s) {
                findings.note(&format!("warning: {complaint}"));
            }
        }
    }
}

fn check_drift(settings: &Settings, findings: &mut Findings) {
    let Some(named) = &settings.files.drift else {
        return;
    };
    match drift::load(Path::new(&named.value)) {
        Found::Frequency(_) | Found::Nothing => {}
        Found::Refused(error) => {
            let line = format!("warning: {}: {error}; it would be ignored", named.value);
            findings.note(&line);
        }
        Found::Unreadable(error) => findings.error(&format!("{}: {error}", named.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;

    #[test]
    fn every_file_is_looked_at() {
        let scratch = Scratch::new("check");
        let path = |name: &str| scratch.path(name);
        fs::write(path("ntp.keys"), "1 NOSUCHDIGEST onekey\n").expect("writable");
        fs::write(path("leap"), "rubbish\n").expect("writable");
        fs::write(path("drift"), "many words\n").expect("writable");
        let text = format!(
            "server 192.0.2.1\nrestrict default noqyery\nkeys {}\nleapfile {}\ndriftfile {}\n",
            path("ntp.keys").display(),
            path("leap").display(),
            path("drift").display(),
        );
        fs::write(path("ntp.conf"), text).expect("writable");
        let findings = check(&Origin::File(path("ntp.conf")), false);
        assert_eq!(findings.errors, 3, "{}", findings.text);
        for part in ["ntp.conf:2:18", "ntp.keys: line 1", "leap: ", "drift: it "] {
            assert!(
                findings.text.contains(part),
                "{part} not in\n{}",
                findings.text
            );
        }
    }

    #[test]
    fn the_built_in_default_is_good() {
        let findings = check(&Origin::Embedded, false);
        assert_eq!(findings.errors, 0);
        assert_eq!(findings.text, "built-in default: good\n");
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let scratch = Scratch::new("check-missing");
        assert_eq!(check(&Origin::File(scratch.path("none")), false).errors, 1);
    }
}
