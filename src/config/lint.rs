//! What is unwise in settings that are otherwise fine.
//!
//! A lint is a function from the settings to complaints; to add one, write it and list it.

mod access;
mod authentication;
mod autokey;
mod clock;
mod crowds;
mod sources;

use crate::diagnostic::Diagnostic;
use crate::settings::Settings;

type Lint = fn(&Settings, &mut Vec<Diagnostic>);

const LINTS: &[Lint] = &[
    access::open_default,
    sources::few_sources,
    sources::one_domain,
    sources::one_network,
    sources::fast_polls,
    clock::never_met,
    clock::local_as_good,
    clock::panic_off,
    access::private_requests,
    authentication::switched_off,
    authentication::control_key_shared,
    authentication::keys_not_trusted,
    authentication::no_keys_file,
    autokey::weak,
    autokey::unproven,
    crowds::many_unkeyed,
    crowds::manycast_for_broadcast,
    crowds::no_trusted_key,
    crowds::nobody_heard,
    crowds::peers,
];

/// Looks for what is unwise. The complaints are warnings and notes, never errors.
///
/// They point into the files that were parsed, so
/// [`Sources::render_all`](crate::Sources::render_all) shows them.
#[must_use]
pub fn lint(settings: &Settings) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for lint in LINTS {
        lint(settings, &mut found);
    }
    found
}
