//! What the programs that take commands have in common: the command line, lines, words, commands
//! and their arguments, the commands about the program itself, prompts, and the key that requests
//! are sealed with.
mod builtins;
mod common;
mod launch;
pub(super) mod line;
mod program;
pub(super) mod prompt;
mod screen;
mod secrets;
mod shell;
mod table;

pub(super) use builtins::delay;
pub(super) use common::Common;
pub(super) use launch::{rehearse, run};
pub(super) use program::{Program, complete_secrets};
pub(super) use screen::{HostWord, Screen};
pub(super) use secrets::Secrets;
pub(super) use shell::{execute, plain_number};
pub(super) use table::{Command, Kind, Parameter, Value, command, may, need};
