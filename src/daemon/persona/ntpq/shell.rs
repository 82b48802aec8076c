//! One line of command, from its words to its deed.
use super::line;
use super::state::{Ntpq, Screen};
use super::table::{Command, Found, Kind, Parameter, Value, find, usage};
use std::fs::File;
use std::io::BufWriter;

/// Arguments a command may have.
const ARGUMENTS_MAX: usize = 4;

/// Does what a line says.
pub(super) fn execute(ntpq: &mut Ntpq, text: &str, screen: &mut Screen<'_>) {
    let Some(words) = line::words(text) else {
        return screen.complain(&format!("***Line `{text}' is too big\n"));
    };
    let Some((name, arguments)) = words.split_first() else {
        return;
    };
    let command = match find(name) {
        Found::One(command) => command,
        Found::None => return screen.complain(&format!("***Command `{name}' unknown\n")),
        Found::Several => return screen.complain(&format!("***Command `{name}' ambiguous\n")),
    };
    for extra in arguments.iter().skip(ARGUMENTS_MAX) {
        screen.complain(&format!("***Extra arg `{extra}' ignored\n"));
    }
    let Some((values, rest)) = values(ntpq, command, arguments, screen) else {
        return;
    };
    match redirection(rest) {
        Redirection::None => (command.run)(ntpq, &values, screen),
        Redirection::Nowhere => screen.complain("***No file for redirect\n"),
        Redirection::To(path) => match File::create(path) {
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.split(" (os error").next().unwrap_or_default();
                screen.complain(&format!("***Error opening {path}: {reason}\n"));
            }
            Ok(file) => {
                let mut file = BufWriter::new(file);
                let mut screen = Screen {
                    out: &mut file,
                    err: screen.err,
                };
                (command.run)(ntpq, &values, &mut screen);
            }
        },
    }
}

enum Redirection<'a> {
    None,
    Nowhere,
    To(&'a str),
}

fn redirection(rest: &[String]) -> Redirection<'_> {
    let Some(target) = rest.first().and_then(|word| word.strip_prefix('>')) else {
        return Redirection::None;
    };
    match (target, rest.get(1)) {
        ("", None) => Redirection::Nowhere,
        ("", Some(path)) => Redirection::To(path),
        (path, _) => Redirection::To(path),
    }
}

/// The arguments' values, and the words after them; told where one is wrong.
fn values<'a>(
    ntpq: &mut Ntpq,
    command: &Command,
    arguments: &'a [String],
    screen: &mut Screen<'_>,
) -> Option<(Vec<Value>, &'a [String])> {
    let mut values = Vec::new();
    for parameter in command.parameters {
        let Some(word) = arguments.get(values.len()) else {
            if !parameter.optional {
                screen.complain(&usage(command));
                return None;
            }
            break;
        };
        if parameter.optional && word.starts_with('>') {
            break;
        }
        values.push(value(ntpq, *parameter, word, screen)?);
    }
    let rest = arguments.get(values.len()..).unwrap_or_default();
    Some((values, rest))
}

fn value(
    ntpq: &mut Ntpq,
    parameter: Parameter,
    word: &str,
    screen: &mut Screen<'_>,
) -> Option<Value> {
    let value = match parameter.kind {
        Kind::Word => Some(Value::Word(word.to_owned())),
        Kind::Unsigned => match word.strip_prefix('&') {
            Some(index) => return indexed(ntpq, word, index, screen),
            None => plain_number(word).map(Value::Unsigned),
        },
        Kind::Signed => word.parse().ok().map(Value::Signed),
        Kind::Family => match word {
            "-4" => Some(Value::Unsigned(4)),
            "-6" => Some(Value::Unsigned(6)),
            _ => None,
        },
    };
    if value.is_none() {
        screen.complain(&match parameter.kind {
            Kind::Family => "***Version must be either 4 or 6\n".to_owned(),
            Kind::Signed => format!("***Illegal integer value {word}\n"),
            _ => format!("***Illegal unsigned value {word}\n"),
        });
    }
    value
}

/// Digits only: no sign.
fn plain_number(word: &str) -> Option<u32> {
    let digits = word.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| word.parse().ok())?
}

/// The number of the N-th association; beyond the last is the last.
fn indexed(ntpq: &mut Ntpq, word: &str, index: &str, screen: &mut Screen<'_>) -> Option<Value> {
    let Some(index) = plain_number(index).filter(|index| *index > 0) else {
        screen.complain(&format!(
            "***Association index `{word}' invalid/undecodable\n"
        ));
        return None;
    };
    if ntpq.associations.is_empty() {
        ntpq.fetch_associations(screen);
    }
    let last = ntpq.associations.len();
    let place = usize::try_from(index).unwrap_or(last).min(last);
    let found = place
        .checked_sub(1)
        .and_then(|place| ntpq.associations.get(place));
    if found.is_none() {
        screen.complain(&format!("***No associations found, `{word}' unknown\n"));
    }
    found.map(|association| Value::Unsigned(u32::from(association.id)))
}
