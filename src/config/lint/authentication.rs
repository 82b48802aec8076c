//! Lints about keys.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::settings::Settings;

/// Whoever holds a server's key could also reconfigure us.
pub(super) fn control_key_shared(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let Some(control) = &settings.authentication.control_key else {
        return;
    };
    for association in &settings.associations {
        if association.options.key == Some(control.value) {
            let message = format!("key {} also guards `{}`", control.value, association.host);
            found.push(
                Diagnostic::new(codes::CONTROL_KEY_SHARED, control.span.clone(), message)
                    .label("the control key")
                    .help("keep a key for administrators that no server knows"),
            );
            return;
        }
    }
}

/// Without trust a key authenticates nothing, and its server is never believed.
pub(super) fn keys_not_trusted(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let mut seen = std::collections::BTreeSet::new();
    for (key, span) in settings.used_keys() {
        if !settings.authentication.trusted_keys.contains(key) && seen.insert(key) {
            let message = format!("key {key} is used and not trusted");
            found.push(
                Diagnostic::new(codes::KEY_NOT_TRUSTED, span.clone(), message)
                    .label("used here")
                    .help(format!("add `trustedkey {key}`")),
            );
        }
    }
}

pub(super) fn no_keys_file(settings: &Settings, found: &mut Vec<Diagnostic>) {
    if settings.authentication.keys_file.is_some() {
        return;
    }
    if let Some((key, span)) = settings.used_keys().next() {
        let message = format!("key {key} is used and there is no keys file");
        found.push(
            Diagnostic::new(codes::NO_KEYS_FILE, span.clone(), message)
                .label("used here")
                .help("add `keys FILE`"),
        );
    }
}

/// Of all words the one that lets most people at the clock.
pub(super) fn switched_off(settings: &Settings, found: &mut Vec<Diagnostic>) {
    if settings.flags.auth {
        return;
    }
    let message = "`disable auth` has broadcasts, passive peers and servers found in groups believed \
                   without a key: whoever can send to this host can set its clock";
    let mut complaint = Diagnostic::unplaced(codes::AUTH_OFF, message.to_owned())
        .help("take the line out, and add `keys FILE` and `trustedkey N` for those who are to be believed");
    if let Some(place) = settings.places.get("disable auth") {
        complaint.span = Some(place.clone());
        complaint = complaint.label("anybody is believed");
    }
    found.push(complaint);
}
