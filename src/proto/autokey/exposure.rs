//! Where Autokey would be open to the whole Internet.
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether anybody on the Internet can reach an address: not one of private, local or documentation
/// nets (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmarks = a == 198 && (18..20).contains(&b);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_unspecified()
        || address.is_broadcast()
        || shared
        || benchmarks)
}

/// Only 2000::/3 is given to networks, and of that one net to documentation.
const fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    first >> 13 == 1 && !(first == 0x2001 && second == 0x0db8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_and_other_addresses() {
        for public in [
            "8.8.8.8",
            "100.128.0.1",
            "172.32.0.1",
            "2a00::1",
            "::ffff:9.9.9.9",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for other in [
            "10.77.0.1",
            "172.31.255.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "198.19.0.1",
            "203.0.113.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_public(other.parse().unwrap()), "{other}");
        }
    }
}
