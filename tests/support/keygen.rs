//! Key files of Autokey: made by either side's ntp-keygen, carried from host to host.

use super::command::{Finished, finish, must};
use super::node::Side;
use super::peers::{Tree, stepclock};
use super::truechimer::binary;
use super::world::Host;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

/// The folder of a host's keys; its peers see it as `/lab/keys`.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn folder(host: Host<'_>) -> PathBuf {
    let folder = host.folder().join("keys");
    if let Err(error) = fs::create_dir_all(&folder) {
        panic!("{}: {error}", folder.display());
    }
    folder
}

/// A side's ntp-keygen, in the folder of keys.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run(side: Side, host: Host<'_>, line: &str) -> Finished {
    let keys = folder(host);
    let mut command = match side {
        Side::Ours => ours(host),
        Side::Ntp4 | Side::Mended => theirs(host),
    };
    command.args(line.split_whitespace()).current_dir(keys);
    finish(command)
}

/// The same, and it must succeed.
///
/// # Panics
/// When it fails.
pub fn made(side: Side, host: Host<'_>, line: &str) -> Finished {
    let finished = run(side, host, line);
    assert_eq!(
        finished.code,
        Some(0),
        "ntp-keygen {line}: {}",
        finished.text
    );
    finished
}

/// Our program, called by that name.
fn ours(host: Host<'_>) -> Command {
    let program = host.folder().join("ntp-keygen");
    if !program.exists()
        && let Err(error) = symlink(binary(), &program)
    {
        panic!("{}: {error}", program.display());
    }
    host.native(&program)
}

fn theirs(host: Host<'_>) -> Command {
    let mut command = host.peer(Tree::Ntp4, "/usr/bin/perl");
    command.args(["-e", "chdir '/lab/keys' or die; exec @ARGV or die"]);
    command.arg("/usr/sbin/ntp-keygen");
    command
}

/// Keys as ours makes them on a host whose clock is so many days late.
///
/// # Panics
/// When it fails.
pub fn made_days_ago(days: i64, host: Host<'_>, line: &str) {
    let mut command = ours(host);
    command.env("LD_PRELOAD", stepclock());
    command.env("STEPCLOCK", "/");
    command.env("STEPCLOCK_S", (-days * 86_400).to_string());
    command.args(line.split_whitespace());
    command.current_dir(folder(host));
    must(command);
}

/// `truechimer keys` in the folder of keys.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn keys_command(host: Host<'_>, line: &str) -> Finished {
    let mut command = host.native(&binary());
    command.arg("keys").args(line.split_whitespace());
    command.current_dir(folder(host));
    finish(command)
}

/// Takes a file to a host, under the name and the links that it should have there.
///
/// # Panics
/// When `keys import` refuses it.
pub fn carry(text: &str, to: Host<'_>, options: &str) {
    to.write("mail", text);
    let taken = keys_command(to, &format!("import ../mail {options}"));
    assert_eq!(taken.code, Some(0), "{}", taken.text);
}
