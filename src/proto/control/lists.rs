//! Lists that have an order: service addresses (`ifstats`) and access rules (`reslist`).
//!
//! The reference shuffles the fields of an entry and mixes in made-up ones, to keep readers from
//! counting on an order. Any order is one of those, so they are written in a fixed one.
use super::InterfaceFacts;
use super::text::{Text, Value};
use crate::server::{AccessRule, RestrictFlags, Ruling};
use core::cmp::Reverse;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// As much as fits the 16 bits of an offset, less the longest entry.
const OCTETS_MAX: usize = 60_000;
/// Flag bits of an endpoint in the reference, as ntpq shows them.
const UP: u64 = 0x1;
const LOOPBACK: u64 = 0x4;
/// The endpoint of a group: it has multicast, and hears it.
const GROUP: u64 = 0x10 | 0x40;

/// Writes the service addresses. `peers` tells how many associations send from an address.
pub(crate) fn interfaces(all: &[InterfaceFacts], peers: impl Fn(IpAddr) -> usize, text: &mut Text) {
    for (place, it) in all.iter().enumerate() {
        if text.len() > OCTETS_MAX {
            return;
        }
        let ip = it.address.ip();
        let loopback = if ip.is_loopback() { LOOPBACK } else { 0 };
        let group = if ip.is_multicast() { GROUP } else { 0 };
        let fields = [
            ("addr", Value::Bare(it.address.to_string())),
            ("bcast", Value::Bare(String::new())),
            ("en", Value::Unsigned(u64::from(!it.is_dropping))),
            ("name", Value::Quoted(it.name.clone())),
            ("flags", Value::Hex(UP | loopback | group)),
            ("tl", Value::Unsigned(0)),
            ("mc", Value::Unsigned(u64::from(group != 0))),
            ("rx", Value::Unsigned(it.received)),
            ("tx", Value::Unsigned(it.sent)),
            ("txerr", Value::Unsigned(it.send_failed)),
            ("pc", Value::Unsigned(peers(ip) as u64)),
            ("up", Value::Unsigned(it.up_s)),
        ];
        for (name, value) in fields {
            text.put(&format!("{name}.{place}"), &value);
        }
    }
}

/// Writes the rules, IPv4 first, and first those that count before others.
pub(crate) fn restrictions(rulings: &[Ruling], text: &mut Text) {
    let mut rules: Vec<&AccessRule> = rulings.iter().map(|it| &it.rule).collect();
    rules.sort_by_key(|rule| {
        let address = rule.network.address();
        (
            address.is_ipv6(),
            Reverse((address, rule.network.prefix_bits())),
        )
    });
    for (place, rule) in rules.iter().enumerate() {
        if text.len() > OCTETS_MAX {
            return;
        }
        let network = &rule.network;
        let port = rule.ntp_port_only.then_some("ntpport");
        let words = port.into_iter().chain(rights(rule.flags));
        let fields = [
            ("addr", Value::Bare(network.address().to_string())),
            (
                "mask",
                Value::Bare(mask(network.address(), network.prefix_bits()).to_string()),
            ),
            ("hits", Value::Unsigned(0)),
            ("flags", Value::Bare(words.collect::<Vec<_>>().join(" "))),
        ];
        for (name, value) in fields {
            text.put(&format!("{name}.{place}"), &value);
        }
    }
}

/// What is allowed and what is not, in the reference's words.
fn rights(flags: RestrictFlags) -> impl Iterator<Item = &'static str> {
    const PAIRS: [(RestrictFlags, &str, &str); 6] = [
        (RestrictFlags::NOSERVE, "serve", "noserve"),
        (RestrictFlags::NOTRUST, "trust", "notrust"),
        (RestrictFlags::NOPEER, "peer", "nopeer"),
        (RestrictFlags::NOEPEER, "epeer", "noepeer"),
        (RestrictFlags::NOQUERY, "query", "noquery"),
        (RestrictFlags::NOTRAP, "trap", "notrap"),
    ];
    let is_pair = |flag| PAIRS.iter().any(|(pair, ..)| *pair == flag);
    let alone = RestrictFlags::WORDS.iter();
    let alone = alone.filter(move |(_, flag)| flags.contains(*flag) && !is_pair(*flag));
    let pairs = PAIRS.iter().map(
        move |(flag, yes, no)| {
            if flags.contains(*flag) { *no } else { *yes }
        },
    );
    alone.map(|(word, _)| *word).chain(pairs)
}

fn mask(address: IpAddr, prefix_bits: u8) -> IpAddr {
    let prefix_bits = u32::from(prefix_bits);
    match address {
        IpAddr::V4(_) => {
            let host_bits = 32_u32.saturating_sub(prefix_bits);
            IpAddr::V4(Ipv4Addr::from_bits(
                u32::MAX.checked_shl(host_bits).unwrap_or(0),
            ))
        }
        IpAddr::V6(_) => {
            let host_bits = 128_u32.saturating_sub(prefix_bits);
            IpAddr::V6(Ipv6Addr::from_bits(
                u128::MAX.checked_shl(host_bits).unwrap_or(0),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Network, Origin};
    use core::net::SocketAddr;

    fn written(text: Text) -> String {
        String::from_utf8(text.finish()).expect("text")
    }

    #[test]
    fn rules_with_their_masks() {
        let rule = |network, flags| Ruling {
            rule: AccessRule::new(network, flags),
            origin: Origin::Operator,
        };
        let net = Network::new([10, 0, 0, 0].into(), 8).expect("a network");
        let rules = [
            rule(
                Network::ANY_V6,
                RestrictFlags::NOQUERY.with(RestrictFlags::KOD),
            ),
            rule(Network::ANY_V4, RestrictFlags::NONE),
            rule(net, RestrictFlags::IGNORE),
        ];
        let mut text = Text::default();
        restrictions(&rules, &mut text);
        let text = written(text).replace("\r\n", " ").replace("  ", " ");
        assert!(
            text.starts_with("addr.0=10.0.0.0, mask.0=255.0.0.0, hits.0=0, flags.0=ignore serve")
        );
        assert!(text.contains("addr.1=0.0.0.0, mask.1=0.0.0.0, hits.1=0, flags.1=serve trust peer epeer query trap,"), "{text}");
        assert!(
            text.contains(
                "addr.2=::, mask.2=::, hits.2=0, flags.2=kod serve trust peer epeer noquery trap"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_group() {
        let one = InterfaceFacts {
            address: "224.0.1.1:123".parse().expect("an address"),
            name: "eth0".to_owned(),
            is_dropping: false,
            received: 3,
            sent: 0,
            send_failed: 0,
            up_s: 9,
        };
        let mut text = Text::default();
        interfaces(&[one], |_| 0, &mut text);
        let text = written(text).replace("\r\n", " ");
        assert!(text.contains("flags.0=0x51, tl.0=0, mc.0=1,"), "{text}");
    }

    #[test]
    fn an_interface() {
        let address: SocketAddr = "[::1]:123".parse().expect("an address");
        let one = InterfaceFacts {
            address,
            name: "lo".to_owned(),
            is_dropping: false,
            received: 3,
            sent: 2,
            send_failed: 1,
            up_s: 9,
        };
        let mut text = Text::default();
        interfaces(&[one], |_| 4, &mut text);
        let text = written(text).replace("\r\n", " ");
        assert!(
            text.starts_with("addr.0=[::1]:123, bcast.0=, en.0=1, name.0=\"lo\", flags.0=0x5,")
        );
        assert!(
            text.contains("rx.0=3, tx.0=2, txerr.0=1, pc.0=4, up.0=9"),
            "{text}"
        );
    }
}
