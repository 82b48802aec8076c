//! Finding and reading ntp.conf.
use super::bounded;
use crate::paths;
use std::cell::RefCell;
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};
use truechimer_config::{EMBEDDED_DEFAULT, LoadError, Loader, Parsed, limits, lint};

/// Where complaints about the command line's own lines point.
pub const COMMAND_LINE: &str = "command line";

/// Where the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file, named or found.
    File(PathBuf),
    /// There is none: the built-in default.
    Embedded,
}

impl Origin {
    /// What `named` says, else the first of `places` there is, else the built-in default.
    ///
    /// A place that exists but cannot be looked at is taken, so that the operator hears of it
    /// instead of running on something else.
    pub fn find(named: Option<&Path>, places: &[String]) -> Self {
        if let Some(path) = named {
            return Self::File(path.to_owned());
        }
        let there = |place: &&String| Path::new(place).try_exists().unwrap_or(true);
        match places.iter().find(there) {
            Some(place) => Self::File(PathBuf::from(place)),
            None => Self::Embedded,
        }
    }

    /// The name complaints carry.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Embedded => "built-in default".to_owned(),
        }
    }

    /// What to say of a file that was written for another daemon.
    pub fn remark(&self) -> Option<String> {
        match self {
            Self::File(path) => {
                let [ours, ntpd, ntpsec] = paths::configurations();
                (path == Path::new(&ntpsec))
                    .then(|| format!("using NTPsec's {ntpsec}, for there is no {ours} or {ntpd}"))
            }
            Self::Embedded => None,
        }
    }

    /// Reads and parses it; what lint has to say comes after the parser's own complaints.
    ///
    /// # Errors
    /// That the file cannot be read.
    pub fn read(&self) -> io::Result<Parsed> {
        self.read_with(&[], &Included::default())
    }

    /// As [`Origin::read`], followed by lines of the command line, and which files were read
    /// besides, as the configuration names them.
    ///
    /// # Errors
    /// As there.
    pub fn read_all(&self, more: &[String]) -> io::Result<(Parsed, Vec<PathBuf>)> {
        let included = Included::default();
        let parsed = self.read_with(more, &included)?;
        Ok((parsed, included.0.into_inner()))
    }

    fn read_with(&self, more: &[String], included: &Included) -> io::Result<Parsed> {
        let text = match self {
            Self::File(path) => bounded::read(path, limits::FILE_BYTES)?,
            Self::Embedded => EMBEDDED_DEFAULT.as_bytes().to_vec(),
        };
        let (name, more) = (self.name(), more.join("\n"));
        let texts = [(&*name, &*text), (COMMAND_LINE, more.as_bytes())];
        let mut parsed = truechimer_config::parse_all(&texts, included);
        let unwise = lint(&parsed.settings);
        if *self != Self::Embedded || !more.is_empty() {
            parsed.diagnostics.extend(unwise);
        }
        Ok(parsed)
    }
}

/// Files that `includefile` names, kept as asked for.
#[derive(Default)]
struct Included(RefCell<Vec<PathBuf>>);

/// Most files a folder may hold, of whatever name.
const NAMES_MAX: usize = 4096;

impl Loader for Included {
    fn list(&self, path: &str) -> Result<Option<Vec<String>>, LoadError> {
        match std::fs::read_dir(path) {
            Ok(entries) => {
                // A name that is not UTF-8 becomes one that no file has, and is complained of: nothing
                // that may hold access rules is passed over.
                let name = |entry: io::Result<DirEntry>| {
                    Ok(entry?.file_name().to_string_lossy().into_owned())
                };
                let names: io::Result<Vec<String>> =
                    entries.take(NAMES_MAX + 1).map(name).collect();
                let names = names.map_err(|error| load_error(&error))?;
                if names.len() > NAMES_MAX {
                    let reason = format!("more than {NAMES_MAX} files are in it");
                    return Err(LoadError::Other(reason));
                }
                Ok(Some(names))
            }
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                _ => Err(load_error(&error)),
            },
        }
    }

    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        self.0.borrow_mut().push(PathBuf::from(path));
        bounded::read(Path::new(path), limits::FILE_BYTES).map_err(|error| load_error(&error))
    }
}

fn load_error(error: &io::Error) -> LoadError {
    match error.kind() {
        io::ErrorKind::NotFound => LoadError::NotFound,
        io::ErrorKind::PermissionDenied => LoadError::Denied,
        io::ErrorKind::FileTooLarge => LoadError::TooLarge,
        _ => LoadError::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn first_come_first_taken() {
        let scratch = Scratch::new("config");
        let (first, second) = (scratch.path("a.conf"), scratch.path("b.conf"));
        let places = [&first, &second].map(|path| path.display().to_string());
        assert_eq!(Origin::find(None, &places), Origin::Embedded);
        fs::write(&second, "").expect("writable");
        assert_eq!(Origin::find(None, &places), Origin::File(second.clone()));
        fs::write(&first, "").expect("writable");
        assert_eq!(Origin::find(None, &places), Origin::File(first.clone()));
        let named = Path::new("elsewhere.conf");
        assert_eq!(
            Origin::find(Some(named), &places),
            Origin::File(named.to_owned())
        );
    }

    #[test]
    fn another_daemons_file_is_remarked_on() {
        let [ours, _, ntpsec] = paths::configurations().map(PathBuf::from);
        assert!(Origin::File(ntpsec).remark().is_some());
        assert!(Origin::File(ours).remark().is_none());
        assert!(Origin::Embedded.remark().is_none());
    }

    #[test]
    fn included_files_are_read_and_missing_ones_complained_of() {
        let scratch = Scratch::new("config-include");
        let (outer, inner) = (scratch.path("ntp.conf"), scratch.path("more.conf"));
        fs::write(&inner, "server 192.0.2.1\n").expect("writable");
        fs::write(&outer, format!("includefile {}\n", inner.display())).expect("writable");
        let parsed = Origin::File(outer.clone()).read().expect("readable");
        assert_eq!(parsed.settings.associations.len(), 1);
        let (_, files) = Origin::File(outer.clone()).read_all(&[]).expect("readable");
        assert_eq!(files, core::slice::from_ref(&inner));
        fs::remove_file(&inner).expect("there");
        let parsed = Origin::File(outer).read().expect("readable");
        assert!(parsed.has_errors());
        Origin::File(scratch.path("none"))
            .read()
            .expect_err("no such file");
    }

    #[test]
    fn the_command_line_has_the_last_word_even_after_an_end() {
        let scratch = Scratch::new("config-lines");
        let path = scratch.path("ntp.conf");
        fs::write(&path, "keys /a\nserver 192.0.2.1\nend\nrubbish\n").expect("writable");
        let lines = ["keys \"/b\"".to_owned(), "server 192.0.2.2".to_owned()];
        let (parsed, _) = Origin::File(path).read_all(&lines).expect("readable");
        let settings = parsed.settings;
        assert_eq!(settings.associations.len(), 2);
        let keys = settings.authentication.keys_file.expect("named");
        assert_eq!((&*keys.value, &*keys.span.file), ("/b", COMMAND_LINE));
    }

    #[test]
    fn the_folder_beside_is_read_in_order_and_after() {
        let scratch = Scratch::new("config-folder");
        let outer = scratch.path("ntp.conf");
        let folder = scratch.path("ntp.d");
        fs::write(&outer, "tos minsane 1\nend\n").expect("writable");
        fs::create_dir(&folder).expect("writable");
        for (name, minsane) in [("b.conf", 3), ("a.conf", 2), ("c.txt", 4), (".d.conf", 5)] {
            let text = format!("tos minsane {minsane}\n");
            fs::write(folder.join(name), text).expect("writable");
        }
        let origin = Origin::File(outer.clone());
        let (parsed, files) = origin.read_all(&[]).expect("readable");
        assert_eq!(parsed.settings.tos.minsane, 3);
        assert_eq!(files, [folder.join("a.conf"), folder.join("b.conf")]);
        fs::write(&outer, "includefile ntp.d\ntos minsane 7\n").expect("writable");
        let (_, files) = origin.read_all(&[]).expect("readable");
        assert_eq!(files.len(), 4, "by name, and beside");
        fs::remove_dir_all(&folder).expect("there");
        fs::write(&outer, "tos minsane 7\n").expect("writable");
        let (parsed, _) = origin.read_all(&[]).expect("readable");
        assert_eq!(
            (parsed.settings.tos.minsane, parsed.has_errors()),
            (7, false)
        );
    }

    #[test]
    fn nothing_in_a_folder_is_passed_over_in_silence() {
        let scratch = Scratch::new("config-crowded");
        let outer = scratch.path("ntp.conf");
        let folder = scratch.path("ntp.d");
        fs::write(&outer, "").expect("writable");
        fs::create_dir(&folder).expect("writable");
        let has_guards = || {
            let parsed = Origin::File(outer.clone()).read().expect("readable");
            parsed.has_open_guards()
        };
        let odd = folder.join(OsStr::from_bytes(b"\xFF.conf"));
        fs::write(&odd, "restrict default ignore\n").expect("writable");
        assert!(has_guards());
        fs::remove_file(&odd).expect("there");
        for n in 0..NAMES_MAX {
            fs::write(folder.join(format!("{n}.bak")), "").expect("writable");
        }
        assert!(!has_guards());
        fs::write(folder.join("access.conf"), "restrict default ignore\n").expect("writable");
        assert!(has_guards(), "the listing may not have come to it");
    }

    #[test]
    fn the_built_in_default_is_clean() {
        let parsed = Origin::Embedded.read().expect("built in");
        assert_eq!(parsed.diagnostics, []);
    }
}
