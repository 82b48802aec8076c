//! `restrict` lines to the server's policy.
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_config::Span;
use truechimer_config::settings::{
    FLAG_NAMES, Families, RestrictFlags as Said, RestrictRule, RestrictTarget, Settings,
};
use truechimer_proto::server::{
    AccessRule, Limits, MruTable, Network, Origin, Policy, RestrictFlags, Ruling, Watch,
};

/// Octets of the table of recent clients, as in the reference.
const CLIENTS_OCTETS: usize = 1 << 20;

/// The policy that the `restrict` lines make, with a memory of clients where one is given.
pub fn policy(settings: &Settings, clients: Option<Arc<MruTable>>) -> Policy {
    let rules = settings.restrictions.iter().flat_map(rules_of);
    let source = settings
        .restrictions
        .iter()
        .rfind(|rule| rule.target == RestrictTarget::Source)
        .map(|rule| flags(rule.flags));
    let policy = Policy::new(rules, source);
    let Some(clients) = clients else {
        return policy;
    };
    let limits = Limits::default();
    policy.with_watch(Watch { limits, clients }, true)
}

/// A memory for as many clients as the `mru` lines say, under this key. The one there was stays, with
/// whom it knows, if it is of the right size.
pub fn clients(there: Option<&Arc<MruTable>>, key: &[u8; 16]) -> Arc<MruTable> {
    let wanted = MruTable::clients_in(CLIENTS_OCTETS);
    let fits = |it: &&Arc<MruTable>| it.capacity() == wanted;
    let fitting = there.filter(fits).map(Arc::clone);
    fitting.unwrap_or_else(|| Arc::new(MruTable::new(wanted, key)))
}

/// What counts for a sender, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The rule that counts, lines about the same network added up; `None` where no rule does,
    /// so that nothing is restricted.
    pub ruling: Option<Ruling>,
    /// The lines it comes from, in order; none for a built-in rule.
    pub lines: Vec<Span>,
}

/// Explains what a sender may not do. Where `as_source`, it is a server in use.
pub fn explain(settings: &Settings, sender: SocketAddr, as_source: bool) -> Explanation {
    let servers: &[SocketAddr] = if as_source { &[sender] } else { &[] };
    let ruling = policy(settings, None)
        .with_sources(servers)
        .ruling_for(sender);
    let is_from = |line: &&RestrictRule| match ruling {
        Some(Ruling { rule, origin }) => match origin {
            Origin::BuiltIn => false,
            Origin::Source => line.target == RestrictTarget::Source,
            Origin::Operator => rules_of(line)
                .iter()
                .any(|it| (it.network, it.ntp_port_only) == (rule.network, rule.ntp_port_only)),
        },
        None => false,
    };
    let lines = settings.restrictions.iter().filter(is_from);
    Explanation {
        ruling,
        lines: lines.map(|line| line.span.clone()).collect(),
    }
}

fn rules_of(rule: &RestrictRule) -> Vec<AccessRule> {
    let networks = match rule.target {
        RestrictTarget::Source => Vec::new(),
        RestrictTarget::Default(Families::Ipv4) => vec![Network::ANY_V4],
        RestrictTarget::Default(Families::Ipv6) => vec![Network::ANY_V6],
        RestrictTarget::Default(Families::Both) => vec![Network::ANY_V4, Network::ANY_V6],
        RestrictTarget::Net {
            address,
            prefix_bits,
        } => Network::new(address, prefix_bits).into_iter().collect(),
    };
    let access_rule = |network| AccessRule {
        network,
        ntp_port_only: rule.flags.contains(Said::NTPPORT),
        flags: flags(rule.flags),
        ip_peer_limit: rule.ip_peer_limit,
    };
    networks.into_iter().map(access_rule).collect()
}

/// Both rooms name the flags by the reference's words; `ntpport` is no restriction but a condition.
fn flags(said: Said) -> RestrictFlags {
    FLAG_NAMES
        .iter()
        .filter(|(_, flag)| said.contains(*flag))
        .filter_map(|(word, _)| RestrictFlags::from_word(word))
        .fold(RestrictFlags::NONE, RestrictFlags::with)
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_config::{NoFiles, parse};

    fn flags_for(text: &str, sender: &str) -> RestrictFlags {
        let parsed = parse("test", text.as_bytes(), &NoFiles);
        assert!(!parsed.has_errors(), "{}", parsed.render(false));
        let sender: SocketAddr = sender.parse().expect("an address");
        policy(&parsed.settings, None).flags_for(sender)
    }

    #[test]
    fn every_word_the_grammar_has_means_something_to_the_server() {
        for (word, flag) in FLAG_NAMES {
            if *flag != Said::NTPPORT {
                assert!(RestrictFlags::from_word(word).is_some(), "{word}");
            }
        }
    }

    #[test]
    fn nets_families_and_ports() {
        let text = "restrict default noserve\nrestrict 192.0.2.0 mask 255.255.255.0 notrust\n\
                    restrict 192.0.2.7 ntpport ignore\n";
        let of = |sender| flags_for(text, sender);
        assert_eq!(of("198.51.100.1:5"), RestrictFlags::NOSERVE);
        assert_eq!(of("[2001:db8::1]:5"), RestrictFlags::NOSERVE);
        assert_eq!(of("192.0.2.9:5"), RestrictFlags::NOTRUST);
        assert_eq!(of("192.0.2.7:5"), RestrictFlags::NOTRUST);
        assert_eq!(of("192.0.2.7:123"), RestrictFlags::IGNORE);
    }

    #[test]
    fn an_explanation_names_rule_and_lines() {
        let text = "restrict 192.0.2.0/24 notrust\nrestrict default noserve\n\
                    restrict source nomodify\nrestrict 192.0.2.0 mask 255.255.255.0 version\n\
                    restrict 192.0.2.0/24 ntpport ignore\n";
        let parsed = parse("test", text.as_bytes(), &NoFiles);
        let of = |sender: &str, as_source| {
            let sender = sender.parse().expect("an address");
            let found = explain(&parsed.settings, sender, as_source);
            let ruling = found.ruling.expect("a rule");
            let lines: Vec<u32> = found.lines.iter().map(|span| span.line).collect();
            (ruling.origin, ruling.rule.flags, lines)
        };
        let both = RestrictFlags::NOTRUST.with(RestrictFlags::VERSION);
        assert_eq!(
            of("192.0.2.1:5", false),
            (Origin::Operator, both, vec![1, 4])
        );
        let port = (Origin::Operator, RestrictFlags::IGNORE, vec![5]);
        assert_eq!(of("192.0.2.1:123", false), port);
        let default = (Origin::Operator, RestrictFlags::NOSERVE, vec![2]);
        assert_eq!(of("[2001:db8::1]:5", false), default);
        let source = (Origin::Source, RestrictFlags::NOMODIFY, vec![3]);
        assert_eq!(of("192.0.2.1:5", true), source);
        let (origin, _, lines) = of("127.0.0.1:5", false);
        assert_eq!((origin, lines), (Origin::BuiltIn, Vec::new()));
    }

    #[test]
    fn memory_of_the_right_size_is_kept() {
        let first = clients(None, &[1; 16]);
        assert!(Arc::ptr_eq(&first, &clients(Some(&first), &[2; 16])));
        let small = Arc::new(MruTable::new(7, &[1; 16]));
        assert!(clients(Some(&small), &[2; 16]).octets() == 1 << 20);
    }

    #[test]
    fn silence_means_the_safe_default() {
        let strangers = flags_for("", "198.51.100.1:5");
        for flag in [RestrictFlags::LIMITED, RestrictFlags::NOQUERY] {
            assert!(strangers.contains(flag));
        }
    }
}
