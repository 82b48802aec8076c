//! The command line of a program that takes commands, and what it has the program do.
use super::builtins::version_text;
use super::program::open;
use super::{HostWord, Program, Screen, execute, prompt};
use crate::cli::{print, print_error};
use crate::exit::Exit;
use crate::query::Family;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::io::{self, IsTerminal};

/// What the command line asks for.
enum Asked {
    /// These commands; a dialogue where there are none.
    Commands(Vec<String>),
    Help,
    Version,
}

/// Runs it; `words` are without the program's name.
pub(in crate::persona) fn run<P: Program>(words: impl IntoIterator<Item = OsString>) -> Exit {
    let mut program = P::default();
    match parse(&mut program, words) {
        Ok(Asked::Commands(commands)) => work(program, &commands),
        Ok(Asked::Help) => {
            print(P::USAGE);
            Exit::Good
        }
        Ok(Asked::Version) => {
            print(&version_text::<P>());
            Exit::Good
        }
        Err(error) => {
            print_error(&format!("{}: {error}\n{}", P::NAME, P::USAGE));
            Exit::Failed
        }
    }
}

fn parse<P: Program>(
    program: &mut P,
    words: impl IntoIterator<Item = OsString>,
) -> Result<Asked, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut commands = Vec::new();
    while let Some(argument) = parser.next()? {
        let common = program.common_mut();
        let family = common.default_family;
        let name = match argument {
            Short(letter) => format!("-{letter}"),
            Long(name) => format!("--{name}"),
            Value(host) => {
                let name = host.string()?;
                common.hosts.push(HostWord { name, family });
                continue;
            }
        };
        match name.as_str() {
            "-?" | "--help" => return Ok(Asked::Help),
            "--version" => return Ok(Asked::Version),
            "-4" | "--ipv4" => common.default_family = Some(Family::V4),
            "-6" | "--ipv6" => common.default_family = Some(Family::V6),
            "-c" | "--command" => commands.push(parser.value()?.string()?),
            "-d" | "--debug-level" => common.debug = common.debug.saturating_add(1),
            "-D" | "--set-debug-level" => common.debug = parser.value()?.parse()?,
            "-i" | "--interactive" => common.interactive = true,
            "-n" | "--numeric" => common.show_names = false,
            name => {
                let mut options = P::COMMAND_OPTIONS.iter();
                let found = options.find(|(short, long, _)| name == *short || name == *long);
                if let Some((_, _, command)) = found {
                    commands.push((*command).to_owned());
                } else if !program.take_option(name, &mut parser)? {
                    return Err(lexopt::Error::UnexpectedOption(name.to_owned()));
                }
            }
        }
    }
    let common = program.common_mut();
    if common.interactive && !commands.is_empty() {
        return Err(format!("-i does not go with {}", options_of_commands::<P>()).into());
    }
    if common.hosts.is_empty() {
        common.hosts.push(HostWord {
            name: "localhost".to_owned(),
            family: common.default_family,
        });
    }
    Ok(Asked::Commands(commands))
}

/// `-c, -x or -y`.
fn options_of_commands<P: Program>() -> String {
    let mut text = "-c".to_owned();
    let mut options = P::COMMAND_OPTIONS.iter().peekable();
    while let Some((short, _, _)) = options.next() {
        let joint = if options.peek().is_some() {
            ", "
        } else {
            " or "
        };
        text.push_str(&format!("{joint}{short}"));
    }
    text
}

fn work<P: Program>(mut program: P, commands: &[String]) -> Exit {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
    };
    let hosts = program.common().hosts.clone();
    if commands.is_empty() {
        let terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
        program.common_mut().interactive |= terminal;
        if let Some(host) = hosts.first() {
            open(&mut program, &host.name, host.family, &mut screen);
        }
        drop(out);
        drop(err);
        return prompt::converse(&mut program);
    }
    let mut is_first = true;
    for host in &hosts {
        if !open(&mut program, &host.name, host.family, &mut screen) {
            continue;
        }
        for command in commands {
            screen.say(&program.heading(&host.name, is_first));
            is_first = false;
            execute(&mut program, command, &mut screen);
            if program.common().done {
                return Exit::Good;
            }
        }
    }
    Exit::Good
}

/// What one command says and complains.
pub(in crate::persona) fn rehearse<P: Program>(mut program: P, command: &str) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut screen = Screen {
        out: &mut out,
        err: &mut err,
    };
    execute(&mut program, command, &mut screen);
    out.append(&mut err);
    String::from_utf8_lossy(&out).into_owned()
}
