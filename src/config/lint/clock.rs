//! Lints about how the clock is set.

use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::settings::{LOCAL_DRIVER, Settings};

use super::sources::{ENOUGH_SOURCES, count_sources};

/// Below this stratum clients would prefer a local clock to servers that know the time.
const MODEST_STRATUM: u8 = 5;

/// A clock that no source is good enough for is never set, and nothing says why.
pub(super) fn never_met(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let tos = &settings.tos;
    let mut say = |word: &str, message: String, help: &str| {
        let mut complaint = Diagnostic::unplaced(codes::NEVER_MET, message);
        complaint.span = settings.places.get(&format!("tos {word}")).cloned();
        found.push(complaint.label("never met").help(help));
    };
    let count = count_sources(settings, true);
    let wanted = usize::try_from(tos.minsane).unwrap_or(usize::MAX);
    if wanted > count && count > 0 {
        let sources = if count == 1 { "source" } else { "sources" };
        let message = format!("`tos minsane {wanted}` and {count} {sources}");
        say("minsane", message, "name more sources, or lower it");
    }
    if tos.floor >= tos.ceiling {
        let (floor, ceiling) = (tos.floor, tos.ceiling);
        let message =
            format!("servers must be of stratum {floor} or above and below {ceiling}: none is");
        let word = if settings.places.contains_key("tos floor") {
            "floor"
        } else {
            "ceiling"
        };
        say(word, message, "`tos floor` must be below `tos ceiling`");
    }
}

/// When all other sources are lost, the local clock's stratum is what clients see.
pub(super) fn local_as_good(settings: &Settings, found: &mut Vec<Diagnostic>) {
    for clock in &settings.refclocks {
        let stratum = clock.fudge.stratum.unwrap_or(MODEST_STRATUM);
        if clock.driver != LOCAL_DRIVER || stratum >= MODEST_STRATUM {
            continue;
        }
        let address = format!("127.127.{LOCAL_DRIVER}.{}", clock.unit);
        let message = format!(
            "the local clock, which knows no time, is served as stratum {} when all else is lost",
            stratum.saturating_add(1)
        );
        found.push(
            Diagnostic::new(codes::LOCAL_AS_GOOD, clock.span.clone(), message)
                .label(format!("stratum {stratum}"))
                .help(format!(
                    "write `fudge {address} stratum 10`, or leave it out"
                )),
        );
    }
}

/// Without the threshold whoever can lie can set the clock to any year, as often as they like
/// (RFC 8633 section 5.2).
pub(super) fn panic_off(settings: &Settings, found: &mut Vec<Diagnostic>) {
    if settings.tinker.panic_s.is_some() {
        return;
    }
    let mut complaint = Diagnostic::unplaced(
        codes::PANIC_OFF,
        "`tinker panic 0`: any offset is believed, at any time",
    );
    complaint.span = settings.places.get("tinker panic").cloned();
    let few = count_sources(settings, false) < ENOUGH_SOURCES;
    let help = if few {
        "use `-g`, which allows one large offset a boot, and more sources"
    } else {
        "use `-g`, which allows one large offset a boot"
    };
    found.push(complaint.label("no threshold").help(help));
}
