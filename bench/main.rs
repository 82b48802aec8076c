//! Measurements of the built daemon beside a named peer, as ratios from one run.
//!
//! `cargo run --release -p bench -- serve` compares requests served per CPU-second with chronyd's;
//! `-- footprint` prints idle memory and the time from start to the first answer of both;
//! `-- broadcast` tells how punctually 64 broadcasts leave; it needs root's rights.
//! `-- serve-autokey` compares requests served with Autokey configured and without.
//! `-- flood` tells what 50,000 control requests a second do to time service.
//! `-- autokey` tells what 10,000 Autokey requests a second do to it, and to ntpd's; root's rights.
#![forbid(unsafe_code)]

mod autokey;
mod broadcast;
mod flood;
mod footprint;
mod load;
mod probe;
mod process;
mod serve;
mod servers;

use std::process::ExitCode;

const USAGE: &str =
    "usage: bench serve [--rounds N] | serve-autokey | footprint | flood | autokey | broadcast
  The daemon is target/release/truechimer, or TRUECHIMER_BIN; chronyd and ntpd are those that
  tests/peers/install unpacked.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["serve"] => serve::run(12),
        ["serve", "--rounds", rounds] => match rounds.parse() {
            Ok(rounds) => serve::run(rounds),
            Err(_) => Err(format!("--rounds takes a whole number, not {rounds}")),
        },
        ["serve-autokey"] => serve::autokey(40),
        ["footprint"] => footprint::run(),
        ["flood"] => flood::run(5),
        ["autokey"] => autokey::run(5),
        ["broadcast"] => broadcast::run(30),
        _ => Err(USAGE.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("{complaint}");
            ExitCode::FAILURE
        }
    }
}
