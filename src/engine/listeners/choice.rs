use crate::config::{Action, InterfaceRule, Listen, Matches};
use crate::notice::Notice;
use core::net::{IpAddr, SocketAddr};
use truechimer_proto::config::Family;
use truechimer_sys::interfaces::InterfaceAddress;

/// An address to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) address: SocketAddr,
    /// Of its interface; empty if the address was named outright.
    pub(super) name: String,
    pub(super) unwanted: bool,
}

impl Wanted {
    /// What is told when it is open.
    pub(super) fn notice(&self) -> Notice {
        if self.unwanted {
            Notice::Dropping(self.address, self.name.clone())
        } else {
            Notice::Listening(self.address, self.name.clone())
        }
    }
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
        Listen::Interfaces {
            port,
            family,
            aliases,
            rules,
        } => {
            for interface in interfaces {
                let action = action(rules, *aliases, interface);
                let ip = interface.address.ip();
                if action == Action::Ignore || ip.is_multicast() || !is_of(*family, ip) {
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

fn action(rules: &[InterfaceRule], aliases: bool, interface: &InterfaceAddress) -> Action {
    rules
        .iter()
        .rfind(|rule| matches(&rule.matches, interface))
        .map_or_else(|| unruled(rules, aliases, interface), |rule| rule.action)
}

/// Who says where to serve serves nowhere else; but this host itself may always ask.
fn unruled(rules: &[InterfaceRule], aliases: bool, interface: &InterfaceAddress) -> Action {
    let passes = aliases || !interface.name.contains(':');
    if interface.loopback || (rules.is_empty() && passes) {
        Action::Listen
    } else {
        Action::Ignore
    }
}

const fn is_of(family: Family, ip: IpAddr) -> bool {
    match family {
        Family::Any => true,
        Family::V4 => ip.is_ipv4(),
        Family::V6 => ip.is_ipv6(),
    }
}

fn matches(what: &Matches, interface: &InterfaceAddress) -> bool {
    let ip = interface.address.ip();
    match what {
        Matches::All => !interface.loopback,
        Matches::V4 => ip.is_ipv4(),
        Matches::V6 => ip.is_ipv6(),
        Matches::Name(name) => name.eq_ignore_ascii_case(&interface.name),
        Matches::Wildcard => false,
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
            index: 1,
            broadcast: None,
            multicast: false,
        }
    }

    fn chosen(rules: Vec<InterfaceRule>) -> Vec<String> {
        chosen_of(Family::Any, rules)
    }

    fn chosen_of(family: Family, rules: Vec<InterfaceRule>) -> Vec<String> {
        let interfaces = [
            interface("lo", "127.0.0.1"),
            interface("lo", "::1"),
            interface("eth0", "192.0.2.1"),
            interface("eth0", "2001:db8::1"),
            interface("eth1", "198.51.100.1"),
            interface("eth1:0", "198.51.100.1"),
        ];
        let listen = Listen::Interfaces {
            port: 123,
            family,
            aliases: true,
            rules,
        };
        choose(&listen, &interfaces)
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
        let rest = ["127.0.0.1:123", "192.0.2.1:123", "198.51.100.1:123 dropped"];
        assert_eq!(chosen(rules), rest);
    }

    /// As ntpd 4.2.8p15 does it; see the interoperability test of interfaces.
    #[test]
    fn loopback_stays_and_the_unruled_is_ignored() {
        let loopback = ["127.0.0.1:123", "[::1]:123"];
        for (action, matches) in [
            (Action::Ignore, Matches::All),
            (Action::Ignore, Matches::Name("eth0".to_owned())),
            (Action::Listen, Matches::Wildcard),
            (Action::Listen, Matches::Name("eth".to_owned())),
        ] {
            assert_eq!(chosen(vec![rule(action, matches)]), loopback);
        }
        let shut = rule(Action::Ignore, Matches::Name("lo".to_owned()));
        let open = rule(Action::Listen, Matches::Name("ETH1".to_owned()));
        assert_eq!(chosen(vec![shut, open]), ["198.51.100.1:123"]);
        let v6 = chosen_of(Family::V6, Vec::new());
        assert_eq!(v6, ["[::1]:123", "[2001:db8::1]:123"]);
    }

    #[test]
    fn aliases_are_those_with_a_colon() {
        let interfaces = [
            interface("eth1", "198.51.100.1"),
            interface("eth1:0", "198.51.100.2"),
        ];
        let first = |rules| {
            let listen = Listen::Interfaces {
                port: 123,
                family: Family::Any,
                aliases: false,
                rules,
            };
            let chosen = choose(&listen, &interfaces);
            assert_eq!(chosen.len(), 1);
            chosen[0].name.clone()
        };
        assert_eq!(first(Vec::new()), "eth1");
        let named = rule(Action::Listen, Matches::Name("eth1:0".to_owned()));
        assert_eq!(first(vec![named]), "eth1:0", "a line of its own counts");
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
