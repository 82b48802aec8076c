//! The text of `leap-seconds.list` as NIST and the IERS publish it.

use super::LeapTable;
use crate::UNIX_EPOCH_IN_NTP_SECONDS;
use core::fmt;

/// Rows a file may have; the real one gained 28 in fifty years.
const ROWS_AT_MOST: usize = 512;

/// A parsed file. The digest is not checked here, for this room holds no cryptography: hash
/// `signed_text` with SHA-1 and compare with `claimed_sha1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeapSecondsList {
    /// The table itself.
    pub table: LeapTable,
    /// Digest from the `#h` line as five words, absent if the file has none.
    pub claimed_sha1: Option<[u32; 5]>,
    /// The digits the digest covers: update stamp, expiry stamp, then each row's two numbers.
    pub signed_text: String,
}

/// Why a file was refused; lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeapListError {
    /// A row is not "NTP seconds, TAI-UTC".
    BadRow(usize),
    /// `#$`, `#@` or `#h` without the numbers it needs.
    BadMark(usize),
    /// A row is not later than the one before it.
    OutOfOrder(usize),
    /// No `#@` line: nobody can tell how long the table holds.
    NoExpiry,
    /// Not a single row.
    Empty,
    /// More rows than any real file has.
    TooLong,
}

impl fmt::Display for LeapListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRow(line) => write!(f, "line {line}: expected NTP seconds and TAI-UTC"),
            Self::BadMark(line) => write!(f, "line {line}: the mark lacks its number"),
            Self::OutOfOrder(line) => write!(f, "line {line}: not later than the row before"),
            Self::NoExpiry => write!(f, "no expiry line (#@)"),
            Self::Empty => write!(f, "no rows"),
            Self::TooLong => write!(f, "more than {ROWS_AT_MOST} rows"),
        }
    }
}

impl core::error::Error for LeapListError {}

/// Reads the text of a leap-seconds.list.
///
/// # Errors
/// The first thing that keeps the file from being a whole table.
pub fn parse(text: &str) -> Result<LeapSecondsList, LeapListError> {
    let (mut updated, mut expires, mut claimed_sha1) = ("", None, None);
    let mut rows: Vec<(i64, i32)> = Vec::new();
    let mut row_text = String::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("#$") {
            updated = first_number(rest).ok_or(LeapListError::BadMark(number))?;
        } else if let Some(rest) = line.strip_prefix("#@") {
            expires = Some(first_number(rest).ok_or(LeapListError::BadMark(number))?);
        } else if let Some(rest) = line.strip_prefix("#h") {
            claimed_sha1 = Some(digest(rest).ok_or(LeapListError::BadMark(number))?);
        } else if !line.is_empty() && !line.starts_with('#') {
            let row = row(line, &mut row_text).ok_or(LeapListError::BadRow(number))?;
            if rows.last().is_some_and(|last| last.0 >= row.0) {
                return Err(LeapListError::OutOfOrder(number));
            }
            if rows.len() == ROWS_AT_MOST {
                return Err(LeapListError::TooLong);
            }
            rows.push(row);
        }
    }
    let expires = expires.ok_or(LeapListError::NoExpiry)?;
    let expires_unix_s = unix(expires).ok_or(LeapListError::NoExpiry)?;
    let table = LeapTable::new(rows, expires_unix_s).ok_or(LeapListError::Empty)?;
    Ok(LeapSecondsList {
        table,
        claimed_sha1,
        signed_text: format!("{updated}{expires}{row_text}"),
    })
}

fn first_number(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    word.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(word)
}

/// NTP seconds of a leap file are counted on past 2036, so no era is implied.
fn unix(ntp_seconds: &str) -> Option<i64> {
    ntp_seconds
        .parse::<i64>()
        .ok()?
        .checked_sub(UNIX_EPOCH_IN_NTP_SECONDS)
}

fn row(line: &str, row_text: &mut String) -> Option<(i64, i32)> {
    let line = line.split('#').next()?;
    let mut words = line.split_whitespace();
    let (at, offset) = (words.next()?, words.next()?);
    if words.next().is_some() || first_number(at).is_none() {
        return None;
    }
    let offset_s: i32 = offset
        .parse()
        .ok()
        .filter(|offset: &i32| (-999..1000).contains(offset))?;
    row_text.push_str(at);
    row_text.push_str(offset);
    Some((unix(at)?, offset_s))
}

fn digest(text: &str) -> Option<[u32; 5]> {
    let mut words = text
        .split_whitespace()
        .map(|word| u32::from_str_radix(word, 16).ok());
    let mut digest = [0; 5];
    for slot in &mut digest {
        *slot = words.next()??;
    }
    words.next().is_none().then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "#$ 3676924800\n#@ 3707596800\n2272060800 10 # 1 Jan 1972\n\
                         2287785600\t11\t# 1 Jul 1972\n#h 63f8fea8 587c099d abcf130a ad525eae 3e105052\n";

    #[test]
    fn reads_rows_marks_and_signed_text() {
        let list = parse(SMALL).expect("a good file");
        assert_eq!(list.table.tai_utc_s(78_796_799), Some(10));
        assert_eq!(list.table.tai_utc_s(78_796_800), Some(11));
        assert_eq!(
            list.table.expires_unix_s(),
            3_707_596_800 - UNIX_EPOCH_IN_NTP_SECONDS
        );
        assert_eq!(list.claimed_sha1.map(|words| words[1]), Some(0x587c_099d));
        assert_eq!(
            list.signed_text,
            "3676924800370759680022720608001022877856001 1".replace(' ', "")
        );
    }

    #[test]
    fn refuses_what_is_not_whole() {
        assert_eq!(parse("#@ 1\n"), Err(LeapListError::Empty));
        assert_eq!(parse("2272060800 10\n"), Err(LeapListError::NoExpiry));
        assert_eq!(
            parse("#@ 9999999999\nhello\n"),
            Err(LeapListError::BadRow(2))
        );
        assert_eq!(
            parse("#@ 9999999999\n30 1\n20 2\n"),
            Err(LeapListError::OutOfOrder(3))
        );
        assert_eq!(
            parse("#@ 9999999999\n2272060800 -2147483648\n"),
            Err(LeapListError::BadRow(2))
        );
        assert_eq!(parse("#@\n"), Err(LeapListError::BadMark(1)));
        assert_eq!(parse("#h 1 2 3\n"), Err(LeapListError::BadMark(1)));
    }
}
