//! The drift file: the frequency correction, kept across restarts (RFC 5905 §13.3).
use super::{bounded, whole};
use core::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Longest content looked at; a number and a newline need a tenth of it.
const LIMIT_OCTETS: usize = 256;
/// NTP_FREQ_MAX: no correction beyond this is real (RFC 5905 §7.2, MAXFREQ).
const FREQ_MAX_PPM: f64 = 500.0;

/// Why a drift file was not believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DriftError {
    /// Nothing but white space.
    Empty,
    /// More octets than a number can need.
    TooLong,
    /// Not one decimal number.
    NotANumber,
    /// More words than one.
    MoreThanOne,
    /// Infinite or not a number.
    NotFinite,
    /// Beyond +-500 ppm.
    OutOfRange(f64),
}

impl fmt::Display for DriftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong => write!(f, "it is longer than {LIMIT_OCTETS} octets"),
            Self::NotANumber => f.write_str("it does not hold a number"),
            Self::MoreThanOne => f.write_str("it holds more than one number"),
            Self::NotFinite => f.write_str("it holds no finite number"),
            Self::OutOfRange(freq_ppm) => {
                write!(
                    f,
                    "{freq_ppm} ppm is beyond the limit of {FREQ_MAX_PPM} ppm"
                )
            }
        }
    }
}

impl core::error::Error for DriftError {}

/// The frequency in ppm that a drift file's content says.
///
/// # Errors
/// Whatever keeps it from being one finite number within 500 ppm.
///
/// ```
/// use truechimer::files::drift::{parse, DriftError};
/// assert_eq!(parse(b"-12.345\n"), Ok(-12.345));
/// assert_eq!(parse(b"501"), Err(DriftError::OutOfRange(501.0)));
/// ```
pub fn parse(octets: &[u8]) -> Result<f64, DriftError> {
    if octets.len() > LIMIT_OCTETS {
        return Err(DriftError::TooLong);
    }
    let text = core::str::from_utf8(octets).map_err(|_| DriftError::NotANumber)?;
    let mut words = text.split_ascii_whitespace();
    let word = words.next().ok_or(DriftError::Empty)?;
    if words.next().is_some() {
        return Err(DriftError::MoreThanOne);
    }
    let freq_ppm: f64 = word.parse().map_err(|_| DriftError::NotANumber)?;
    if !freq_ppm.is_finite() {
        return Err(DriftError::NotFinite);
    }
    if freq_ppm.abs() > FREQ_MAX_PPM {
        return Err(DriftError::OutOfRange(freq_ppm));
    }
    Ok(freq_ppm)
}

/// What a look at the drift file gave.
#[derive(Debug)]
pub enum Found {
    /// A frequency, ppm.
    Frequency(f64),
    /// There is none yet.
    Nothing,
    /// There is one and it cannot be read.
    Unreadable(io::Error),
    /// There is one and it cannot be believed.
    Refused(DriftError),
}

/// Looks at the drift file.
pub fn load(path: &Path) -> Found {
    match bounded::read(path, LIMIT_OCTETS) {
        Ok(octets) => parse(&octets).map_or_else(Found::Refused, Found::Frequency),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            Found::Refused(DriftError::TooLong)
        }
        Err(error) => Found::Unreadable(error),
    }
}

/// Replaces the drift file; a crash or a full disk leaves the old one as it was.
///
/// # Errors
/// What the operating system says; the temporary file is removed then.
pub fn store(path: &Path, freq_ppm: f64) -> io::Result<()> {
    whole::replace(path, 0o644, |file| writeln!(file, "{freq_ppm:.6}"))?;
    if let Some(folder) = path.parent().filter(|folder| folder.is_absolute()) {
        // Not every file system can sync a folder; the rename itself has succeeded.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::whole::draft_beside;
    use crate::testing::Scratch;
    use std::fs;

    #[test]
    fn one_finite_number_within_500_ppm() {
        for (text, freq_ppm) in [
            ("0", 0.0),
            (" -500.0\n", -500.0),
            ("1.5e1", 15.0),
            ("+3", 3.0),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(freq_ppm), "{text}");
        }
        for (octets, error) in [
            (&b""[..], DriftError::Empty),
            (b" \n\t", DriftError::Empty),
            (b"hello", DriftError::NotANumber),
            (b"\xFF\xFE", DriftError::NotANumber),
            (b"1.5 0.02", DriftError::MoreThanOne),
            (b"NaN", DriftError::NotFinite),
            (b"inf", DriftError::NotFinite),
            (b"-500.001", DriftError::OutOfRange(-500.001)),
            (&[b'1'; LIMIT_OCTETS + 1], DriftError::TooLong),
        ] {
            assert_eq!(parse(octets), Err(error), "{octets:?}");
        }
    }

    #[test]
    fn stored_and_found_again() {
        let scratch = Scratch::new("drift");
        let path = scratch.path("ntp.drift");
        assert!(matches!(load(&path), Found::Nothing));
        store(&path, -17.25).expect("writable");
        store(&path, 3.5).expect("writable again");
        assert!(matches!(load(&path), Found::Frequency(freq_ppm) if freq_ppm == 3.5));
        assert_eq!(fs::read_to_string(&path).expect("text"), "3.500000\n");
        assert!(!draft_beside(&path).exists());
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_nothing_behind() {
        let scratch = Scratch::new("drift-fail");
        let path = scratch.path("ntp.drift");
        store(&path, 1.0).expect("writable");
        // A folder in the temporary file's place makes the write fail even for root.
        fs::create_dir(draft_beside(&path)).expect("a folder");
        store(&path, 2.0).expect_err("in the way");
        assert!(matches!(load(&path), Found::Frequency(freq_ppm) if freq_ppm == 1.0));
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let scratch = Scratch::new("drift-link");
        let (path, victim) = (scratch.path("ntp.drift"), scratch.path("victim"));
        fs::write(&victim, "precious").expect("writable");
        std::os::unix::fs::symlink(&victim, draft_beside(&path)).expect("a link");
        store(&path, 2.0).expect("writable");
        assert_eq!(fs::read_to_string(&victim).expect("text"), "precious");
    }
}
