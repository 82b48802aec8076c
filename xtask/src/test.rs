//! `cargo xtask test`: everything there is to test, against the real peers.
//!
//! The peers talk with the release binary, which is what ships; the tests themselves are built
//! as for development, with overflow checks and debug assertions on.

use crate::run::{self, Line};
use crate::setup;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

/// How many tests passed and failed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
}

/// What a test run came to.
pub(crate) type Outcome = (Tally, Result<(), String>);

/// Plays that mostly wait for the next packet of hosts that send one every eight seconds: so many
/// at once keep nobody busy.
const PLAYS: [&str; 2] = ["campus::", "autokey::"];
/// The crate that has them; unit tests elsewhere may be called alike.
const WITH_PLAYS: &str = "truechimer-tests";
/// How many of them at once.
const PLAYS_AT_ONCE: &str = "--test-threads=12";

/// Fetches the peers, builds the daemon, runs every test of the workspace; `extra` goes to cargo,
/// and if there is any, all tests are run alike.
pub(crate) fn run(top: &Path, extra: &[String]) -> Outcome {
    let binary = match prepare(top, &[]) {
        Ok(binary) => binary,
        Err(error) => return (Tally::default(), Err(error)),
    };
    let cargo = |arguments: &[&str]| {
        let line = Line::new("cargo", arguments).within(top);
        counted(&line.with("TRUECHIMER_BIN", &binary))
    };
    let test = ["test", "--no-fail-fast"];
    let all = [test.as_slice(), &["--workspace"]].concat();
    if !extra.is_empty() {
        let extra: Vec<&str> = extra.iter().map(String::as_str).collect();
        return cargo(&[all, extra].concat());
    }
    let rooms = [all.as_slice(), &["--exclude", WITH_PLAYS]].concat();
    let beside = [test.as_slice(), &["-p", WITH_PLAYS, "--"]].concat();
    let skipped: Vec<&str> = PLAYS.iter().flat_map(|it| ["--skip", it]).collect();
    let one_by_one = [beside.as_slice(), &skipped].concat();
    let together = [beside.as_slice(), &PLAYS, &[PLAYS_AT_ONCE]].concat();
    let mut outcome = cargo(&rooms);
    for arguments in [one_by_one, together] {
        let (tally, result) = cargo(&arguments);
        outcome = (outcome.0.plus(tally), outcome.1.and(result));
    }
    outcome
}

/// Runs the models of what threads share without locks through every interleaving.
pub(crate) fn run_loom(top: &Path) -> Outcome {
    let arguments = [
        "test",
        "--release",
        "-p",
        "truechimer-engine",
        "-p",
        "truechimer-proto",
        "--lib",
        "loom",
    ];
    // A folder of its own: the flag would throw out what the other steps have built.
    let folder = run::target_folder(top).join("loom");
    let line = Line::new("cargo", &arguments)
        .within(top)
        .with("RUSTFLAGS", "--cfg loom")
        .with("CARGO_TARGET_DIR", &folder.to_string_lossy());
    let (tally, result) = counted(&line);
    let result = result.and_then(|()| match tally.passed {
        0 => Err("no loom test was found".to_owned()),
        _ => Ok(()),
    });
    (tally, result)
}

/// Fetches these peers, or all where none is named, and gives the path of the daemon's release
/// binary.
///
/// # Errors
/// What could not be fetched or built.
pub(crate) fn prepare(top: &Path, peers: &[&str]) -> Result<String, String> {
    setup::ensure(setup::TEST)?;
    let install = top.join("tests/peers/install").display().to_string();
    Line::new(&install, peers).within(top).run()?;
    build(top)
}

/// Builds the daemon as it ships and gives its path.
///
/// # Errors
/// When it cannot be built.
fn build(top: &Path) -> Result<String, String> {
    Line::new("cargo", &["build", "--release", "-p", "truechimer"])
        .within(top)
        .run()?;
    let binary = run::target_folder(top).join("release/truechimer");
    Ok(binary.display().to_string())
}

/// Runs a test command, passing its output on and counting what it says.
fn counted(line: &Line) -> Outcome {
    let mut tally = Tally::default();
    let result = pass_on(line, &mut tally);
    (tally, result)
}

fn pass_on(line: &Line, tally: &mut Tally) -> Result<(), String> {
    let started = line.command().stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("{line}: {error}"))?;
    if let Some(out) = child.stdout.take() {
        for said in BufReader::new(out).lines().map_while(Result::ok) {
            tally.add(&said);
            println!("{said}");
        }
    }
    let status = child.wait().map_err(|error| format!("{line}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{line}: {status}"))
    }
}

impl Tally {
    /// Adds what a closing line of the test harness says; other lines say nothing.
    fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        let count = |word: &str| -> u64 {
            counts
                .split([';', '.'])
                .filter_map(|part| part.trim().strip_suffix(word))
                .find_map(|number| number.trim().parse().ok())
                .unwrap_or(0)
        };
        self.passed += count(" passed");
        self.failed += count(" failed");
    }

    /// Both tallies together.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test result: ok. 31 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.36s",
            "test result: FAILED. 2 passed; 1 failed; 4 ignored; 0 measured; 0 filtered out; finished in 1.00s",
        ] {
            tally.add(line);
        }
        let expected = Tally {
            passed: 33,
            failed: 1,
        };
        assert_eq!(tally, expected);
    }

    #[test]
    fn a_failing_run_is_an_error_and_still_counted() {
        let script = "echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored'; exit 101";
        let (tally, result) = counted(&Line::new("sh", &["-c", script]));
        let expected = Tally {
            passed: 2,
            failed: 1,
        };
        assert_eq!(tally, expected);
        assert!(result.is_err());
    }
}
