//! Each directive and option is carried into the settings.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod access;
mod includes;
mod monitoring;
mod sources;
mod text;
mod tuning;
mod whole_grammar;

use std::net::IpAddr;

use truechimer_config::{NoFiles, Settings, parse};

/// The settings of a text that is free of errors.
pub(crate) fn settings(text: &str) -> Settings {
    let parsed = parse("c", text.as_bytes(), &NoFiles);
    assert!(!parsed.has_errors(), "{}", parsed.render(false));
    parsed.settings
}

/// The settings of a text that makes no complaint at all.
pub(crate) fn clean(text: &str) -> Settings {
    let parsed = parse("c", text.as_bytes(), &NoFiles);
    assert_eq!(parsed.render(false), "");
    parsed.settings
}

pub(crate) fn codes_of(text: &str) -> Vec<&'static str> {
    parse("c", text.as_bytes(), &NoFiles)
        .diagnostics
        .iter()
        .map(|d| d.code)
        .collect()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}
