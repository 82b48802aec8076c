//! One line of command, from its words to its deed.
use super::Screen;
use super::line;
use super::table::{Command, Found, Kind, Parameter, Value, find, usage};
use crate::query::Family;
use std::fs::File;
use std::io::BufWriter;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Arguments a command may have, beside those that are only words.
const ARGUMENTS_MAX: usize = 4;

/// A program that takes commands.
pub(in crate::persona) trait Program: Sized + 'static {
    /// What it is called.
    const NAME: &'static str;
    /// Names that older texts and scripts use, and what they are called here.
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[];
    /// Words after the arguments a command has are arguments too, up to this many in all; what is
    /// more is complained about.
    const WORDS_MAX: usize = ARGUMENTS_MAX;

    /// Its commands; those about the program itself first.
    fn commands() -> &'static [Command<Self>];

    /// What help adds to the words about a command.
    fn more_about(_command: &str) -> String {
        String::new()
    }

    /// What it says of a line that is too long.
    fn too_long(text: &str) -> String;

    /// A number that is no plain one, as the program reads it: told what is wrong, and `None`, or
    /// the number; the outer `None` is that it has no such reading.
    fn odd_number(&mut self, _word: &str, _screen: &mut Screen<'_>) -> Option<Option<u32>> {
        None
    }

    /// Whether it was told to end.
    fn is_done(&self) -> bool;

    /// Whether it prompts, whatever its input is.
    fn is_interactive(&self) -> bool;

    /// Set by the operator's Ctrl-C.
    fn interrupt(&self) -> &Arc<AtomicBool>;
}

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
    match redirection(rest) {
        Redirection::None => (command.run)(program, &values, screen),
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
