//! Commands about the program itself that only ntpq has, or has its own way.
use super::super::dialogue::{Program, Screen, Value};
use super::state::Ntpq;

pub(super) fn poll(_: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    screen.say("poll not implemented yet\n");
}

pub(super) fn keyid(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    match (values.is_empty(), ntpq.common.secrets.key_id) {
        (true, 0) => screen.say("no keyid defined\n"),
        (true, id) => screen.say(&format!("keyid is {id}\n")),
        (false, _) => {
            let id = Value::number(values, 0);
            if id > u32::from(u16::MAX) {
                screen.say("Invalid key identifier\n");
            }
            ntpq.common.secrets.key_id = id;
            ntpq.tune();
        }
    }
}

pub(super) fn drefid(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let set = match (values.len(), Value::word(values, 0)) {
        (0, _) => "",
        (_, "hash") => {
            ntpq.refid_hash = true;
            " set to"
        }
        (_, "ipv4") => {
            ntpq.refid_hash = false;
            " set to"
        }
        _ => return screen.say("What?\n"),
    };
    let value = if ntpq.refid_hash { "hash" } else { "ipv4" };
    let verb = if set.is_empty() { " is" } else { set };
    screen.say(&format!("drefid value{verb} {value}\n"));
}

pub(super) fn raw(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    ntpq.raw = true;
    screen.say("Output set to raw\n");
}

pub(super) fn cooked(ntpq: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    ntpq.raw = false;
    screen.say("Output set to cooked\n");
}

pub(super) fn authenticate(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    match (values.len(), Value::word(values, 0)) {
        (0, _) if ntpq.common.secrets.always => screen.say("authenticated requests being sent\n"),
        (0, _) => screen.say("unauthenticated requests being sent\n"),
        (_, "yes") => ntpq.common.secrets.always = true,
        (_, "no") => ntpq.common.secrets.always = false,
        _ => screen.complain("What?\n"),
    }
    ntpq.tune();
}

pub(super) fn ntpversion(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let version = u8::try_from(Value::number(values, 0)).unwrap_or(0);
    if values.is_empty() {
        screen.say(&format!("NTP version being claimed is {}\n", ntpq.version));
    } else if (1..=4).contains(&version) {
        ntpq.version = version;
        ntpq.tune();
    } else {
        screen.complain("versions 1 to 4, please\n");
    }
}
