//! Access rules as items, and changes to them as lines of configuration.
use super::mask;
use crate::server::{AccessRule, Network, Origin, RestrictFlags, Ruling};
use core::fmt::Write as _;
use core::net::IpAddr;
use truechimer_wire::private::{RestrictChange, RestrictItem};

/// What a rule does not allow, as bits of 4.2.8.
const BITS: [(RestrictFlags, u16); 16] = [
    (RestrictFlags::IGNORE, 0x0001),
    (RestrictFlags::NOSERVE, 0x0002),
    (RestrictFlags::NOTRUST, 0x0004),
    (RestrictFlags::VERSION, 0x0008),
    (RestrictFlags::NOPEER, 0x0010),
    (RestrictFlags::NOEPEER, 0x0020),
    (RestrictFlags::LIMITED, 0x0040),
    (RestrictFlags::NOQUERY, 0x0080),
    (RestrictFlags::NOMODIFY, 0x0100),
    (RestrictFlags::NOTRAP, 0x0200),
    (RestrictFlags::LOWPRIOTRAP, 0x0400),
    (RestrictFlags::KOD, 0x0800),
    (RestrictFlags::MSSNTP, 0x1000),
    (RestrictFlags::FLAKE, 0x2000),
    (RestrictFlags::NOMRULIST, 0x4000),
    (RestrictFlags::SERVERRESPONSE_FUZZ, 0x8000),
];
/// The rule is about packets from port 123.
const NTP_PORT: u16 = 0x2000;
/// The rule is of a server in use.
const SOURCE: u16 = 0x4000;

/// A rule that is to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whom it is about.
    pub network: Network,
    /// Only about packets from port 123.
    pub ntp_port_only: bool,
    /// What is added to it, or taken from it.
    pub flags: RestrictFlags,
}

impl Rule {
    /// The rule a request is about; `None` where the mask has gaps, or the match is one that no
    /// line can make.
    pub(crate) fn of(change: &RestrictChange) -> Option<Self> {
        let address = change.address();
        let bits = match (address, change.mask()) {
            // As in the reference, whose clients send no mask for everybody.
            (address, _) if address.is_unspecified() => 0,
            (IpAddr::V4(_), IpAddr::V4(mask)) => {
                let bits = mask.to_bits().leading_ones();
                (mask.to_bits().checked_shl(bits).unwrap_or(0) == 0).then_some(bits)?
            }
            (IpAddr::V6(_), IpAddr::V6(mask)) => {
                let bits = mask.to_bits().leading_ones();
                (mask.to_bits().checked_shl(bits).unwrap_or(0) == 0).then_some(bits)?
            }
            _ => return None,
        };
        if change.match_flags & !NTP_PORT != 0 {
            return None;
        }
        let set = BITS.iter().filter(|(_, bit)| change.flags & bit != 0);
        Some(Self {
            network: Network::new(address, u8::try_from(bits).ok()?).ok()?,
            ntp_port_only: change.match_flags & NTP_PORT != 0,
            flags: set.fold(RestrictFlags::NONE, |sum, (flag, _)| sum.with(*flag)),
        })
    }

    /// The rule in force about the same packets. Those of servers in use come and go by themselves.
    pub(crate) fn in_force<'a>(&self, rulings: &'a [Ruling]) -> Option<&'a Ruling> {
        rulings.iter().find(|it| {
            it.origin != Origin::Source
                && it.rule.network == self.network
                && it.rule.ntp_port_only == self.ntp_port_only
        })
    }
}

/// The reference's numbers of the flags.
pub(crate) fn reference_flags(flags: RestrictFlags) -> u16 {
    let set = BITS.iter().filter(|(flag, _)| flags.contains(*flag));
    set.fold(0, |sum, (_, bit)| sum | bit)
}

/// A rule as an item.
fn item(ruling: &Ruling) -> RestrictItem {
    let AccessRule { network, flags, .. } = ruling.rule;
    let port = if ruling.rule.ntp_port_only {
        NTP_PORT
    } else {
        0
    };
    let source = if ruling.origin == Origin::Source {
        SOURCE
    } else {
        0
    };
    let mut item = RestrictItem {
        flags: reference_flags(flags),
        match_flags: port | source,
        ..RestrictItem::default()
    };
    let address = network.address();
    item.set_network(address, mask(address, network.prefix_bits()));
    item
}

/// All rules, IPv4 first, each before those that count before it. Nobody counts their packets.
pub(crate) fn restrictions(rulings: &[Ruling]) -> Vec<RestrictItem> {
    let mut rulings: Vec<&Ruling> = rulings.iter().collect();
    rulings.sort_by_key(|it| {
        let network = &it.rule.network;
        let address = network.address();
        (
            address.is_ipv6(),
            address,
            network.prefix_bits(),
            it.rule.ntp_port_only,
        )
    });
    rulings.into_iter().map(item).collect()
}

/// The line that adds flags to a rule, or makes it. A line takes a built-in rule's place, so what that
/// one does not allow is said again: to add a flag must not take others away.
pub(crate) fn restriction(rule: &Rule, rulings: &[Ruling]) -> String {
    let found = rule.in_force(rulings);
    let before = found.map_or(RestrictFlags::NONE, |it| it.rule.flags);
    let limit = found.and_then(|it| it.rule.ip_peer_limit);
    let address = rule.network.address();
    let mask = mask(address, rule.network.prefix_bits());
    let mut line = format!("restrict {address} mask {mask}");
    if rule.ntp_port_only {
        line.push_str(" ntpport");
    }
    if let Some(limit) = limit {
        // Writing to a string cannot fail.
        let _ = write!(line, " ippeerlimit {limit}");
    }
    for word in words(before.with(rule.flags)) {
        line.push(' ');
        line.push_str(word);
    }
    line
}

fn words(flags: RestrictFlags) -> impl Iterator<Item = &'static str> {
    let set = RestrictFlags::WORDS.iter();
    let set = set.filter(move |(_, flag)| flags.contains(*flag));
    set.map(|(word, flag)| match *flag {
        RestrictFlags::SERVERRESPONSE_FUZZ => "serverresponse fuzz",
        _ => *word,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Policy;

    fn change(address: &str, mask: &str, flags: u16, match_flags: u16) -> RestrictChange {
        let mut change = RestrictChange {
            flags,
            match_flags,
            ..RestrictChange::default()
        };
        let parse = |text: &str| text.parse().expect("an address");
        change.set_network(parse(address), parse(mask));
        change
    }

    #[test]
    fn a_rule_and_its_line() {
        let rule = Rule::of(&change("192.168.231.0", "255.255.255.0", 0x104, 0)).expect("good");
        assert_eq!(
            restriction(&rule, &Policy::default().rulings()),
            "restrict 192.168.231.0 mask 255.255.255.0 notrust nomodify"
        );
        let rule = Rule::of(&change("2001:db8::", "ffff:ffff::", 0x8000, 0x2000)).expect("good");
        assert_eq!(
            restriction(&rule, &[]),
            "restrict 2001:db8:: mask ffff:ffff:: ntpport serverresponse fuzz"
        );
        for (mask, match_flags) in [("255.0.255.0", 0), ("255.255.0.0", 0x1000)] {
            assert_eq!(Rule::of(&change("10.0.0.0", mask, 0, match_flags)), None);
        }
    }

    #[test]
    fn to_add_a_flag_to_a_built_in_rule_takes_none_away() {
        let rule = Rule::of(&change("0.0.0.0", "0.0.0.0", 0x4, 0)).expect("good");
        let line = restriction(&rule, &Policy::default().rulings());
        for word in [
            "notrust", "limited", "kod", "noquery", "nomodify", "nopeer", "notrap",
        ] {
            assert!(line.contains(word), "{line}");
        }
    }

    #[test]
    fn every_flag_has_its_own_bit() {
        assert_eq!(BITS.iter().fold(0, |sum, (_, bit)| sum | bit), u16::MAX);
        for (word, flag) in RestrictFlags::WORDS {
            assert!(BITS.iter().any(|(known, _)| known == flag), "{word}");
        }
        let items = restrictions(&Policy::default().rulings());
        assert_eq!(items.len(), 4);
        assert_eq!((items[0].flags, items[1].flags), (0x0bf0, 0x20));
        assert_eq!(items[3].mask(), IpAddr::from([0xFF; 16]));
    }
}
