//! Time stamps and milliseconds as the reference's tools print them.
use truechimer_sys::clock::{LocalTime, local_time, wall};
use truechimer_time::{NtpTimestamp, UNIX_EPOCH_IN_NTP_SECONDS};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
/// 2^32 / 1000, cut: the reference divides a fraction by it to get milliseconds.
const FRACTION_PER_MS: u32 = 4_294_967;

fn month(time: &LocalTime) -> &'static str {
    let place = usize::from(time.month).saturating_sub(1);
    MONTHS.get(place).copied().unwrap_or("???")
}

/// Reads a time stamp: `0xeeb0538a.21a92b06`, or seconds with a decimal point.
pub fn moment(text: &str) -> Option<NtpTimestamp> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let (seconds, fraction) = hex.split_once('.').unwrap_or((hex, "0"));
        let part = |digits: &str| u32::from_str_radix(digits, 16).ok();
        let whole = u64::from(part(seconds)?) << 32;
        return Some(NtpTimestamp::from_bits(whole | u64::from(part(fraction)?)));
    }
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: u32 = seconds.parse().ok()?;
    if fraction.is_empty() || !fraction.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    let whole = NtpTimestamp::from_bits(u64::from(seconds) << 32);
    Some(whole.plus(truechimer_time::NtpDuration::from_seconds(fraction)))
}

/// A time stamp in hexadecimal, with date and local time.
pub fn pretty(at: NtpTimestamp) -> String {
    if at.is_zero() {
        return "(no time)".to_owned();
    }
    let bits = at.to_bits();
    let (seconds, fraction) = (bits >> 32, bits & 0xFFFF_FFFF);
    let hex = format!("{seconds:08x}.{fraction:08x}");
    let millisecond = fraction / u64::from(FRACTION_PER_MS);
    let (unix_s, _) = at.to_unix(now_unix_s());
    // A fraction just under one second would show as 1000 ms.
    let (unix_s, millisecond) = match millisecond.checked_sub(1000) {
        Some(rest) => (unix_s.saturating_add(1), rest),
        None => (unix_s, millisecond),
    };
    let Some(time) = local_time(unix_s) else {
        return hex;
    };
    let day = DAYS.get(usize::from(time.weekday)).copied();
    format!(
        "{hex}  {}, {} {:2} {:4} {:2}:{:02}:{:02}.{millisecond:03}",
        day.unwrap_or("???"),
        month(&time),
        time.day,
        time.year,
        time.hour,
        time.minute,
        time.second
    )
}

/// Now, as the reference's programs begin a line of their log: ` 6 Mar 17:48:16`.
pub fn log_moment() -> String {
    local_time(now_unix_s()).map_or_else(String::new, |time| {
        format!(
            "{:2} {} {:02}:{:02}:{:02}",
            time.day,
            month(&time),
            time.hour,
            time.minute,
            time.second
        )
    })
}

fn now_unix_s() -> i64 {
    // Right until 2104; the system's own clock is all there is to tell the era by.
    let seconds = i64::from(wall().seconds());
    let era = if seconds < UNIX_EPOCH_IN_NTP_SECONDS {
        1 << 32
    } else {
        0
    };
    seconds + era - UNIX_EPOCH_IN_NTP_SECONDS
}

/// Milliseconds in decimal, without exponent, as a number: `None` for anything else.
pub fn fixed_ms(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.starts_with(|c: char| c == '.' || c.is_ascii_digit())
        && digits
            .bytes()
            .all(|octet| octet == b'.' || octet.is_ascii_digit());
    if !plain || text.len() > 60 {
        return None;
    }
    // Nothing below zero is still nothing: -0.00 would show its sign.
    text.parse().ok().map(|number: f64| number + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_there_and_back() {
        let at = moment("0xeeb0538a.21a92b06").expect("hex");
        let text = pretty(at);
        assert!(text.starts_with("eeb0538a.21a92b06  "), "{text}");
        assert!(text.contains(" 2026 ") && text.ends_with(".131"), "{text}");
        assert_eq!(pretty(moment("0x0.0").expect("zero")), "(no time)");
        assert_eq!(
            moment("5.5").map(NtpTimestamp::to_bits),
            Some(0x5_8000_0000)
        );
        for wrong in [
            "",
            "x",
            "0xg.1",
            "0x1.1.1",
            "-3",
            "5.",
            "5.x",
            "0x123456789.0",
        ] {
            assert_eq!(moment(wrong), None, "{wrong}");
        }
        assert!(pretty(NtpTimestamp::from_bits(u64::MAX)).contains(".000"));
    }

    #[test]
    fn milliseconds() {
        assert_eq!(fixed_ms("-0.016"), Some(-0.016));
        assert_eq!(fixed_ms("16000.0"), Some(16000.0));
        for wrong in ["", "-", "nan", "1e9", "+1", "1.2.3", "0x1", "--1"] {
            assert_eq!(fixed_ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_line_of_the_log_begins_with_day_and_month() {
        let text = log_moment();
        assert_eq!(text.len(), 15, "{text}");
        assert!(MONTHS.contains(&&text[3..6]), "{text}");
    }
}
