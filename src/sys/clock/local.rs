//! The operator's time zone.
use core::mem::MaybeUninit;

/// A moment as the clock on the wall shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// 1970 and so on.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 is Sunday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// Ahead of UTC, seconds.
    pub ahead_of_utc_s: i32,
}

/// A Unix time in the zone the environment or the system sets; `None` where the year does not fit.
pub fn local_time(unix_s: i64) -> Option<LocalTime> {
    let seconds: libc::time_t = unix_s;
    let mut parts = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call; an all-zero `tm` is a value of the type.
    let filled = unsafe { libc::localtime_r(&raw const seconds, parts.as_mut_ptr()) };
    if filled.is_null() {
        return None;
    }
    // SAFETY: localtime_r filled it.
    let parts = unsafe { parts.assume_init() };
    let small = |value: libc::c_int| u8::try_from(value).ok();
    Some(LocalTime {
        year: parts.tm_year.checked_add(1900)?,
        month: small(parts.tm_mon)?.checked_add(1)?,
        day: small(parts.tm_mday)?,
        weekday: small(parts.tm_wday)?,
        hour: small(parts.tm_hour)?,
        minute: small(parts.tm_min)?,
        second: small(parts.tm_sec)?,
        ahead_of_utc_s: i32::try_from(parts.tm_gmtoff).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_and_time_agree() {
        let local = local_time(951_782_400).expect("29 February 2000");
        let of_day =
            i32::from(local.hour) * 3600 + i32::from(local.minute) * 60 + i32::from(local.second);
        assert_eq!((of_day - local.ahead_of_utc_s).rem_euclid(86_400), 0);
        assert_eq!(local.year, 2000);
        assert_eq!(local_time(i64::MAX), None);
    }
}
