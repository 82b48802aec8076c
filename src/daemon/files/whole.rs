//! Files are replaced whole: who reads one sees the old or the new.
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Replaces a file, or makes it, with this mode; a crash or a full disk leaves the old one as it was.
///
/// # Errors
/// What the operating system says; the draft is removed then.
pub(crate) fn replace(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let draft = draft_beside(path);
    let outcome = write_draft(&draft, mode, write).and_then(|()| fs::rename(&draft, path));
    if outcome.is_err() {
        // Left behind it would only be in the way; that it may not exist is no news.
        let _ = fs::remove_file(&draft);
    }
    outcome
}

/// In the same folder, for a rename cannot cross file systems.
pub(super) fn draft_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".TEMP");
    PathBuf::from(name)
}

fn write_draft(
    draft: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    // A leftover of a crash, or a link planted by whoever may write here: neither is followed.
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(draft)?;
    write(&mut file)?;
    file.sync_all()
}
