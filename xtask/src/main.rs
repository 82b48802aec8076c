//! Repository chores, in Rust: CI runs the same commands as people do.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod fuzz;
mod rehearse;
mod run;
mod setup;
mod test;
mod tidy;
mod units;

use run::Line;
use std::{path::Path, process::ExitCode};

const USAGE: &str = "\
cargo xtask demo                       set up, build, and see it work
cargo xtask campus                     two networks, a router, broadcasts: see it work, as root
cargo xtask tidy                       check the rules of the house
cargo xtask test [CARGO TEST OPTIONS]  every test, against the real peers too
cargo xtask loom                       what threads share, every interleaving
cargo xtask units                      the systemd unit
cargo xtask rehearse [SCENE]           emulated interfaces and clocks of known error
cargo xtask bench load [--quick] [MODE ...]  what answering costs, beside all peers
cargo xtask fuzz [--seconds N] [TARGET]
cargo xtask ci                         all of these and more";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&tidy::top(), &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(top: &Path, arguments: &[String]) -> Result<(), String> {
    let (command, rest) = match arguments {
        [command, rest @ ..] => (command.as_str(), rest),
        [] => ("help", arguments),
    };
    match (command, rest) {
        ("demo", extra) => demo(top, extra),
        ("campus", []) => campus(top),
        ("tidy", []) => tidy::run(top),
        ("test", extra) => test::run(top, extra).1,
        ("loom", []) => test::run_loom(top).1,
        ("rehearse", extra) => rehearse::run(top, extra).1,
        ("units", []) => units::run(top),
        ("bench", extra) => bench::run(top, extra),
        ("fuzz", extra) => fuzz::run(top, &fuzz::request(extra)?),
        ("ci", []) => ci::run(top),
        ("help" | "-h" | "--help", _) => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("no such chore\n{USAGE}")),
    }
}

/// Builds the daemon, installing what that needs, and runs its demo to the end.
fn demo(top: &Path, extra: &[String]) -> Result<(), String> {
    setup::ensure(setup::BUILD)?;
    println!("building the daemon: some minutes the first time, a moment afterwards");
    let mut arguments = vec!["run", "--release", "--", "demo", "--once"];
    arguments.extend(extra.iter().map(String::as_str));
    Line::new("cargo", &arguments).within(top).run()
}

/// Runs the daemon and the reference beside it on a campus made of namespaces.
fn campus(top: &Path) -> Result<(), String> {
    let binary = test::prepare(top, &["ntp4", "chrony", "ntplib", "netlab"])?;
    let arguments = ["run", "-q", "-p", "truechimer-tests", "--bin", "ntp-campus"];
    let line = Line::new("cargo", &arguments).within(top);
    line.with("TRUECHIMER_BIN", &binary).run()
}
