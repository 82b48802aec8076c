//! Reading no more of a file than is sensible.
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The whole file, or an error if it holds more than `limit_octets`.
///
/// # Errors
/// What the operating system says; `FileTooLarge` past the limit.
pub fn read(path: &Path, limit_octets: usize) -> io::Result<Vec<u8>> {
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
