//! ntpdc's command line.
use super::super::dialogue::HostWord;
use crate::query::Family;
use lexopt::prelude::*;
use std::ffi::OsString;

pub(super) const USAGE: &str = "\
usage: ntpdc [-46dilnps] [-c COMMAND] [-D LEVEL] [HOST ...]
  -4, --ipv4             use IPv4 only for names that follow
  -6, --ipv6             use IPv6 only for names that follow
  -c, --command COMMAND  run a command; repeat for more
  -d, --debug-level      tell more of what goes on
  -D, --set-debug-level LEVEL  the same at once
  -i, --interactive      prompt for commands, whatever the input is
  -l, --listpeers        run the command listpeers
  -n, --numeric          show numbers of hosts, not names
  -p, --peers            run the command peers
  -s, --showpeers        run the command dmpeers
      --help, --version
A daemon answers only after `enable mode7` in its ntp.conf; ntpq shows and changes the same without it.
";

/// What to do.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) commands: Vec<String>,
    pub(super) hosts: Vec<HostWord>,
    pub(super) family: Option<Family>,
    pub(super) interactive: bool,
    pub(super) numeric: bool,
    pub(super) debug: i32,
}

/// What the command line asks for.
#[derive(Debug)]
pub(super) enum Asked {
    Run(Options),
    Help,
    Version,
}

pub(super) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Asked, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut options = Options::default();
    let run = |options: &mut Options, command: &str| {
        options.commands.push(command.to_owned());
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('?') | Long("help") => return Ok(Asked::Help),
            Long("version") => return Ok(Asked::Version),
            Short('4') | Long("ipv4") => options.family = Some(Family::V4),
            Short('6') | Long("ipv6") => options.family = Some(Family::V6),
            Short('c') | Long("command") => options.commands.push(parser.value()?.string()?),
            Short('l') | Long("listpeers") => run(&mut options, "listpeers"),
            Short('p') | Long("peers") => run(&mut options, "peers"),
            Short('s') | Long("showpeers") => run(&mut options, "dmpeers"),
            Short('d') | Long("debug-level") => options.debug = options.debug.saturating_add(1),
            Short('D') | Long("set-debug-level") => options.debug = parser.value()?.parse()?,
            Short('i') | Long("interactive") => options.interactive = true,
            Short('n') | Long("numeric") => options.numeric = true,
            Value(host) => options.hosts.push(HostWord {
                name: host.string()?,
                family: options.family,
            }),
            _ => return Err(argument.unexpected()),
        }
    }
    if options.interactive && !options.commands.is_empty() {
        return Err("-i does not go with -c, -l, -p or -s".into());
    }
    if options.hosts.is_empty() {
        options.hosts.push(HostWord {
            name: "localhost".to_owned(),
            family: options.family,
        });
    }
    Ok(Asked::Run(options))
}
