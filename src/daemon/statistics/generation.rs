//! Names of the files of a set, one generation after the other.
use crate::calendar;
use truechimer_config::settings::FilePeriod;

/// A day of a running daemon, seconds.
const DAY_S: u64 = 86_400;

/// What a file's name can depend on.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Unix time of the record.
    pub unix_s: i64,
    /// How long this process has run, seconds.
    pub age_s: u64,
    /// This process.
    pub pid: u32,
}

/// What the name ends in; files with one ending are one generation. A week is ISO 8601's, as the
/// reference has it, whatever its manual says.
///
/// ```
/// use truechimer::statistics::{suffix, Moment};
/// use truechimer_config::settings::FilePeriod;
/// let new_year = Moment { unix_s: 1_767_225_600, age_s: 90_000, pid: 77 };
/// assert_eq!(suffix(FilePeriod::Week, new_year), ".2026w01");
/// assert_eq!(suffix(FilePeriod::Age, new_year), ".a00086400");
/// ```
pub fn suffix(period: FilePeriod, moment: Moment) -> String {
    let unix_day = moment.unix_s.div_euclid(86_400);
    let (year, month, day) = calendar::date(unix_day);
    match period {
        FilePeriod::None => String::new(),
        FilePeriod::Pid => format!(".#{}", moment.pid),
        FilePeriod::Day => format!(".{year:04}{month:02}{day:02}"),
        FilePeriod::Week => {
            let (year, week) = calendar::iso_week(unix_day);
            format!(".{year:04}w{week:02}")
        }
        FilePeriod::Month => format!(".{year:04}{month:02}"),
        FilePeriod::Year => format!(".{year:04}"),
        FilePeriod::Age => format!(".a{:08}", moment.age_s / DAY_S * DAY_S),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_the_reference_gives_them() {
        // 2026-11-24 18:15 UTC, as seen of ntpd 4.2.8p15.
        let moment = Moment {
            unix_s: 1_795_544_142,
            age_s: 17,
            pid: 3302,
        };
        for (period, wanted) in [
            (FilePeriod::None, ""),
            (FilePeriod::Pid, ".#3302"),
            (FilePeriod::Day, ".20261124"),
            (FilePeriod::Week, ".2026w48"),
            (FilePeriod::Month, ".202611"),
            (FilePeriod::Year, ".2026"),
            (FilePeriod::Age, ".a00000000"),
        ] {
            assert_eq!(suffix(period, moment), wanted);
        }
    }

    #[test]
    fn a_generation_ends_at_midnight() {
        let at = |unix_s| Moment {
            unix_s,
            age_s: 0,
            pid: 1,
        };
        let midnight = 1_798_761_600; // 2027-01-01
        let before = at(midnight - 1);
        assert_eq!(suffix(FilePeriod::Day, before), ".20261231");
        assert_eq!(suffix(FilePeriod::Day, at(midnight)), ".20270101");
        assert_eq!(suffix(FilePeriod::Month, at(midnight)), ".202701");
        assert_eq!(suffix(FilePeriod::Year, before), ".2026");
        // That Friday is still in the week that began in December.
        assert_eq!(suffix(FilePeriod::Week, at(midnight)), ".2026w53");
        assert_eq!(
            suffix(FilePeriod::Week, at(midnight + 3 * 86_400)),
            ".2027w01"
        );
    }
}
