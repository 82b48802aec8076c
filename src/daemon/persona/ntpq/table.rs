//! What a command is, and how its name is found.
use super::commands::COMMANDS;
use super::state::{Ntpq, Screen};

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// A number, or `&N` for the N-th association.
    Unsigned,
    Signed,
    /// `-4` or `-6`.
    Family,
}

/// One argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) kind: Kind,
    pub(super) optional: bool,
    pub(super) label: &'static str,
}

/// An argument's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Word(String),
    Unsigned(u32),
    Signed(i32),
}

impl Value {
    /// The word at a place, empty where there is none.
    pub(super) fn word(values: &[Self], place: usize) -> &str {
        match values.get(place) {
            Some(Self::Word(word)) => word,
            _ => "",
        }
    }

    /// The number at a place, 0 where there is none.
    pub(super) fn number(values: &[Self], place: usize) -> u32 {
        match values.get(place) {
            Some(Self::Unsigned(number)) => *number,
            _ => 0,
        }
    }
}

/// A command.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) about: &'static str,
    pub(super) run: fn(&mut Ntpq, &[Value], &mut Screen<'_>),
}

/// A name that older texts and scripts use, and what it is called here (S0-85).
const SYNONYMS: &[(&str, &str)] = &[("pstatus", "rv")];

/// Which commands a word can mean.
pub(super) enum Found {
    One(&'static Command),
    None,
    Several,
}

/// The command a word names in full, or begins as no other does.
pub(super) fn find(word: &str) -> Found {
    let synonym = SYNONYMS.iter().find(|(old, _)| *old == word);
    let word = synonym.map_or(word, |(_, new)| new);
    if let Some(exact) = COMMANDS.iter().find(|command| command.name == word) {
        return Found::One(exact);
    }
    let mut near = COMMANDS
        .iter()
        .filter(|command| command.name.starts_with(word));
    match (near.next(), near.next()) {
        (Some(command), None) => Found::One(command),
        (Some(_), Some(_)) => Found::Several,
        (None, _) => Found::None,
    }
}

/// How a command is called.
pub(super) fn usage(command: &Command) -> String {
    let mut text = format!("usage: {}", command.name);
    for parameter in command.parameters {
        text.push_str(&if parameter.optional {
            format!(" [ {} ]", parameter.label)
        } else {
            format!(" {}", parameter.label)
        });
    }
    text.push('\n');
    text
}
