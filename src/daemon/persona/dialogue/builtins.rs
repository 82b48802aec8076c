//! The commands that every such program has about itself.
use super::program::open;
use super::table::{self, Command, Kind, Parameter, Value, all_names, command, may};
use super::{Program, Screen, Secrets, prompt};
use crate::query::Family;
use core::time::Duration;

const COMMAND: &[Parameter] = &[may(Kind::Word, "command")];

/// A program, and these commands.
pub(super) trait Builtins: Program {
    /// All of them.
    const BUILTINS: &'static [Command<Self>] = &[
        command("?", COMMAND, "how to use a command", help),
        command("help", COMMAND, "how to use a command", help),
        command(
            "timeout",
            &[may(Kind::Unsigned, "msec")],
            "how long to wait for an answer",
            timeout,
        ),
        command(
            "host",
            &[may(Kind::Word, "-4|-6"), may(Kind::Word, "hostname")],
            "the host that is asked",
            host,
        ),
        command(
            "passwd",
            &[may(Kind::Word, "")],
            "the secret of the key requests are sealed with",
            passwd,
        ),
        command(
            "hostnames",
            &[may(Kind::Word, "yes|no")],
            "whether names or numbers of hosts are shown",
            hostnames,
        ),
        command(
            "debug",
            &[may(Kind::Word, "no|more|less")],
            "how much is told of what goes on",
            debug,
        ),
        command("quit", &[], Self::LEAVE, quit),
        command("exit", &[], Self::LEAVE, quit),
        command(
            "keytype",
            &[may(Kind::Word, "digest-name")],
            "how requests are sealed",
            keytype,
        ),
        command("version", &[], "this program's version", version),
    ];
}

impl<P: Program> Builtins for P {}

fn help<P: Program>(_: &mut P, values: &[Value], screen: &mut Screen<'_>) {
    if values.is_empty() {
        return screen.say(&all_names::<P>());
    }
    table::help::<P>(Value::word(values, 0), screen);
}

fn timeout<P: Program>(program: &mut P, values: &[Value], screen: &mut Screen<'_>) {
    let patience = &mut program.common_mut().patience;
    if values.is_empty() {
        let milliseconds = patience.first.as_millis();
        return screen.say(&format!("primary timeout {milliseconds} ms\n"));
    }
    patience.first = Duration::from_millis(Value::number(values, 0).into());
    program.tune();
}

/// `delay`, of which each program has its own to say in its help.
pub(in crate::persona) fn delay<P: Program>(
    program: &mut P,
    values: &[Value],
    screen: &mut Screen<'_>,
) {
    let delay_ms = &mut program.common_mut().delay_ms;
    match values.first() {
        Some(Value::Signed(milliseconds)) => {
            *delay_ms = i64::from(*milliseconds);
            program.tune();
        }
        _ => screen.say(&format!("delay {delay_ms} ms\n")),
    }
}

fn host<P: Program>(program: &mut P, values: &[Value], screen: &mut Screen<'_>) {
    let current = |program: &P, there: &str, none: &str| {
        if program.is_open() {
            format!("current host {there} {}\n", program.common().host)
        } else {
            format!("{none}\n")
        }
    };
    if values.is_empty() {
        return screen.say(&current(program, "is", "no current host"));
    }
    let first = Value::word(values, 0);
    let (name, family) = match (values.len(), first) {
        (1, _) => (first, program.common().default_family),
        (_, "-4") => (Value::word(values, 1), Some(Family::V4)),
        (_, "-6") => (Value::word(values, 1), Some(Family::V6)),
        _ => ("", None),
    };
    let verb = if !name.is_empty() && open(program, name, family, screen) {
        "set to"
    } else {
        "remains"
    };
    screen.say(&current(program, verb, "still no current host"));
}

fn passwd<P: Program>(program: &mut P, values: &[Value], screen: &mut Screen<'_>) {
    let secrets = &mut program.common_mut().secrets;
    if secrets.key_id == 0 {
        secrets.key_id = prompt::key_id(screen);
        if secrets.key_id == 0 {
            return screen.say("Keyid must be defined\n");
        }
    }
    let password = match values.first() {
        Some(_) => Value::word(values, 0).to_owned(),
        None => prompt::password(&secrets.key_type, screen),
    };
    if password.is_empty() {
        return screen.say("Password unchanged\n");
    }
    secrets.password = Some(password);
    program.tune();
}

fn hostnames<P: Program>(program: &mut P, values: &[Value], screen: &mut Screen<'_>) {
    let common = program.common_mut();
    match (values.len(), Value::word(values, 0)) {
        (0, _) if common.show_names => screen.say("hostnames being shown\n"),
        (0, _) => screen.say("hostnames not being shown\n"),
        (_, "yes") => common.show_names = true,
        (_, "no") => common.show_names = false,
        _ => screen.complain("What?\n"),
    }
}

fn debug<P: Program>(program: &mut P, values: &[Value], screen: &mut Screen<'_>) {
    let level = &mut program.common_mut().debug;
    match (values.len(), Value::word(values, 0)) {
        (0, _) => return screen.say(&format!("debug level is {level}\n")),
        (_, "no") => *level = 0,
        (_, "more") => *level = level.saturating_add(1),
        (_, "less") => *level = level.saturating_sub(1),
        _ => return screen.say("What?\n"),
    }
    screen.say(&format!("debug level set to {level}\n"));
}

fn quit<P: Program>(program: &mut P, _: &[Value], _: &mut Screen<'_>) {
    program.common_mut().done = true;
}

fn keytype<P: Program>(program: &mut P, values: &[Value], screen: &mut Screen<'_>) {
    let secrets = &mut program.common_mut().secrets;
    let word = match values.first() {
        Some(_) => Value::word(values, 0).to_ascii_uppercase(),
        None => secrets.key_type.clone(),
    };
    let Some(len) = Secrets::mac_len(&word) else {
        return screen.say(P::UNKNOWN_KEY_TYPE);
    };
    if values.is_empty() {
        return screen.say(&format!("keytype is {word} with {len} octet digests\n"));
    }
    secrets.key_type = word;
    program.tune();
}

fn version<P: Program>(_: &mut P, _: &[Value], screen: &mut Screen<'_>) {
    screen.say(&version_text::<P>());
}

/// What `version` and `--version` say.
pub(super) fn version_text<P: Program>() -> String {
    format!("{} truechimer {}\n", P::NAME, env!("CARGO_PKG_VERSION"))
}
