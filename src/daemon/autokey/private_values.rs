//! The values that a server makes cookies of. ntpd's clients ignore what a server says of a cookie it
//! does not know, so a value outlives the process, and former ones count for as long as a client may
//! keep its cookie.
use crate::files::{bounded, whole};
use core::fmt::Write as _;
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use truechimer_sys::entropy;

/// Former values that still count, at most; each costs a digest for a cookie nobody knows.
pub(crate) const FORMER_MAX: usize = 6;
/// How long a former value counts: clients of ntpd begin anew after 2^19 s.
const FORMER_S: i64 = 1 << 19;
/// How often the value is made anew unless `revoke` says otherwise, log2 seconds.
const USUAL_REVOKE_LOG2_S: u8 = 17;
/// Seven lines of two numbers and a heading.
const FILE_LEN_MAX: usize = 1024;
const HEADING: &str = "# Private values of Autokey's cookies and when they were made; who knows them \
                       can forge this server's answers.";

/// A value, and when it was made, seconds of Unix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Made {
    value: u32,
    at_unix_s: i64,
}

/// The values, the one in use first; never empty.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PrivateValues(Vec<Made>);

impl core::fmt::Debug for PrivateValues {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PrivateValues({})", self.0.len())
    }
}

/// How often a value is made anew, seconds.
pub(crate) fn lifetime_s(revoke_log2_s: Option<u8>) -> i64 {
    1 << revoke_log2_s.unwrap_or(USUAL_REVOKE_LOG2_S).min(62)
}

impl PrivateValues {
    /// One new value.
    pub(crate) fn new(now_unix_s: i64) -> io::Result<Self> {
        Ok(Self(vec![Made {
            value: random()?,
            at_unix_s: now_unix_s,
        }]))
    }

    /// Those of the file, or a new one where there is none that can be believed; and whether that is so.
    pub(crate) fn load(path: &Path, now_unix_s: i64) -> io::Result<(Self, Origin)> {
        match bounded::read(path, FILE_LEN_MAX) {
            Ok(octets) => match parse(&octets, now_unix_s) {
                Some(values) => Ok((values, Origin::File)),
                None => Ok((Self::new(now_unix_s)?, Origin::Damaged)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok((Self::new(now_unix_s)?, Origin::New))
            }
            Err(error) => Ok((Self::new(now_unix_s)?, Origin::Unreadable(error))),
        }
    }

    /// As `System` takes them.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.0.iter().map(|made| made.value).collect()
    }

    /// Makes the value anew if it is old enough, and forgets those that nobody's cookie is of any more;
    /// whether anything changed. A clock that was set back makes a value young, not new.
    pub(crate) fn renew(&mut self, now_unix_s: i64, lifetime_s: i64) -> io::Result<bool> {
        let due = self
            .0
            .first()
            .is_none_or(|made| now_unix_s.saturating_sub(made.at_unix_s) >= lifetime_s);
        if due {
            self.0.insert(
                0,
                Made {
                    value: random()?,
                    at_unix_s: now_unix_s,
                },
            );
        }
        let before = self.0.len();
        self.0.truncate(FORMER_MAX + 1);
        // A value is of use from when it was made until so long after the next one was.
        let mut ends = i64::MAX;
        self.0.retain(|made| {
            let counts = ends > now_unix_s;
            ends = made.at_unix_s.saturating_add(FORMER_S);
            counts
        });
        Ok(due || self.0.len() != before)
    }

    /// Seconds until `renew` has something to do.
    pub(crate) fn due_in_s(&self, now_unix_s: i64, lifetime_s: i64) -> i64 {
        let made = self.0.first().map_or(now_unix_s, |made| made.at_unix_s);
        made.saturating_add(lifetime_s)
            .saturating_sub(now_unix_s)
            .max(0)
    }

    /// Replaces the file, readable by its owner alone; a crash leaves the old one as it was.
    pub(crate) fn store(&self, path: &Path) -> io::Result<()> {
        let mut text = format!("{HEADING}\n");
        for made in &self.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{:08x} {}", made.value, made.at_unix_s);
        }
        whole::replace(path, 0o600, |file| {
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(text.as_bytes())
        })
    }
}

/// Where values came from.
#[derive(Debug)]
pub(crate) enum Origin {
    /// The file.
    File,
    /// There is no file yet.
    New,
    /// The file is not one of ours.
    Damaged,
    /// It cannot be read.
    Unreadable(io::Error),
}

fn random() -> io::Result<u32> {
    let mut octets = [0; 4];
    entropy::fill(&mut octets)?;
    Ok(u32::from_be_bytes(octets))
}

/// What is of the future by a clock that was set back, or that begins in 1970 at each start, is of now:
/// it is still the value that clients have their cookies of, and is not to stay longer than usual.
fn parse(octets: &[u8], now_unix_s: i64) -> Option<PrivateValues> {
    let text = core::str::from_utf8(octets).ok()?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let values: Option<Vec<Made>> = lines
        .map(|line| {
            let (value, at) = line.split_once(' ')?;
            let at_unix_s: i64 = at.parse().ok()?;
            Some(Made {
                value: u32::from_str_radix(value, 16).ok()?,
                at_unix_s: at_unix_s.min(now_unix_s),
            })
        })
        .collect();
    let values = values.filter(|it| !it.is_empty() && it.len() <= FORMER_MAX + 1)?;
    let sound = |made: &Made| made.at_unix_s >= 0;
    values.iter().all(sound).then_some(PrivateValues(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;
    use std::fs;

    const DAY_S: i64 = 86_400;

    #[test]
    fn values_outlive_the_process_and_are_nobody_elses() {
        let scratch = Scratch::new("private-values");
        let path = scratch.path("cookies");
        let (mut values, origin) = PrivateValues::load(&path, 1000).unwrap();
        assert!(matches!(origin, Origin::New));
        assert!(values.renew(1000 + (1 << 17), lifetime_s(None)).unwrap());
        values.store(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (again, origin) = PrivateValues::load(&path, 200_000).unwrap();
        assert!(matches!(origin, Origin::File));
        assert_eq!(again.numbers(), values.numbers());
        assert_eq!(again.numbers().len(), 2);
        let shown = format!("{again:?}");
        assert_eq!(shown, "PrivateValues(2)");
        let ages = format!("1 {}\n2 {}\n", i64::MIN, i64::MAX);
        let many = "1 2\n".repeat(8);
        for damage in ["", "zz 1\n", "12345678\n", "1 2 3\n", &ages, &many] {
            fs::write(&path, damage).unwrap();
            let (new, origin) = PrivateValues::load(&path, 5000).unwrap();
            assert!(matches!(origin, Origin::Damaged), "{damage}");
            assert_eq!(new.numbers().len(), 1);
        }
    }

    #[test]
    fn a_value_is_renewed_in_time_and_counts_six_days_longer() {
        let lifetime = lifetime_s(Some(17));
        let mut values = PrivateValues::new(0).unwrap();
        let first = values.numbers()[0];
        assert!(!values.renew(lifetime - 1, lifetime).unwrap());
        assert_eq!(values.due_in_s(lifetime - 1, lifetime), 1);
        assert!(values.renew(lifetime, lifetime).unwrap());
        assert_ne!(values.numbers()[0], first);
        assert_eq!(values.numbers()[1], first);
        // Nothing is due, and the former one has still to be known.
        assert!(!values.renew(lifetime + FORMER_S - 1, i64::MAX).unwrap());
        assert!(values.renew(lifetime + FORMER_S, i64::MAX).unwrap());
        assert_eq!(values.numbers().len(), 1);
    }

    #[test]
    fn however_often_it_is_renewed_six_former_ones_are_known() {
        let mut values = PrivateValues::new(0).unwrap();
        for day in 1..20 {
            values.renew(day, 1).unwrap();
        }
        assert_eq!(values.numbers().len(), FORMER_MAX + 1);
    }

    /// Clients of ntpd 4.2.8 do not come back by themselves to a server whose board has no clock.
    #[test]
    fn a_start_in_1970_does_not_lose_what_clients_have_cookies_of() {
        let scratch = Scratch::new("private-values-1970");
        let path = scratch.path("cookies");
        let today = 20_000 * DAY_S;
        let before = PrivateValues::new(today).unwrap();
        before.store(&path).unwrap();
        let (mut values, origin) = PrivateValues::load(&path, 60).unwrap();
        assert!(matches!(origin, Origin::File));
        assert_eq!(values.numbers(), before.numbers());
        assert!(!values.renew(60, lifetime_s(None)).unwrap());
        // The clock is set.
        assert!(values.renew(today + 300, lifetime_s(None)).unwrap());
        assert_eq!(values.numbers()[1..], before.numbers());
        fs::write(&path, format!("1 {}\n", i64::MAX)).unwrap();
        let (values, _) = PrivateValues::load(&path, 5000).unwrap();
        assert_eq!(values.due_in_s(5000, lifetime_s(None)), 1 << 17);
    }

    #[test]
    fn a_clock_set_back_makes_nothing_anew() {
        let mut values = PrivateValues::new(100 * DAY_S).unwrap();
        let before = values.numbers();
        assert!(!values.renew(0, lifetime_s(None)).unwrap());
        assert_eq!(values.numbers(), before);
    }

    proptest::proptest! {
        /// Whatever is in the file: no panic, no more values than count, and what is believed is stored so
        /// that it is read again as the same.
        #[test]
        fn any_file(
            lines in proptest::collection::vec("(#[a-z ]{0,9}|[0-9a-f]{0,9} -?[0-9]{0,20}|.{0,12})", 0..10),
            now_unix_s in 0..i64::MAX,
        ) {
            if let Some(values) = parse(lines.join("\n").as_bytes(), now_unix_s) {
                assert!((1..=FORMER_MAX + 1).contains(&values.0.len()));
                assert!(values.0.iter().all(|made| (0..=now_unix_s).contains(&made.at_unix_s)));
                let scratch = Scratch::new("private-values-any");
                let path = scratch.path("cookies");
                values.store(&path).unwrap();
                let (again, _) = PrivateValues::load(&path, now_unix_s).unwrap();
                assert!(again == values);
            }
        }

        #[test]
        fn any_octets(octets: Vec<u8>) {
            let _ = parse(&octets, 1000);
        }
    }
}
