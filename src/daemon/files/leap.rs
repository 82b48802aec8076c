//! Loading a leap-seconds.list: bounded, its SHA-1 checked, its age judged.
use super::bounded;
use crate::calendar;
use core::fmt;
use std::io;
use std::path::Path;
use truechimer_time::leap::{self, LeapListError, LeapSecondsList, LeapTable};

/// The real file has 10 kB.
const LIMIT_OCTETS: usize = 256 * 1024;
/// How long before the end of a table it is called stale.
pub const STALE_DAYS: i64 = 28;

/// Why a leap second file is not used.
#[derive(Debug)]
pub enum LeapFileError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It is no text.
    NotText,
    /// It is no whole table.
    Malformed(LeapListError),
    /// It has no `#h` line and `leapfile ... nohash` was not said.
    NoDigest,
    /// The digest in it is not that of its numbers.
    WrongDigest,
}

impl fmt::Display for LeapFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "{error}"),
            Self::NotText => f.write_str("it is no text"),
            Self::Malformed(error) => error.fmt(f),
            Self::NoDigest => {
                f.write_str("no hash signature (#h line); get a whole file, or say nohash")
            }
            Self::WrongDigest => {
                f.write_str("hash signature mismatch: it was altered or damaged; get it again")
            }
        }
    }
}

impl core::error::Error for LeapFileError {}

/// Reads a leap second file and checks its digest if `check_digest`.
///
/// # Errors
/// Whatever keeps the table from being trusted.
pub fn load(path: &Path, check_digest: bool) -> Result<LeapTable, LeapFileError> {
    let octets = bounded::read(path, LIMIT_OCTETS).map_err(LeapFileError::Unreadable)?;
    let text = core::str::from_utf8(&octets).map_err(|_| LeapFileError::NotText)?;
    let list = leap::parse(text).map_err(LeapFileError::Malformed)?;
    if check_digest {
        verify(&list)?;
    }
    Ok(list.table)
}

fn verify(list: &LeapSecondsList) -> Result<(), LeapFileError> {
    match truechimer_crypto::leap_list_matches(list) {
        Some(true) => Ok(()),
        Some(false) => Err(LeapFileError::WrongDigest),
        None => Err(LeapFileError::NoDigest),
    }
}

/// The reference daemon's line about a table just loaded.
pub fn describe(path: &Path, table: &LeapTable) -> String {
    let last = table.last_change_unix_s();
    format!(
        "leapsecond file ('{}'): loaded, expire={} last={} ofs={}",
        path.display(),
        calendar::minute(table.expires_unix_s()),
        calendar::minute(last),
        table.tai_utc_s(last).unwrap_or_default(),
    )
}

/// What is to be said of the table's age, if anything.
pub fn complaint_of_age(path: &Path, table: &LeapTable, now_unix_s: i64) -> Option<String> {
    let days_left = (table.expires_unix_s() - now_unix_s).div_euclid(86_400);
    let name = path.display();
    if days_left < 0 {
        let days = -days_left;
        Some(format!(
            "leapsecond file ('{name}'): expired {days} days ago; get a new one"
        ))
    } else if days_left < STALE_DAYS {
        Some(format!(
            "leapsecond file ('{name}'): will expire in {days_left} days"
        ))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;

    const BODY: &str = "#$ 3676924800\n#@ 3707596800\n2272060800 10\n2287785600 11\n";
    const SIGNED: &str = "36769248003707596800227206080010228778560011";

    fn digest_line(text: &str) -> String {
        let words: Vec<String> = truechimer_crypto::sha1(text.as_bytes())
            .chunks_exact(4)
            .map(|octets| octets.iter().map(|octet| format!("{octet:02x}")).collect())
            .collect();
        format!("#h {}\n", words.join(" "))
    }

    #[test]
    fn the_digest_decides() {
        let scratch = Scratch::new("leap");
        let path = scratch.path("leap-seconds.list");
        fs::write(&path, format!("{BODY}{}", digest_line(SIGNED))).expect("writable");
        let table = load(&path, true).expect("a good file");
        assert_eq!(table.tai_utc_s(78_796_800), Some(11));

        fs::write(&path, format!("{BODY}{}", digest_line("else"))).expect("writable");
        assert!(matches!(load(&path, true), Err(LeapFileError::WrongDigest)));
        assert!(load(&path, false).is_ok());

        fs::write(&path, BODY).expect("writable");
        assert!(matches!(load(&path, true), Err(LeapFileError::NoDigest)));
    }

    #[test]
    fn size_is_bounded_and_age_is_judged() {
        let scratch = Scratch::new("leap-age");
        let path = scratch.path("leap-seconds.list");
        fs::write(&path, vec![b'#'; LIMIT_OCTETS + 1]).expect("writable");
        assert!(matches!(
            load(&path, false),
            Err(LeapFileError::Unreadable(_))
        ));
        fs::write(&path, BODY).expect("writable");
        let table = load(&path, false).expect("a good file");
        let expires = table.expires_unix_s();
        let say = |now| complaint_of_age(&path, &table, now);
        assert!(say(expires + 86_400).is_some_and(|text| text.contains("expired 1 days ago")));
        assert!(say(expires - 86_400).is_some_and(|text| text.contains("expire in 1 days")));
        assert_eq!(say(expires - 40 * 86_400), None);
        assert!(describe(&path, &table).ends_with("last=1972-07-01T00:00Z ofs=11"));
    }
}
