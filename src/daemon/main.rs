//! truechimer: an NTP daemon and its tools.
#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    truechimer::cli::main(env::args_os()).into()
}
