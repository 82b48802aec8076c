//! What the programs that take commands have in common: lines, words, commands and their
//! arguments, prompts, and the key that requests are sealed with.
pub(super) mod line;
pub(super) mod prompt;
mod screen;
mod secrets;
mod shell;
mod table;

pub(super) use screen::{HostWord, Screen};
pub(super) use secrets::{Secrets, patience_of};
pub(super) use shell::{Program, execute, plain_number};
pub(super) use table::{Command, Kind, Parameter, Value, all_names, help, may, need};
