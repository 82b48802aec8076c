//! Lints about those who send to many, and about symmetric peers.

use std::net::{IpAddr, Ipv4Addr};

use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::settings::{
    Association, AssociationKind, Host, RestrictFlags, RestrictRule, RestrictTarget, Settings,
};

use super::access::is_default;

/// The group that IANA gave to NTP (ntp.mcast.net).
const NTP_GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 1, 1));

/// Who hears many believes what is authentic, unless told otherwise.
pub(super) fn many_unkeyed(settings: &Settings, found: &mut Vec<Diagnostic>) {
    if !settings.flags.auth {
        return;
    }
    for line in unkeyed(settings) {
        let (message, help) = match line.kind {
            AssociationKind::Broadcast => (
                format!(
                    "what is sent to `{}` has no key, so its clients refuse it",
                    line.host
                ),
                "add `key N`, of a key that its clients trust",
            ),
            AssociationKind::ManycastClient => (
                format!("servers found in `{}` cannot prove who they are", line.host),
                "add `key N`, of a key that those servers trust",
            ),
            _ => continue,
        };
        found.push(
            Diagnostic::new(codes::MANY_UNKEYED, line.span.clone(), message)
                .label("no key")
                .help(help),
        );
    }
}

/// Clients listen for broadcasts in ntp.mcast.net. A manycast server is silent until it is asked, so
/// that they would hear nothing.
pub(super) fn manycast_for_broadcast(settings: &Settings, found: &mut Vec<Diagnostic>) {
    for group in &settings.broadcasting.manycast_groups {
        if group.value == NTP_GROUP {
            let message = format!("`manycastserver` does not send the time to {NTP_GROUP}");
            found.push(
                Diagnostic::new(codes::MANYCAST_FOR_BROADCAST, group.span.clone(), message)
                    .label("where multicast clients listen")
                    .help(
                        "to send it there: `broadcast 224.0.1.1 key N`; to be found by \
                         `manycastclient`: a group of your own, such as 239.255.254.254",
                    ),
            );
        }
    }
}

/// A made-up address is all it takes to be taken for a peer that proves nothing.
pub(super) fn peers(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let is_peer = |it: &&Association| it.kind == AssociationKind::Peer;
    for line in unkeyed(settings).filter(is_peer) {
        let message = format!("the peer `{}` has no key", line.host);
        found.push(
            Diagnostic::new(codes::PEER_UNKEYED, line.span.clone(), message)
                .label("no key")
                .help("add the same `key N` on both sides, or let each have the other as `server`"),
        );
    }
    for line in settings.associations.iter().filter(is_peer) {
        let Host::Address(address) = line.host else {
            continue;
        };
        if address.to_canonical().is_loopback() {
            let message = format!("`{address}` is this host, which cannot be its own peer");
            found.push(
                Diagnostic::new(codes::PEER_OF_ITSELF, line.span.clone(), message)
                    .label("this host")
                    .help("write the other host's address"),
            );
        }
    }
}

fn unkeyed(settings: &Settings) -> impl Iterator<Item = &Association> {
    let all = settings.associations.iter();
    all.filter(|it| it.options.key.is_none() && !it.options.autokey)
}

/// Without a trusted key or a group of Autokey nothing that comes unasked can be authentic.
pub(super) fn no_trusted_key(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let autokey = &settings.autokey;
    let names_group = !autokey.idents.is_empty() || autokey.default_ident.is_some();
    // A file that one of these words names may be of a group.
    let names_files = !autokey.legacy_files.is_empty();
    if !settings.flags.auth
        || (autokey.is_on() && (names_group || names_files))
        || !settings.authentication.trusted_keys.is_empty()
    {
        return;
    }
    let Some((word, span)) = listens(settings) else {
        return;
    };
    let message = format!("`{word}` believes what a trusted key proves, and no key is trusted");
    let mut complaint = Diagnostic::unplaced(codes::NO_TRUSTED_KEY, message)
        .help("add `keys FILE` and `trustedkey N`, or `ident GROUP` with Autokey, or `disable auth` to believe anybody");
    if let Some(span) = span {
        complaint.span = Some(span);
        complaint = complaint.label("nothing is believed");
    }
    found.push(complaint);
}

/// The default access counts for whoever no other line is about.
pub(super) fn nobody_heard(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let Some((word, _)) = listens(settings) else {
        return;
    };
    let mut refusing = vec![(RestrictFlags::IGNORE, "ignore", "every source")];
    if !settings.flags.auth {
        let unproven = "every source without a key, which `disable auth` is to believe";
        refusing.push((RestrictFlags::NOTRUST, "notrust", unproven));
        refusing.push((RestrictFlags::NOPEER, "nopeer", unproven));
    }
    let rules = &settings.restrictions;
    for (flag, name, whom) in refusing {
        let refuses = |it: &&RestrictRule| it.flags.contains(flag);
        let by_default =
            |it: &&RestrictRule| is_default(it.target, true) || is_default(it.target, false);
        let lets_in = |it: &RestrictRule| {
            let loopback =
                matches!(it.target, RestrictTarget::Net { address, .. } if address.is_loopback());
            !loopback && it.target != RestrictTarget::Source && !it.flags.contains(flag)
        };
        let Some(rule) = rules.iter().filter(by_default).find(refuses) else {
            continue;
        };
        if rules.iter().any(lets_in) {
            continue;
        }
        let message = format!("`{name}` refuses {whom}, so `{word}` hears nobody");
        found.push(
            Diagnostic::new(codes::NOBODY_HEARD, rule.span.clone(), message)
                .label("refuses them")
                .help(format!(
                    "add a `restrict` line for the sources without `{name}`"
                )),
        );
        return;
    }
}

/// The word by which broadcasts or groups are listened to, and its place where it is known.
fn listens(settings: &Settings) -> Option<(&'static str, Option<Span>)> {
    let broadcasting = &settings.broadcasting;
    if let Some(group) = broadcasting.multicast_groups.first() {
        return Some(("multicastclient", Some(group.span.clone())));
    }
    if broadcasting.client {
        let place = settings.places.get("broadcastclient");
        return Some(("broadcastclient", place.cloned()));
    }
    settings.flags.bclient.then_some(("enable bclient", None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoFiles, parse};

    #[test]
    fn autokey_without_a_group_proves_nobody_who_comes_unasked() {
        let tells = |lines: &str| {
            let text = format!("broadcastclient\n{lines}\n");
            let mut found = Vec::new();
            let settings = parse("c", text.as_bytes(), &NoFiles).settings;
            no_trusted_key(&settings, &mut found);
            !found.is_empty()
        };
        assert!(tells("") && tells("crypto pw p"));
        assert!(tells("ident GR1"), "Autokey is off");
        for heard in [
            "crypto pw p ident GR1",
            "crypto pw p\nident GR1",
            "crypto pw p iffpar f",
            "keys k\ntrustedkey 1",
            "disable auth",
        ] {
            assert!(!tells(heard), "{heard}");
        }
    }
}
