//! Dates for people, in UTC: this room's logs must not depend on a zone file.

/// Year, month and day of a Unix day number (proleptic Gregorian).
fn date(unix_day: i64) -> (i64, i64, i64) {
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

/// `2026-11-22 00:06:30.123456`
pub(crate) fn microsecond(unix_s: i64, nanoseconds: u32) -> String {
    let (year, month, day) = date(unix_s.div_euclid(86_400));
    let second = unix_s.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:06}",
        second / 3600,
        second / 60 % 60,
        second % 60,
        nanoseconds / 1000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
