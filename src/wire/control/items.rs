//! The text of a control message: `name=value, name="a, b", name`.

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlItem<'a> {
    /// Without the white space around it.
    pub name: &'a str,
    /// What follows the equals sign, without quotes; `None` if there was none.
    pub value: Option<&'a str>,
    /// Whether the value was quoted.
    pub quoted: bool,
}

/// The items of a text, in order. Whatever the octets are, it ends and never fails: the text ends
/// at the first octet that is neither printable nor white space.
#[derive(Clone, Debug)]
pub struct ControlItems<'a>(&'a str);

impl<'a> ControlItems<'a> {
    /// The items of this text.
    pub fn new(octets: &'a [u8]) -> Self {
        let good = |octet: &u8| matches!(octet, b' '..=b'~' | b'\t' | b'\r' | b'\n');
        let len = octets.iter().take_while(|octet| good(octet)).count();
        let text = octets.get(..len).unwrap_or_default();
        Self(core::str::from_utf8(text).unwrap_or_default())
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a str {
        self.0
    }
}

const fn is_gap(c: char) -> bool {
    c == ',' || c.is_ascii_whitespace()
}

impl<'a> Iterator for ControlItems<'a> {
    type Item = ControlItem<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_start_matches(is_gap);
        if text.is_empty() {
            self.0 = "";
            return None;
        }
        let end = text.find([',', '=']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let name = name.trim_ascii_end();
        let Some(rest) = rest.strip_prefix('=') else {
            self.0 = rest;
            return Some(ControlItem {
                name,
                value: None,
                quoted: false,
            });
        };
        let rest = rest.trim_ascii_start();
        let (value, quoted) = match rest.strip_prefix('"') {
            Some(inner) => {
                let end = inner.find('"').unwrap_or(inner.len());
                self.0 = inner.get(end + 1..).unwrap_or_default();
                (inner.get(..end).unwrap_or_default(), true)
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                self.0 = rest.get(end..).unwrap_or_default();
                (rest.get(..end).unwrap_or_default().trim_ascii_end(), false)
            }
        };
        Some(ControlItem {
            name,
            value: Some(value),
            quoted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(&str, Option<&str>)> {
        ControlItems::new(text.as_bytes())
            .map(|item| (item.name, item.value))
            .collect()
    }

    #[test]
    fn an_answer_of_the_reference() {
        let text = "version=\"ntpd 4.2.8p15@1.3728-o, x\",\r\nleap=00, filtdelay= 0.07 0.08,\r\n\
                    refid=LOCAL(0), tai\r\n";
        assert_eq!(
            pairs(text),
            [
                ("version", Some("ntpd 4.2.8p15@1.3728-o, x")),
                ("leap", Some("00")),
                ("filtdelay", Some("0.07 0.08")),
                ("refid", Some("LOCAL(0)")),
                ("tai", None),
            ]
        );
    }

    #[test]
    fn odd_texts() {
        assert_eq!(pairs(""), []);
        assert_eq!(pairs(" ,, \r\n"), []);
        assert_eq!(pairs("a=\"open"), [("a", Some("open"))]);
        assert_eq!(pairs("=x"), [("", Some("x"))]);
        assert_eq!(pairs("a=,b"), [("a", Some("")), ("b", None)]);
        assert_eq!(ControlItems::new(b"a\0,b").count(), 1);
    }

    proptest! {
        #[test]
        fn any_octets_end(octets in prop::collection::vec(any::<u8>(), 0..500)) {
            prop_assert!(ControlItems::new(&octets).count() <= octets.len());
        }
    }
}
