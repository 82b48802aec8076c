//! `truechimer keys`: looking after a folder of Autokey files.

mod doctor;
pub(crate) mod import;
mod reload;
mod repair;
#[cfg(test)]
mod tests;

pub use reload::reload;

use crate::cli::{print, print_error};
use crate::exit::Exit;
use crate::files::bounded;
use crate::keygen::Place;
use crate::keygen::folder::{KeyFolder, Problem};
use crate::keygen::password::{Passwords, resolve};
use std::path::{Path, PathBuf};
use truechimer_crypto::keyfile::FILE_LEN_MAX;

/// What both commands are told.
#[derive(Debug)]
pub struct Common {
    /// The password, as it was typed.
    pub password: Option<String>,
    /// The name this host has in its files, unless it is the machine's.
    pub host: Option<String>,
    /// The folder.
    pub folder: Option<PathBuf>,
}

struct Desk {
    folder: KeyFolder,
    host: String,
    passwords: Passwords,
    now_unix_s: i64,
}

fn desk(common: Common) -> std::io::Result<Desk> {
    let place = Place::here()?;
    let host = common.host.unwrap_or(place.host);
    let passwords = match common.password {
        Some(word) => Passwords::given(resolve(&word)?),
        None => Passwords::of_host(&host),
    };
    let folder = KeyFolder {
        path: common.folder.unwrap_or(place.folder),
        group: place.group,
    };
    Ok(Desk {
        folder,
        host,
        passwords,
        now_unix_s: place.now_unix_s,
    })
}

/// Diagnoses a folder, and mends it if told to. Good when nothing is wrong any more.
pub fn doctor(common: Common, mend: bool) -> Exit {
    let desk = match desk(common) {
        Ok(desk) => desk,
        Err(error) => return failed(&error.to_string()),
    };
    let patient = doctor::Patient {
        folder: &desk.folder,
        host: &desk.host,
        passwords: &desk.passwords,
        now_unix_s: desk.now_unix_s,
    };
    let findings = match doctor::examine(&patient) {
        Ok(findings) => findings,
        Err(problem) => return failed(&problem.to_string()),
    };
    let mut left = 0;
    for finding in &findings {
        print(&format!("{finding}\n"));
        match finding.repair.as_ref().filter(|_| mend) {
            Some(repair) => match repair::apply(&patient, repair) {
                Ok(done) => print(&format!("  done: {done}\n")),
                Err(problem) => {
                    left += 1;
                    print_error(&format!("  {problem}\n"));
                }
            },
            None => left += usize::from(finding.is_error),
        }
    }
    if findings.is_empty() {
        print(&format!("{}: all is well\n", desk.folder.path.display()));
    }
    if left == 0 { Exit::Good } else { Exit::Failed }
}

/// Takes a key file into the folder: names it, links it, sets permissions.
pub fn import(common: Common, source: &Path, also_for: Option<&str>) -> Exit {
    let outcome = desk(common)
        .map_err(|error| error.to_string())
        .and_then(|desk| {
            let wish = import::Wish {
                folder: &desk.folder,
                source,
                host: &desk.host,
                also_for,
                passwords: &desk.passwords,
                now_unix_s: desk.now_unix_s,
            };
            import::import(&wish).map_err(|problem| problem.to_string())
        });
    match outcome {
        Ok(said) => {
            said.iter().for_each(|line| print(&format!("{line}\n")));
            Exit::Good
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &str) -> Exit {
    print_error(&format!("truechimer: {error}\n"));
    Exit::Failed
}

/// A file's octets, `-` being standard input.
fn read(source: &Path) -> Result<Vec<u8>, Problem> {
    let octets = if source == Path::new("-") {
        bounded::read(Path::new("/dev/stdin"), FILE_LEN_MAX)
    } else {
        bounded::read(source, FILE_LEN_MAX)
    };
    octets.map_err(|error| Problem::Io(source.to_owned(), error))
}
