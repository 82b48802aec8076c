//! `restrict` lines to the server's policy.
use truechimer_config::settings::{
    FLAG_NAMES, Families, RestrictFlags as Said, RestrictRule, RestrictTarget, Settings,
};
use truechimer_proto::server::{AccessRule, Network, Policy, RestrictFlags};

/// The policy that the `restrict` lines make.
pub fn policy(settings: &Settings) -> Policy {
    let rules = settings.restrictions.iter().flat_map(rules_of);
    let source = settings
        .restrictions
        .iter()
        .rfind(|rule| rule.target == RestrictTarget::Source)
        .map(|rule| flags(rule.flags));
    Policy::new(rules, source)
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
    use core::net::SocketAddr;
    use truechimer_config::{NoFiles, parse};

    fn flags_for(text: &str, sender: &str) -> RestrictFlags {
        let parsed = parse("test", text.as_bytes(), &NoFiles);
        assert!(!parsed.has_errors(), "{}", parsed.render(false));
        let sender: SocketAddr = sender.parse().expect("an address");
        policy(&parsed.settings).flags_for(sender)
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
    fn silence_means_the_safe_default() {
        let strangers = flags_for("", "198.51.100.1:5");
        for flag in [RestrictFlags::LIMITED, RestrictFlags::NOQUERY] {
            assert!(strangers.contains(flag));
        }
    }
}
