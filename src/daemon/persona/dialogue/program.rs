//! What sets one program that takes commands apart from another.
use super::shell::ARGUMENTS_MAX;
use super::{Command, Common, Screen};
use crate::query::Family;
use std::io;

/// A program that takes commands.
pub(in crate::persona) trait Program: Default + 'static {
    /// What it is called.
    const NAME: &'static str;
    /// How it is called.
    const USAGE: &'static str;
    /// What `help quit` says.
    const LEAVE: &'static str;
    /// Options that stand for a command: short, long, and the command.
    const COMMAND_OPTIONS: &'static [(&'static str, &'static str, &'static str)];
    /// Columns of the list of commands.
    const SCREEN_COLUMNS: usize;
    /// What it says of a digest type this host does not have.
    const UNKNOWN_KEY_TYPE: &'static str;
    /// Names that older texts and scripts use, and what they are called here.
    const SYNONYMS: &'static [(&'static str, &'static str)] = &[];
    /// Words after the arguments a command has are arguments too, up to this many in all; a line with
    /// more is not obeyed. Where they are no more than the arguments, what is more is ignored, and told.
    const WORDS_MAX: usize = ARGUMENTS_MAX;

    /// Its commands beside those that every program has.
    fn own_commands() -> &'static [Command<Self>];

    /// What help adds to the words about a command.
    fn more_about(_command: &str) -> String {
        String::new()
    }

    /// What it says of a line that is too long.
    fn too_long(text: &str) -> String;

    /// What stands before a command's output where the command line names commands.
    fn heading(&self, host: &str, is_first: bool) -> String;

    /// Takes an option of its own, `-x` or `--long`; false where it has no such one.
    ///
    /// # Errors
    /// When the option's value is missing or wrong.
    fn take_option(
        &mut self,
        _name: &str,
        _parser: &mut lexopt::Parser,
    ) -> Result<bool, lexopt::Error> {
        Ok(false)
    }

    /// A number that is no plain one, as the program reads it: told what is wrong, and `None`, or
    /// the number; the outer `None` is that it has no such reading.
    fn odd_number(&mut self, _word: &str, _screen: &mut Screen<'_>) -> Option<Option<u32>> {
        None
    }

    fn common(&self) -> &Common;

    fn common_mut(&mut self) -> &mut Common;

    /// Whether there is a host to ask.
    fn is_open(&self) -> bool;

    /// Links to a host.
    ///
    /// # Errors
    /// When the name has no such address, or the kernel has no way there.
    fn connect(&mut self, name: &str, family: Option<Family>) -> io::Result<()>;

    /// Lets the link know what the settings are now.
    fn tune(&mut self);
}

/// Turns to another host; false, with the reason told, where it cannot be had.
pub(super) fn open<P: Program>(
    program: &mut P,
    name: &str,
    family: Option<Family>,
    screen: &mut Screen<'_>,
) -> bool {
    if let Err(error) = program.connect(name, family) {
        let text = error.to_string();
        let reason = text
            .split_once(": ")
            .map_or(text.as_str(), |(_, rest)| rest);
        screen.complain(&format!("{reason}\n"));
        return false;
    }
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    program.common_mut().host = bare.to_owned();
    program.tune();
    true
}

/// Has the key and its password said where they are not; false, with the reason told, where
/// nothing can be sealed with them.
pub(in crate::persona) fn complete_secrets<P: Program>(
    program: &mut P,
    screen: &mut Screen<'_>,
) -> bool {
    if let Err(complaint) = program.common_mut().secrets.complete(screen) {
        screen.complain(complaint);
        return false;
    }
    program.tune();
    true
}
