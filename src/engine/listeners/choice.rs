use crate::config::{Action, InterfaceRule, Listen, Matches};
use core::net::{IpAddr, SocketAddr};
use truechimer_sys::interfaces::InterfaceAddress;

/// An address to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) address: SocketAddr,
    /// Of its interface; empty if the address was named outright.
    pub(super) name: String,
    pub(super) unwanted: bool,
}

/// The addresses to open, each once.
pub(super) fn choose(listen: &Listen, interfaces: &[InterfaceAddress]) -> Vec<Wanted> {
    let mut chosen: Vec<Wanted> = Vec::new();
    let mut add = |wanted: Wanted| {
        if chosen.iter().all(|one| one.address != wanted.address) {
            chosen.push(wanted);
        }
    };
    match listen {
        Listen::Nowhere => {}
        Listen::Addresses(addresses) => {
            for address in addresses {
                add(Wanted {
                    address: *address,
                    name: String::new(),
                    unwanted: false,
                });
            }
        }
        Listen::Interfaces { port, rules } => {
            for interface in interfaces {
                let action = action(rules, interface);
                if action == Action::Ignore || interface.address.ip().is_multicast() {
                    continue;
                }
                let mut address = interface.address;
                address.set_port(*port);
                add(Wanted {
                    address,
                    name: interface.name.clone(),
                    unwanted: action == Action::Drop,
                });
            }
        }
    }
    chosen
}

fn action(rules: &[InterfaceRule], interface: &InterfaceAddress) -> Action {
    rules
        .iter()
        .rfind(|rule| matches(&rule.matches, interface))
        .map_or(Action::Listen, |rule| rule.action)
}

fn matches(what: &Matches, interface: &InterfaceAddress) -> bool {
    let ip = interface.address.ip();
    match what {
        Matches::All => true,
        Matches::V4 => ip.is_ipv4(),
        Matches::V6 => ip.is_ipv6(),
        Matches::Name(name) => *name == interface.name,
        Matches::Virtual => interface.name.contains(':'),
        Matches::Prefix(prefix, len) => shares(ip, *prefix, *len),
    }
}

fn shares(ip: IpAddr, prefix: IpAddr, len: u8) -> bool {
    match (ip, prefix) {
        (IpAddr::V4(ip), IpAddr::V4(prefix)) => {
            let unlike = ip.to_bits() ^ prefix.to_bits();
            unlike.leading_zeros() >= u32::from(len.min(32))
        }
        (IpAddr::V6(ip), IpAddr::V6(prefix)) => {
            let unlike = ip.to_bits() ^ prefix.to_bits();
            unlike.leading_zeros() >= u32::from(len.min(128))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, ip: &str) -> InterfaceAddress {
        InterfaceAddress {
            name: name.to_owned(),
            address: SocketAddr::new(ip.parse().unwrap(), 0),
            prefix_len: 24,
            loopback: name == "lo",
        }
    }

    fn chosen(rules: Vec<InterfaceRule>) -> Vec<String> {
        let interfaces = [
            interface("lo", "127.0.0.1"),
            interface("lo", "::1"),
            interface("eth0", "192.0.2.1"),
            interface("eth0", "2001:db8::1"),
            interface("eth1", "198.51.100.1"),
            interface("eth1:0", "198.51.100.1"),
        ];
        choose(&Listen::Interfaces { port: 123, rules }, &interfaces)
            .into_iter()
            .map(|one| {
                format!(
                    "{}{}",
                    one.address,
                    if one.unwanted { " dropped" } else { "" }
                )
            })
            .collect()
    }

    fn rule(action: Action, matches: Matches) -> InterfaceRule {
        InterfaceRule { action, matches }
    }

    #[test]
    fn all_without_rules_each_once() {
        assert_eq!(
            chosen(Vec::new()),
            [
                "127.0.0.1:123",
                "[::1]:123",
                "192.0.2.1:123",
                "[2001:db8::1]:123",
                "198.51.100.1:123"
            ]
        );
    }

    #[test]
    fn the_last_rule_that_matches_decides() {
        let rules = vec![
            rule(Action::Ignore, Matches::All),
            rule(Action::Listen, Matches::Name("eth0".to_owned())),
            rule(Action::Ignore, Matches::V6),
            rule(
                Action::Drop,
                Matches::Prefix("198.51.0.0".parse().unwrap(), 16),
            ),
        ];
        assert_eq!(chosen(rules), ["192.0.2.1:123", "198.51.100.1:123 dropped"]);
    }

    #[test]
    fn aliases_are_those_with_a_colon() {
        let rules = vec![
            rule(Action::Ignore, Matches::All),
            rule(Action::Listen, Matches::Name("eth1".to_owned())),
            rule(Action::Listen, Matches::Name("eth1:0".to_owned())),
            rule(Action::Drop, Matches::Virtual),
        ];
        let interfaces = [
            interface("eth1", "198.51.100.1"),
            interface("eth1:0", "198.51.100.2"),
        ];
        let listen = Listen::Interfaces { port: 123, rules };
        let unwanted: Vec<bool> = choose(&listen, &interfaces)
            .iter()
            .map(|one| one.unwanted)
            .collect();
        assert_eq!(unwanted, [false, true]);
    }

    #[test]
    fn prefixes() {
        let shares = |ip: &str, prefix: &str, len| {
            super::shares(ip.parse().unwrap(), prefix.parse().unwrap(), len)
        };
        assert!(shares("10.1.2.3", "10.1.0.0", 16));
        assert!(!shares("10.2.2.3", "10.1.0.0", 16));
        assert!(shares("10.2.2.3", "0.0.0.0", 0));
        assert!(shares("10.1.2.3", "10.1.2.3", 255));
        assert!(!shares("10.1.2.3", "::", 0));
        assert!(shares("2001:db8::1", "2001:db8::", 64));
    }
}
