//! Options from files and from the environment: `name value` a line.
use super::words;
use super::{Given, Surroundings, UsageError};
use crate::files::bounded;
use crate::keygen::Options;
use std::path::{Path, PathBuf};

/// Longest file looked at, octets.
const FILE_LEN_MAX: usize = 64 * 1024;
const VARIABLE: &str = "NTP_KEYGEN_";
/// The section of a file that several programs share.
const SECTION: &str = "[NTP-KEYGEN]";
/// Passwords are not saved.
const SECRETS: [&str; 2] = ["password", "export-passwd"];

/// ~/.ntprc, ./.ntprc and the variables, as the reference looks for them. What is for another
/// program is passed over.
pub(super) fn load(options: &mut Options, around: &Surroundings) -> Result<(), UsageError> {
    let home = around.home.as_ref().map(|home| home.join(".ntprc"));
    for file in home.into_iter().chain([PathBuf::from(".ntprc")]) {
        if file.is_file() {
            let text = read(&file)?;
            apply(options, &text, false).map_err(|what| in_file(&file, &what))?;
        }
    }
    for (name, value) in &around.variables {
        let Some(word) = name.strip_prefix(VARIABLE).and_then(words::by_name) else {
            continue;
        };
        let value = Some(value.as_str()).filter(|value| !value.is_empty());
        options.set(word.long, value)?;
    }
    Ok(())
}

/// A file that was named: every line of it must be understood.
pub(super) fn load_file(options: &mut Options, file: &Path) -> Result<(), UsageError> {
    let text = read(file)?;
    apply(options, &text, true).map_err(|what| in_file(file, &what))
}

fn read(file: &Path) -> Result<String, UsageError> {
    let octets = bounded::read(file, FILE_LEN_MAX);
    let octets = octets.map_err(|error| in_file(file, &error.to_string()))?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

fn in_file(file: &Path, what: &str) -> UsageError {
    UsageError::Presets(format!("{}: {what}", file.display()))
}

fn apply(options: &mut Options, text: &str, strict: bool) -> Result<(), String> {
    let mut ours = true;
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            ours = line.eq_ignore_ascii_case(SECTION);
            continue;
        }
        if !ours {
            continue;
        }
        let end = line.find(|letter: char| letter.is_whitespace() || letter == '=');
        let (name, rest) = line.split_at(end.unwrap_or(line.len()));
        let value = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '=');
        let value = Some(value.trim_matches('"')).filter(|value| !value.is_empty());
        match words::by_name(name) {
            Some(word) => options
                .set(word.long, value)
                .map_err(|error| error.to_string())?,
            None if strict => return Err(format!("line {}: no option {name:?}", index + 1)),
            None => {}
        }
    }
    Ok(())
}

/// The text of a file that has these options.
pub(super) fn text(given: &[Given]) -> String {
    let mut text = format!("# options of ntp-keygen; passwords are not saved\n{SECTION}\n");
    for (word, value) in given {
        if SECRETS.contains(&word.long) || word.long.ends_with("-opts") {
            continue;
        }
        text.push_str(word.long);
        if let Some(value) = value {
            text.push(' ');
            text.push_str(value);
        }
        text.push('\n');
    }
    text
}
