//! The interfaces of this host, as far as they bear on what the configuration wants.
use super::codes;
use truechimer_config::Diagnostic;
use truechimer_config::settings::Settings;
use truechimer_sys::interfaces;

/// A sniffer lets multicast in whether or not we joined the group: a test made meanwhile proves nothing.
/// What the kernel does not tell is no complaint.
pub(super) fn check(settings: &Settings, found: &mut Vec<Diagnostic>) {
    let joined = &settings.broadcasting;
    let groups = joined
        .multicast_groups
        .iter()
        .chain(&joined.manycast_groups);
    let Some(group) = groups.into_iter().next() else {
        return;
    };
    let addresses = interfaces::addresses().unwrap_or_default();
    for name in interfaces::promiscuous().unwrap_or_default() {
        // A bridge's ports always are, and have no address of their own.
        if !addresses.iter().any(|it| it.name == name) {
            continue;
        }
        let message = format!("{name} is promiscuous: it takes in groups that nobody joined");
        found.push(
            Diagnostic::new(codes::PROMISCUOUS, group.span.clone(), message)
                .label("may seem to work")
                .help("end tcpdump and its like on this host before you conclude that it works"),
        );
    }
}
