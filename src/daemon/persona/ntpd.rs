//! ntpd's command line. Short options may be bundled; what we do not know is a usage error.
use crate::service::launch::{Families, Launch};
use core::fmt;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::path::PathBuf;

/// STEPT under `-x`, seconds: within it the clock is slewed.
const SLEW_STEP_S: f64 = 600.0;

/// What ntpd prints for `--help`.
pub const USAGE: &str = "\
usage: ntpd [-46dgnNqx] [-c FILE] [-f FILE] [-l FILE] [-p FILE] [-u USER[:GROUP]] [-D LEVEL]
  -4, --ipv4             use IPv4 only
  -6, --ipv6             use IPv6 only
  -c, --configfile FILE  configuration file
  -d, --debug-level      more in the log, in the foreground; repeat for more
  -D, --set-debug-level LEVEL  the same at once
  -f, --driftfile FILE   drift file, whatever the configuration says
  -g, --panicgate        let the first offset exceed the panic threshold, once per boot
  -l, --logfile FILE     log file, whatever the configuration says
  -n, --nofork           stay in the foreground
  -N, --nice             taken for compatibility: no priority is raised
  -p, --pidfile FILE     process id file
  -q, --quit             set the clock once, then exit
  -u, --user USER[:GROUP]  run as this user
  -x, --slew             step only offsets above 600 s
  -h, --help             this text
      --version          version
";

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// To run.
    Run(Box<Launch>),
    /// The usage text.
    Help,
    /// The version.
    Version,
}

/// Why a command line is not understood.
#[derive(Debug)]
pub struct UsageError(lexopt::Error);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for UsageError {}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self(error)
    }
}

/// Reads ntpd's arguments, without the program's name.
///
/// # Errors
/// An unknown option, a missing value, a stray word.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, UsageError> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut launch = Launch::ntpd();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h' | '?') | Long("help") => return Ok(Asked::Help),
            Long("version") => return Ok(Asked::Version),
            Short('4') | Long("ipv4") => launch.families = Families::V4,
            Short('6') | Long("ipv6") => launch.families = Families::V6,
            Short('c') | Long("configfile") => launch.config = Some(path(&mut parser)?),
            Short('d') | Long("debug-level") => {
                launch.debug_steps = launch.debug_steps.saturating_add(1);
                launch.foreground = true;
            }
            Short('D') | Long("set-debug-level") => {
                launch.debug_steps = debug_level(&parser.value()?.string()?)?;
                launch.foreground = true;
            }
            Short('f') | Long("driftfile") => launch.drift_file = Some(path(&mut parser)?),
            Short('g') | Long("panicgate") => launch.panic_gate = true,
            Short('l') | Long("logfile") => launch.log_file = Some(path(&mut parser)?),
            Short('n') | Long("nofork") => launch.foreground = true,
            // Its purpose, prompt service, is had without: stamps are the kernel's.
            Short('N') | Long("nice") => {}
            Short('p') | Long("pidfile") => launch.pid_file = Some(path(&mut parser)?),
            Short('q') | Long("quit") => {
                launch.one_shot = true;
                launch.foreground = true;
            }
            Short('u') | Long("user") => launch.user = Some(parser.value()?.string()?),
            Short('x') | Long("slew") => launch.step_threshold_s = Some(SLEW_STEP_S),
            _ => return Err(argument.unexpected().into()),
        }
    }
    Ok(Asked::Run(Box::new(launch)))
}

/// Any number there is: levels beyond the deepest are the deepest.
fn debug_level(text: &str) -> Result<u8, lexopt::Error> {
    if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit()) {
        return Ok(text.parse().unwrap_or(u8::MAX));
    }
    Err(format!("debug level {text:?} is not a number").into())
}

fn path(parser: &mut lexopt::Parser) -> Result<PathBuf, lexopt::Error> {
    parser.value().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &str) -> Launch {
        match parse(words.split_whitespace().map(OsString::from)) {
            Ok(Asked::Run(launch)) => *launch,
            other => panic!("{words}: {other:?}"),
        }
    }

    fn refused(words: &str) -> String {
        parse(words.split_whitespace().map(OsString::from))
            .expect_err(words)
            .to_string()
    }

    #[test]
    fn nothing_asked_is_the_plain_daemon() {
        assert_eq!(run(""), Launch::ntpd());
        assert!(!Launch::ntpd().foreground);
    }

    #[test]
    fn bundled_and_attached_and_long() {
        let launch = run("-gnq4 -c/etc/other.conf -f /d -x");
        assert!(launch.panic_gate && launch.foreground && launch.one_shot);
        assert_eq!(launch.families, Families::V4);
        assert_eq!(launch.config, Some(PathBuf::from("/etc/other.conf")));
        assert_eq!(launch.drift_file, Some(PathBuf::from("/d")));
        assert_eq!(launch.step_threshold_s, Some(600.0));
        assert_eq!(run("-gN"), run("--panicgate --nice"));
        assert_eq!(run("--configfile=/x"), run("-c /x"));
        assert_eq!(run("-ddd"), run("-D 3"));
        assert!(run("-d").foreground && run("-D 1").foreground);
        assert_eq!(run("-D 99999999999999999999").debug_steps, u8::MAX);
        assert_eq!(
            run("-ngu ntp:ntp -p /run/ntpd.pid").user.as_deref(),
            Some("ntp:ntp")
        );
        assert_eq!(
            run("-nl /var/log/ntp.log").log_file,
            Some(PathBuf::from("/var/log/ntp.log"))
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        assert!(refused("-Z").contains("-Z"));
        assert!(refused("--frobnicate").contains("--frobnicate"));
        assert!(refused("-gZ").contains("-Z"));
        assert!(refused("server.example").contains("server.example"));
        refused("-c");
        refused("-D many");
        refused("-D -1");
    }

    #[test]
    fn help_and_version() {
        let asked = |word: &str| parse([OsString::from(word)]).expect("understood");
        assert_eq!(asked("-h"), Asked::Help);
        assert_eq!(asked("--version"), Asked::Version);
    }
}
