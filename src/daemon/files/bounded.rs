//! Reading no more of a file than is sensible.
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// The whole file, or an error if it holds more than `limit_octets`.
///
/// # Errors
/// What the operating system says; `FileTooLarge` past the limit; `InvalidInput` for a pipe with a
/// name, which would hold the reader until somebody writes to it.
pub fn read(path: &Path, limit_octets: usize) -> io::Result<Vec<u8>> {
    refuse_named_pipe(path)?;
    let mut octets = Vec::new();
    let limit = u64::try_from(limit_octets).unwrap_or(u64::MAX);
    let file = File::open(path)?;
    file.take(limit.saturating_add(1))
        .read_to_end(&mut octets)?;
    if octets.len() > limit_octets {
        let text = format!("more than {limit_octets} octets");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(octets)
}

/// An error if the path is a pipe with a name, which would hold whoever opens it.
pub(crate) fn refuse_named_pipe(path: &Path) -> io::Result<()> {
    // A pipe that a shell made (`<(...)`, /dev/stdin) has a writer, and no name of its own.
    if fs::metadata(path)?.file_type().is_fifo() && fs::canonicalize(path).is_ok() {
        let text = "a named pipe: give a file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_named_pipe_does_not_hold_the_reader() {
        let path = std::env::temp_dir().join(format!("truechimer-fifo-{}", std::process::id()));
        assert!(
            Command::new("mkfifo")
                .arg(&path)
                .status()
                .unwrap()
                .success()
        );
        let error = read(&path, 100).unwrap_err();
        fs::remove_file(&path).unwrap();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
