//! ntp-keygen's command line: the options of 4.2.8, those of 4.2.5 and OpenVMS that it lost, and a
//! few of our own.

mod presets;
mod words;

pub use words::USAGE;

use crate::cli::{print, print_error};
use crate::exit::Exit;
use crate::keygen::{self, OptionError, Options, Place};
use core::fmt;
use lexopt::prelude::*;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use words::{Value, Word};

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// To make keys.
    Run(Box<Options>),
    /// The usage text.
    Help,
    /// The usage text and what differs from other generations.
    MoreHelp,
    /// The version.
    Version,
    /// To keep the options in a file: the file, and its text.
    Save(PathBuf, String),
}

/// Why a command line is not understood.
#[derive(Debug)]
pub enum UsageError {
    /// An unknown option, a missing value, a stray word.
    Words(lexopt::Error),
    /// A value that does not fit its option.
    Value(OptionError),
    /// A file of options that cannot be used.
    Presets(String),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::Presets(error) => f.write_str(error),
        }
    }
}

impl core::error::Error for UsageError {}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self::Words(error)
    }
}

impl From<OptionError> for UsageError {
    fn from(error: OptionError) -> Self {
        Self::Value(error)
    }
}

/// Where options come from besides the command line.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The user's own folder.
    pub home: Option<PathBuf>,
    /// Variables of the environment.
    pub variables: Vec<(String, String)>,
}

impl Surroundings {
    /// Those of this process.
    pub fn own() -> Self {
        let text = |word: OsString| word.into_string().ok();
        Self {
            home: std::env::var_os("HOME").map(PathBuf::from),
            variables: std::env::vars_os()
                .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
                .collect(),
        }
    }
}

/// Does what the arguments say, without the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    match parse(arguments, &Surroundings::own()) {
        Ok(Asked::Run(options)) => run(&options),
        Ok(Asked::Help) => said(USAGE),
        Ok(Asked::MoreHelp) => said(&format!("{USAGE}{}", words::GENERATIONS)),
        Ok(Asked::Version) => said(concat!(
            "ntp-keygen truechimer ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        )),
        Ok(Asked::Save(file, text)) => match std::fs::write(&file, text) {
            Ok(()) => Exit::Good,
            Err(error) => failed(&format!("{}: {error}", file.display())),
        },
        Err(error) => failed(&format!("{error}\n{USAGE}")),
    }
}

fn run(options: &Options) -> Exit {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let outcome = Place::here()
        .map_err(keygen::Failure::from)
        .and_then(|place| keygen::run(options, &place, &mut out, &mut err));
    drop(err);
    match outcome {
        Ok(()) => Exit::Good,
        Err(failure) => failed(&format!("{failure}\nntp-keygen: nothing was written")),
    }
}

fn said(text: &str) -> Exit {
    print(text);
    Exit::Good
}

fn failed(text: &str) -> Exit {
    print_error(&format!("ntp-keygen: {}\n", text.trim_end()));
    Exit::Failed
}

/// Reads the arguments, without the program's name. Files of options and the environment come
/// first, so that the command line has the last word.
///
/// # Errors
/// An unknown option, a missing value, a stray word, a file that cannot be read.
pub fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    around: &Surroundings,
) -> Result<Asked, UsageError> {
    let given = collect(arguments)?;
    let has = |name: &str| given.iter().find(|(word, _)| word.long == name);
    for (name, asked) in [
        ("help", Asked::Help),
        ("more-help", Asked::MoreHelp),
        ("version", Asked::Version),
    ] {
        if has(name).is_some() {
            return Ok(asked);
        }
    }
    let mut options = Options::default();
    if has("no-load-opts").is_none() {
        presets::load(&mut options, around)?;
    }
    for (word, value) in &given {
        match (word.long, value) {
            ("load-opts", Some(file)) => presets::load_file(&mut options, file.as_ref())?,
            ("save-opts" | "no-load-opts", _) | ("load-opts", None) => {}
            _ => options.set(word.long, value.as_deref())?,
        }
    }
    match has("save-opts") {
        None => Ok(Asked::Run(Box::new(options))),
        Some((_, file)) => {
            let home = || around.home.as_ref().map(|home| home.join(".ntprc"));
            let file = file.as_ref().map(PathBuf::from).or_else(home);
            let file =
                file.ok_or_else(|| UsageError::Presets("save-opts: which file?".to_owned()))?;
            Ok(Asked::Save(file, presets::text(&given)))
        }
    }
}

type Given = (&'static Word, Option<String>);

fn collect(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<Given>, UsageError> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut given = Vec::new();
    while let Some(argument) = parser.next()? {
        let word = match &argument {
            Short(letter) => words::by_letter(*letter),
            Long(name) => words::by_name(name),
            Value(_) => None,
        };
        let Some(word) = word else {
            return Err(match argument {
                // The reference's own words.
                Short(letter) => lexopt::Error::from(format!("illegal option -- {letter}")).into(),
                other => other.unexpected().into(),
            });
        };
        let value = match word.value {
            Value::None => None,
            Value::Optional => parser.optional_value().map(ValueExt::string).transpose()?,
            Value::Needed(_) => Some(parser.value()?.string()?),
        };
        // OpenVMS's guide types `-V -l FILE`, without a number.
        let link = words::by_letter('l')
            .filter(|_| word.long == "mv-params" && value.as_deref() == Some("-l"));
        match link {
            Some(link) => given.push((link, Some(parser.value()?.string()?))),
            None => given.push((word, value)),
        }
    }
    Ok(given)
}

#[cfg(test)]
mod tests;
