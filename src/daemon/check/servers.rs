//! Servers that we ask and that our own access rules keep out.
use super::codes;
use crate::translate::access::{self, Explanation};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use truechimer_config::settings::{Association, AssociationKind, Family, Host, Settings};
use truechimer_config::{Diagnostic, Span, codes as config_codes};
use truechimer_proto::server::RestrictFlags;

const NTP_PORT: u16 = 123;
/// Servers named in one complaint; the rest is counted.
const NAMED: usize = 4;
/// Addresses of nobody (RFC 5737, RFC 6598): one that no rule but the default is about stands for
/// whatever a name may resolve to.
const ANYBODY_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(203, 0, 113, 77),
    Ipv4Addr::new(198, 51, 100, 77),
    Ipv4Addr::new(192, 0, 2, 77),
    Ipv4Addr::new(100, 127, 255, 77),
];

/// What one line keeps out.
struct Blocked<'a> {
    place: &'a Span,
    word: &'static str,
    servers: Vec<String>,
}

pub(super) fn check(settings: &Settings, found: &mut Vec<Diagnostic>) {
    use AssociationKind::{Peer, Pool, Server};
    let heard = |it: &&Association| matches!(it.kind, Server | Pool | Peer);
    let explained: Vec<(&Association, Explanation)> = settings
        .associations
        .iter()
        .filter(heard)
        .filter_map(|it| Some((it, explain(settings, it)?)))
        .collect();
    let mut all: Vec<Blocked<'_>> = Vec::new();
    for (server, explanation) in &explained {
        let (Some(word), Some(place)) = (blocking(server, explanation), explanation.lines.first())
        else {
            continue;
        };
        let name = server.host.to_string();
        match all
            .iter_mut()
            .find(|it| it.place == place && it.word == word)
        {
            Some(known) => known.servers.push(name),
            None => all.push(Blocked {
                place,
                word,
                servers: vec![name],
            }),
        }
    }
    found.extend(all.iter().map(complaint));
}

/// A peer that is this host hears nothing but itself.
pub(super) fn check_peers(settings: &Settings, own: &[IpAddr], found: &mut Vec<Diagnostic>) {
    let peers = settings.associations.iter();
    for peer in peers.filter(|it| it.kind == AssociationKind::Peer) {
        if let Host::Address(address) = peer.host
            && own.contains(&address.to_canonical())
        {
            let message =
                format!("`{address}` is an address of this host, which cannot be its own peer");
            found.push(
                Diagnostic::new(config_codes::PEER_OF_ITSELF, peer.span.clone(), message)
                    .label("this host")
                    .help("write the other host's address"),
            );
        }
    }
}

/// What holds for the server's replies; for a name, what holds where no other rule does.
fn explain(settings: &Settings, server: &Association) -> Option<Explanation> {
    let of = |address: IpAddr| access::explain(settings, SocketAddr::new(address, NTP_PORT), true);
    if let Host::Address(address) = server.host {
        return Some(of(address));
    }
    if server.family == Some(Family::Ipv6) {
        return Some(of(IpAddr::V6(Ipv6Addr::new(
            0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x77,
        ))));
    }
    let only_default = |address: &Ipv4Addr| {
        let stranger = SocketAddr::new(IpAddr::V4(*address), NTP_PORT);
        let ruling = access::explain(settings, stranger, false).ruling;
        ruling.is_none_or(|it| it.rule.network.prefix_bits() == 0)
    };
    let anybody = ANYBODY_V4.iter().find(|it| only_default(it))?;
    Some(of(IpAddr::V4(*anybody)))
}

fn blocking(server: &Association, explanation: &Explanation) -> Option<&'static str> {
    let flags = explanation.ruling?.rule.flags;
    let proven = server.options.key.is_some() || server.options.autokey;
    if flags.contains(RestrictFlags::IGNORE) {
        Some("ignore")
    } else if flags.contains(RestrictFlags::NOTRUST) && !proven {
        Some("notrust")
    } else if flags.contains(RestrictFlags::NOSERVE) {
        Some("noserve")
    } else {
        None
    }
}

fn complaint(blocked: &Blocked<'_>) -> Diagnostic {
    let some: Vec<&str> = blocked
        .servers
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect();
    let more = match blocked.servers.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let servers = format!("{}{more}", some.join(", "));
    let (code, message, help) = match blocked.word {
        "ignore" => (
            codes::OWN_SERVER_BLOCKED,
            format!("`ignore` drops what our own servers answer: {servers}"),
            "add `restrict source nomodify noquery notrap` for the servers in use",
        ),
        "notrust" => (
            codes::OWN_SERVER_BLOCKED,
            format!("`notrust` believes no server without a key, and these have none: {servers}"),
            "give them a `key`, or add a `restrict` line for them without `notrust`",
        ),
        _ => (
            codes::OWN_SERVER_NOSERVE,
            format!("with `noserve` ntpd drops what its own servers answer; we do not: {servers}"),
            "add `restrict source nomodify noquery notrap`, which means the same to both",
        ),
    };
    let label = format!("keeps out {}", some.first().copied().unwrap_or("a server"));
    Diagnostic::new(code, blocked.place.clone(), message)
        .label(label)
        .help(help)
}
