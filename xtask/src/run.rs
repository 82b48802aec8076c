//! Runs other programs and says which one failed.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// One command line to run.
#[derive(Debug)]
pub(crate) struct Line {
    words: Vec<String>,
    folder: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

impl Line {
    /// `program` with `arguments`.
    pub(crate) fn new(program: &str, arguments: &[&str]) -> Self {
        let words = std::iter::once(program).chain(arguments.iter().copied());
        Self {
            words: words.map(str::to_owned).collect(),
            folder: None,
            environment: Vec::new(),
        }
    }

    /// Runs in `folder`.
    #[must_use]
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_path_buf());
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it on this terminal.
    ///
    /// # Errors
    /// When it cannot be started or does not succeed.
    pub(crate) fn run(&self) -> Result<(), String> {
        let status = self.command().status();
        let status = status.map_err(|error| format!("{self}: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{self}: {status}"))
        }
    }

    /// Runs it and gives what it wrote to standard output.
    ///
    /// # Errors
    /// When it cannot be started or does not succeed.
    pub(crate) fn output(&self) -> Result<String, String> {
        let output = self.command().stderr(Stdio::inherit()).output();
        let output = output.map_err(|error| format!("{self}: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            Ok(said)
        } else {
            Err(format!("{said}{self}: {}", output.status))
        }
    }

    /// Runs it and gives what it wrote to standard output and standard error.
    ///
    /// # Errors
    /// When it cannot be started or does not succeed; what it wrote is part of the error.
    pub(crate) fn output_of_both(&self) -> Result<String, String> {
        let output = self.command().output();
        let output = output.map_err(|error| format!("{self}: {error}"))?;
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            Ok(said)
        } else {
            Err(format!("{said}{self}: {}", output.status))
        }
    }

    /// The command itself, for a caller that reads its output as it comes.
    pub(crate) fn command(&self) -> Command {
        let mut words = self.words.iter();
        let mut command = Command::new(words.next().map_or("true", String::as_str));
        command.args(words).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words.join(" "))
    }
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder(top: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_said_with_the_command() {
        assert_eq!(Line::new("true", &[]).run(), Ok(()));
        let said = Line::new("sh", &["-c", "echo out; echo err >&2; exit 3"]).output_of_both();
        let said = said.unwrap_err();
        assert!(said.starts_with("out\nerr\nsh -c"), "{said}");
        let absent = Line::new("no-such-program-here", &[]).run().unwrap_err();
        assert!(absent.starts_with("no-such-program-here: "), "{absent}");
    }

    #[test]
    fn folder_and_variables_are_passed() {
        let line = Line::new("sh", &["-c", "pwd; echo $TC_SAID"]);
        let said = line.within(Path::new("/")).with("TC_SAID", "yes").output();
        assert_eq!(said.as_deref(), Ok("/\nyes\n"));
    }
}
