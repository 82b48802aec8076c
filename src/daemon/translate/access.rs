//! `restrict` lines to the server's policy.
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_config::Span;
use truechimer_config::settings::{
    FLAG_NAMES, Families, MruSize, RestrictFlags as Said, RestrictRule, RestrictTarget, Settings,
};
use truechimer_proto::config::Demand;
use truechimer_proto::control::{Relaxation, Rule};
use truechimer_proto::server::{
    AccessRule, DepartureTable, Limits, Manycast, MruTable, Network, Origin, Policy, Rates,
    RestrictFlags, Ruling, Watch,
};

/// Octets of the table of recent clients at most, whatever an `mru` line asks for: a flood of
/// made-up senders fills it.
const CLIENTS_OCTETS_MAX: usize = 64 << 20;

/// Replies whose departure may be told, at once.
const DEPARTURES: usize = 98_304;

/// `enable auth`: whether who comes unasked must be authentic.
pub const fn demand(settings: &Settings) -> Demand {
    if settings.flags.auth {
        Demand::Authentic
    } else {
        Demand::Anybody
    }
}

/// The policy that the `restrict` lines make, with a memory of clients where one is given.
pub fn policy(settings: &Settings, clients: Option<Arc<MruTable>>) -> Policy {
    let rules = settings.restrictions.iter().flat_map(rules_of);
    let source = settings
        .restrictions
        .iter()
        .rfind(|rule| rule.target == RestrictTarget::Source)
        .map(|rule| flags(rule.flags));
    let mut policy = Policy::new(rules, source).with_private(settings.flags.mode7);
    let groups = settings.broadcasting.manycast_groups.iter();
    let groups: Vec<_> = groups.map(|group| group.value).collect();
    if !groups.is_empty() {
        policy = policy.with_manycast(Manycast::new(groups, settings.tos.cohort));
    }
    let Some(clients) = clients else {
        return policy;
    };
    let said = &settings.discard;
    let limits = Limits {
        rates: Rates::new(said.average_log2_s, said.minimum_s),
        maxage_s: settings.mru.maxage_s,
        monitor_s: said.monitor_s,
    };
    policy.with_watch(Watch { limits, clients }, settings.flags.monitor)
}

/// The policy with all that is remembered of who asks.
pub fn remembering(
    settings: &Settings,
    clients: Option<Arc<MruTable>>,
    departures: Option<Arc<DepartureTable>>,
) -> Arc<Policy> {
    let policy = policy(settings, clients);
    Arc::new(match departures {
        Some(departures) => policy.with_departures(departures),
        None => policy,
    })
}

/// A memory for as many clients as the `mru` lines say, under this key. What they say of its growth
/// means nothing here: it is mapped as it fills.
pub fn memory(settings: &Settings, key: &[u8; 16]) -> Arc<MruTable> {
    Arc::new(MruTable::new(clients_at_most(settings), key))
}

/// A memory of when replies left, under this key: for a hundred thousand clients at once, a few
/// megabytes once they come.
pub fn departures(key: &[u8; 16]) -> Arc<DepartureTable> {
    Arc::new(DepartureTable::new(DEPARTURES, key))
}

/// Whether a memory is of the size that the `mru` lines say.
pub fn fits(memory: &MruTable, settings: &Settings) -> bool {
    memory.capacity() == MruTable::capacity_for(clients_at_most(settings))
}

fn clients_at_most(settings: &Settings) -> usize {
    let cap = MruTable::clients_in(CLIENTS_OCTETS_MAX);
    let number = |it: u32| usize::try_from(it).unwrap_or(usize::MAX);
    let said = match settings.mru.most {
        MruSize::Entries(clients) => number(clients),
        MruSize::Kilobytes(kilobytes) => {
            MruTable::clients_in(number(kilobytes).saturating_mul(1024))
        }
        MruSize::Unlimited => cap,
    };
    said.min(cap)
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

/// Takes flags from the lines about a network, or all those lines; whether there was something to
/// take from. What is taken from a built-in rule is taken by a line in its place.
pub fn relax(settings: &mut Settings, rule: &Rule, how: Relaxation) -> bool {
    if rule.network.prefix_bits() == 0 {
        part_families(&mut settings.restrictions);
    }
    let is_it = |line: &RestrictRule| {
        let mut rules = rules_of(line).into_iter();
        rules.any(|it| (it.network, it.ntp_port_only) == (rule.network, rule.ntp_port_only))
    };
    let taken = said(rule.flags);
    let lines = &mut settings.restrictions;
    if lines.iter().any(is_it) {
        match how {
            Relaxation::Whole => lines.retain(|line| !is_it(line)),
            Relaxation::Flags => {
                for line in lines.iter_mut().filter(|line| is_it(line)) {
                    line.flags = line.flags.without(taken);
                }
            }
        }
        return true;
    }
    let rulings = Policy::default().rulings();
    let built_in = rulings.iter().map(|it| it.rule);
    let mut built_in = built_in.filter(|it| it.network == rule.network && !rule.ntp_port_only);
    let (Some(found), Relaxation::Flags) = (built_in.next(), how) else {
        return false;
    };
    lines.push(RestrictRule {
        target: RestrictTarget::Net {
            address: rule.network.address(),
            prefix_bits: rule.network.prefix_bits(),
        },
        flags: said(found.flags).without(taken),
        ip_peer_limit: None,
        span: Span {
            file: "remote configuration".into(),
            line: 1,
            column: 1,
            bytes: 0..0,
        },
    });
    true
}

/// `restrict default` is two rules.
fn part_families(lines: &mut Vec<RestrictRule>) {
    let parted = lines.drain(..).flat_map(|line| {
        let families: &[Families] = match line.target {
            RestrictTarget::Default(Families::Both) => &[Families::Ipv4, Families::Ipv6],
            _ => &[],
        };
        let of = |families: &Families| RestrictRule {
            target: RestrictTarget::Default(*families),
            ..line.clone()
        };
        match families {
            [] => vec![line],
            both => both.iter().map(of).collect(),
        }
    });
    *lines = parted.collect::<Vec<_>>();
}

/// The flags in the words of the operator.
fn said(flags: RestrictFlags) -> Said {
    let words = RestrictFlags::WORDS.iter();
    let set = words.filter(|(_, flag)| flags.contains(*flag));
    set.filter_map(|(word, _)| FLAG_NAMES.iter().find(|(name, _)| name == word))
        .fold(Said::default(), |sum, (_, flag)| sum.with(*flag))
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
        let sender: SocketAddr = sender.parse().expect("an address");
        policy(&settings(text), None).flags_for(sender)
    }

    #[test]
    fn rules_are_relaxed_and_others_stay() {
        let rule = |network: Network, flags| Rule {
            network,
            ntp_port_only: false,
            flags,
        };
        let relaxed = |text: &str, rule: &Rule, how| {
            let mut settings = settings(text);
            let done = relax(&mut settings, rule, how);
            (done, policy(&settings, None))
        };
        let flags =
            |policy: &Policy, sender: &str| policy.flags_for(sender.parse().expect("an address"));
        let net = Network::new([10, 0, 0, 0].into(), 8).expect("a network");
        let text = "restrict 10.0.0.0 mask 255.0.0.0 nomodify notrust\nrestrict default ignore\n";
        let notrust = RestrictFlags::NOTRUST;
        let (done, policy) = relaxed(text, &rule(net, notrust), Relaxation::Flags);
        assert!(done);
        assert_eq!(flags(&policy, "10.0.0.1:9"), RestrictFlags::NOMODIFY);
        let (done, policy) = relaxed(text, &rule(net, notrust), Relaxation::Whole);
        assert!(done);
        assert_eq!(flags(&policy, "10.0.0.1:9"), RestrictFlags::IGNORE);
        let ignore = rule(Network::ANY_V4, RestrictFlags::IGNORE);
        let (done, policy) = relaxed(text, &ignore, Relaxation::Flags);
        assert!(done);
        assert_eq!(flags(&policy, "192.0.2.1:9"), RestrictFlags::NONE);
        assert_eq!(flags(&policy, "[2001:db8::1]:9"), RestrictFlags::IGNORE);
        // A built-in rule can lose flags and cannot go.
        let noquery = rule(Network::ANY_V6, RestrictFlags::NOQUERY);
        let (done, policy) = relaxed("", &noquery, Relaxation::Flags);
        let left = flags(&policy, "[2001:db8::1]:9");
        assert!(done && !left.contains(RestrictFlags::NOQUERY));
        assert!(left.contains(RestrictFlags::NOMODIFY.with(RestrictFlags::NOPEER)));
        assert!(!relaxed("", &noquery, Relaxation::Whole).0);
        assert!(!relaxed("", &rule(net, notrust), Relaxation::Flags).0);
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
    fn groups_and_cohort_reach_the_policy() {
        assert_eq!(policy(&settings(""), None).manycast(), None);
        let text = "manycastserver 239.1.1.1 ff05::101\ntos cohort 1\n";
        let groups = ["239.1.1.1", "ff05::101"].map(|it| it.parse().expect("an address"));
        let expected = Manycast::new(groups, true);
        assert_eq!(policy(&settings(text), None).manycast(), Some(&expected));
        let alone = policy(&settings("manycastserver 239.1.1.1\n"), None);
        assert_eq!(alone.manycast(), Some(&Manycast::new([groups[0]], false)));
    }

    #[test]
    fn an_explanation_names_rule_and_lines() {
        let text = "restrict 192.0.2.0/24 notrust\nrestrict default noserve\n\
                    restrict source nomodify\nrestrict 192.0.2.0 mask 255.255.255.0 version\n\
                    restrict 192.0.2.0/24 ntpport ignore\n";
        let settings = settings(text);
        let of = |sender: &str, as_source| {
            let sender = sender.parse().expect("an address");
            let found = explain(&settings, sender, as_source);
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

    fn settings(text: &str) -> Settings {
        let parsed = parse("test", text.as_bytes(), &NoFiles);
        assert!(!parsed.has_errors(), "{}", parsed.render(false));
        parsed.settings
    }

    #[test]
    fn the_memory_has_the_size_that_mru_says() {
        let octets = |text: &str| memory(&settings(text), &[1; 16]).octets();
        assert_eq!(octets(""), 1 << 20, "as in the reference");
        assert_eq!(octets("mru maxmem 4096"), 4 << 20);
        assert_eq!(octets("mru maxdepth 7"), 512);
        assert_eq!(octets("mru maxdepth 0"), 512);
        assert_eq!(octets("mru maxmem 2000000000"), CLIENTS_OCTETS_MAX);
        assert_eq!(octets("mru maxdepth -1"), CLIENTS_OCTETS_MAX);
        let small = memory(&settings("mru maxdepth 600"), &[1; 16]);
        assert!(fits(&small, &settings("mru maxdepth 600 maxage 3")));
        assert!(!fits(&small, &settings("mru maxdepth 700")));
    }

    #[test]
    fn limits_and_whether_to_remember() {
        let watch = |text: &str| {
            let settings = settings(text);
            let clients = memory(&settings, &[1; 16]);
            policy(&settings, Some(clients)).watch().map(|it| it.limits)
        };
        assert_eq!(watch(""), Some(Limits::default()));
        let said = watch("discard average 5 minimum 1 monitor 100\nmru maxage 30");
        let expected = Limits {
            rates: Rates::new(5, 1),
            maxage_s: 30,
            monitor_s: 100,
        };
        assert_eq!(said, Some(expected));
        let open = "restrict default\nrestrict source\ndisable monitor\n";
        assert_eq!(watch(open), None);
        assert!(watch("restrict default\nrestrict source\n").is_some());
        assert!(
            watch("disable monitor").is_some(),
            "the built-in rules limit"
        );
    }

    #[test]
    fn silence_means_the_safe_default() {
        let strangers = flags_for("", "198.51.100.1:5");
        for flag in [RestrictFlags::LIMITED, RestrictFlags::NOQUERY] {
            assert!(strangers.contains(flag));
        }
    }
}
