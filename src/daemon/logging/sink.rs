//! Where lines go.
use crate::calendar;
use log::Level;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
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

    pub(super) fn write(&mut self, level: Level, ident: &str, text: &str) {
        match self {
            Self::Stderr => to_stderr(&stamped(ident, text)),
            Self::Journal => to_stderr(&format!("<{}>{text}\n", severity(level))),
            Self::SystemLog => syslog::write(priority(level), text),
            Self::File(file) => file.write(&stamped(ident, text)),
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
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o640)
            .open(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            lost: 0,
        })
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
