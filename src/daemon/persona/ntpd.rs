//! ntpd's command line, as AutoOpts reads it: short options may be bundled and their values glued
//! to them, long ones cut short while they stay unique. What we do not know is a usage error.

mod options;
#[cfg(test)]
mod tests;

use crate::files::config::COMMAND_LINE;
use crate::service::launch::{Families, Launch, RealTime, Rescan, serve_only_on};
use core::fmt;
use core::time::Duration;
use lexopt::Arg;
use options::{Opt, Word};
use std::ffi::OsString;
use std::path::PathBuf;
use truechimer_config::{NoFiles, Severity, parse as parse_lines};

pub use options::help;

/// STEPT under `-x`, seconds: within it the clock is slewed.
const SLEW_STEP_S: f64 = 600.0;
/// Least interval between two looks for new addresses, seconds, as in the reference.
const LEAST_RESCAN_S: u64 = 60;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// To run.
    Run(Box<Launch>),
    /// The help text.
    Help,
    /// The version.
    Version,
}

/// Why a command line is not understood.
#[derive(Debug)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for UsageError {}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for UsageError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Reads ntpd's arguments, without the program's name.
///
/// # Errors
/// An unknown option, a missing or impossible value, options that exclude each other.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, UsageError> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut draft = Draft {
        launch: Launch::ntpd(),
        seen: Vec::new(),
        interfaces: Vec::new(),
    };
    while let Some(argument) = parser.next()? {
        let (option, shown) = match argument {
            Arg::Short(letter) => (options::by_letter(letter), format!("-{letter}")),
            Arg::Long(name) => (Some(by_name(name)?), format!("--{name}")),
            Arg::Value(server) => {
                draft.server(&text(server)?)?;
                continue;
            }
        };
        let Some(option) = option else {
            return Err(format!("there is no option {shown}").into());
        };
        draft.seen.push(option.word);
        match option.word {
            Word::Help | Word::MoreHelp => return Ok(Asked::Help),
            Word::Version => return Ok(Asked::Version),
            _ if option.value.is_empty() => draft.flag(option.word),
            _ => {
                let value = parser
                    .value()
                    .map_err(|_| format!("{shown} needs a value, {}", option.value))?;
                draft.valued(option, value)?;
            }
        }
    }
    draft.finish()
}

fn by_name(name: &str) -> Result<&'static Opt, UsageError> {
    options::by_name(name).map_err(|others| {
        UsageError(match others.as_slice() {
            [] => format!("there is no option --{name}"),
            _ => format!("--{name} may be --{}", others.join(" or --")),
        })
    })
}

fn text(value: OsString) -> Result<String, UsageError> {
    let text = value
        .into_string()
        .map_err(|other| format!("{} is not UTF-8", other.display()))?;
    if text.contains(|c: char| c == '"' || c.is_control()) {
        return Err(format!("{text:?} has a quote or a control character in it").into());
    }
    Ok(text)
}

struct Draft {
    launch: Launch,
    seen: Vec<Word>,
    interfaces: Vec<String>,
}

impl Draft {
    fn flag(&mut self, word: Word) {
        let launch = &mut self.launch;
        match word {
            Word::Ipv4 => launch.families = Families::V4,
            Word::Ipv6 => launch.families = Families::V6,
            Word::AuthReq => self.line("enable auth"),
            Word::AuthNoReq => self.line("disable auth"),
            Word::BcastSync => self.line("enable bclient"),
            Word::Debug => {
                launch.debug_steps = launch.debug_steps.saturating_add(1);
                launch.foreground = true;
            }
            Word::PanicGate => launch.panic_gate = true,
            Word::ForceStepOnce => launch.force_step = true,
            Word::NoVirtualIps => launch.no_aliases = true,
            Word::Mdns => self.remark("-m has no effect: announcing services is Avahi's work"),
            Word::ModifyMmTimer => self.remark("-M has no effect: it is for Windows"),
            Word::NoFork => launch.foreground = true,
            Word::Nice => {
                launch.real_time.get_or_insert(RealTime::Highest);
            }
            Word::Quit => {
                launch.one_shot = true;
                launch.foreground = true;
            }
            Word::Slew => launch.step_threshold_s = Some(SLEW_STEP_S),
            Word::NoDropCaps => launch.drop_caps = false,
            // These have a value, or end the reading.
            _ => {}
        }
    }

    fn valued(&mut self, option: &Opt, value: OsString) -> Result<(), UsageError> {
        let launch = &mut self.launch;
        match option.word {
            Word::ConfigFile => launch.config = Some(value.into()),
            Word::DriftFile => launch.drift_file = Some(value.into()),
            Word::LogFile => launch.log_file = Some(value.into()),
            Word::PidFile => launch.pid_file = Some(value.into()),
            Word::SaveConfigQuit => launch.save_config = Some(PathBuf::from(value)),
            _ => return self.worded(option, &text(value)?),
        }
        Ok(())
    }

    /// Options whose value is more than a file's name.
    fn worded(&mut self, option: &Opt, value: &str) -> Result<(), UsageError> {
        let launch = &mut self.launch;
        match option.word {
            Word::DebugLevel => {
                launch.debug_steps = u8::try_from(number(option, value)?).unwrap_or(u8::MAX);
                launch.foreground = true;
            }
            Word::JailDir => {
                return Err(
                    "a jail (-i) is not built: landlock closes the file system to the \
                            daemon by itself; leave the option out"
                        .to_owned()
                        .into(),
                );
            }
            Word::Interface => self.interfaces.push(value.to_owned()),
            Word::KeyFile => self.line(&format!("keys \"{value}\"")),
            Word::Priority => {
                let level = i32::try_from(number(option, value)?).unwrap_or(i32::MAX);
                launch.real_time = Some(RealTime::At(level));
            }
            Word::PropagationDelay => self.line(&format!("broadcastdelay {value}")),
            Word::StatsDir => self.line(&format!("statsdir \"{value}\"")),
            Word::TrustedKey => self.line(&format!("trustedkey {value}")),
            Word::User => launch.user = Some(value.to_owned()),
            Word::UpdateInterval => self.update_interval(value),
            Word::Var => self.variable(value, "")?,
            Word::DVar => self.variable(value, " default")?,
            Word::WaitSync => {
                let seconds = number(option, value)?;
                launch.wait_sync = (seconds > 0).then(|| Duration::from_secs(seconds));
            }
            // These have no value, or were seen to before.
            _ => {}
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.launch.lines.push(line.to_owned());
    }

    fn remark(&mut self, remark: &str) {
        self.launch.remarks.push(remark.to_owned());
    }

    fn update_interval(&mut self, value: &str) {
        match value.parse::<u64>() {
            Ok(0) => self.launch.rescan = Rescan::Never,
            Ok(seconds) => {
                let interval = Duration::from_secs(seconds.max(LEAST_RESCAN_S));
                self.launch.rescan = Rescan::Every(interval);
            }
            // Before 4.2.6 -U was what -u is now.
            Err(_) => {
                self.launch.user = Some(value.to_owned());
                self.remark(&format!(
                    "-U {value} is read as -u {value}, which it was before 4.2.6; now -U is an \
                     interval in seconds"
                ));
            }
        }
    }

    fn variable(&mut self, value: &str, default: &str) -> Result<(), UsageError> {
        let Some((name, value)) = value.split_once('=') else {
            return Err(format!("{value}: should be NAME=VALUE").into());
        };
        self.line(&format!("setvar {name} = \"{value}\"{default}"));
        Ok(())
    }

    fn server(&mut self, name: &str) -> Result<(), UsageError> {
        if name.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(format!("{name} is no server; to trust key {name} write -t {name}").into());
        }
        self.line(&format!("server {name} iburst"));
        Ok(())
    }

    fn finish(mut self) -> Result<Asked, UsageError> {
        const EXCLUSIVE: &[(Word, Word)] = &[
            (Word::Ipv4, Word::Ipv6),
            (Word::AuthReq, Word::AuthNoReq),
            (Word::WaitSync, Word::NoFork),
            (Word::WaitSync, Word::Quit),
            (Word::WaitSync, Word::SaveConfigQuit),
            (Word::Quit, Word::SaveConfigQuit),
        ];
        for (one, other) in EXCLUSIVE {
            if self.seen.contains(one) && self.seen.contains(other) {
                let long = |word: &Word| {
                    let mut all = options::OPTIONS.iter();
                    all.find(|option| option.word == *word)
                        .map_or("", |option| option.long)
                };
                let (one, other) = (long(one), long(other));
                return Err(format!("--{one} and --{other} exclude each other").into());
            }
        }
        self.launch.lines.extend(serve_only_on(&self.interfaces));
        let lines = self.launch.lines.join("\n");
        let parsed = parse_lines(COMMAND_LINE, lines.as_bytes(), &NoFiles);
        let mut wrong = parsed.diagnostics.iter();
        if let Some(error) = wrong.find(|one| one.severity == Severity::Error) {
            return Err(format!("{}: {}", error.message, error.label).into());
        }
        Ok(Asked::Run(Box::new(self.launch)))
    }
}

/// Any number there is; digits only, so that `-5` is not taken for a value.
fn number(option: &Opt, value: &str) -> Result<u64, UsageError> {
    if !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit()) {
        return Ok(value.parse().unwrap_or(u64::MAX));
    }
    Err(format!("--{} {value:?} is not a number", option.long).into())
}
