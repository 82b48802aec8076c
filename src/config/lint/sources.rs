//! Lints about where time comes from.

use std::net::IpAddr;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::settings::{AssociationKind, Host, LOCAL_DRIVER, Settings};

/// Fewest sources of which one may be wrong and one may be away (RFC 8633 §3.2).
const ENOUGH_SOURCES: usize = 4;
/// A poll interval below 16 s, log2 seconds, is too fast for someone else's server.
const FAST_POLL_LOG2_S: u8 = 4;

pub(super) fn few_sources(settings: &Settings, found: &mut Vec<Diagnostic>) {
    // A pool fills up by itself, and what cannot be selected is no source.
    let servers = settings.associations.iter().filter(|a| !a.options.noselect);
    let mut count: usize = servers
        .map(|a| {
            if a.kind == AssociationKind::Pool {
                ENOUGH_SOURCES
            } else {
                1
            }
        })
        .sum();
    // The undisciplined local clock knows no time.
    count += settings
        .refclocks
        .iter()
        .filter(|c| c.driver != LOCAL_DRIVER && !c.noselect)
        .count();
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
    let last = settings.associations.last().map(|a| &a.span);
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
    for association in &settings.associations {
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
    if let (Some(domain), 1, Some(last)) =
        (domains.first(), domains.len(), settings.associations.last())
    {
        let message = format!("all {names} servers are found through the domain {domain}");
        found.push(
            Diagnostic::new(codes::ONE_DOMAIN, last.span.clone(), message)
                .label("the last of them")
                .help("add a server of another domain, or one by address"),
        );
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
    for association in &settings.associations {
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
