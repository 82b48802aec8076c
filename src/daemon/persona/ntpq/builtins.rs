//! Commands about the program itself.
use super::super::dialogue::{self, Screen, Secrets, Value, all_names, patience_of, prompt};
use super::state::Ntpq;
use crate::query::Family;

/// Columns of the list of commands.
const SCREEN_COLUMNS: usize = 76;
pub(super) fn help(_: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if values.is_empty() {
        return screen.say(&all_names::<Ntpq>(SCREEN_COLUMNS));
    }
    dialogue::help::<Ntpq>(Value::word(values, 0), screen);
}

pub(super) fn timeout(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if values.is_empty() {
        let milliseconds = ntpq.patience.first.as_millis();
        return screen.say(&format!("primary timeout {milliseconds} ms\n"));
    }
    ntpq.patience = patience_of(Value::number(values, 0));
    ntpq.tune();
}

pub(super) fn delay(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    match values.first() {
        Some(Value::Signed(milliseconds)) => ntpq.delay_ms = i64::from(*milliseconds),
        _ => screen.say(&format!("delay {} ms\n", ntpq.delay_ms)),
    }
}

pub(super) fn host(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if values.is_empty() {
        return screen.say(&match ntpq.link {
            Some(_) => format!("current host is {}\n", ntpq.host),
            None => "no current host\n".to_owned(),
        });
    }
    let first = Value::word(values, 0);
    let (name, family) = match (values.len(), first) {
        (2, "-4") => (Value::word(values, 1), Some(Family::V4)),
        (2, "-6") => (Value::word(values, 1), Some(Family::V6)),
        (2, _) => ("", None),
        _ => (first, ntpq.default_family),
    };
    if !name.is_empty() && ntpq.open(name, family, screen) {
        ntpq.tune();
        return screen.say(&format!("current host set to {}\n", ntpq.host));
    }
    screen.say(&match ntpq.link {
        Some(_) => format!("current host remains {}\n", ntpq.host),
        None => "still no current host\n".to_owned(),
    });
}

pub(super) fn poll(_: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    screen.say("poll not implemented yet\n");
}

pub(super) fn passwd(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    if ntpq.secrets.key_id == 0 {
        ntpq.secrets.key_id = prompt::key_id(screen);
        if ntpq.secrets.key_id == 0 {
            return screen.say("Keyid must be defined\n");
        }
    }
    let password = match values.first() {
        Some(_) => Value::word(values, 0).to_owned(),
        None => prompt::password(&ntpq.secrets.key_type, screen),
    };
    if password.is_empty() {
        return screen.say("Password unchanged\n");
    }
    ntpq.secrets.password = Some(password);
    ntpq.tune();
}

pub(super) fn hostnames(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    match (values.len(), Value::word(values, 0)) {
        (0, _) if ntpq.show_names => screen.say("hostnames being shown\n"),
        (0, _) => screen.say("hostnames not being shown\n"),
        (_, "yes") => ntpq.show_names = true,
        (_, "no") => ntpq.show_names = false,
        _ => screen.complain("What?\n"),
    }
}

pub(super) fn debug(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    match (values.len(), Value::word(values, 0)) {
        (0, _) => return screen.say(&format!("debug level is {}\n", ntpq.debug)),
        (_, "no") => ntpq.debug = 0,
        (_, "more") => ntpq.debug = ntpq.debug.saturating_add(1),
        (_, "less") => ntpq.debug = ntpq.debug.saturating_sub(1),
        _ => return screen.say("What?\n"),
    }
    screen.say(&format!("debug level set to {}\n", ntpq.debug));
}

pub(super) fn quit(ntpq: &mut Ntpq, _: &[Value], _: &mut Screen<'_>) {
    ntpq.done = true;
}

pub(super) fn keyid(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    match (values.is_empty(), ntpq.secrets.key_id) {
        (true, 0) => screen.say("no keyid defined\n"),
        (true, id) => screen.say(&format!("keyid is {id}\n")),
        (false, _) => {
            let id = Value::number(values, 0);
            if id > u32::from(u16::MAX) {
                screen.say("Invalid key identifier\n");
            }
            ntpq.secrets.key_id = id;
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

pub(super) fn version(_: &mut Ntpq, _: &[Value], screen: &mut Screen<'_>) {
    screen.say(super::VERSION);
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
        (0, _) if ntpq.secrets.always => screen.say("authenticated requests being sent\n"),
        (0, _) => screen.say("unauthenticated requests being sent\n"),
        (_, "yes") => ntpq.secrets.always = true,
        (_, "no") => ntpq.secrets.always = false,
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

pub(super) fn keytype(ntpq: &mut Ntpq, values: &[Value], screen: &mut Screen<'_>) {
    let word = match values.first() {
        Some(_) => Value::word(values, 0).to_ascii_uppercase(),
        None => ntpq.secrets.key_type.clone(),
    };
    let Some(len) = Secrets::mac_len(&word) else {
        return screen
            .say("keytype is not valid. Type \"help keytype\" for the available digest types.\n");
    };
    if values.is_empty() {
        return screen.say(&format!("keytype is {word} with {len} octet digests\n"));
    }
    ntpq.secrets.key_type = word;
    ntpq.tune();
}
