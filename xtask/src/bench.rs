//! `cargo xtask bench`: measurements of the built daemon beside its peers, by hand.

use crate::{
    run::{self, Line},
    test,
};
use std::path::Path;

/// Builds daemon and bench, fetches the peers, and measures what `words` name.
///
/// # Errors
/// What could not be built or measured.
pub(crate) fn run(top: &Path, words: &[String]) -> Result<(), String> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let peers = ["chrony", "ntp4", "ntpsec", "ntpd-rs", "openntpd"];
    measure(top, &test::prepare(top, &peers)?, &words)
}

fn measure(top: &Path, binary: &str, words: &[&str]) -> Result<(), String> {
    let build = ["build", "--release", "-p", "bench"];
    Line::new("cargo", &build).within(top).run()?;
    let bench = run::target_folder(top).join("release/bench");
    let line = Line::new(&bench.display().to_string(), words).within(top);
    line.with("TRUECHIMER_BIN", binary).run()
}
