//! Dates for people, in UTC: this room's logs must not depend on a zone file.
use std::time::{SystemTime, UNIX_EPOCH};

/// By the system clock, seconds of Unix.
pub(crate) fn now_unix_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// Year, month and day of a Unix day number (proleptic Gregorian).
pub(crate) fn date(unix_day: i64) -> (i64, i64, i64) {
    // Counted from 1 March of year 0, so that the leap day is the last of its year.
    let day = unix_day + 719_468;
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_month)
}

/// Year and week of a Unix day number by ISO 8601: a week belongs to the year of its Thursday.
pub(crate) fn iso_week(unix_day: i64) -> (i64, i64) {
    let weekday = (unix_day + 3).rem_euclid(7);
    let thursday = unix_day - weekday + 3;
    let (year, mut month, day) = date(thursday);
    let mut first = thursday - (day - 1);
    while month > 1 {
        let (_, before, days) = date(first - 1);
        (month, first) = (before, first - days);
    }
    (year, (thursday - first) / 7 + 1)
}

/// `2026-11-22T00:06Z`
pub(crate) fn minute(unix_s: i64) -> String {
    let (year, month, day) = date(unix_s.div_euclid(86_400));
    let second = unix_s.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60
    )
}

/// `Sun Nov 22 00:06:30 2026`, as ctime(3) has it, but in UTC.
pub(crate) fn ctime(unix_s: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let unix_day = unix_s.div_euclid(86_400);
    let (year, month, day) = date(unix_day);
    let second = unix_s.rem_euclid(86_400);
    let pick = |names: &[&'static str], index: i64| {
        usize::try_from(index)
            .ok()
            .and_then(|index| names.get(index).copied())
            .unwrap_or("?")
    };
    format!(
        "{} {} {day:2} {:02}:{:02}:{:02} {year}",
        pick(&DAYS, unix_day.rem_euclid(7)),
        pick(&MONTHS, month - 1),
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// `2026-11-22 00:06:30.123456`
pub(crate) fn microsecond(unix_s: i64, nanoseconds: u32) -> String {
    format!("{}.{:06}", second(unix_s), nanoseconds / 1000)
}

/// `2026-11-22 00:06:30.1234`
pub(crate) fn ten_thousandth(unix_s: i64, nanoseconds: u32) -> String {
    format!("{}.{:04}", second(unix_s), nanoseconds / 100_000)
}

/// `2026-11-22 00:06:30`
fn second(unix_s: i64) -> String {
    let (year, month, day) = date(unix_s.div_euclid(86_400));
    let second = unix_s.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_of_iso_8601() {
        for (date_unix_s, wanted) in [
            (1_795_544_142, (2026, 48)), // 2026-11-24
            (1_798_761_600, (2026, 53)), // 2027-01-01, a Friday
            (1_799_020_800, (2027, 1)),  // the Monday after it
            (1_767_225_600, (2026, 1)),  // 2026-01-01, a Thursday
            (1_735_516_800, (2025, 1)),  // 2024-12-30, a Monday
            (0, (1970, 1)),
        ] {
            let unix_day = i64::div_euclid(date_unix_s, 86_400);
            assert_eq!(iso_week(unix_day), wanted, "{date_unix_s}");
        }
    }

    #[test]
    fn known_dates() {
        for (unix_s, text) in [
            (0, "1970-01-01T00:00Z"),
            (951_782_400, "2000-02-29T00:00Z"),
            (1_483_228_800, "2017-01-01T00:00Z"),
            (2_085_978_496, "2036-02-07T06:28Z"),
            (-1, "1969-12-31T23:59Z"),
            (4_107_542_399, "2100-02-28T23:59Z"),
            (4_107_542_400, "2100-03-01T00:00Z"),
        ] {
            assert_eq!(minute(unix_s), text);
        }
        assert_eq!(
            microsecond(1_700_000_000, 123_456_789),
            "2023-11-14 22:13:20.123456"
        );
    }

    #[test]
    fn as_ctime() {
        assert_eq!(
            ctime(4_004_285_679 - 2_208_988_800),
            "Sat Nov 21 21:34:39 2026"
        );
        assert_eq!(ctime(0), "Thu Jan  1 00:00:00 1970");
    }
}
