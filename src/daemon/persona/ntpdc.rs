//! ntpdc: questions and changes in mode 7, answers as the reference's program prints them.

mod builtins;
mod changes;
mod commands;
mod lists;
mod numbers;
mod options;
mod peers;
mod state;
mod tables;

#[cfg(test)]
mod tests;

use super::dialogue::{Screen, execute, prompt};
use crate::cli::{print, print_error};
use crate::control_client::AskPrivately;
use crate::exit::Exit;
use options::{Asked, Options};
use state::Ntpdc;
use std::ffi::OsString;
use std::io::{self, IsTerminal};

/// What `version` and `--version` say.
const VERSION: &str = concat!("ntpdc truechimer ", env!("CARGO_PKG_VERSION"), "\n");

/// Runs it; `words` are without the program's name.
pub fn run(words: impl IntoIterator<Item = OsString>) -> Exit {
    match options::parse(words) {
        Ok(Asked::Run(options)) => work(options),
        Ok(Asked::Help) => {
            print(options::USAGE);
            Exit::Good
        }
        Ok(Asked::Version) => {
            print(VERSION);
            Exit::Good
        }
        Err(error) => {
            print_error(&format!("ntpdc: {error}\n{}", options::USAGE));
            Exit::Failed
        }
    }
}

fn work(options: Options) -> Exit {
    let mut ntpdc = Ntpdc {
        show_names: !options.numeric,
        debug: options.debug,
        default_family: options.family,
        ..Ntpdc::default()
    };
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
    };
    if options.commands.is_empty() {
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        ntpdc.interactive = options.interactive || terminal;
        if let Some(host) = options.hosts.first() {
            ntpdc.open(&host.name, host.family, &mut screen);
        }
        drop(out);
        drop(err);
        return prompt::converse(&mut ntpdc);
    }
    for host in &options.hosts {
        if !ntpdc.open(&host.name, host.family, &mut screen) {
            continue;
        }
        for command in &options.commands {
            if options.hosts.len() > 1 {
                screen.say(&format!("--- {} ---\n", host.name));
            }
            execute(&mut ntpdc, command, &mut screen);
            if ntpdc.done {
                return Exit::Good;
            }
        }
    }
    Exit::Good
}

/// What one command says and complains when this answers: ntpdc without a network, for tests and
/// for fuzzing.
pub fn rehearse(answers: impl AskPrivately + 'static, command: &str) -> String {
    let mut ntpdc = Ntpdc {
        link: Some(Box::new(state::Rehearsed(answers))),
        host: "host".to_owned(),
        show_names: false,
        ..Ntpdc::default()
    };
    ntpdc.secrets.key_id = 1;
    ntpdc.secrets.password = Some("secret".to_owned());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
    };
    execute(&mut ntpdc, command, &mut screen);
    out.append(&mut err);
    String::from_utf8_lossy(&out).into_owned()
}
