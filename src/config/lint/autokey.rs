//! Lints about Autokey.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::settings::{Association, AssociationKind, Settings};

/// The seeds of its cookies are 32 bits, and whoever asks from a forged address has their cookie.
pub(super) fn weak(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let Some(line) = &settings.autokey.enabled else {
        return;
    };
    let message = "Autokey keeps out faults and passers-by, not attackers: its cookies are 32 bits, \
                   found by trial within seconds (RFC 8633 §4.2)";
    found.push(
        Diagnostic::new(codes::AUTOKEY_WEAK, line.span.clone(), message)
            .label("turns it on")
            .help("where both sides can, use `key N` with an AES128CMAC key of `ntp-keygen -M`"),
    );
}

/// TC alone: who stands in the middle has a certificate of his own.
pub(super) fn unproven(settings: &Settings, found: &mut Vec<Diagnostic>) {
    if !settings.autokey.idents.is_empty() || settings.autokey.default_ident.is_some() {
        return;
    }
    let asks = |it: &&Association| {
        it.options.autokey && it.options.ident.is_none() && it.kind != AssociationKind::Broadcast
    };
    for line in settings.associations.iter().filter(asks) {
        let message = format!(
            "`{}` need not prove that it is of your group: whoever stands in the middle passes for it",
            line.host
        );
        found.push(
            Diagnostic::new(codes::IDENTITY_UNPROVEN, line.span.clone(), message)
                .label("no `ident`")
                .help(
                    "add `ident GROUP`, with the parameters that `ntp-keygen -e` writes on its server \
                     and `truechimer keys import` takes here",
                ),
        );
    }
}
