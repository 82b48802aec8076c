//! `interface` lines, families and port to where the engine listens.
use crate::service::launch::{Families, Launch};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use truechimer_config::settings::{ListenAction, ListenRule, ListenTarget, Located, Settings};
use truechimer_engine::{Action, Hearing, InterfaceRule, Listen, Matches};
use truechimer_proto::config::Family;

/// The service port of NTP (RFC 5905 §7.1).
pub const NTP_PORT: u16 = 123;
/// Where somebody without privileges and configuration serves: on this host only.
pub const TRYOUT_PORT: u16 = 11_123;

/// Where to serve as the configuration says.
pub fn listen(settings: &Settings, launch: &Launch) -> Listen {
    Listen::Interfaces {
        port: launch.port.unwrap_or(NTP_PORT),
        family: match launch.families {
            Families::Both => Family::Any,
            Families::V4 => Family::V4,
            Families::V6 => Family::V6,
        },
        aliases: !launch.no_aliases,
        rules: settings.listen_rules.iter().map(rule).collect(),
    }
}

/// What is heard of that which is sent to many.
pub fn hearing(settings: &Settings, launch: &Launch) -> Hearing {
    let said = &settings.broadcasting;
    let groups = |said: &[Located<IpAddr>]| {
        let addresses = said.iter().map(|group| as_is(group.value));
        addresses
            .filter(|address| match launch.families {
                Families::Both => true,
                Families::V4 => address.is_ipv4(),
                Families::V6 => address.is_ipv6(),
            })
            .collect()
    };
    Hearing {
        broadcasts: said.client || settings.flags.bclient,
        groups: groups(&said.multicast_groups),
        searches: groups(&said.manycast_groups),
    }
}

/// Where to serve when nobody configured anything and port 123 is not ours to have.
pub fn tryout(families: Families, port: Option<u16>) -> Listen {
    let port = port.unwrap_or(TRYOUT_PORT);
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    Listen::Addresses(match families {
        Families::Both => vec![v4, v6],
        Families::V4 => vec![v4],
        Families::V6 => vec![v6],
    })
}

fn rule(said: &ListenRule) -> InterfaceRule {
    let action = match said.action {
        ListenAction::Listen => Action::Listen,
        ListenAction::Ignore => Action::Ignore,
        ListenAction::Drop => Action::Drop,
    };
    let matches = match &said.target {
        ListenTarget::All => Matches::All,
        ListenTarget::Ipv4 => Matches::V4,
        ListenTarget::Ipv6 => Matches::V6,
        ListenTarget::Wildcard => Matches::Wildcard,
        ListenTarget::Name(name) => Matches::Name(name.clone()),
        ListenTarget::Net {
            address,
            prefix_bits,
        } => Matches::Prefix(as_is(*address), *prefix_bits),
    };
    InterfaceRule { action, matches }
}

/// An IPv4 address in IPv6's clothes is the IPv4 address: sockets are of one family each.
const fn as_is(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_config::{NoFiles, parse};

    #[test]
    fn rules_in_their_order_and_the_command_lines_family() {
        let text = "interface ignore all\ninterface listen 127.0.0.1\n";
        let parsed = parse("test", text.as_bytes(), &NoFiles);
        assert!(!parsed.has_errors(), "{}", parsed.render(false));
        let launch = Launch {
            families: Families::V4,
            no_aliases: true,
            ..Launch::ntpd()
        };
        let all = InterfaceRule {
            action: Action::Ignore,
            matches: Matches::All,
        };
        let one = InterfaceRule {
            action: Action::Listen,
            matches: Matches::Prefix(IpAddr::V4(Ipv4Addr::LOCALHOST), 32),
        };
        let wanted = Listen::Interfaces {
            port: 123,
            family: Family::V4,
            aliases: false,
            rules: vec![all, one],
        };
        assert_eq!(listen(&parsed.settings, &launch), wanted);
    }

    #[test]
    fn groups_of_the_families_in_use() {
        let text = "broadcastclient\nmulticastclient 224.0.1.1 ff05::101\n\
                    manycastserver 239.1.1.1\n";
        let settings = parse("test", text.as_bytes(), &NoFiles).settings;
        let mut launch = Launch::ntpd();
        let parsed = |all: &[&str]| -> Vec<IpAddr> {
            all.iter()
                .map(|it| it.parse().expect("an address"))
                .collect()
        };
        let mut wanted = Hearing {
            broadcasts: true,
            groups: parsed(&["224.0.1.1", "ff05::101"]),
            searches: parsed(&["239.1.1.1"]),
        };
        assert_eq!(hearing(&settings, &launch), wanted);
        launch.families = Families::V6;
        wanted.groups.remove(0);
        wanted.searches.clear();
        assert_eq!(hearing(&settings, &launch), wanted);
        let none = parse("test", b"enable bclient\n", &NoFiles).settings;
        assert!(hearing(&none, &launch).broadcasts);
    }

    #[test]
    fn a_tryout_stays_on_this_host() {
        let Listen::Addresses(addresses) = tryout(Families::Both, None) else {
            panic!("fixed addresses");
        };
        assert_eq!(addresses.len(), 2);
        assert!(addresses.iter().all(|address| address.ip().is_loopback()));
        assert!(addresses.iter().all(|address| address.port() == 11_123));
    }
}
