//! Running other programs to their end.

use std::process::{Command, Output, Stdio};

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Finished {
    /// Standard output, then standard error.
    pub text: String,
    /// Standard output alone.
    pub stdout: String,
    /// Exit code; none after a signal.
    pub code: Option<i32>,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let text = format!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
        Self {
            text,
            stdout,
            code: output.status.code(),
        }
    }
}

/// Runs a command and waits for its end.
///
/// # Panics
/// When the program cannot be started.
pub fn finish(mut command: Command) -> Finished {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => output.into(),
        Err(error) => panic!("cannot start {command:?}: {error}"),
    }
}

/// Runs a command that must succeed.
///
/// # Panics
/// When it fails; the message holds what it said.
pub fn must(command: Command) -> String {
    let shown = format!("{command:?}");
    let finished = finish(command);
    assert!(
        finished.code == Some(0),
        "{shown} ended with {:?}: {}",
        finished.code,
        finished.text
    );
    finished.stdout
}

/// A command from its words.
#[must_use]
pub fn words(line: &str) -> Command {
    let mut parts = line.split_whitespace();
    let mut command = Command::new(parts.next().unwrap_or("false"));
    command.args(parts);
    command
}
