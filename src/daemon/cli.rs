//! The command line of `truechimer` itself.

mod decode_words;
mod keys;
mod run_words;

use crate::check;
use crate::demo;
use crate::exit::Exit;
use crate::explain;
use crate::persona::{Persona, links, ntp_keygen, ntpd};
use crate::query::{self, Family, Question};
use crate::service;
use crate::status;
use clap::{Args, Parser, Subcommand};
use core::time::Duration;
use run_words::RunWords;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

const WELCOME: &str = "\
truechimer keeps this machine's clock right by NTP, and serves the time to others.

Try it now; none of these needs root or changes anything:
  truechimer demo            four servers, one lies; three clients find the truth
  truechimer run             serve this machine's clock on 127.0.0.1 port 11123
  truechimer query HOST      ask a server for the time
  truechimer check           look for mistakes in ntp.conf

As a daemon it reads /etc/truechimer/ntp.conf, else /etc/ntp.conf, in ntpd's words.
`truechimer help` tells all commands.
";

#[derive(Debug, Parser)]
#[command(
    name = "truechimer",
    version,
    about = "An NTP daemon: keeps the clock right and serves the time",
    after_help = "The classic programs are here too, under their own names and options: \
                  `truechimer ntpq -p`. `truechimer install-links DIR` makes the names."
)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run as a daemon, in the foreground
    Run(RunWords),
    /// Ask servers for the time
    Query(QueryWords),
    /// Look for mistakes in the configuration and the files it names
    Check(CheckWords),
    /// Say whether the clock is synchronised, to what, and how well
    Status(status::HostAsking),
    /// List the sources of time and what became of each
    Sources(status::HostAsking),
    /// List who asked lately
    Clients(status::HostAsking),
    /// Say why a source is used or not, or what an address may do
    Explain(ExplainWords),
    /// Show captured NTP packets field by field
    Decode(decode_words::DecodeWords),
    /// Show a lying server being found out, in virtual time
    Demo(DemoWords),
    /// Make keys, certificates and identity files; also when called ntp-keygen, whose options it has
    #[command(disable_help_flag = true)]
    Keygen {
        /// ntp-keygen's options
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<OsString>,
    },
    /// Look after a folder of Autokey files
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Make links named ntpd, ntpq and so on, which run this program as these
    InstallLinks {
        /// Folder for the links
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
struct QueryWords {
    /// Names or addresses
    #[arg(required = true, value_name = "HOST")]
    hosts: Vec<String>,
    /// One JSON object a reply
    #[arg(long)]
    json: bool,
    /// Requests to each, two seconds apart
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    count: u32,
    /// Seconds to wait for a reply
    #[arg(long, value_name = "S", default_value_t = 3.0, value_parser = seconds)]
    timeout: f64,
    /// UDP port of the server
    #[arg(long, default_value_t = 123)]
    port: u16,
    /// Use IPv4 only
    #[arg(short = '4', conflicts_with = "v6")]
    v4: bool,
    /// Use IPv6 only
    #[arg(short = '6')]
    v6: bool,
    /// Key to authenticate with
    #[arg(long, value_name = "ID", requires = "keys")]
    key: Option<u32>,
    /// Key file
    #[arg(long, value_name = "FILE", requires = "key")]
    keys: Option<PathBuf>,
}

pub(crate) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.001..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("seconds, 0.001 to 600".to_owned()),
    }
}

#[derive(Debug, Args)]
struct CheckWords {
    /// Configuration file
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The same without -c
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct ExplainWords {
    /// Name, address or association number of a source, or &N for the N-th
    #[arg(required = true, value_name = "SOURCE")]
    source: Option<String>,
    #[command(flatten)]
    asking: status::Asking,
    #[command(subcommand)]
    what: Option<Explained>,
}

#[derive(Debug, Subcommand)]
enum Explained {
    /// What an address may do with us, and which lines of the configuration say so
    Restrict(explain::Question),
}

#[derive(Debug, Args)]
struct DemoWords {
    /// Run through at once and print the end
    #[arg(long)]
    once: bool,
    /// Seed of the virtual world: the same seed shows the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Virtual seconds a second
    #[arg(long, value_name = "X", default_value_t = 60.0, value_parser = speed)]
    speed: f64,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("0.1 to 10000".to_owned()),
    }
}

/// Does what the arguments say, the program's name included.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let named = arguments.first().and_then(|name| Persona::from_name(name));
    match named {
        Some(persona) => return persona.run(arguments.drain(1..)),
        None if arguments.len() <= 1 => {
            print(WELCOME);
            return Exit::Good;
        }
        None => {}
    }
    // `truechimer ntpq -p`: the classic words are that program's own, --help among them.
    if let Some(persona) = arguments.get(1).and_then(|name| Persona::from_name(name)) {
        return persona.run(arguments.drain(2..));
    }
    match Line::try_parse_from(arguments) {
        Ok(line) => dispatch(line.command),
        Err(error) => {
            // Help and version come this way too; a closed pipe is nobody's loss.
            let _ = error.print();
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Good
            }
        }
    }
}

fn dispatch(command: Command) -> Exit {
    match command {
        Command::Run(words) => service::run(words.launch()),
        Command::Query(words) => query_main(words),
        Command::Check(words) => check::run(words.config.or(words.file).as_deref(), words.json),
        Command::Status(words) => status::status(words),
        Command::Sources(words) => status::sources(words),
        Command::Clients(words) => status::clients(words),
        Command::Explain(words) => match (words.what, words.source) {
            (Some(Explained::Restrict(question)), _) => explain::restrict(&question),
            (None, source) => status::explain(&source.unwrap_or_default(), &words.asking),
        },
        Command::Decode(words) => words.run(),
        Command::Demo(words) => demo::run(words.seed, words.speed, words.once),
        Command::Keygen { words } => ntp_keygen::main(words),
        Command::Keys(command) => command.run(),
        Command::InstallLinks { folder } => links::run(&folder),
    }
}

pub(crate) fn ntpd_main(words: impl IntoIterator<Item = OsString>) -> Exit {
    match ntpd::parse(words) {
        Ok(ntpd::Asked::Run(launch)) => service::run(*launch),
        Ok(ntpd::Asked::Help) => {
            print(&ntpd::help());
            Exit::Good
        }
        Ok(ntpd::Asked::Version) => {
            print(concat!("ntpd truechimer ", env!("CARGO_PKG_VERSION"), "\n"));
            Exit::Good
        }
        Err(error) => {
            print_error(&format!("ntpd: {error}\nTry 'ntpd --help'.\n"));
            Exit::Failed
        }
    }
}

fn query_main(words: QueryWords) -> Exit {
    let json = words.json;
    let question = Question {
        hosts: words.hosts,
        count: words.count,
        timeout: Duration::from_secs_f64(words.timeout),
        port: words.port,
        family: match (words.v4, words.v6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => None,
        },
        key: words.key.zip(words.keys),
    };
    let mut good = true;
    let outcome = query::run(&question, |record| {
        good &= record.is_good();
        if json {
            print(&format!("{}\n", query::json(record)));
        } else {
            print(&query::text(record));
        }
    });
    match outcome {
        Ok(()) if good => Exit::Good,
        Ok(()) => Exit::Failed,
        Err(error) => {
            print_error(&format!("truechimer: {error}\n"));
            Exit::Failed
        }
    }
}

/// A reader that went away, as `head` does, is no reason to panic.
pub(crate) fn print(text: &str) {
    say(&mut io::stdout().lock(), text);
}

/// The same for what went wrong.
pub(crate) fn print_error(text: &str) {
    say(&mut io::stderr().lock(), text);
}

/// The system's words for an error, without its number, as the reference's programs say them.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next();
    words.unwrap_or_default().to_owned()
}

fn say(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Line::command().debug_assert();
    }

    #[test]
    fn keygen_words_pass_through_and_keys_words_are_understood() {
        let command = |words: &str| {
            let words = core::iter::once("truechimer").chain(words.split_whitespace());
            Line::try_parse_from(words).expect("understood").command
        };
        let Command::Keygen { words } = command("keygen -TIp private -i GR1 -?") else {
            panic!("keygen");
        };
        assert_eq!(words.len(), 5);
        for words in [
            "keys doctor /etc/ntp --repair -p file:/pw",
            "keys import - -k /etc/ntp --for b",
        ] {
            assert!(matches!(command(words), Command::Keys(_)), "{words}");
        }
    }

    #[test]
    fn nonsense_is_a_usage_error() {
        for words in [
            vec!["truechimer", "run", "--engine", "steam"],
            vec!["truechimer", "query"],
            vec!["truechimer", "query", "a", "--count", "0"],
            vec!["truechimer", "query", "a", "--timeout", "-1"],
            vec!["truechimer", "query", "a", "--key", "1"],
            vec!["truechimer", "run", "--interface", "a\"b"],
            vec!["truechimer", "run", "--wait-sync", "0"],
            vec!["truechimer", "frobnicate"],
        ] {
            assert!(Line::try_parse_from(&words).is_err(), "{words:?}");
        }
    }
}
