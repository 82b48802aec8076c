use core::net::IpAddr;

/// The addresses a key may be used from: `address[/length],...`.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessList(Vec<Range>);

#[derive(Clone, Copy, Debug)]
struct Range {
    network: u128,
    bits: u32,
    v4: bool,
}

impl AccessList {
    /// Parses one word of the list; `None` if it is no address or the length is impossible.
    pub(crate) fn add(&mut self, word: &str) -> Option<()> {
        let (address, length) = match word.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (word, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let bits = match length {
            None => whole,
            Some(length) if length.bytes().all(|digit| digit.is_ascii_digit()) => {
                length.parse().ok().filter(|bits| *bits <= whole)?
            }
            Some(_) => return None,
        };
        self.0.push(Range {
            network: prefix(address, bits),
            bits,
            v4: address.is_ipv4(),
        });
        Some(())
    }

    /// An empty list allows everybody.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.is_empty()
            || self.0.iter().any(|range| {
                range.v4 == address.is_ipv4() && range.network == prefix(address, range.bits)
            })
    }
}

fn prefix(address: IpAddr, bits: u32) -> u128 {
    let (value, whole) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    value.checked_shr(whole - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> AccessList {
        let mut list = AccessList::default();
        for word in words {
            list.add(word).expect(word);
        }
        list
    }

    #[test]
    fn longest_and_shortest_prefixes() {
        let allows = |words: &[&str], address: &str| {
            list(words).allows(address.parse().expect("an address"))
        };
        assert!(allows(&[], "203.0.113.9"));
        assert!(allows(&["192.0.2.0/24"], "192.0.2.200"));
        assert!(allows(&["192.0.2.0/24"], "::ffff:192.0.2.200"));
        assert!(!allows(&["192.0.2.0/24"], "192.0.3.1"));
        assert!(!allows(&["0.0.0.0/0"], "2001:db8::1"));
        assert!(allows(&["0.0.0.0/0"], "198.51.100.7"));
        assert!(allows(&["10.0.0.1", "::/0"], "2001:db8::1"));
        assert!(!allows(&["2001:db8::1"], "2001:db8::2"));
    }

    #[test]
    fn words_that_are_no_range() {
        for word in [
            "",
            "localhost",
            "192.0.2.0/33",
            "::/129",
            "1.2.3.4/",
            "1.2.3.4/+8",
            "/8",
        ] {
            assert_eq!(AccessList::default().add(word), None, "{word}");
        }
    }
}
