//! The file of a set that is open now, and the link that follows it.
use super::generation::{Moment, suffix};
use super::set::Set;
use nix::libc;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

/// A set's files, of which one is open.
#[derive(Debug)]
pub(super) struct SetFile {
    /// Name without an ending.
    base: PathBuf,
    set: Set,
    /// Permissions of its files.
    mode: u32,
    open: Option<Generation>,
    /// Files in the way of the link so far.
    conflicts: u32,
}

#[derive(Debug)]
struct Generation {
    suffix: String,
    file: File,
}

impl SetFile {
    /// Nothing is opened before there is something to write.
    pub(super) fn new(prefix: &str, set: Set, mode: u32) -> Self {
        Self {
            base: PathBuf::from(format!("{prefix}{}", set.file)),
            set,
            mode,
            open: None,
            conflicts: 0,
        }
    }

    /// Where it writes, for complaints.
    pub(super) const fn base(&self) -> &PathBuf {
        &self.base
    }

    /// Appends a line to the generation of its moment, whole or not at all.
    ///
    /// # Errors
    /// What the operating system says; the line is lost then. Where a new generation cannot be
    /// begun, the line goes into the old one, as the reference has it.
    pub(super) fn write(&mut self, moment: Moment, line: &str) -> io::Result<()> {
        let wanted = suffix(self.set.period, moment);
        let is_open = matches!(&self.open, Some(open) if open.suffix == wanted);
        let begun = if is_open {
            Ok(())
        } else {
            self.begin(wanted, moment)
        };
        match &mut self.open {
            Some(open) => append(&mut open.file, line),
            None => begun,
        }
    }

    fn begin(&mut self, suffix: String, moment: Moment) -> io::Result<()> {
        let path = with_suffix(&self.base, &suffix);
        let follows = !suffix.is_empty();
        if follows {
            self.clear_base(&path, moment)?;
        }
        let file = open_safely(&path, self.mode)?;
        if follows && self.set.link {
            match fs::hard_link(&path, &self.base) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    // File systems without links keep their statistics.
                    log::debug!("{}: no link: {error}", self.base.display());
                }
                _ => {}
            }
        }
        let named = file.metadata()?;
        if named.nlink() > 1 && !self.is_base(&named) {
            return Err(io::Error::other("it has another name too; refused"));
        }
        self.open = Some(Generation { suffix, file });
        Ok(())
    }

    /// Takes away the link to the generation before; a plain file in its place is kept under
    /// another name, as the reference keeps it.
    fn clear_base(&mut self, newest: &PathBuf, moment: Moment) -> io::Result<()> {
        let there = match fs::symlink_metadata(&self.base) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if !there.is_file() {
            return Err(io::Error::other("not a plain file; refused"));
        }
        if fs::symlink_metadata(newest).is_ok_and(|it| is_same(&it, &there)) {
            return Ok(());
        }
        if there.nlink() > 1 {
            return fs::remove_file(&self.base);
        }
        let kept = format!(".{}C{}", moment.pid, self.conflicts);
        self.conflicts = self.conflicts.saturating_add(1);
        fs::rename(&self.base, with_suffix(&self.base, &kept))
    }

    fn is_base(&self, file: &fs::Metadata) -> bool {
        file.nlink() == 2 && fs::symlink_metadata(&self.base).is_ok_and(|base| is_same(file, &base))
    }
}

fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn with_suffix(base: &PathBuf, suffix: &str) -> PathBuf {
    let mut name = OsString::from(base);
    name.push(suffix);
    PathBuf::from(name)
}

/// A plain file by its own name: a link planted in the folder would have us write elsewhere.
fn open_safely(path: &PathBuf, mode: u32) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(mode)
        // A pipe without a reader would keep us here.
        .custom_flags(libc::O_NOFOLLOW | libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path)?;
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("not a plain file; refused"));
    }
    // Made before what is in it was kept from others.
    if found.mode() & 0o007 & !mode != 0 {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(file)
}

/// A disk that fills up within a line would leave half of it for the next one to be added to.
fn append(file: &mut File, line: &str) -> io::Result<()> {
    let before = file.metadata()?.len();
    let outcome = file.write_all(line.as_bytes());
    if outcome.is_err() && file.metadata().is_ok_and(|now| now.len() > before) {
        file.set_len(before)?;
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::os::unix::fs::symlink;
    use truechimer_config::settings::FilePeriod;

    const MIDNIGHT: i64 = 1_798_761_600; // 2027-01-01

    fn moment(unix_s: i64) -> Moment {
        Moment {
            unix_s,
            age_s: 0,
            pid: 7,
        }
    }

    fn day_set(scratch: &Scratch) -> SetFile {
        let set = Set {
            file: "loopstats".to_owned(),
            period: FilePeriod::Day,
            link: true,
        };
        let prefix = format!("{}/", scratch.path("").display());
        SetFile::new(&prefix, set, 0o644)
    }

    fn mode(scratch: &Scratch, name: &str) -> u32 {
        let found = fs::metadata(scratch.path(name)).expect("there");
        found.permissions().mode() & 0o777
    }

    #[test]
    fn what_others_may_not_know_they_cannot_read() {
        let scratch = Scratch::new("filegen-mode");
        let mut file = day_set(&scratch);
        file.write(moment(MIDNIGHT), "open\n").expect("writable");
        assert_eq!(mode(&scratch, "loopstats"), 0o644);
        file = day_set(&scratch);
        file.mode = 0o640;
        file.write(moment(MIDNIGHT), "closed\n").expect("writable");
        assert_eq!(mode(&scratch, "loopstats"), 0o640, "made by an older one");
        file.write(moment(MIDNIGHT + 86_400), "closed\n")
            .expect("writable");
        assert_eq!(mode(&scratch, "loopstats.20270102"), 0o640);
    }

    fn text(scratch: &Scratch, name: &str) -> String {
        fs::read_to_string(scratch.path(name)).expect("a file")
    }

    #[test]
    fn the_link_follows_the_generations() {
        let scratch = Scratch::new("filegen");
        let mut file = day_set(&scratch);
        file.write(moment(MIDNIGHT - 1), "old\n").expect("writable");
        assert_eq!(text(&scratch, "loopstats"), "old\n");
        file.write(moment(MIDNIGHT), "new\n").expect("writable");
        file.write(moment(MIDNIGHT + 1), "newer\n")
            .expect("writable");
        assert_eq!(text(&scratch, "loopstats"), "new\nnewer\n");
        assert_eq!(text(&scratch, "loopstats.20270101"), "new\nnewer\n");
        assert_eq!(text(&scratch, "loopstats.20261231"), "old\n");
        // The clock was stepped back.
        file.write(moment(MIDNIGHT - 1), "again\n")
            .expect("writable");
        assert_eq!(text(&scratch, "loopstats"), "old\nagain\n");
        let mode = fs::metadata(scratch.path("loopstats"))
            .expect("there")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o644);
        // The next process goes on where this one was.
        let mut file = day_set(&scratch);
        file.write(moment(MIDNIGHT), "more\n").expect("writable");
        assert_eq!(text(&scratch, "loopstats"), "new\nnewer\nmore\n");
    }

    #[test]
    fn a_plain_file_in_the_links_place_is_kept() {
        let scratch = Scratch::new("filegen-conflict");
        fs::write(scratch.path("loopstats"), "of type none\n").expect("writable");
        let mut file = day_set(&scratch);
        file.write(moment(MIDNIGHT), "new\n").expect("writable");
        assert_eq!(text(&scratch, "loopstats.7C0"), "of type none\n");
        assert_eq!(text(&scratch, "loopstats"), "new\n");
    }

    #[test]
    fn links_to_elsewhere_are_refused() {
        let (scratch, other) = (Scratch::new("filegen-link"), Scratch::new("filegen-victim"));
        let victim = other.path("victim");
        fs::write(&victim, "precious\n").expect("writable");
        let planted = scratch.path("loopstats.20270101");
        symlink(&victim, &planted).expect("a link");
        let mut file = day_set(&scratch);
        file.write(moment(MIDNIGHT), "new\n").expect_err("a link");
        fs::remove_file(&planted).expect("there");
        fs::hard_link(&victim, &planted).expect("one file system");
        file.write(moment(MIDNIGHT), "new\n").expect_err("a link");
        fs::remove_file(&planted).expect("there");
        let base = scratch.path("loopstats");
        let _ = fs::remove_file(&base);
        symlink(&victim, &base).expect("a link");
        file.write(moment(MIDNIGHT), "new\n").expect_err("a link");
        assert_eq!(text(&other, "victim"), "precious\n");
    }

    #[test]
    fn what_cannot_be_begun_goes_into_the_old_file() {
        let scratch = Scratch::new("filegen-stuck");
        let mut file = day_set(&scratch);
        file.write(moment(MIDNIGHT - 1), "old\n").expect("writable");
        fs::create_dir(scratch.path("loopstats.20270101")).expect("a folder");
        file.write(moment(MIDNIGHT), "new\n").expect("kept");
        assert_eq!(text(&scratch, "loopstats.20261231"), "old\nnew\n");
    }
}
