//! `truechimer status`, `sources`, `explain SOURCE` and `clients`: how a daemon is, in plain words.
//!
//! All of it is asked over mode 6, so it works with ntpd and NTPsec too. Whatever a daemon says
//! is only shown: nothing here decides about time.

mod clients;
mod counted;
mod engine;
mod flash;
mod island;
mod mode;
mod picture;
mod variables;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

use crate::cli::{print, print_error};
use crate::control_client::{Ask, Failure, Names, Patience, Session};
use crate::exit::Exit;
use crate::query::Family;
use clap::Args;
use core::time::Duration;
use picture::Picture;
use serde::Serialize;

pub use clients::clients;

/// The schema of the JSON printed here (docs/JSON.md).
const SCHEMA: u32 = 1;

/// Whom to ask, and how to answer.
#[derive(Debug, Args)]
pub struct Asking {
    /// Host whose daemon is asked
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    host: String,
    /// Its UDP port; `truechimer run` without root listens at 11123
    #[arg(long, default_value_t = 123)]
    port: u16,
    /// Seconds to wait for an answer
    #[arg(long, value_name = "S", default_value_t = 2.0, value_parser = crate::cli::seconds)]
    timeout: f64,
    /// Use IPv4 only
    #[arg(short = '4', conflicts_with = "v6")]
    v4: bool,
    /// Use IPv6 only
    #[arg(short = '6')]
    v6: bool,
    /// Numbers of hosts, not names
    #[arg(short, long)]
    numeric: bool,
    /// One JSON object (docs/JSON.md)
    #[arg(long)]
    json: bool,
}

/// The same with the host as a word.
#[derive(Debug, Args)]
pub struct HostAsking {
    /// Host whose daemon is asked
    #[arg(value_name = "HOST", conflicts_with = "host")]
    place: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

impl HostAsking {
    fn asking(mut self) -> Asking {
        if let Some(host) = self.place {
            self.asking.host = host;
        }
        self.asking
    }
}

impl Asking {
    /// Opens the way to the daemon.
    fn session(&self) -> Result<Session, Failure> {
        let family = match (self.v4, self.v6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => None,
        };
        let mut session = Session::open(&self.host, family, self.port)
            .map_err(|error| Failure::System("open", error))?;
        let first = Duration::from_secs_f64(self.timeout);
        session.patience = Patience {
            first,
            further: first,
        };
        Ok(session)
    }

    fn picture(&self) -> Result<Picture, Failure> {
        let mut names = (!self.numeric).then(Names::default);
        Picture::read(&mut self.session()?, &self.host, names.as_mut())
    }

    /// Tells why there is no picture.
    fn failed(&self, failure: &Failure) -> Exit {
        print_error(&format!("truechimer: {}: {failure}\n", self.host));
        let silent = matches!(failure, Failure::Timeout | Failure::System(..));
        if silent && self.port == 123 {
            print_error("truechimer: one started by `truechimer run` is asked with --port 11123\n");
        }
        Exit::Unavailable
    }
}

/// All that can be said of whoever answers: status, sources and every verdict.
///
/// # Errors
/// When the answers end before there is a picture.
pub fn describe(link: &mut dyn Ask) -> Result<String, Failure> {
    let picture = Picture::read(link, "host", None)?;
    let verdicts = picture.sources.iter().map(|it| verdict::of(it, &picture));
    let verdicts: String = verdicts.map(|it| words::verdict(&it)).collect();
    Ok(words::status(&picture) + &words::sources(&picture) + &verdicts)
}

/// Prints one JSON object.
fn print_json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        print(&format!("{text}\n"));
    }
}

/// Says how the daemon is; good where its clock is synchronised.
pub fn status(words: HostAsking) -> Exit {
    let asking = words.asking();
    let picture = match asking.picture() {
        Ok(picture) => picture,
        Err(failure) => return asking.failed(&failure),
    };
    if asking.json {
        print_json(&picture.summary());
    } else {
        print(&words::status(&picture));
    }
    if picture.system.is_synchronised {
        Exit::Good
    } else {
        Exit::Failed
    }
}

/// Lists the sources.
pub fn sources(words: HostAsking) -> Exit {
    let asking = words.asking();
    match asking.picture() {
        Ok(picture) if asking.json => print_json(&picture),
        Ok(picture) => print(&words::sources(&picture)),
        Err(failure) => return asking.failed(&failure),
    }
    Exit::Good
}

/// Says why a source is used or not; good where it is.
pub fn explain(source: &str, asking: &Asking) -> Exit {
    let picture = match asking.picture() {
        Ok(picture) => picture,
        Err(failure) => return asking.failed(&failure),
    };
    let found = picture.find(source);
    if found.is_empty() {
        print_error(&format!(
            "truechimer: {} has no source {source}; `truechimer sources` lists them\n",
            asking.host
        ));
        return Exit::Usage;
    }
    let mut used = true;
    for source in found {
        let verdict = verdict::of(source, &picture);
        used &= verdict.is_used;
        if asking.json {
            print_json(&verdict);
        } else {
            print(&words::verdict(&verdict));
        }
    }
    if used { Exit::Good } else { Exit::Failed }
}
