//! Variables as text: `name=value, name="text"`, lines folded as the reference folds them.
use core::fmt::{self, Write};
use truechimer_time::NtpTimestamp;
use truechimer_wire::ControlItems;

/// A line is folded before the item that would reach this column.
const LINE_MAX: usize = 72;
/// Digits of numbers in general form.
const GENERAL_DIGITS: usize = 6;

/// A value in one of the reference's forms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Unsigned(u64),
    Signed(i64),
    Hex(u64),
    /// With so many digits after the point.
    Fixed(f64, usize),
    /// The shortest of fixed and exponential form, six digits: C's `%g`.
    General(f64),
    Stamp(NtpTimestamp),
    /// In quotes.
    Quoted(String),
    Bare(String),
    /// Filter stages, two digits each.
    Stages(Vec<f64>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Signed(number) => write!(f, "{number}"),
            Self::Hex(number) => write!(f, "{number:#x}"),
            Self::Fixed(number, digits) => write!(f, "{:.digits$}", tame(*number)),
            Self::General(number) => f.write_str(&general(tame(*number))),
            Self::Stamp(stamp) => {
                let bits = stamp.to_bits();
                write!(f, "0x{:08x}.{:08x}", bits >> 32, bits & 0xFFFF_FFFF)
            }
            Self::Quoted(text) => {
                f.write_char('"')?;
                text.chars()
                    .map(|c| if c == '"' || c.is_control() { '?' } else { c })
                    .try_for_each(|c| f.write_char(c))?;
                f.write_char('"')
            }
            Self::Bare(text) => f.write_str(text),
            Self::Stages(stages) => stages
                .iter()
                .try_for_each(|stage| write!(f, " {:.2}", tame(*stage))),
        }
    }
}

/// Readers know no `NaN` or `inf`; and -0.000 would show as a sign where there is none.
fn tame(number: f64) -> f64 {
    if number.is_finite() && number.abs() >= 1e-12 {
        number
    } else {
        0.0
    }
}

/// C's `%g`.
fn general(number: f64) -> String {
    let scientific = format!("{number:.*e}", GENERAL_DIGITS - 1);
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match usize::try_from(exponent.saturating_add(4)) {
        Ok(above) if above < GENERAL_DIGITS + 4 => {
            let digits = (GENERAL_DIGITS + 3).saturating_sub(above);
            trimmed(&format!("{number:.digits$}"))
        }
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
        }
    }
}

/// The data of an answer while they are written.
#[derive(Debug, Default)]
pub(crate) struct Text {
    octets: String,
    line: usize,
}

impl Text {
    /// Writes `name=value`.
    pub(crate) fn put(&mut self, name: &str, value: &Value) {
        self.put_item(&format!("{name}={value}"));
    }

    /// Writes an item as it is.
    pub(crate) fn put_item(&mut self, item: &str) {
        if !self.octets.is_empty() {
            self.octets.push(',');
            self.line += 1;
            if item.len() + self.line + 1 >= LINE_MAX {
                self.octets.push_str("\r\n");
                self.line = 0;
            } else {
                self.octets.push(' ');
                self.line += 1;
            }
        }
        self.octets.push_str(item);
        self.line += item.len();
    }

    /// Octets so far.
    pub(crate) const fn len(&self) -> usize {
        self.octets.len()
    }

    /// The end of line that closes every text, empty ones excepted.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if !self.octets.is_empty() {
            self.octets.push_str("\r\n");
        }
        self.octets.into_bytes()
    }
}

/// Some variable asked for does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

/// Which of the known names are asked for, in the order of `known`, each once; `None` if the
/// request names none, so that the default ones are meant.
///
/// # Errors
/// When a name is not among them.
pub(crate) fn select(request: &[u8], known: &[&str]) -> Result<Option<Vec<usize>>, Unknown> {
    let mut wanted = vec![false; known.len()];
    let mut any = false;
    for item in ControlItems::new(request) {
        let place = known.iter().position(|name| *name == item.name);
        *place
            .and_then(|place| wanted.get_mut(place))
            .ok_or(Unknown)? = true;
        any = true;
    }
    let chosen = (0..known.len()).filter(|place| wanted.get(*place) == Some(&true));
    Ok(any.then(|| chosen.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_form_is_cs() {
        // printf("%g", x)
        for (number, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (0.001, "0.001"),
            (0.0001, "0.0001"),
            (0.000_012_34, "1.234e-05"),
            (-23.456_789, "-23.4568"),
            (500.0, "500"),
            (999_999.9, "1e+06"),
            (16_000.0, "16000"),
            (1.234_567_8e-7, "1.23457e-07"),
        ] {
            assert_eq!(general(number), text, "{number}");
        }
    }

    #[test]
    fn forms_of_the_reference() {
        for (value, text) in [
            (Value::Fixed(0.018_146_2, 6), "0.018146"),
            (Value::Fixed(-0.000_000_000_000_1, 3), "0.000"),
            (Value::Fixed(f64::NAN, 3), "0.000"),
            (Value::Hex(0x400), "0x400"),
            (Value::Signed(-24), "-24"),
            (
                Value::Stamp(NtpTimestamp::from_bits(0xEEB0_52A2_0000_00FC)),
                "0xeeb052a2.000000fc",
            ),
            (
                Value::Stages(vec![0.0, -0.124, 16_000.0]),
                " 0.00 -0.12 16000.00",
            ),
            (Value::Quoted("a\"b\n".to_owned()), "\"a?b?\""),
        ] {
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn folded_as_the_reference_folds() {
        // The first lines of the reference's own answer.
        let mut text = Text::default();
        text.put_item("version=\"ntpd 4.2.8p15@1.3728-o Wed Sep 23 11:46:38 UTC 2020 (1)\"");
        text.put_item("processor=\"x86_64\"");
        text.put_item("system=\"Linux/6.18.44-fc-v595\"");
        text.put_item("leap=3");
        text.put_item("stratum=16");
        text.put_item("precision=-24");
        let expected = "version=\"ntpd 4.2.8p15@1.3728-o Wed Sep 23 11:46:38 UTC 2020 (1)\",\r\n\
                        processor=\"x86_64\", system=\"Linux/6.18.44-fc-v595\", leap=3, stratum=16,\r\n\
                        precision=-24\r\n";
        assert_eq!(String::from_utf8(text.finish()).as_deref(), Ok(expected));
        assert!(Text::default().finish().is_empty());
    }

    #[test]
    fn names_are_chosen_in_the_order_of_the_table() {
        let known = ["leap", "stratum", "tc"];
        assert_eq!(select(b" ", &known), Ok(None));
        assert_eq!(select(b"tc,leap, tc=5", &known), Ok(Some(vec![0, 2])));
        assert_eq!(select(b"leap,le", &known), Err(Unknown));
    }
}
