//! The table of directives.

use std::borrow::Cow;

use crate::lexer::{Line, Word};
use crate::settings::FLAG_NAMES;
use crate::suggest;

use super::Parser;

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
    "discard" => discard;
    "mru" => mru;
    "statsdir" => statsdir;
    "statistics" => statistics;
    "filegen" => filegen;
    "logconfig" => logconfig;
    "setvar" => setvar;
    "saveconfigdir" => saveconfigdir;
    "automax" => automax;
    "autokey" => automax;
    "broadcast" => broadcast;
    "broadcastclient" => broadcastclient;
    "broadcastdelay" => broadcastdelay;
    "calldelay" => calldelay;
    "crypto" => crypto;
    "delrestrict" => delrestrict;
    "device" => device;
    "dscp" => dscp;
    "engine" => engine;
    "extra" => extra;
    "hwtimestamp" => hwtimestamp;
    "ident" => ident;
    "keysdir" => keysdir;
    "leapsmearinterval" => leapsmearinterval;
    "manycastclient" => manycastclient;
    "manycastserver" => manycastserver;
    "mdnstries" => mdnstries;
    "multicastclient" => multicastclient;
    "nonvolatile" => nonvolatile;
    "ntpsigndsocket" => ntpsigndsocket;
    "nts" => nts;
    "peer" => peer;
    "phone" => phone;
    "pollskewlist" => pollskewlist;
    "randfile" => randfile;
    "refclock" => refclock_by_name;
    "reset" => reset;
    "revoke" => revoke;
    "rlimit" => rlimit;
    "simulate" => simulate;
    "tick" => tick;
    "trap" => trap;
    "ttl" => ttl;
    "unconfig" => unpeer;
    "unpeer" => unpeer;
    "unrestrict" => unrestrict;
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
    (
        "includefile",
        "access may stay OPEN that its file was to close",
    ),
    (
        "delrestrict",
        "who may do what would not be what you decided",
    ),
];

pub(super) fn find(first: &Word<'_>) -> Option<&'static Directive> {
    if first.quoted {
        return None;
    }
    DIRECTIVES
        .iter()
        .find(|directive| directive.name == first.text)
}

/// Words of other grammars, and words that people mistake for ours.
const MISTAKEN: &[(&str, &str)] = &[
    ("manycast", "broadcast"),
    ("multicast", "broadcast"),
    ("multicastserver", "broadcast"),
    ("allow", "restrict"),
    ("deny", "restrict"),
    ("cmdallow", "restrict"),
    ("cmddeny", "restrict"),
    ("listen", "interface"),
    ("bindaddress", "interface"),
    ("keyfile", "keys"),
    ("keysfile", "keys"),
    ("include", "includefile"),
    ("confdir", "includefile"),
    ("bind", "interface"),
    ("bindcmdaddress", "interface"),
    ("authkey", "trustedkey"),
];

/// The directive that an unknown word was probably meant to be.
pub(super) fn near(first: &Word<'_>) -> Option<&'static str> {
    if let Some((_, meant)) = MISTAKEN.iter().find(|(word, _)| *word == first.text) {
        return Some(meant);
    }
    suggest::nearest(
        &first.text,
        DIRECTIVES.iter().map(|directive| directive.name),
    )
}

/// The consequence of losing this line; a mistyped access directive is as bad as a broken one, so
/// with `guess` an unknown word counts as the one it was probably meant to be.
pub(super) fn consequence(first: &Word<'_>, guess: bool) -> Option<Cow<'static, str>> {
    let name = if find(first).is_some() {
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

/// Directives that a garbled line is searched for, letters only.
const HIDDEN: &[&str] = &[
    "restrict",
    "trustedkey",
    "controlkey",
    "requestkey",
    "includefile",
];

/// What may be lost with a broken line that does not begin with a word that guards something: one
/// that does may be glued into it, or be written in another encoding.
pub(super) fn hidden_consequence(content: &str) -> Option<&'static str> {
    let is_guard = |word: &str| {
        let letters: String = word.chars().filter(char::is_ascii_alphabetic).collect();
        let letters = letters.to_ascii_lowercase();
        // `version` is also an option of servers.
        let is_flag = |(flag, _): &(&str, _)| *flag == letters && letters != "version";
        HIDDEN.iter().any(|name| letters.contains(name)) || FLAG_NAMES.iter().any(is_flag)
    };
    let hides = content.split_whitespace().any(is_guard);
    hides.then_some("access may stay OPEN that it was to close")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_consequence_is_of_a_directive() {
        for (name, _) in CONSEQUENCES {
            assert!(
                DIRECTIVES.iter().any(|directive| directive.name == *name),
                "{name}"
            );
        }
    }
}
