//! Numbers as the reference prints its fixed-point ones: rounded in their own digits, never by way of
//! binary fractions.
use truechimer_time::{NtpDuration, NtpShort};

/// A number of 2^-`fraction_bits`, with so many decimals.
fn decimal(magnitude: u128, fraction_bits: u32, decimals: u32) -> String {
    let scale = 10_u128.pow(decimals);
    let half = 1_u128 << fraction_bits >> 1;
    let rounded = (magnitude * scale + half) >> fraction_bits;
    let (whole, part) = (rounded / scale, rounded % scale);
    if decimals == 0 {
        return whole.to_string();
    }
    let width = usize::try_from(decimals).unwrap_or(0);
    format!("{whole}.{part:0width$}")
}

/// 2^-16 with a sign where it is negative.
pub(super) fn fixed(number: i32, decimals: u32) -> String {
    let sign = if number < 0 { "-" } else { "" };
    sign.to_owned() + &decimal(number.unsigned_abs().into(), 16, decimals)
}

/// 2^-16 without a sign.
pub(super) fn short(number: NtpShort, decimals: u32) -> String {
    decimal(number.to_bits().into(), 16, decimals)
}

/// 2^-32, always with a sign.
pub(super) fn long(number: NtpDuration, decimals: u32) -> String {
    let bits = number.to_bits();
    let sign = if bits < 0 { '-' } else { '+' };
    format!(
        "{sign}{}",
        decimal(bits.unsigned_abs().into(), 32, decimals)
    )
}

/// At most so many characters of a text, as `%.Ns` does.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// A name that ends at the first zero. A server may put anything there, and a terminal, or whoever
/// reads line by line, would obey some of it.
pub(super) fn visible(octets: &[u8]) -> String {
    let name = octets.iter().take_while(|octet| **octet != 0);
    let shown = name.map(|octet| match octet {
        b' '..=b'~' => char::from(*octet),
        _ => '.',
    });
    shown.collect()
}

/// `%g` of C: six digits, no zeros at the end.
pub(super) fn general(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        trim(&format!("{number:.decimals$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(digits), exponent.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_reference_prints_them() {
        assert_eq!(fixed(-3276, 6), "-0.049988");
        assert_eq!(fixed(0, 5), "0.00000");
        assert_eq!(short(NtpShort::from_bits(0x0002_d13e), 5), "2.81735");
        assert_eq!(short(NtpShort::from_bits(0x0003_fdff), 5), "3.99217");
        assert_eq!(long(NtpDuration::from_bits(0), 6), "+0.000000");
        assert_eq!(long(NtpDuration::from_bits(-1), 3), "-0.000");
        assert_eq!(long(NtpDuration::from_bits(0x1_FFFF_FFFF), 6), "+2.000000");
        assert_eq!(fixed(500 << 16, 0), "500");
    }

    #[test]
    fn names_are_only_names() {
        assert_eq!(visible(b"LOCL"), "LOCL");
        assert_eq!(visible(b"eth0\0rest"), "eth0");
        assert_eq!(visible(b"\r\n\x1b\xff"), "....");
    }

    #[test]
    fn general_numbers() {
        let shown = [0.0, 16.0, 1e-6, 0.001_234_567, 123_456_789.0, -0.5, 1e-9];
        let shown: Vec<String> = shown.into_iter().map(general).collect();
        let wanted = [
            "0",
            "16",
            "1e-06",
            "0.00123457",
            "1.23457e+08",
            "-0.5",
            "1e-09",
        ];
        assert_eq!(shown, wanted);
    }
}
