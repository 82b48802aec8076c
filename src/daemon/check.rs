//! `truechimer check`: reads everything a run would read, changes nothing, and says what is wrong
//! or unwise.

mod autokey;
pub mod codes;
mod interfaces;
mod keys;
mod servers;
#[cfg(test)]
mod tests;

use crate::cli;
use crate::exit::Exit;
use crate::files::config::Origin;
use crate::files::drift::{self, Found};
use crate::files::leap;
use crate::paths;
use core::net::IpAddr;
use serde_json::{Value, json};
use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};
use truechimer_config::settings::{Located, Settings};
use truechimer_config::{Code, Diagnostic, Severity, Sources};

/// What was found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// What was looked at.
    pub name: String,
    /// In the order of the lines, then what took all of them or other files to see.
    pub all: Vec<Diagnostic>,
    sources: Sources,
}

impl Findings {
    /// How many of them keep a daemon from working as meant.
    pub fn errors(&self) -> usize {
        let errors = self.all.iter();
        errors.filter(|it| it.severity == Severity::Error).count()
    }

    /// For people.
    pub fn text(&self, color: bool) -> String {
        let name = &self.name;
        let last = if self.errors() > 0 {
            format!("{name}: to be mended, see the errors above\n")
        } else if self.all.iter().all(|it| it.severity == Severity::Note) {
            format!("{name}: good\n")
        } else {
            format!("{name}: good enough to run; see the warnings above\n")
        };
        let rendered = self.sources.render_all(&self.all, color);
        format!("{rendered}{last}")
    }

    /// For programs; docs/JSON.md describes it.
    pub fn json(&self) -> Value {
        let findings = self.all.iter().map(|it| {
            let place = it.span.as_ref().map(
                |span| json!({ "file": &*span.file, "line": span.line, "column": span.column }),
            );
            json!({
                "code": it.code,
                "severity": word(it.severity),
                "message": it.message,
                "place": place,
                "label": it.label,
                "remedy": it.help,
            })
        });
        json!({
            "configuration": self.name,
            "good": self.errors() == 0,
            "findings": findings.collect::<Vec<_>>(),
        })
    }
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::NotBuilt => "not_built",
        Severity::Note => "note",
    }
}

/// Checks the configuration at `named`, or the one a run would find, and prints what it found.
pub fn run(named: Option<&Path>, json: bool) -> Exit {
    let findings = check(&Origin::find(named, &paths::configurations()));
    if json {
        cli::print(&format!("{}\n", findings.json()));
    } else {
        let color = io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none();
        cli::print(&findings.text(color));
    }
    if findings.errors() > 0 {
        Exit::Configuration
    } else {
        Exit::Good
    }
}

/// Checks a configuration and the files it names.
pub fn check(origin: &Origin) -> Findings {
    let name = origin.name();
    let mut all: Vec<Diagnostic> = Vec::new();
    let parsed = match origin.read() {
        Ok(parsed) => parsed,
        Err(error) => {
            all.push(Diagnostic::unplaced(
                codes::UNREADABLE,
                format!("{name}: {error}"),
            ));
            return Findings {
                name,
                all,
                sources: Sources::default(),
            };
        }
    };
    if let Some(remark) = origin.remark() {
        all.push(Diagnostic::unplaced(codes::BORROWED, remark));
    }
    all.extend(parsed.diagnostics);
    servers::check(&parsed.settings, &mut all);
    servers::check_peers(&parsed.settings, &own_addresses(), &mut all);
    keys::check(&parsed.settings, &mut all);
    autokey::check(&parsed.settings, &own_addresses(), &mut all);
    interfaces::check(&parsed.settings, &mut all);
    check_leap(&parsed.settings, &mut all);
    check_drift(&parsed.settings, &mut all);
    Findings {
        name,
        all,
        sources: parsed.sources,
    }
}

/// Of this host, as far as they can be listed; the loopback addresses are known by themselves.
fn own_addresses() -> Vec<IpAddr> {
    let found = truechimer_sys::interfaces::addresses().unwrap_or_default();
    let own = found.iter().map(|one| one.address.ip());
    own.filter(|it| !it.is_loopback()).collect()
}

fn at(file: &Located<String>, code: Code, message: String) -> Diagnostic {
    Diagnostic::new(code, file.span.clone(), message)
}

fn check_leap(settings: &Settings, found: &mut Vec<Diagnostic>) {
    const REMEDY: &str = "get it from https://data.iana.org/time-zones/data/leap-seconds.list";
    let Some(file) = &settings.files.leap else {
        return;
    };
    let path = Path::new(&file.value);
    let complaint = match leap::load(path, settings.files.check_leap_hash) {
        Err(error) => {
            let message = format!("{}: {error}", file.value);
            at(file, codes::LEAP_FILE_UNUSABLE, message).label("not used")
        }
        Ok(table) => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let now_unix_s = i64::try_from(since.unwrap_or_default().as_secs()).unwrap_or(i64::MAX);
            let Some(message) = leap::complaint_of_age(path, &table, now_unix_s) else {
                return;
            };
            at(file, codes::LEAP_FILE_OLD, message)
        }
    };
    found.push(complaint.help(REMEDY));
}

fn check_drift(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let Some(file) = &settings.files.drift else {
        return;
    };
    match drift::load(Path::new(&file.value)) {
        Found::Frequency(_) | Found::Nothing => {}
        Found::Refused(error) => {
            let message = format!("{}: {error}", file.value);
            let complaint = at(file, codes::DRIFT_FILE_ODD, message).label("ignored");
            found.push(complaint.help("remove it: the frequency is measured anew"));
        }
        Found::Unreadable(error) => {
            let message = format!("{}: {error}", file.value);
            let complaint = at(file, codes::DRIFT_FILE_UNREADABLE, message);
            found.push(complaint.help("let the daemon's user read and write it and its folder"));
        }
    }
}
