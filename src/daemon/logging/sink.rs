//! Where lines go.
use crate::calendar;
use log::Level;
use nix::libc;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process};
use truechimer_sys::syslog::{self, Priority};

/// A place for lines.
#[derive(Debug)]
pub(super) enum Sink {
    /// Standard error, with the time.
    Stderr,
    /// Standard error, which is the journal's: it keeps the time and wants the priority.
    Journal,
    /// syslog(3).
    SystemLog,
    /// A file.
    File(LogFile),
}

impl Sink {
    /// Standard error, as whatever it is connected to wants it.
    pub(super) fn stderr() -> Self {
        if stderr_is_journal() {
            Self::Journal
        } else {
            Self::Stderr
        }
    }

    /// How this place wants its lines.
    pub(super) const fn form(&self) -> Form {
        match self {
            Self::Stderr | Self::File(_) => Form::Stamped,
            Self::Journal => Form::Journal,
            Self::SystemLog => Form::Bare,
        }
    }

    /// Writes a line that was dressed for this place; waits as long as the place does.
    pub(super) fn write(&mut self, level: Level, line: &str) {
        match self {
            Self::Stderr | Self::Journal => to_stderr(line),
            Self::SystemLog => syslog::write(priority(level), line),
            Self::File(file) => file.write(line),
        }
    }

    /// Follows the log file's name again, as after a rotation, and complains if it cannot.
    pub(super) fn reopen(&mut self, ident: &str) {
        let Self::File(file) = self else {
            return;
        };
        if let Err(error) = file.reopen() {
            let text = format!("the log file cannot be reopened: {error}; the old one stays");
            file.write(&stamped(ident, &text));
        }
    }
}

/// What a line looks like.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// With time and name.
    Stamped,
    /// With a priority.
    Journal,
    /// The text alone.
    Bare,
}

impl Form {
    /// A line, stamped with the time of now: it may be written later.
    pub(super) fn dress(self, level: Level, ident: &str, text: &str) -> String {
        match self {
            Self::Stamped => stamped(ident, text),
            Self::Journal => format!("<{}>{text}\n", severity(level)),
            Self::Bare => text.to_owned(),
        }
    }
}

/// A line nobody can read any more is no reason to stop.
fn to_stderr(line: &str) {
    let _ = io::stderr().write_all(line.as_bytes());
}

fn stamped(ident: &str, text: &str) -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let unix_s = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let when = calendar::microsecond(unix_s, since.subsec_nanos());
    format!("{when} {ident}[{}]: {text}\n", process::id())
}

/// As sd-daemon(3) numbers them.
const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

const fn priority(level: Level) -> Priority {
    match level {
        Level::Error => Priority::Error,
        Level::Warn => Priority::Warning,
        Level::Info => Priority::Info,
        Level::Debug | Level::Trace => Priority::Debug,
    }
}

/// systemd names device and inode of the stream it connected; a redirected child must not be
/// taken in by the variable alone.
fn stderr_is_journal() -> bool {
    let Ok(stream) = env::var("JOURNAL_STREAM") else {
        return false;
    };
    let is = |meta: fs::Metadata| format!("{}:{}", meta.dev(), meta.ino()) == stream;
    fs::metadata("/proc/self/fd/2").is_ok_and(is)
}

/// A log file; a full disk costs lines, never the daemon, and the loss is told afterwards.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    lost: u64,
}

impl LogFile {
    /// Opens a plain file or a device by its one name. It may be root who opens and somebody else
    /// who owns the folder: a link planted there would have root write to, and give away, a file of
    /// the planter's choice. Devices only root can plant.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            // A pipe without a reader would keep us here.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NOCTTY | libc::O_NONBLOCK)
            .open(path)
            .map_err(explain_link)?;
        let meta = file.metadata()?;
        let kind = meta.file_type();
        if meta.nlink() != 1 || !(kind.is_file() || kind.is_char_device()) {
            let text = "not a plain file with one name; refused, for it may be a link";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            lost: 0,
        })
    }

    #[cfg(test)]
    pub(super) fn of(writer: std::io::PipeWriter) -> Self {
        Self {
            path: PathBuf::from("a pipe"),
            file: File::from(std::os::fd::OwnedFd::from(writer)),
            lost: 0,
        }
    }

    /// Gives the open file to the one who will have to reopen it; a device stays whose it is.
    pub(super) fn give_to(&self, uid: u32, gid: u32) -> io::Result<()> {
        if self.file.metadata()?.is_file() {
            fchown(&self.file, Some(uid), Some(gid))?;
        }
        Ok(())
    }

    /// Follows the name again, as after a rotation; on failure the old file stays in use.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        self.file = Self::open(&self.path)?.file;
        Ok(())
    }

    fn write(&mut self, line: &str) {
        if self.lost > 0 {
            let confession = format!("({} lines could not be written here)\n", self.lost);
            if self.file.write_all(confession.as_bytes()).is_err() {
                self.lost = self.lost.saturating_add(1);
                return;
            }
            self.lost = 0;
        }
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            self.lost = 1;
            to_stderr(&format!(
                "cannot write to {}: {error}\n",
                self.path.display()
            ));
            to_stderr(line);
        }
    }
}

/// The kernel's words for a link at the end of the name are about something else.
fn explain_link(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::ELOOP) {
        return io::Error::new(error.kind(), "a symbolic link; refused");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn a_rotated_file_is_followed() {
        let scratch = Scratch::new("log");
        let path = scratch.path("ntp.log");
        let mut sink = LogFile::open(&path).expect("writable");
        sink.write("one\n");
        fs::rename(&path, scratch.path("ntp.log.1")).expect("there");
        sink.write("two\n");
        sink.reopen().expect("writable");
        sink.write("three\n");
        let old = fs::read_to_string(scratch.path("ntp.log.1")).expect("text");
        assert_eq!(old, "one\ntwo\n");
        assert_eq!(fs::read_to_string(&path).expect("text"), "three\n");
    }

    #[test]
    fn a_link_in_the_files_place_is_refused() {
        let scratch = Scratch::new("log-link");
        let (path, victim) = (scratch.path("ntp.log"), scratch.path("victim"));
        fs::write(&victim, "precious").expect("writable");
        std::os::unix::fs::symlink(&victim, &path).expect("a link");
        let error = LogFile::open(&path).expect_err("a symbolic link");
        assert!(error.to_string().contains("symbolic link"), "{error}");
        fs::remove_file(&path).expect("there");
        fs::hard_link(&victim, &path).expect("a link");
        LogFile::open(&path).expect_err("a hard link");
        fs::remove_file(&path).expect("there");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        LogFile::open(&path).expect_err("a pipe");
        assert_eq!(fs::read_to_string(&victim).expect("text"), "precious");
    }

    #[test]
    fn the_open_file_is_given_away_and_no_other() {
        let scratch = Scratch::new("log-owner");
        let path = scratch.path("ntp.log");
        let sink = LogFile::open(&path).expect("writable");
        let victim = scratch.path("victim");
        fs::write(&victim, "").expect("writable");
        fs::remove_file(&path).expect("there");
        std::os::unix::fs::symlink(&victim, &path).expect("a link");
        let before = fs::metadata(&victim).expect("there");
        let (uid, gid) = if nix::unistd::geteuid().is_root() {
            (4242, 4242)
        } else {
            (before.uid(), before.gid())
        };
        sink.give_to(uid, gid).expect("ours to give");
        let given = sink.file.metadata().expect("open");
        assert_eq!((given.uid(), given.gid()), (uid, gid));
        let after = fs::metadata(&victim).expect("there");
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    }

    #[test]
    fn a_full_disk_costs_lines_and_says_so_later() {
        if !Path::new("/dev/full").exists() {
            return;
        }
        let scratch = Scratch::new("log-full");
        let mut sink = LogFile::open(Path::new("/dev/full")).expect("a device");
        sink.write("lost one\n");
        sink.write("lost two\n");
        assert_eq!(sink.lost, 2);
        let path = scratch.path("ntp.log");
        sink.file = LogFile::open(&path).expect("writable").file;
        sink.write("kept\n");
        let text = fs::read_to_string(&path).expect("text");
        assert_eq!(text, "(2 lines could not be written here)\nkept\n");
    }

    #[test]
    fn lines_carry_time_and_ident() {
        let line = stamped("ntpd", "hello");
        let tail = format!(" ntpd[{}]: hello\n", process::id());
        assert!(line.ends_with(&tail) && line.starts_with("20"), "{line}");
        assert!(!stderr_is_journal());
    }
}
