//! ntpdc: questions and changes in mode 7, answers as the reference's program prints them.

mod builtins;
mod changes;
mod commands;
mod lists;
mod numbers;
mod peers;
mod state;
mod tables;

#[cfg(test)]
mod tests;

use super::dialogue::{self, Common};
use crate::control_client::AskPrivately;
use crate::exit::Exit;
use state::{Ntpdc, Rehearsed};
use std::ffi::OsString;

/// Runs it; `words` are without the program's name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    dialogue::run::<Ntpdc>(words)
}

/// What one command says and complains when this answers: ntpdc without a network, for tests and
/// for fuzzing.
pub fn rehearse(answers: impl AskPrivately + 'static, command: &str) -> String {
    let ntpdc = Ntpdc {
        link: Some(Box::new(Rehearsed(answers))),
        common: Common::rehearsed(),
        ..Ntpdc::default()
    };
    dialogue::rehearse(ntpdc, command)
}
