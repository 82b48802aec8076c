//! Files and functions stay small; `xtask/ratchet.txt` holds the known larger ones, which may
//! only shrink.

use super::{complaint::Complaint, tree::Tree};
use std::collections::BTreeMap;

/// Rule name in complaints.
const RULE: &str = "sizes";
/// Lines in a file.
const FILE_LINES: usize = 400;
/// Lines in a function, from `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;
/// The list of known larger ones: `file PATH LINES` or `fn PATH::NAME LINES` a line.
const RATCHET: &str = "xtask/ratchet.txt";

struct Entry {
    line: usize,
    allowed: usize,
}

/// Complaints about what is too long, or listed as longer than it is.
pub(crate) fn check(tree: &Tree) -> Vec<Complaint> {
    let (entries, mut found) = ratchet(tree.text(RATCHET).unwrap_or_default());
    let mut measured: BTreeMap<String, (usize, usize, usize)> = BTreeMap::new();
    for (file, source) in tree.sources() {
        let lines = tree.text(file).unwrap_or_default().lines().count();
        measured.insert(format!("file {file}"), (lines, 1, FILE_LINES));
        for function in source.functions() {
            // Two functions of one name in one file: the longest counts.
            let slot = measured
                .entry(format!("fn {file}::{}", function.name))
                .or_insert((0, 0, FUNCTION_LINES));
            if function.lines > slot.0 {
                *slot = (function.lines, function.line, FUNCTION_LINES);
            }
        }
    }
    for (what, (lines, line, limit)) in &measured {
        found.extend(too_long(what, *lines, *line, *limit, entries.get(what)));
    }
    for (what, entry) in &entries {
        if !measured.contains_key(what) {
            found.push(Complaint::new(
                RATCHET,
                entry.line,
                RULE,
                format!("{what} is gone"),
                "remove the entry",
            ));
        }
    }
    found
}

fn too_long(
    what: &str,
    lines: usize,
    line: usize,
    limit: usize,
    entry: Option<&Entry>,
) -> Option<Complaint> {
    let file = what
        .split_once(' ')
        .map_or(what, |(_, rest)| rest.split("::").next().unwrap_or(rest));
    match entry {
        None if lines > limit => Some(Complaint::new(
            file,
            line,
            RULE,
            format!("{what} has {lines} lines, more than {limit}"),
            "split it where it does two things",
        )),
        Some(entry) if lines > entry.allowed => Some(Complaint::new(
            file,
            line,
            RULE,
            format!("{what} grew to {lines} lines from {}", entry.allowed),
            "split it; the ratchet only goes down",
        )),
        Some(entry) if lines <= limit => Some(Complaint::new(
            RATCHET,
            entry.line,
            RULE,
            format!("{what} has {lines} lines, within the limit of {limit}"),
            "remove the entry",
        )),
        Some(entry) if lines < entry.allowed => Some(Complaint::new(
            RATCHET,
            entry.line,
            RULE,
            format!("{what} shrank to {lines} lines from {}", entry.allowed),
            format!("lower the entry to {lines}"),
        )),
        _ => None,
    }
}

fn ratchet(text: &str) -> (BTreeMap<String, Entry>, Vec<Complaint>) {
    let (mut entries, mut found) = (BTreeMap::new(), Vec::new());
    for (index, text) in text.lines().enumerate() {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let line = index + 1;
        let parsed = text
            .rsplit_once(' ')
            .and_then(|(what, lines)| Some((what.trim().to_owned(), lines.parse().ok()?)));
        match parsed {
            Some((what, allowed)) => {
                entries.insert(what, Entry { line, allowed });
            }
            None => found.push(Complaint::new(
                RATCHET,
                line,
                RULE,
                format!("cannot read `{text}`"),
                "write `file PATH LINES` or `fn PATH::NAME LINES`",
            )),
        }
    }
    (entries, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(lines: usize, entry: Option<usize>) -> Option<String> {
        let entry = entry.map(|allowed| Entry { line: 3, allowed });
        too_long("fn src/time/a.rs::f", lines, 9, 70, entry.as_ref())
            .map(|c| format!("{}:{} {}", c.file, c.line, c.fix))
    }

    #[test]
    fn the_ratchet_only_goes_down() {
        assert_eq!(judged(70, None), None);
        assert_eq!(judged(80, Some(80)), None);
        let split = "src/time/a.rs:9 split it where it does two things";
        assert_eq!(judged(71, None).as_deref(), Some(split));
        let grew = "src/time/a.rs:9 split it; the ratchet only goes down";
        assert_eq!(judged(81, Some(80)).as_deref(), Some(grew));
        let lower = "xtask/ratchet.txt:3 lower the entry to 79";
        assert_eq!(judged(79, Some(80)).as_deref(), Some(lower));
        let remove = "xtask/ratchet.txt:3 remove the entry";
        assert_eq!(judged(70, Some(80)).as_deref(), Some(remove));
    }

    #[test]
    fn an_unreadable_entry_is_named() {
        let (entries, found) = ratchet("# known\n\nfile a.rs 401\nfile b.rs many\n");
        assert_eq!(entries.len(), 1);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 4);
    }
}
