//! `cargo xtask ci`: every check, in order; a failure does not keep the later ones from running.

use crate::{
    fuzz, rehearse,
    run::Line,
    test::{self, Outcome, Tally},
    tidy, units,
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

struct Step {
    name: &'static str,
    run: fn(&Path) -> Outcome,
}

const STEPS: &[Step] = &[
    Step {
        name: "format",
        run: |top| untested(format(top)),
    },
    Step {
        name: "tidy",
        run: |top| untested(tidy::run(top)),
    },
    Step {
        name: "clippy",
        run: |top| untested(clippy(top)),
    },
    Step {
        name: "systemd unit",
        run: |top| untested(units::run(top)),
    },
    Step {
        name: "tests",
        run: |top| test::run(top, &[]),
    },
    Step {
        name: "rehearsal",
        run: |top| rehearse::run(top, &[]),
    },
    Step {
        name: "loom",
        run: test::run_loom,
    },
    Step {
        name: "fuzz",
        run: |top| untested(fuzz::request(&[]).and_then(|request| fuzz::run(top, &request))),
    },
];

/// How a step went.
struct Report {
    name: &'static str,
    took: Duration,
    result: Result<(), String>,
}

/// Runs every step.
///
/// # Errors
/// The names of the steps that failed.
pub(crate) fn run(top: &Path) -> Result<(), String> {
    let mut tally = Tally::default();
    let mut reports = Vec::new();
    for step in STEPS {
        println!("\n==== {} ====", step.name);
        let start = Instant::now();
        let (counted, result) = (step.run)(top);
        if let Err(error) = &result {
            println!("{error}");
        }
        tally = tally.plus(counted);
        reports.push(Report {
            name: step.name,
            took: start.elapsed(),
            result,
        });
    }
    println!("\n{}", table(&reports));
    println!("{} passed, {} failed", tally.passed, tally.failed);
    let failed: Vec<&str> = reports
        .iter()
        .filter(|report| report.result.is_err())
        .map(|report| report.name)
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")))
    }
}

fn untested(result: Result<(), String>) -> Outcome {
    (Tally::default(), result)
}

fn cargo(top: &Path, arguments: &[&str]) -> Result<(), String> {
    Line::new("cargo", arguments).within(top).run()
}

/// The fuzz targets are a crate outside the workspace.
fn format(top: &Path) -> Result<(), String> {
    let fuzz = ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"];
    cargo(top, &["fmt", "--all", "--check"]).and(cargo(top, &fuzz))
}

fn clippy(top: &Path) -> Result<(), String> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    cargo(top, &arguments)
}

fn table(reports: &[Report]) -> String {
    let mut lines = Vec::new();
    for report in reports {
        let verdict = if report.result.is_ok() {
            "ok"
        } else {
            "FAILED"
        };
        let took_s = report.took.as_secs_f64();
        lines.push(format!("{:<14} {verdict:<7} {took_s:7.1} s", report.name));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_what_failed() {
        let report = |name, result| Report {
            name,
            took: Duration::from_millis(1500),
            result,
        };
        let reports = [report("tidy", Ok(())), report("fuzz", Err("x".to_owned()))];
        assert_eq!(
            table(&reports),
            "tidy           ok          1.5 s\nfuzz           FAILED      1.5 s"
        );
    }
}
