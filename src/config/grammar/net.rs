//! Nets: addresses with a prefix or a mask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Length of the prefix before an IPv4 address written as IPv6, bits (RFC 4291 §2.5.5.2).
const MAPPED_PREFIX_BITS: u8 = 96;

/// Reads ADDR or ADDR/LEN. IPv4 addresses written as IPv6 (`::ffff:192.0.2.1`) become what they
/// are, because the senders have plain IPv4 addresses and would never match.
pub(super) fn parse_net(text: &str) -> Option<(IpAddr, Option<u8>)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let Some(prefix) = prefix else {
        return Some((address.to_canonical(), None));
    };
    let bits: u8 = prefix
        .parse()
        .ok()
        .filter(|_| prefix.bytes().all(|b| b.is_ascii_digit()))?;
    match address.to_canonical() {
        plain if plain.is_ipv4() == address.is_ipv4() => {
            (bits <= full_prefix(address)).then_some((address, Some(bits)))
        }
        // IPv4 in IPv6's clothes.
        plain => {
            let bits = bits.checked_sub(MAPPED_PREFIX_BITS)?;
            (bits <= full_prefix(plain)).then_some((plain, Some(bits)))
        }
    }
}

pub(super) fn full_prefix(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

pub(super) fn clear_host_bits(address: IpAddr, prefix_bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let host = u32::MAX.checked_shr(prefix_bits.into()).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & !host))
        }
        IpAddr::V6(v6) => {
            let host = u128::MAX.checked_shr(prefix_bits.into()).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !host))
        }
    }
}

pub(super) fn prefix_of_mask(mask: IpAddr) -> Option<u8> {
    let (ones, width, zeros) = match mask {
        IpAddr::V4(v4) => (
            v4.to_bits().leading_ones(),
            32,
            v4.to_bits().trailing_zeros(),
        ),
        IpAddr::V6(v6) => (
            v6.to_bits().leading_ones(),
            128,
            v6.to_bits().trailing_zeros(),
        ),
    };
    u8::try_from(ones).ok().filter(|_| ones + zeros == width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn masks() {
        for (mask, bits) in [
            ("0.0.0.0", Some(0)),
            ("255.255.255.0", Some(24)),
            ("255.255.255.255", Some(32)),
            ("255.0.255.0", None),
            ("ffff:ffff:ffff:ffff::", Some(64)),
            ("::", Some(0)),
            ("::1", None),
        ] {
            assert_eq!(prefix_of_mask(ip(mask)), bits, "{mask}");
        }
    }

    #[test]
    fn host_bits_are_cleared() {
        assert_eq!(clear_host_bits(ip("192.168.1.11"), 24), ip("192.168.1.0"));
        assert_eq!(clear_host_bits(ip("192.168.1.11"), 32), ip("192.168.1.11"));
        assert_eq!(clear_host_bits(ip("192.168.1.11"), 0), ip("0.0.0.0"));
        assert_eq!(clear_host_bits(ip("2001:db8::ff"), 64), ip("2001:db8::"));
        assert_eq!(clear_host_bits(ip("2001:db8::ff"), 128), ip("2001:db8::ff"));
    }

    #[test]
    fn nets() {
        assert_eq!(parse_net("10.0.0.0/8"), Some((ip("10.0.0.0"), Some(8))));
        assert_eq!(parse_net("::1"), Some((ip("::1"), None)));
        let mapped = |text, bits| Some((ip(text), bits));
        assert_eq!(parse_net("::ffff:192.0.2.1"), mapped("192.0.2.1", None));
        assert_eq!(
            parse_net("::ffff:192.0.2.0/120"),
            mapped("192.0.2.0", Some(24))
        );
        assert_eq!(parse_net("::/0"), mapped("::", Some(0)));
        for bad in [
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "::/129",
            "::ffff:192.0.2.0/95",
            "::ffff:192.0.2.0/129",
            "a/8",
            "10.0.0/8",
        ] {
            assert_eq!(parse_net(bad), None, "{bad}");
        }
    }
}
