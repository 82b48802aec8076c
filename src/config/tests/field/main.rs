//! Configurations as they are in the field: the snippets of the documents this daemon was made for,
//! and what distributions install.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod autokey_guide;
mod good_practice;
mod multicast_guide;
mod stock;

use truechimer_config::settings::{Host, RestrictFlags, RestrictTarget, Settings};
use truechimer_config::{LoadError, Loader, Parsed, Severity, parse};

/// What Red Hat's configuration includes.
struct Installed;

impl Loader for Installed {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match path {
            "/etc/ntp/crypto/pw" => Ok(b"#crypto pw password\n".to_vec()),
            _ => Err(LoadError::NotFound),
        }
    }
}

fn read(name: &str) -> Parsed {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    parse(name, &std::fs::read(path).unwrap(), &Installed)
}

/// The settings of a file without errors, in which at most these complaints are made beside what
/// is not built.
fn loaded(name: &str, complaints: &[&str]) -> Settings {
    let parsed = read(name);
    let found: Vec<_> = parsed
        .diagnostics
        .iter()
        .filter(|d| d.severity != Severity::NotBuilt)
        .map(|d| d.code)
        .collect();
    assert_eq!(found, complaints, "{}", parsed.render(false));
    parsed.settings
}

/// `LINE: label` of each error.
fn errors(parsed: &Parsed) -> Vec<String> {
    let errors = parsed
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error);
    errors
        .map(|d| format!("{}: {}", d.span.as_ref().unwrap().line, d.label))
        .collect()
}

fn hosts(settings: &Settings) -> Vec<String> {
    settings
        .associations
        .iter()
        .map(|a| a.host.to_string())
        .collect()
}

fn net(text: &str, prefix_bits: u8) -> RestrictTarget {
    RestrictTarget::Net {
        address: text.parse().unwrap(),
        prefix_bits,
    }
}

/// The rules, in order, as targets and flags.
fn rules(settings: &Settings) -> Vec<(RestrictTarget, RestrictFlags)> {
    settings
        .restrictions
        .iter()
        .map(|rule| (rule.target, rule.flags))
        .collect()
}

fn flags(all: &[RestrictFlags]) -> RestrictFlags {
    all.iter()
        .fold(RestrictFlags::default(), |set, flag| set.with(*flag))
}

fn address(text: &str) -> Host {
    Host::Address(text.parse().unwrap())
}
