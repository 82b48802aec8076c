//! ntpq: questions in mode 6, answers as the reference's program prints them.

mod associations;
mod builtins;
mod commands;
mod configure;
mod cooked;
mod lists;
mod mrulist;
mod options;
mod peers;
mod state;
mod tables;
mod variables;

#[cfg(test)]
mod tests;

use super::dialogue::{Screen, execute, prompt};
use crate::cli::{print, print_error};
use crate::control_client::Ask;
use crate::exit::Exit;
use options::{Asked, Options};
use state::Ntpq;
use std::ffi::OsString;
use std::io::{self, IsTerminal};

/// What `version` and `--version` say.
const VERSION: &str = concat!("ntpq truechimer ", env!("CARGO_PKG_VERSION"), "\n");

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
            print_error(&format!("ntpq: {error}\n{}", options::USAGE));
            Exit::Failed
        }
    }
}

fn work(options: Options) -> Exit {
    let mut ntpq = Ntpq {
        hosts: options.hosts,
        show_names: !options.numeric,
        wide: options.wide,
        old_rv: options.old_rv,
        refid_hash: options.refid_hash,
        debug: options.debug,
        default_family: options.family,
        ..Ntpq::default()
    };
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
    };
    if options.commands.is_empty() {
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        ntpq.interactive = options.interactive || terminal;
        if let Some(host) = ntpq.hosts.first().cloned() {
            ntpq.open(&host.name, host.family, &mut screen);
            ntpq.tune();
        }
        drop(out);
        drop(err);
        return prompt::converse(&mut ntpq);
    }
    let mut is_first = true;
    for host in ntpq.hosts.clone() {
        if !ntpq.open(&host.name, host.family, &mut screen) {
            continue;
        }
        ntpq.tune();
        for command in &options.commands {
            if !is_first {
                screen.say("\n");
            }
            is_first = false;
            execute(&mut ntpq, command, &mut screen);
            if ntpq.done {
                return Exit::Good;
            }
        }
    }
    Exit::Good
}

/// What one command says and complains when this answers: ntpq without a network, for tests and
/// for fuzzing.
pub fn rehearse(answers: impl Ask + 'static, command: &str) -> String {
    let mut ntpq = Ntpq {
        link: Some(Box::new(state::Rehearsed(answers))),
        host: "host".to_owned(),
        show_names: false,
        ..Ntpq::default()
    };
    ntpq.secrets.key_id = 1;
    ntpq.secrets.password = Some("secret".to_owned());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
    };
    execute(&mut ntpq, command, &mut screen);
    out.append(&mut err);
    String::from_utf8_lossy(&out).into_owned()
}
