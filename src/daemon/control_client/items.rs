//! Variables, as text that is safe to print.
use truechimer_wire::ControlItems;

/// A variable and what it is set to, as ntpq prints it: strings keep their quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Its value, where there is one.
    pub value: Option<String>,
}

impl Item {
    /// The value without quotes, empty where there is none.
    pub fn bare(&self) -> &str {
        let value = self.value.as_deref().unwrap_or_default();
        value
            .strip_prefix('"')
            .map_or(value, |inner| inner.strip_suffix('"').unwrap_or(inner))
    }
}

/// Octets as `cat -v` shows them; the ends of lines and tabs stay. A terminal would obey the rest.
pub fn printable(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for octet in octets {
        let mut low = *octet;
        if low & 0x80 != 0 {
            text.push_str("M-");
            low &= 0x7F;
        }
        match low {
            b'\r' | b'\n' | b'\t' if low == *octet => text.push(char::from(low)),
            0..b' ' => {
                text.push('^');
                text.push(char::from(low + b'@'));
            }
            0x7F => text.push_str("^?"),
            _ => text.push(char::from(low)),
        }
    }
    text
}

/// The variables of an answer, in its order.
pub fn items(octets: &[u8]) -> Vec<Item> {
    let text = printable(octets);
    ControlItems::new(text.as_bytes())
        .map(|item| Item {
            name: item.name.to_owned(),
            value: item.value.map(|value| {
                if item.quoted {
                    format!("\"{value}\"")
                } else {
                    value.to_owned()
                }
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_octets_are_shown_and_hide_nothing() {
        let found = items(b"timecode=\"\x02D:01\x1B[2J\xFF\x7F\", poll=3,\r\nflags");
        let shown: Vec<_> = found
            .iter()
            .map(|item| (item.name.as_str(), item.value.as_deref(), item.bare()))
            .collect();
        let timecode = r#""^BD:01^[[2JM-^?^?""#;
        assert_eq!(
            shown,
            [
                ("timecode", Some(timecode), timecode.trim_matches('"')),
                ("poll", Some("3"), "3"),
                ("flags", None, ""),
            ]
        );
    }
}
