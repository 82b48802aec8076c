//! The table of associations.
use super::super::dialogue::{Screen, Value};
use super::state::Ntpq;
use crate::control_client::{Association, SELECTIONS, peer_event};
use truechimer_wire::PeerStatusWord;

const HEAD: &str = "ind assid status  conf reach auth condition  last_event cnt\n\
                    ===========================================================\n";

pub(super) fn fetch_and_show(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    if ntpq.fetch_associations(screen) {
        show_known(ntpq, false, screen);
    }
}

pub(super) fn fetch_and_show_all(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    if ntpq.fetch_associations(screen) {
        show_known(ntpq, true, screen);
    }
}

pub(super) fn show(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    show_known(ntpq, false, screen);
}

pub(super) fn show_all(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    show_known(ntpq, true, screen);
}

/// Whether an association is worth a line when not all are asked for.
pub(super) fn is_notable(association: &Association) -> bool {
    let status = PeerStatusWord::from_word(association.status);
    status.is_configured || status.is_reachable
}

fn show_known(ntpq: &Ntpq, all: bool, screen: &mut Screen<'_>) {
    if ntpq.associations.is_empty() {
        return screen.say("No association ID's in list\n");
    }
    screen.say(HEAD);
    for (place, association) in ntpq.associations.iter().enumerate() {
        if all || is_notable(association) {
            screen.say(&line(place + 1, association, ntpq.version));
        }
    }
}

fn line(number: usize, association: &Association, version: u8) -> String {
    let status = PeerStatusWord::from_word(association.status);
    let yes = |set: bool| if set { "yes" } else { "no" };
    let (reach, auth) = if status.is_broadcast {
        ("none", if status.has_key { "yes" } else { "none" })
    } else {
        let auth = match (status.has_key, status.is_authentic) {
            (false, _) => "none",
            (true, true) => "ok ",
            (true, false) => "bad",
        };
        (yes(status.is_reachable), auth)
    };
    let event = match status.event {
        11 => "clock_alarm",
        // The table of the reference ends here; `rv` names the others.
        12.. => "",
        code => peer_event(code),
    };
    let text = format!(
        "{number:3} {:5}  {:04x}   {:>3.3}  {reach:>4}  {auth:>4.4} {:>9.9} {event:>11} {:2}",
        association.id,
        association.status,
        yes(status.is_configured),
        condition(&status, version),
        status.count
    );
    format!("{}\n", text.trim_end())
}

fn condition(status: &PeerStatusWord, version: u8) -> &'static str {
    if version > 1 {
        let selected = SELECTIONS.get(usize::from(status.selection));
        return selected.copied().unwrap_or_default();
    }
    // NTPv1's word has two bits of selection and two of sanity where ours has others.
    let (sane, near) = (status.is_broadcast, status.selection & 4 != 0);
    match status.selection & 3 {
        0 if !sane => "insane",
        0 if !near => "hi_disp",
        0 => "",
        1 => "sel_cand",
        2 => "sync_cand",
        _ => "sys_peer",
    }
}
