//! Lints about who may do what.

use std::net::IpAddr;

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::settings::{Families, RestrictFlags, RestrictRule, RestrictTarget, Settings};

/// Status shown to everybody helps attackers and can be used to amplify; it should be asked for
/// (RFC 8633 §4.4).
pub(super) fn open_default(settings: &Settings, found: &mut Vec<Diagnostic>) {
    for v4 in [true, false] {
        let about = |rule: &&RestrictRule| {
            // A rule about packets from port 123 leaves those from elsewhere to another.
            is_default(rule.target, v4) && !rule.flags.contains(RestrictFlags::NTPPORT)
        };
        let mut rules = settings.restrictions.iter().filter(about);
        // Without such a line the built-in one counts, which is not open.
        let Some(first) = rules.next() else { continue };
        let flags = rules.fold(first.flags, |sum, rule| sum.with(rule.flags));
        if flags.contains(RestrictFlags::IGNORE) || flags.contains(RestrictFlags::NOQUERY) {
            continue;
        }
        let (may, help) = if flags.contains(RestrictFlags::NOMODIFY) {
            ("query the daemon", "add `noquery`")
        } else {
            (
                "query the daemon and, with a key, change its configuration",
                "add `nomodify noquery`",
            )
        };
        found.push(
            Diagnostic::new(
                codes::OPEN_DEFAULT,
                first.span.clone(),
                format!("everybody may {may}"),
            )
            .label("the default access")
            .help(format!("{help}; time is served all the same")),
        );
        // One remark for a line that is about both families.
        if first.target == RestrictTarget::Default(Families::Both) {
            return;
        }
    }
}

pub(super) fn is_default(target: RestrictTarget, v4: bool) -> bool {
    match target {
        RestrictTarget::Default(Families::Both) => true,
        RestrictTarget::Default(Families::Ipv4) => v4,
        RestrictTarget::Default(Families::Ipv6) => !v4,
        RestrictTarget::Net {
            address,
            prefix_bits,
        } => prefix_bits == 0 && matches!(address, IpAddr::V4(_)) == v4,
        RestrictTarget::Source => false,
    }
}

/// They are an old protocol with an old name for itself: who enables them should need them.
pub(super) fn private_requests(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let place = settings.places.get("enable mode7");
    let Some(place) = place.filter(|_| settings.flags.mode7) else {
        return;
    };
    let message = match &settings.authentication.request_key {
        None => "private requests (mode 7) are answered; without `requestkey` they change nothing"
            .to_owned(),
        Some(key) => format!(
            "private requests (mode 7) are answered, and whoever has key {} changes this \
             configuration by them",
            key.value
        ),
    };
    found.push(
        Diagnostic::new(codes::PRIVATE_REQUESTS, place.clone(), message)
            .label("for ntpdc alone")
            .help(
                "ntpq shows and changes the same; take the word out unless something needs ntpdc",
            ),
    );
}
