//! Commands about the program itself.
use super::super::dialogue::{self, Screen, Secrets, Value, all_names, patience_of, prompt};
use super::state::Ntpdc;
use crate::control_client::Patience;
use crate::query::Family;

/// Columns of the list of commands.
const SCREEN_COLUMNS: usize = 78;

pub(super) fn help(_: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    if values.is_empty() {
        return screen.say(&all_names::<Ntpdc>(SCREEN_COLUMNS));
    }
    dialogue::help::<Ntpdc>(Value::word(values, 0), screen);
}

pub(super) fn timeout(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    if values.is_empty() {
        let milliseconds = ntpdc.patience.first.as_millis();
        return screen.say(&format!("primary timeout {milliseconds} ms\n"));
    }
    ntpdc.patience = Patience {
        further: ntpdc.patience.further,
        ..patience_of(Value::number(values, 0))
    };
    ntpdc.tune();
}

pub(super) fn delay(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    match values.first() {
        Some(Value::Signed(milliseconds)) => {
            ntpdc.delay_ms = i64::from(*milliseconds);
            ntpdc.tune();
        }
        _ => screen.say(&format!("delay {} ms\n", ntpdc.delay_ms)),
    }
}

pub(super) fn host(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let current = |ntpdc: &Ntpdc, there: &str, none: &str| match ntpdc.link {
        Some(_) => format!("current host {there} {}\n", ntpdc.host),
        None => format!("{none}\n"),
    };
    if values.is_empty() {
        return screen.say(&current(ntpdc, "is", "no current host"));
    }
    let first = Value::word(values, 0);
    let (name, family) = match (values.len(), first) {
        (1, _) => (first, ntpdc.default_family),
        (_, "-4") => (Value::word(values, 1), Some(Family::V4)),
        (_, "-6") => (Value::word(values, 1), Some(Family::V6)),
        _ => ("", None),
    };
    let verb = if !name.is_empty() && ntpdc.open(name, family, screen) {
        "set to"
    } else {
        "remains"
    };
    screen.say(&current(ntpdc, verb, "still no current host"));
}

pub(super) fn passwd(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    if ntpdc.secrets.key_id == 0 {
        ntpdc.secrets.key_id = prompt::key_id(screen);
        if ntpdc.secrets.key_id == 0 {
            return screen.say("Keyid must be defined\n");
        }
    }
    let password = match values.first() {
        Some(_) => Value::word(values, 0).to_owned(),
        None => prompt::password(&ntpdc.secrets.key_type, screen),
    };
    if password.is_empty() {
        return screen.say("Password unchanged\n");
    }
    ntpdc.secrets.password = Some(password);
    ntpdc.tune();
}

pub(super) fn hostnames(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    match (values.len(), Value::word(values, 0)) {
        (0, _) if ntpdc.show_names => screen.say("hostnames being shown\n"),
        (0, _) => screen.say("hostnames not being shown\n"),
        (_, "yes") => ntpdc.show_names = true,
        (_, "no") => ntpdc.show_names = false,
        _ => screen.complain("What?\n"),
    }
}

pub(super) fn debug(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    match (values.len(), Value::word(values, 0)) {
        (0, _) => return screen.say(&format!("debug level is {}\n", ntpdc.debug)),
        (_, "no") => ntpdc.debug = 0,
        (_, "more") => ntpdc.debug = ntpdc.debug.saturating_add(1),
        (_, "less") => ntpdc.debug = ntpdc.debug.saturating_sub(1),
        _ => return screen.say("What?\n"),
    }
    screen.say(&format!("debug level set to {}\n", ntpdc.debug));
}

pub(super) fn quit(ntpdc: &mut Ntpdc, _: &[Value], _: &mut Screen<'_>) {
    ntpdc.done = true;
}

pub(super) fn keyid(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    match (values.is_empty(), ntpdc.secrets.key_id) {
        (true, 0) if ntpdc.keyless => screen.say("no keyid will be sent\n"),
        (true, 0) => screen.say("no keyid defined\n"),
        (true, id) => screen.say(&format!("keyid is {id}\n")),
        (false, _) => {
            ntpdc.secrets.key_id = Value::number(values, 0);
            ntpdc.keyless = ntpdc.secrets.key_id == 0;
            ntpdc.tune();
        }
    }
}

pub(super) fn keytype(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let word = match values.first() {
        Some(_) => Value::word(values, 0).to_ascii_uppercase(),
        None => ntpdc.secrets.key_type.clone(),
    };
    let Some(len) = Secrets::mac_len(&word) else {
        return screen.say("keytype must be 'md5' or a digest type provided by OpenSSL\n");
    };
    if values.is_empty() {
        return screen.say(&format!("keytype is {word} with {len} octet digests\n"));
    }
    ntpdc.secrets.key_type = word;
    ntpdc.tune();
}

pub(super) fn version(_: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    screen.say(super::VERSION);
}
