//! Lints about where time comes from.

use std::net::IpAddr;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::settings::{Association, AssociationKind, Host, LOCAL_DRIVER, Settings};

/// Fewest sources of which one may be wrong and one may be away (RFC 8633 §3.2).
pub(super) const ENOUGH_SOURCES: usize = 4;
/// A poll interval below 16 s, log2 seconds, is too fast for someone else's server.
const FAST_POLL_LOG2_S: u8 = 4;

/// How many sources there are, or may come to be. What fills up by itself counts as enough, and what
/// cannot be selected is no source; the undisciplined local clock knows no time, but can be selected.
pub(super) fn count_sources(settings: &Settings, with_local: bool) -> usize {
    let broadcasting = &settings.broadcasting;
    let listens =
        broadcasting.client || settings.flags.bclient || !broadcasting.multicast_groups.is_empty();
    let associations = settings.associations.iter();
    let associations = associations.filter(|it| !it.options.noselect);
    let associations = associations.map(|it| match it.kind {
        AssociationKind::Pool | AssociationKind::ManycastClient => ENOUGH_SOURCES,
        AssociationKind::Server | AssociationKind::Peer => 1,
        AssociationKind::Broadcast => 0,
    });
    let clocks = settings.refclocks.iter();
    let clocks = clocks.filter(|it| !it.noselect && (with_local || it.driver != LOCAL_DRIVER));
    let heard = if listens { ENOUGH_SOURCES } else { 0 };
    associations.sum::<usize>() + clocks.count() + heard
}

pub(super) fn few_sources(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let count = count_sources(settings, false);
    if count >= ENOUGH_SOURCES {
        return;
    }
    let (message, label) = match count {
        0 => ("there is no source of time".to_owned(), "only this"),
        1 => (
            "there is one source: if it is wrong, so are we".to_owned(),
            "the only source",
        ),
        2 => (
            "of two sources that differ none can be told to be wrong".to_owned(),
            "the last of 2",
        ),
        n => (
            format!("with {n} sources a wrong one is outvoted only while all answer"),
            "the last",
        ),
    };
    let last = settings.asked().last().map(|a| &a.span);
    let span = last.or(settings.refclocks.last().map(|c| &c.span));
    let mut complaint = Diagnostic::unplaced(codes::FEW_SOURCES, message)
        .help("use four or more that do not depend on each other, or a `pool`");
    if let Some(span) = span {
        complaint.span = Some(span.clone());
        complaint = complaint.label(label);
    }
    found.push(complaint);
}

/// If the domain's name servers fail, every source is gone at once.
pub(super) fn one_domain(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let mut domains = std::collections::BTreeSet::new();
    let mut names = 0_usize;
    for association in settings.asked() {
        let Host::Name(name) = &association.host else {
            return;
        };
        let Some(domain) = domain(name) else { return };
        domains.insert(domain);
        names += 1;
    }
    if names < 2
        || settings
            .refclocks
            .iter()
            .any(|clock| clock.driver != LOCAL_DRIVER)
    {
        return;
    }
    if let (Some(domain), 1, Some(last)) = (domains.first(), domains.len(), settings.asked().last())
    {
        let message = format!("all {names} servers are found through the domain {domain}");
        found.push(
            Diagnostic::new(codes::ONE_DOMAIN, last.span.clone(), message)
                .label("the last of them")
                .help("add a server of another domain, or one by address"),
        );
    }
}

/// One cut line, one router or one operator would then be every source.
pub(super) fn one_network(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let real_clocks = settings.refclocks.iter();
    let mut real_clocks = real_clocks.filter(|clock| clock.driver != LOCAL_DRIVER);
    let mut networks = std::collections::BTreeSet::new();
    for association in settings.asked() {
        let Host::Address(address) = &association.host else {
            return;
        };
        networks.insert(network(*address));
    }
    let count = settings.asked().count();
    if let (Some(network), 1, Some(last)) =
        (networks.first(), networks.len(), settings.asked().last())
        && count >= 2
        && real_clocks.next().is_none()
        && !is_ours(&last.host)
    {
        let message = format!("all {count} servers are in the network {network}");
        found.push(
            Diagnostic::new(codes::ONE_NETWORK, last.span.clone(), message)
                .label("the last of them")
                .help("add a server elsewhere, of another operator"),
        );
    }
}

/// What is usually given out as one: a /24, a /48.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// The last two labels: right for most names, and only a remark hangs on it.
fn domain(name: &str) -> Option<String> {
    let name = name.strip_suffix('.').unwrap_or(name).to_lowercase();
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    dots.next()?;
    let start = dots.next().map_or(0, |at| at + 1);
    name.get(start..).map(str::to_owned)
}

pub(super) fn fast_polls(settings: &Settings, found: &mut Vec<Diagnostic>) {
    // What sends to a group asks nobody.
    let asks = |it: &&Association| it.kind != AssociationKind::Broadcast;
    for association in settings.associations.iter().filter(asks) {
        let poll = association.options.minpoll_log2_s;
        if poll >= FAST_POLL_LOG2_S || is_ours(&association.host) {
            continue;
        }
        let message = format!(
            "`{}` may be asked every {} s",
            association.host,
            1_u32 << poll
        );
        found.push(
            Diagnostic::new(codes::FAST_POLL, association.span.clone(), message)
                .label(format!("minpoll {poll}"))
                .help("below minpoll 4 ask only servers of your own, or be refused"),
        );
    }
}

/// Whether a host is surely in our own network.
fn is_ours(host: &Host) -> bool {
    const OWN_DOMAINS: &[&str] = &[
        ".local",
        ".lan",
        ".internal",
        ".home.arpa",
        ".localhost",
        ".test",
    ];
    match host {
        Host::Address(IpAddr::V4(v4)) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        Host::Address(IpAddr::V6(v6)) => {
            v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
        }
        Host::Name(name) => {
            let name = name.strip_suffix('.').unwrap_or(name).to_lowercase();
            !name.contains('.') || OWN_DOMAINS.iter().any(|own| name.ends_with(own))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        assert_eq!(domain("0.Debian.pool.ntp.org.").as_deref(), Some("ntp.org"));
        assert_eq!(domain("ntp.org").as_deref(), Some("ntp.org"));
        assert_eq!(domain("localhost"), None);
    }

    #[test]
    fn own_hosts() {
        let address = |text: &str| Host::Address(text.parse().unwrap());
        for ours in [
            "10.1.2.3",
            "127.0.0.1",
            "169.254.1.1",
            "fd00::1",
            "fe80::1",
            "::1",
        ] {
            assert!(is_ours(&address(ours)), "{ours}");
        }
        for theirs in ["192.0.2.1", "2001:db8::1", "172.32.0.1"] {
            assert!(!is_ours(&address(theirs)), "{theirs}");
        }
        assert!(is_ours(&Host::Name("gw".into())) && is_ours(&Host::Name("A.LAN.".into())));
        assert!(is_ours(&Host::Name("fe80::1%eth0".into())));
        assert!(!is_ours(&Host::Name("ntp.example.org".into())));
    }
}
