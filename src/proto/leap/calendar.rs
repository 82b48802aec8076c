//! As much of the Gregorian calendar as a leap second needs.

/// A day of Unix time, seconds.
pub(super) const DAY_S: i64 = 86_400;
/// Days from 0000-03-01, where years may begin so that leap days come last, to 1970-01-01.
const EPOCH_DAYS: i64 = 719_468;
/// Days in the calendar's cycle of 400 years.
const CYCLE_DAYS: i64 = 146_097;

/// A moment of UTC as ntpq shows the stamps of files: `YYYYMMDDhhmm`.
pub(crate) fn compact(unix_s: i64) -> String {
    let date = date_of(unix_s);
    let minute = unix_s.rem_euclid(DAY_S) / 60;
    let (year, month, day) = (date.year, date.month, date.day);
    format!(
        "{year:04}{month:02}{day:02}{:02}{:02}",
        minute / 60,
        minute % 60
    )
}

/// A day of the Gregorian calendar.
struct Date {
    year: i64,
    /// 1 is January.
    month: i64,
    /// From 1.
    day: i64,
    /// Of the cycle, beginning in March.
    year_of_cycle: i64,
}

/// A month, by its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Month {
    /// 1 is January.
    pub(super) number: i64,
    /// Unix time of the midnight it ends at.
    pub(super) end_unix_s: i64,
}

/// The month of a moment in UTC.
pub(super) fn month_end(unix_s: i64) -> Month {
    let date = date_of(unix_s);
    let length = match date.month {
        2 => days_in_february(date.year_of_cycle),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let days_left = length - date.day + 1;
    let today = unix_s.div_euclid(DAY_S);
    Month {
        number: date.month,
        end_unix_s: today.saturating_add(days_left).saturating_mul(DAY_S),
    }
}

fn date_of(unix_s: i64) -> Date {
    let day = unix_s.div_euclid(DAY_S).saturating_add(EPOCH_DAYS);
    let day_of_cycle = day.rem_euclid(CYCLE_DAYS);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    // March is month 0; from there lengths repeat every five months, 153 days.
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = day.div_euclid(CYCLE_DAYS) * 400 + year_of_cycle;
    Date {
        year: if month < 3 { year + 1 } else { year },
        month,
        day: day_of_year - (153 * from_march + 2) / 5 + 1,
        year_of_cycle,
    }
}

/// February ends a year that began in March, and the calendar year after it is the one that counts.
const fn days_in_february(year_of_cycle: i64) -> i64 {
    let year = year_of_cycle + 1;
    if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) {
        29
    } else {
        28
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_files() {
        assert_eq!(compact(0), "197001010000");
        // The newest leap second, and days around a leap day.
        assert_eq!(compact(1_483_228_800), "201701010000");
        assert_eq!(compact(1_709_164_800 + 86_399), "202402292359");
        assert_eq!(compact(1_709_251_200), "202403010000");
    }

    /// `date -u -d ... +%s`
    #[test]
    fn ends_of_known_months() {
        for (moment, number, end_unix_s) in [
            (0, 1, 2_678_400),
            (1_483_228_799, 12, 1_483_228_800), // 2016-12-31 23:59:59
            (1_483_228_800, 1, 1_485_907_200),  // 2017-01-01
            (1_582_934_400, 2, 1_583_020_800),  // 2020-02-29
            (1_582_934_399, 2, 1_583_020_800),  // 2020-02-28 23:59:59
            (1_677_542_400, 2, 1_677_628_800),  // 2023-02-28
            (951_782_400, 2, 951_868_800),      // 2000-02-29
            (4_107_456_000, 2, 4_107_542_400),  // 2100-02-28
            (1_435_708_799, 6, 1_435_708_800),  // 2015-06-30 23:59:59
            (-1, 12, 0),
        ] {
            assert_eq!(month_end(moment), Month { number, end_unix_s }, "{moment}");
        }
    }

    #[test]
    fn months_follow_each_other_for_800_years() {
        let mut at = -5_000_000_000;
        let mut before = month_end(at);
        for _ in 0..9_600 {
            at = before.end_unix_s;
            let month = month_end(at);
            assert_eq!(month.number, before.number % 12 + 1, "{at}");
            let days = (month.end_unix_s - at) / DAY_S;
            assert!((28..=31).contains(&days));
            assert_eq!(month_end(month.end_unix_s - 1), month);
            before = month;
        }
    }
}
