use crate::server::{AccessList, AccessRule, Network, Policy, PrefixTooLong, RestrictFlags};
use core::net::{IpAddr, SocketAddr};
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn rule(net: &str, prefix_bits: u8, flags: RestrictFlags) -> AccessRule {
    AccessRule::new(
        Network::new(ip(net), prefix_bits).expect("a network"),
        flags,
    )
}

fn flags(list: &AccessList, source: &str) -> RestrictFlags {
    list.flags_for(source.parse().expect("a source"))
}

#[test]
fn prefixes() {
    let net = Network::new(ip("10.1.2.3"), 16).expect("a network");
    assert_eq!((net.address(), net.prefix_bits()), (ip("10.1.0.0"), 16));
    let net = Network::new(ip("2001:db8::5"), 28).expect("a network");
    assert_eq!((net.address(), net.prefix_bits()), (ip("2001:db0::"), 28));
    assert_eq!(Network::new(ip("1.2.3.4"), 0), Ok(Network::ANY_V4));
    assert_eq!(
        Network::new(ip("1.2.3.4"), 32),
        Ok(Network::host(ip("1.2.3.4")))
    );
    assert_eq!(Network::new(ip("10.0.0.0"), 33), Err(PrefixTooLong));
    assert_eq!(Network::new(ip("::"), 129), Err(PrefixTooLong));
}

#[test]
fn the_longest_prefix_counts_in_any_order() {
    let mut rules = vec![
        rule("0.0.0.0", 0, RestrictFlags::IGNORE),
        rule("10.0.0.0", 8, RestrictFlags::NOSERVE),
        rule("10.1.0.0", 16, RestrictFlags::NOTRUST),
        rule("10.1.2.3", 32, RestrictFlags::NONE),
        rule("2001:db8::", 32, RestrictFlags::VERSION),
    ];
    for _ in 0..rules.len() {
        rules.rotate_left(1);
        let list = AccessList::new(rules.clone());
        assert_eq!(flags(&list, "192.0.2.1:1"), RestrictFlags::IGNORE);
        assert_eq!(flags(&list, "10.9.9.9:1"), RestrictFlags::NOSERVE);
        assert_eq!(flags(&list, "10.1.9.9:1"), RestrictFlags::NOTRUST);
        assert_eq!(flags(&list, "10.1.2.3:1"), RestrictFlags::NONE);
        assert_eq!(flags(&list, "[::ffff:10.9.9.9]:1"), RestrictFlags::NOSERVE);
        assert_eq!(flags(&list, "[2001:db8::1]:1"), RestrictFlags::VERSION);
        assert_eq!(flags(&list, "[2001:db9::1]:1"), RestrictFlags::NONE);
    }
}

#[test]
fn port_123_has_rules_of_its_own() {
    let mut special = rule("10.0.0.0", 8, RestrictFlags::NONE);
    special.ntp_port_only = true;
    let list = AccessList::new([rule("10.0.0.0", 8, RestrictFlags::IGNORE), special]);
    assert_eq!(flags(&list, "10.0.0.1:123"), RestrictFlags::NONE);
    assert_eq!(flags(&list, "10.0.0.1:124"), RestrictFlags::IGNORE);
}

#[test]
fn lines_about_the_same_network_add_up() {
    let list = AccessList::new([
        rule("10.0.0.0", 8, RestrictFlags::NOQUERY),
        rule("10.0.0.0", 8, RestrictFlags::NOTRAP),
    ]);
    assert_eq!(
        flags(&list, "10.0.0.1:1"),
        RestrictFlags::NOQUERY.with(RestrictFlags::NOTRAP)
    );
}

#[test]
fn built_in_rules_until_the_operator_says_otherwise() {
    let stranger: SocketAddr = "192.0.2.1:5000".parse().expect("a source");
    let ourselves: SocketAddr = "[::1]:5000".parse().expect("a source");
    let policy = Policy::default();
    assert!(policy.flags_for(stranger).contains(RestrictFlags::NOQUERY));
    assert_eq!(policy.flags_for(ourselves), RestrictFlags::NOEPEER);
    let policy = Policy::new([rule("0.0.0.0", 0, RestrictFlags::VERSION)], None);
    assert_eq!(policy.flags_for(stranger), RestrictFlags::VERSION);
    assert_eq!(policy.flags_for(ourselves), RestrictFlags::NOEPEER);
}

#[test]
fn sources_get_their_template_unless_named() {
    let closed = [
        rule("0.0.0.0", 0, RestrictFlags::IGNORE),
        rule("192.0.2.9", 32, RestrictFlags::NOSERVE),
    ];
    let policy = Policy::new(closed, Some(RestrictFlags::NOMODIFY));
    let server = |address| SocketAddr::new(ip(address), 123);
    let policy = policy.with_sources(&[server("192.0.2.8"), server("192.0.2.9")]);
    let of = |source: &str| policy.flags_for(source.parse().expect("a source"));
    assert_eq!(of("192.0.2.8:123"), RestrictFlags::NOMODIFY);
    assert_eq!(of("192.0.2.9:123"), RestrictFlags::NOSERVE);
    assert_eq!(of("192.0.2.7:123"), RestrictFlags::IGNORE);
    let policy = policy.with_sources(&[]);
    let again = policy.flags_for("192.0.2.8:123".parse().expect("a source"));
    assert_eq!(again, RestrictFlags::IGNORE, "gone with the source");
}

#[test]
fn servers_we_use_get_the_template_unless_their_address_is_named() {
    let rules = [
        rule("0.0.0.0", 0, RestrictFlags::IGNORE),
        rule("192.0.2.0", 24, RestrictFlags::NOTRUST),
        rule("192.0.2.9", 32, RestrictFlags::NOSERVE),
    ];
    let of = |policy: &Policy, server| policy.flags_for_source(SocketAddr::new(ip(server), 123));
    let with = Policy::new(rules, Some(RestrictFlags::NOMODIFY));
    assert_eq!(of(&with, "192.0.2.8"), RestrictFlags::NOMODIFY);
    assert_eq!(of(&with, "192.0.2.9"), RestrictFlags::NOSERVE);
    assert_eq!(of(&with, "198.51.100.1"), RestrictFlags::NOMODIFY);
    let without = Policy::new(rules, None);
    assert_eq!(of(&without, "192.0.2.8"), RestrictFlags::NOTRUST);
    assert_eq!(of(&without, "192.0.2.9"), RestrictFlags::NOSERVE);
    assert_eq!(of(&without, "198.51.100.1"), RestrictFlags::IGNORE);
    let nopeer = |flags: RestrictFlags| flags.contains(RestrictFlags::NOPEER);
    assert!(
        !nopeer(of(&without, "2001:db8::1")),
        "nothing was said of IPv6"
    );
    assert!(nopeer(
        without.flags_for(SocketAddr::new(ip("2001:db8::1"), 123))
    ));
}

#[test]
fn mapped_networks_are_ipv4_networks() {
    let net = |address, bits| Network::new(ip(address), bits);
    assert_eq!(net("::ffff:192.0.2.0", 120), net("192.0.2.0", 24));
    let host = Network::host(ip("192.0.2.1"));
    assert_eq!(net("::ffff:192.0.2.1", 128), Ok(host));
    assert_eq!(Network::host(ip("::ffff:192.0.2.1")), host);
    let list = AccessList::new([rule("::ffff:192.0.2.1", 128, RestrictFlags::IGNORE)]);
    assert_eq!(flags(&list, "192.0.2.1:1"), RestrictFlags::IGNORE);
    assert_eq!(flags(&list, "[::ffff:192.0.2.1]:1"), RestrictFlags::IGNORE);
}

#[test]
fn words_of_the_grammar() {
    for (word, flag) in RestrictFlags::WORDS {
        assert_eq!(RestrictFlags::from_word(word), Some(*flag));
    }
    assert_eq!(RestrictFlags::from_word("noqyery"), None);
    let text = format!("{:?}", RestrictFlags::KOD.with(RestrictFlags::NOTRUST));
    assert_eq!(text, "{\"notrust\", \"kod\"}");
}

proptest! {
    /// Against the definition: of all rules that contain the address, one with the longest prefix.
    #[test]
    fn lookup_is_what_it_is_defined_to_be(
        nets in prop::collection::vec((any::<u32>(), 0_u8..=32, 0_usize..4), 0..40),
        address in any::<u32>(),
        near in any::<prop::sample::Index>(),
    ) {
        let kinds = [
            RestrictFlags::IGNORE,
            RestrictFlags::NOSERVE,
            RestrictFlags::NOTRUST,
            RestrictFlags::VERSION,
        ];
        let address = if nets.is_empty() { address } else { nets[near.index(nets.len())].0 ^ (address & 0xFF) };
        let within = |net: u32, bits: u8| {
            u64::from(net ^ address) >> (32 - u32::from(bits)) == 0
        };
        let longest = nets.iter().filter(|(net, bits, _)| within(*net, *bits)).map(|(_, bits, _)| *bits).max();
        let expected = nets
            .iter()
            .filter(|(net, bits, _)| within(*net, *bits) && Some(*bits) == longest)
            .fold(RestrictFlags::NONE, |sum, (_, _, kind)| sum.with(kinds[*kind]));
        let list = AccessList::new(nets.iter().map(|(net, bits, kind)| AccessRule::new(Network::new(IpAddr::from(net.to_be_bytes()), *bits).expect("a network"), kinds[*kind])));
        prop_assert_eq!(list.flags_for(SocketAddr::from((address.to_be_bytes(), 9))), expected);
    }
}
