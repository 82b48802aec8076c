//! What can be wrong with a folder of Autokey files, and what mends it.
mod files;
mod together;

use super::import;
use crate::keygen::folder::{Found, KeyFolder, Problem};
use crate::keygen::password::Passwords;
use core::fmt;
use truechimer_crypto::certificate::Certificate;
use truechimer_crypto::keyfile::{FileName, FileRole, KeyFileError};

/// Whom to examine.
pub(super) struct Patient<'a> {
    pub(super) folder: &'a KeyFolder,
    pub(super) host: &'a str,
    pub(super) passwords: &'a Passwords,
    pub(super) now_unix_s: i64,
}

/// Something that is wrong.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) file: String,
    pub(super) what: String,
    /// The one command that mends it.
    pub(super) remedy: String,
    /// Otherwise it works, and could be better.
    pub(super) is_error: bool,
    /// What `--repair` does.
    pub(super) repair: Option<Repair>,
}

/// What can be mended without asking anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// Set a file's mode.
    Permit(String),
    /// Point a link to a file.
    Link { link: String, file: String },
    /// Write an IFF server key in the form that keeps v.
    RewriteKey(String),
    /// Write a client's IFF or GQ parameters anew from the server key of that file.
    RewriteParameters { file: String, key: String },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_error { "error" } else { "warning" };
        write!(
            f,
            "{kind}: {}: {}\n  remedy: {}",
            self.file, self.what, self.remedy
        )
    }
}

/// A file that is in use: some generic name leads to it.
pub(super) struct Used {
    pub(super) link: String,
    pub(super) name: FileName,
    pub(super) found: Found,
    /// What it is for by its contents; `None` if that cannot be told.
    pub(super) role: Option<FileRole>,
}

/// Looks at everything.
pub(super) fn examine(patient: &Patient<'_>) -> Result<Vec<Finding>, Problem> {
    let mut findings = Vec::new();
    let mut used = Vec::new();
    for name in patient.folder.names()? {
        files::modes(patient, &name, &mut findings);
        let Some(parsed) = FileName::parse(&name) else {
            continue;
        };
        if parsed.filestamp.is_none() {
            used.extend(files::open(patient, &name, parsed, &mut findings));
        }
    }
    for file in &used {
        files::stamps(file, &mut findings);
        files::contents(patient, file, &mut findings);
    }
    together::examine(patient, &used, &mut findings);
    Ok(findings)
}

/// `ntp-keygen` for this folder.
fn keygen(patient: &Patient<'_>, options: &str) -> String {
    format!(
        "ntp-keygen --keysdir {} {options}",
        patient.folder.path.display()
    )
}

fn repair_command(patient: &Patient<'_>) -> String {
    format!(
        "truechimer keys doctor --repair {}",
        patient.folder.path.display()
    )
}
