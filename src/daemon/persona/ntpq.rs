//! ntpq: questions in mode 6, answers as the reference's program prints them.

mod associations;
mod builtins;
mod commands;
mod configure;
mod cooked;
mod lists;
mod mrulist;
mod peers;
mod state;
mod tables;
mod variables;

#[cfg(test)]
mod tests;

use super::dialogue::{self, Common};
use crate::control_client::Ask;
use crate::exit::Exit;
use state::{Ntpq, Rehearsed};
use std::ffi::OsString;

/// Runs it; `words` are without the program's name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    dialogue::run::<Ntpq>(words)
}

/// What one command says and complains when this answers: ntpq without a network, for tests and
/// for fuzzing.
pub fn rehearse(answers: impl Ask + 'static, command: &str) -> String {
    let ntpq = Ntpq {
        link: Some(Box::new(Rehearsed(answers))),
        common: Common::rehearsed(),
        ..Ntpq::default()
    };
    dialogue::rehearse(ntpq, command)
}
