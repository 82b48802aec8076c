//! What a command is, and how its name is found.
use super::builtins::Builtins;
use super::{Program, Screen};
use std::net::IpAddr;

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::persona) enum Kind {
    Word,
    /// A number, or what else the program takes for one.
    Unsigned,
    Signed,
    /// `-4` or `-6`.
    Family,
    /// A name or an address; `-4` or `-6` before it says which address of a name.
    Address,
}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub(in crate::persona) struct Parameter {
    pub(in crate::persona) kind: Kind,
    pub(in crate::persona) optional: bool,
    pub(in crate::persona) label: &'static str,
}

/// An argument that must be there.
pub(in crate::persona) const fn need(kind: Kind, label: &'static str) -> Parameter {
    Parameter {
        kind,
        optional: false,
        label,
    }
}

/// An argument that may be there.
pub(in crate::persona) const fn may(kind: Kind, label: &'static str) -> Parameter {
    Parameter {
        kind,
        optional: true,
        label,
    }
}

/// An argument's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::persona) enum Value {
    Word(String),
    Unsigned(u32),
    Signed(i32),
    Address(IpAddr),
}

impl Value {
    /// The word at a place, empty where there is none.
    pub(in crate::persona) fn word(values: &[Self], place: usize) -> &str {
        match values.get(place) {
            Some(Self::Word(word)) => word,
            _ => "",
        }
    }

    /// The number at a place, 0 where there is none.
    pub(in crate::persona) fn number(values: &[Self], place: usize) -> u32 {
        match values.get(place) {
            Some(Self::Unsigned(number)) => *number,
            _ => 0,
        }
    }

    /// The addresses, in order.
    pub(in crate::persona) fn addresses(values: &[Self]) -> impl Iterator<Item = IpAddr> {
        values.iter().filter_map(|value| match value {
            Self::Address(address) => Some(*address),
            _ => None,
        })
    }
}

/// A command of a program.
pub(in crate::persona) struct Command<P> {
    pub(in crate::persona) name: &'static str,
    pub(in crate::persona) parameters: &'static [Parameter],
    pub(in crate::persona) about: &'static str,
    pub(in crate::persona) run: fn(&mut P, &[Value], &mut Screen<'_>),
}

/// A command of a program.
pub(in crate::persona) const fn command<P>(
    name: &'static str,
    parameters: &'static [Parameter],
    about: &'static str,
    run: fn(&mut P, &[Value], &mut Screen<'_>),
) -> Command<P> {
    Command {
        name,
        parameters,
        about,
        run,
    }
}

/// All commands of a program.
fn commands<P: Program>() -> impl Iterator<Item = &'static Command<P>> {
    P::BUILTINS.iter().chain(P::own_commands())
}

/// Which commands a word can mean.
pub(super) enum Found<P: 'static> {
    One(&'static Command<P>),
    None,
    Several,
}

/// The command a word names in full, or begins as no other does.
pub(super) fn find<P: Program>(word: &str) -> Found<P> {
    let word = P::SYNONYMS
        .iter()
        .find(|(old, _)| *old == word)
        .map_or(word, |(_, new)| new);
    if let Some(exact) = commands::<P>().find(|command| command.name == word) {
        return Found::One(exact);
    }
    let mut near = commands::<P>().filter(|command| command.name.starts_with(word));
    match (near.next(), near.next()) {
        (Some(command), None) => Found::One(command),
        (Some(_), Some(_)) => Found::Several,
        (None, _) => Found::None,
    }
}

/// How a command is called.
pub(super) fn usage<P>(command: &Command<P>) -> String {
    let mut text = format!("usage: {}", command.name);
    let mut family_said = false;
    for parameter in command.parameters {
        if parameter.kind == Kind::Address && !family_said {
            text.push_str(" [ -4|-6 ]");
            family_said = true;
        }
        text.push_str(&if parameter.optional {
            format!(" [ {} ]", parameter.label)
        } else {
            format!(" {}", parameter.label)
        });
    }
    text.push('\n');
    text
}

/// What a command is for and how it is called.
pub(super) fn help<P: Program>(word: &str, screen: &mut Screen<'_>) {
    match find::<P>(word) {
        Found::One(command) => {
            let more = P::more_about(command.name);
            let about = command.about;
            screen.say(&format!("function: {about}{more}\n{}", usage(command)));
        }
        Found::None => screen.complain(&format!("Command `{word}' is unknown\n")),
        Found::Several => screen.complain(&format!("Command `{word}' is ambiguous\n")),
    }
}

/// All commands in columns, read downwards.
pub(super) fn all_names<P: Program>() -> String {
    let mut names: Vec<&str> = commands::<P>()
        .map(|command| command.name)
        .filter(|name| *name != "?")
        .collect();
    names.sort_unstable();
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0) + 1;
    let rows = names.len().div_ceil(P::SCREEN_COLUMNS / width);
    let mut text = format!("{} commands:\n", P::NAME);
    for row in 0..rows {
        for name in names.iter().skip(row).step_by(rows) {
            text.push_str(&format!("{name:<width$}"));
        }
        text.push('\n');
    }
    text
}
