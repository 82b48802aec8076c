//! The table of directives.

use std::borrow::Cow;

use crate::lexer::{Line, Word};
use crate::suggest;

use super::{Parser, not_built};

/// Reads the rest of a line whose first word is given.
type Handler = fn(&mut Parser<'_>, &mut Line<'_>, &Word<'_>);

pub(super) struct Directive {
    pub(super) name: &'static str,
    pub(super) handler: Handler,
}

macro_rules! table {
    ($($name:literal => $handler:ident;)*) => {
        &[$(Directive { name: $name, handler: |parser, line, first| parser.$handler(line, first) }),*]
    };
}

const DIRECTIVES: &[Directive] = table! {
    "server" => server;
    "pool" => pool;
    "servers" => servers;
    "fudge" => fudge;
    "restrict" => restrict;
    "interface" => interface;
    "nic" => interface;
    "keys" => keys;
    "trustedkey" => trustedkey;
    "controlkey" => controlkey;
    "requestkey" => requestkey;
    "tos" => tos;
    "tinker" => tinker;
    "enable" => enable;
    "disable" => disable;
    "driftfile" => driftfile;
    "leapfile" => leapfile;
    "logfile" => logfile;
    "pidfile" => pidfile;
    "includefile" => includefile;
    "end" => end;
};

/// What would be unsafe without a line of this directive: "not starting, for without this line ...".
const CONSEQUENCES: &[(&str, &str)] = &[
    ("restrict", "access may stay OPEN that it was to close"),
    (
        "interface",
        "sockets may be open on interfaces where you want none",
    ),
    (
        "nic",
        "sockets may be open on interfaces where you want none",
    ),
    ("enable", "a protection that you switched on may stay off"),
    ("disable", "something that you switched off may stay on"),
    ("keys", "no server could prove who it is"),
    (
        "trustedkey",
        "servers that use its keys could not prove who they are",
    ),
    (
        "controlkey",
        "remote control would not be guarded by the key you chose",
    ),
    (
        "requestkey",
        "remote control would not be guarded by the key you chose",
    ),
    ("crypto", "Autokey would not protect what you want it to"),
    ("keysdir", "Autokey would not protect what you want it to"),
];

pub(super) fn find(first: &Word<'_>) -> Option<&'static Directive> {
    if first.quoted {
        return None;
    }
    DIRECTIVES
        .iter()
        .find(|directive| directive.name == first.text)
}

/// The directive that an unknown word was probably meant to be.
pub(super) fn near(first: &Word<'_>) -> Option<&'static str> {
    let built = DIRECTIVES.iter().map(|directive| directive.name);
    suggest::nearest(
        &first.text,
        built.chain(not_built::DIRECTIVES.iter().copied()),
    )
}

/// The consequence of losing this line; a mistyped access directive is as bad as a broken one, so
/// with `guess` an unknown word counts as the one it was probably meant to be.
pub(super) fn consequence(first: &Word<'_>, guess: bool) -> Option<Cow<'static, str>> {
    let known = find(first).is_some() || not_built::DIRECTIVES.contains(&&*first.text);
    let name = if known {
        &*first.text
    } else if guess {
        near(first)?
    } else {
        return None;
    };
    let (_, consequence) = CONSEQUENCES
        .iter()
        .find(|(directive, _)| *directive == name)?;
    Some(Cow::Borrowed(consequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_both_built_and_not_built() {
        for directive in DIRECTIVES {
            assert!(
                !not_built::DIRECTIVES.contains(&directive.name),
                "{}",
                directive.name
            );
        }
        for (name, _) in CONSEQUENCES {
            let built = DIRECTIVES.iter().any(|directive| directive.name == *name);
            assert!(built || not_built::DIRECTIVES.contains(name), "{name}");
        }
    }
}
