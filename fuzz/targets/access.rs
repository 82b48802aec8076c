//! Of any rules, the one the reference would find first is the one that counts.
#![no_main]

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use libfuzzer_sys::fuzz_target;
use truechimer_proto::server::{AccessList, AccessRule, Network, Policy, RestrictFlags};

/// Octets of a rule and of a sender.
const LEN: usize = 6;

/// Few addresses, so that nets meet and nest.
fn address(octets: [u8; LEN]) -> (IpAddr, u8) {
    let [kind, bits, a, b, c, _] = octets;
    if kind & 1 == 0 {
        (IpAddr::from([10, a & 0x83, b, c]), bits % 33)
    } else {
        let [a, b, c] = [a, b, c].map(u16::from);
        let address = Ipv6Addr::new(0x2001, 0xDB8, a & 0x83, b, 0, 0, 0, c);
        (IpAddr::V6(address), bits % 129)
    }
}

/// Address and mask with the first bit first, whatever the family.
fn key_and_mask(address: IpAddr, prefix_bits: u8) -> (u128, u128) {
    let (key, width) = match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let ones = u128::MAX
        .checked_shl(128 - u32::from(prefix_bits))
        .unwrap_or(0);
    (key, ones >> (128 - width))
}

/// As ntp_restrict.c does it: a list by falling address, then mask, those for port 123 first; lines
/// about the same are one; the first that matches counts.
fn reference(rules: &[AccessRule], sender: SocketAddr) -> RestrictFlags {
    let family = rules
        .iter()
        .filter(|rule| rule.network.address().is_ipv4() == sender.is_ipv4());
    let mut list: Vec<(u128, u128, bool, RestrictFlags)> = Vec::new();
    for rule in family {
        let network = rule.network;
        let (key, mask) = key_and_mask(network.address(), network.prefix_bits());
        let found = list
            .iter_mut()
            .find(|it| (it.0, it.1, it.2) == (key, mask, rule.ntp_port_only));
        match found {
            Some(entry) => entry.3 = entry.3.with(rule.flags),
            None => list.push((key, mask, rule.ntp_port_only, rule.flags)),
        }
    }
    list.sort_by_key(|it| core::cmp::Reverse((it.0, it.1, it.2)));
    let (key, _) = key_and_mask(sender.ip(), 0);
    list.iter()
        .find(|it| key & it.1 == it.0 && (!it.2 || sender.port() == 123))
        .map_or(RestrictFlags::NONE, |it| it.3)
}

fuzz_target!(|octets: &[u8]| {
    let (chunks, _) = octets.as_chunks::<LEN>();
    let Some((senders, rules)) = chunks.split_at_checked(2) else {
        return;
    };
    let rules: Vec<AccessRule> = rules
        .iter()
        .map(|octets| {
            let (address, bits) = address(*octets);
            let network = Network::new(address, bits).expect("within the family");
            let (_, flag) =
                RestrictFlags::WORDS[usize::from(octets[5]) % RestrictFlags::WORDS.len()];
            let mut rule = AccessRule::new(network, flag);
            rule.ntp_port_only = octets[0] & 2 != 0;
            rule
        })
        .collect();
    let list = AccessList::new(rules.iter().copied());
    let policy = Policy::new(rules.iter().copied(), None);
    for octets in senders {
        let port = if octets[5] & 1 == 0 { 123 } else { 5000 };
        let sender = SocketAddr::new(address(*octets).0, port);
        assert_eq!(list.flags_for(sender), reference(&rules, sender));
        let ruling = policy
            .ruling_for(sender)
            .expect("the built-in rules are for all");
        assert_eq!(policy.flags_for(sender), ruling.rule.flags);
        assert!(ruling.rule.is_about(sender));
        let source = policy.with_sources(&[sender]);
        assert_eq!(source.flags_for(sender), policy.flags_for_source(sender));
    }
});
