//! The process id file.
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;

/// A process id file of ours, removed on drop where we still may.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes our number, in the place of a stale file if need be.
    ///
    /// # Errors
    /// `AlreadyExists` if another process of this program is alive under the number in it: its
    /// file is left alone. Else what the operating system says.
    pub fn write(path: &Path) -> io::Result<Self> {
        match create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if let Some(pid) = living_owner(path) {
                    let text = format!("process {pid} lives and is of this program");
                    return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
                }
                // A link in its place is removed, not followed: the file is written as root.
                fs::remove_file(path)?;
                create(path)?;
            }
            outcome => outcome?,
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // After the privileges were dropped it may have to stay; the next start finds it stale.
        let _ = fs::remove_file(&self.path);
    }
}

fn create(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)?;
    writeln!(file, "{}", process::id())
}

/// The daemon whose number is in the file, if it lives and is of this program, under any of its names
/// and of an older version too.
pub fn daemon(path: &Path) -> Option<u32> {
    let pid = number(path)?;
    let program = |who: &str| {
        let path = fs::read_link(format!("/proc/{who}/exe")).ok()?;
        let name = path.file_name()?.to_string_lossy().into_owned();
        // The kernel's word for one that an upgrade replaced.
        Some(name.trim_end_matches(" (deleted)").to_owned())
    };
    let same = program(&pid.to_string())? == program("self")?;
    same.then_some(pid)
}

/// The number in the file, if it is of a living process that runs the same program as we do. A
/// number alone proves nothing: after a crash it may be anybody's.
fn living_owner(path: &Path) -> Option<u32> {
    let pid = number(path)?;
    let name_of = |who: &str| fs::read(format!("/proc/{who}/comm")).ok();
    let same = name_of(&pid.to_string())? == name_of("self")?;
    (same && pid != process::id()).then_some(pid)
}

fn number(path: &Path) -> Option<u32> {
    if !fs::symlink_metadata(path).ok()?.is_file() {
        return None;
    }
    let text = super::bounded::read(path, 64).ok()?;
    core::str::from_utf8(&text).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn replaces_what_is_stale_and_cleans_up() {
        let scratch = Scratch::new("pid");
        let path = scratch.path("ntpd.pid");
        // Process 1 lives, but does not run this program.
        for stale in ["1\n", "garbage", "", "4194304999"] {
            fs::write(&path, stale).expect("writable");
            let file = PidFile::write(&path).expect("stale");
            let text = fs::read_to_string(&path).expect("text");
            assert_eq!(text, format!("{}\n", process::id()));
            drop(file);
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_number_is_the_daemons_if_it_is_of_this_program() {
        let scratch = Scratch::new("pid-daemon");
        let path = scratch.path("ntpd.pid");
        assert_eq!(daemon(&path), None, "no file");
        for (text, whose) in [
            (format!("{}\n", process::id()), Some(process::id())),
            ("1\n".to_owned(), None),
            ("garbage".to_owned(), None),
        ] {
            fs::write(&path, &text).expect("writable");
            assert_eq!(daemon(&path), whose, "{text}");
        }
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let scratch = Scratch::new("pid-link");
        let (path, victim) = (scratch.path("ntpd.pid"), scratch.path("victim"));
        fs::write(&victim, "precious").expect("writable");
        std::os::unix::fs::symlink(&victim, &path).expect("a link");
        let file = PidFile::write(&path).expect("the link is replaced");
        assert_eq!(fs::read_to_string(&victim).expect("text"), "precious");
        drop(file);
    }
}
