//! The reference's system statistics, for both kinds of messages.
use super::system_variables::SystemView;
use crate::server::DropReason;

/// One of the reference's system statistics.
pub(super) fn counted(view: &SystemView<'_>, name: &str) -> Option<u64> {
    let served = view.facts.served();
    if name == "ss_lamport" {
        return Some(served.dropped(DropReason::Stepped));
    }
    let reference = served.reference();
    let (_, count) = reference.iter().find(|(known, _)| *known == name)?;
    // Servers' answers come to sockets of their own; the reference has one for all.
    let more = match name {
        "ss_received" | "ss_thisver" => view.status.answers().0,
        "ss_badauth" => view.unauthentic,
        _ => 0,
    };
    Some(count.saturating_add(more))
}
