//! Measurements of the built daemon beside a named peer, as ratios from one run.
//!
//! `cargo xtask bench load` compares what answering costs with all the peers' (`docs/performance.md`);
//! `cargo run --release -p bench -- footprint` prints idle memory and the time from start to the first answer of both;
//! `-- broadcast` tells how punctually 64 broadcasts leave; it needs root's rights.
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
mod raw_responder;
mod servers;
mod stepping;

use std::process::ExitCode;

const USAGE: &str =
    "usage: bench load [--quick] [MODE ...] | gate | footprint | flood | autokey | broadcast
  The daemon is target/release/truechimer, or TRUECHIMER_BIN; the peers are those that
  tests/peers/install unpacked.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["load", rest @ ..] => load::run(rest),
        ["gate"] => load::gate(),
        ["raw-responder", port] => raw_responder::run(port),
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
