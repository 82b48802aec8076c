//! A folder of key files: found by their links, written whole, never overwritten.
use crate::files::bounded;
use core::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, fchown, symlink};
use std::path::{Path, PathBuf};
use truechimer_crypto::keyfile::{FILE_LEN_MAX, FileName, FileRole, KeyFileError, KeyText};
use truechimer_crypto::wipe;

/// Why a file of the folder is of no use.
#[derive(Debug)]
pub enum Problem {
    /// The operating system's word.
    Io(PathBuf, io::Error),
    /// What is in it.
    Key(PathBuf, KeyFileError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Key(path, error) => {
                let path = path.display().to_string();
                write!(f, "{path}: {error}; {}", error.remedy(&path))
            }
        }
    }
}

impl core::error::Error for Problem {}

/// A key file that was found and taken apart.
#[derive(Debug)]
pub(crate) struct Found {
    /// The path it was found by: a link, mostly.
    pub(crate) path: PathBuf,
    /// The name of the file itself.
    pub(crate) file: String,
    pub(crate) text: KeyText,
}

impl Found {
    /// What is wrong with its contents.
    pub(crate) fn problem(&self, error: KeyFileError) -> Problem {
        Problem::Key(self.path.clone(), error)
    }

    /// Whose it is by its first line, or else by its name.
    pub(crate) fn owner(&self) -> Option<String> {
        let by_name = || FileName::parse(&self.file);
        self.text
            .name()
            .cloned()
            .or_else(by_name)
            .map(|name| name.owner)
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub(crate) struct KeyFolder {
    pub(crate) path: PathBuf,
    /// The daemon's group, when we may give files to it.
    pub(crate) group: Option<u32>,
}

impl KeyFolder {
    /// The file of a role, by the first of the owners that has one. Names of older generations
    /// count.
    pub(crate) fn find(&self, role: FileRole, owners: &[&str]) -> Result<Option<Found>, Problem> {
        for owner in owners {
            for kind in kinds(role) {
                let name = format!("ntpkey_{kind}_{owner}");
                if fs::symlink_metadata(self.path.join(&name)).is_ok() {
                    return self.read(&name).map(Some);
                }
            }
        }
        Ok(None)
    }

    /// Reads a file of the folder.
    pub(crate) fn read(&self, name: &str) -> Result<Found, Problem> {
        let path = self.path.join(name);
        let octets = bounded::read(&path, FILE_LEN_MAX);
        let mut octets = octets.map_err(|error| Problem::Io(path.clone(), error))?;
        let text = KeyText::parse(&octets);
        // A key may lie in it as it is.
        wipe(&mut octets);
        let text = text.map_err(|error| Problem::Key(path.clone(), error))?;
        let real = fs::canonicalize(&path).map_err(|error| Problem::Io(path.clone(), error))?;
        let file = real
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Found { path, file, text })
    }

    /// Whether there is anything of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path.join(name)).is_ok()
    }

    /// Writes a file that must not exist yet, to the disk.
    pub(crate) fn create(&self, name: &str, text: &str, secret: bool) -> Result<(), Problem> {
        if self.has(name) {
            let error = io::Error::from(io::ErrorKind::AlreadyExists);
            return Err(Problem::Io(self.path.join(name), error));
        }
        self.put(name, text, secret)
    }

    /// Replaces a file's contents at once; what was there stays under another name.
    pub(crate) fn replace(
        &self,
        name: &str,
        text: &str,
        aside: &str,
        secret: bool,
    ) -> Result<(), Problem> {
        self.keep(name, aside)?;
        self.put(name, text, secret)
    }

    /// A file's text as it stands.
    pub(crate) fn text(&self, name: &str) -> Result<String, Problem> {
        let path = self.path.join(name);
        let octets =
            bounded::read(&path, FILE_LEN_MAX).map_err(|error| Problem::Io(path, error))?;
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }

    /// A second name for a file that is about to be replaced.
    fn keep(&self, name: &str, aside: &str) -> Result<(), Problem> {
        let kept = self.path.join(format!("{name}.{aside}"));
        match fs::hard_link(self.path.join(name), &kept) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(Problem::Io(kept, error))
            }
            _ => Ok(()),
        }
    }

    fn put(&self, name: &str, text: &str, secret: bool) -> Result<(), Problem> {
        let (draft, path) = (self.path.join(format!(".{name}.new")), self.path.join(name));
        let written = self
            .write(&draft, text, secret)
            .and_then(|()| fs::rename(&draft, &path));
        written.map_err(|error| {
            let _ = fs::remove_file(&draft);
            Problem::Io(path, error)
        })
    }

    fn write(&self, draft: &Path, text: &str, secret: bool) -> io::Result<()> {
        // Left behind by a run that was killed.
        let _ = fs::remove_file(draft);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(draft)?;
        file.write_all(text.as_bytes())?;
        self.permit(&file, secret)?;
        file.sync_all()
    }

    /// Secrets are for the owner, and for the daemon's group when there is one.
    pub(crate) fn permit(&self, file: &File, secret: bool) -> io::Result<()> {
        if let Some(group) = self.group {
            fchown(file, None, Some(group))?;
        }
        file.set_permissions(Permissions::from_mode(self.mode(secret)))
    }

    pub(crate) const fn mode(&self, secret: bool) -> u32 {
        match (secret, self.group) {
            (false, _) => 0o644,
            (true, None) => 0o600,
            (true, Some(_)) => 0o640,
        }
    }

    /// Points a link to a file of the folder, at once. A file that stands where the link belongs
    /// stays under another name.
    pub(crate) fn link(&self, link: &str, file: &str, aside: &str) -> Result<(), Problem> {
        let path = self.path.join(link);
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_symlink()) {
            self.keep(link, aside)?;
        }
        let draft = self.path.join(format!(".{link}.new"));
        let _ = fs::remove_file(&draft);
        let made = symlink(file, &draft).and_then(|()| fs::rename(&draft, &path));
        made.map_err(|error| Problem::Io(path, error))
    }

    /// Moves every `ntpkey_` file into a folder of its own.
    pub(crate) fn set_aside(&self, aside: &str) -> Result<Option<PathBuf>, Problem> {
        let names = self.names()?;
        if names.is_empty() {
            return Ok(None);
        }
        let folder = self.path.join(format!("ntpkeys-{aside}"));
        fs::create_dir(&folder).map_err(|error| Problem::Io(folder.clone(), error))?;
        for name in names {
            let from = self.path.join(&name);
            fs::rename(&from, folder.join(&name)).map_err(|error| Problem::Io(from, error))?;
        }
        Ok(Some(folder))
    }

    /// The names of all key files and links, in order.
    pub(crate) fn names(&self) -> Result<Vec<String>, Problem> {
        /// More entries than any folder of keys has.
        const NAMES_MAX: usize = 10_000;
        let wrong = |error| Problem::Io(self.path.clone(), error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(wrong)?.take(NAMES_MAX) {
            let name = entry
                .map_err(wrong)?
                .file_name()
                .to_string_lossy()
                .into_owned();
            if FileName::parse(&name).is_some() && !name.contains(".before-") {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Makes the new names last through a loss of power.
    pub(crate) fn sync(&self) {
        if let Ok(folder) = File::open(&self.path) {
            let _ = folder.sync_all();
        }
    }
}

/// The KIND of generic names of a role, newest first.
const fn kinds(role: FileRole) -> &'static [&'static str] {
    match role {
        FileRole::Host => &["host", "key"],
        FileRole::IffKey => &["iffkey", "iff"],
        FileRole::GqKey => &["gqkey", "gq"],
        FileRole::MvKey => &["mvkey", "mv"],
        FileRole::Sign => &["sign"],
        FileRole::Certificate => &["cert"],
        FileRole::IffParameters => &["iffpar"],
        FileRole::GqParameters => &["gqpar"],
        FileRole::MvAuthority => &["mvta"],
        FileRole::MvParameters => &["mvpar"],
        FileRole::Symmetric => &["md5"],
    }
}
