//! One line of command, from its words to its deed.
use super::line;
use super::table::{Command, Found, Kind, Parameter, Value, find, usage};
use super::{Program, Screen};
use crate::cli::reason;
use crate::query::Family;
use std::fs::File;
use std::io::BufWriter;
use std::net::{IpAddr, ToSocketAddrs};

/// Arguments a command may have, beside those that are only words.
pub(super) const ARGUMENTS_MAX: usize = 4;

/// Does what a line says.
pub(in crate::persona) fn execute<P: Program>(
    program: &mut P,
    text: &str,
    screen: &mut Screen<'_>,
) {
    let Some(words) = line::words(text, P::WORDS_MAX + 3) else {
        return screen.complain(&P::too_long(text));
    };
    let Some((name, arguments)) = words.split_first() else {
        return;
    };
    let command = match find::<P>(name) {
        Found::One(command) => command,
        Found::None => return screen.complain(&format!("***Command `{name}' unknown\n")),
        Found::Several => return screen.complain(&format!("***Command `{name}' ambiguous\n")),
    };
    if P::WORDS_MAX == ARGUMENTS_MAX {
        for extra in arguments.iter().skip(ARGUMENTS_MAX) {
            screen.complain(&format!("***Extra arg `{extra}' ignored\n"));
        }
    }
    let Some((values, rest)) = values(program, command, arguments, screen) else {
        return;
    };
    if P::WORDS_MAX > ARGUMENTS_MAX
        && let Some(extra) = rest.first().filter(|word| !word.starts_with('>'))
    {
        // What is not done as it was said is not done at all: a flag of `restrict` may be among them.
        return screen.complain(&format!("***Too many words, from `{extra}' on\n"));
    }
    match redirection(rest) {
        Redirection::None => (command.run)(program, &values, screen),
        Redirection::Nowhere => screen.complain("***No file for redirect\n"),
        Redirection::To(path) => match File::create(path) {
            Err(error) => {
                let reason = reason(&error);
                screen.complain(&format!("***Error opening {path}: {reason}\n"));
            }
            Ok(file) => {
                let mut file = BufWriter::new(file);
                let mut screen = Screen {
                    out: &mut file,
                    err: screen.err,
                };
                (command.run)(program, &values, &mut screen);
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
fn values<'a, P: Program>(
    program: &mut P,
    command: &Command<P>,
    arguments: &'a [String],
    screen: &mut Screen<'_>,
) -> Option<(Vec<Value>, &'a [String])> {
    let mut values = Vec::new();
    let mut rest = arguments;
    let mut family = None;
    for parameter in command.parameters {
        let mut word = rest.first();
        while parameter.kind == Kind::Address
            && let Some(chosen) = word.and_then(|word| family_of(word))
        {
            family = Some(chosen);
            rest = rest.get(1..).unwrap_or_default();
            word = rest.first();
        }
        let Some(word) = word else {
            if !parameter.optional {
                screen.complain(&usage(command));
                return None;
            }
            break;
        };
        if parameter.optional && word.starts_with('>') {
            break;
        }
        values.push(value(program, *parameter, family, word, screen)?);
        rest = rest.get(1..).unwrap_or_default();
    }
    while values.len() < P::WORDS_MAX
        && P::WORDS_MAX > ARGUMENTS_MAX
        && let Some(word) = rest.first().filter(|word| !word.starts_with('>'))
    {
        values.push(Value::Word(word.clone()));
        rest = rest.get(1..).unwrap_or_default();
    }
    Some((values, rest))
}

fn family_of(word: &str) -> Option<Family> {
    match word {
        "-4" => Some(Family::V4),
        "-6" => Some(Family::V6),
        _ => None,
    }
}

fn value<P: Program>(
    program: &mut P,
    parameter: Parameter,
    family: Option<Family>,
    word: &str,
    screen: &mut Screen<'_>,
) -> Option<Value> {
    let value = match parameter.kind {
        Kind::Word => Some(Value::Word(word.to_owned())),
        Kind::Unsigned => match program.odd_number(word, screen) {
            Some(number) => return number.map(Value::Unsigned),
            None => plain_number(word).map(Value::Unsigned),
        },
        Kind::Signed => word.parse().ok().map(Value::Signed),
        Kind::Family => family_of(word).map(|family| {
            Value::Unsigned(match family {
                Family::V4 => 4,
                Family::V6 => 6,
            })
        }),
        Kind::Address => address(word, family).map(Value::Address),
    };
    if value.is_none() {
        screen.complain(&match parameter.kind {
            Kind::Family => "***Version must be either 4 or 6\n".to_owned(),
            Kind::Signed => format!("***Illegal integer value {word}\n"),
            Kind::Address => format!("***Can't find host {word}\n"),
            _ => format!("***Illegal unsigned value {word}\n"),
        });
    }
    value
}

fn address(word: &str, family: Option<Family>) -> Option<IpAddr> {
    let bare = word.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Some(address);
    }
    let mut found = (bare, 0).to_socket_addrs().ok()?.map(|it| it.ip());
    found.find(|it| match family {
        None => true,
        Some(Family::V4) => it.is_ipv4(),
        Some(Family::V6) => it.is_ipv6(),
    })
}

/// Digits only: no sign.
pub(in crate::persona) fn plain_number(word: &str) -> Option<u32> {
    let digits = word.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| word.parse().ok())?
}
