//! Words that may not stand in the code: shortcuts anywhere, `unsafe` outside its room, clocks,
//! sockets, threads and files in the rooms that do no I/O.

use super::{
    complaint::Complaint,
    rooms::{self, Room, UnsafeCode},
    source::{self, Source},
    tree::Tree,
};

/// Rule name in complaints.
const RULE: &str = "words";

/// Shortcuts no room takes outside tests, and what to do instead.
const SHORTCUTS: &[(&str, &str)] = &[
    ("dbg!", "log it, or remove it"),
    (
        ".unwrap()",
        "handle the other case, or restructure so that it cannot arise",
    ),
    ("todo!", "write it, or leave the feature out"),
    ("unimplemented!", "write it, or leave the feature out"),
];

/// Words that tell of a clock, a socket, a thread, a file or the environment.
const OUTSIDE_WORLD: &[&str] = &[
    "SystemTime",
    "std::time::Instant",
    "Instant::now",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixDatagram",
    "UnixStream",
    "thread::spawn",
    "thread::sleep",
    "std::fs",
    "std::env",
    "std::process",
];

/// Ways to pull another folder's file into a crate, past its manifest.
const SMUGGLERS: &[&str] = &["include!", "#[path"];

/// Complaints about words in every Rust file.
pub(crate) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (file, source) in tree.sources() {
        let room = rooms::of_file(file);
        for (line, text, test) in source.lines() {
            found.extend(check_line(file, line, text, test, room));
        }
        found.extend(grouped_imports(file, source, room));
    }
    found
}

fn check_line(
    file: &str,
    line: usize,
    text: &str,
    test: bool,
    room: Option<&Room>,
) -> Vec<Complaint> {
    let mut found = Vec::new();
    let mut complain = |what: String, fix: String| {
        found.push(Complaint::new(file, line, RULE, what, fix));
    };
    let has = |word: &str| source::words(text, word).next().is_some();
    if !test {
        for (word, fix) in SHORTCUTS.iter().filter(|(word, _)| has(word)) {
            complain(format!("`{word}` outside a test"), (*fix).to_owned());
        }
    }
    for word in SMUGGLERS.iter().filter(|word| text.contains(*word)) {
        complain(
            format!("`{word}` takes a file in past the manifest"),
            "declare it as a module of its own room".to_owned(),
        );
    }
    let unsafe_allowed = room.is_some_and(|room| room.unsafe_code == UnsafeCode::Allowed);
    if !unsafe_allowed && has("unsafe") {
        complain(
            "`unsafe` outside src/sys".to_owned(),
            "put the call into src/sys behind a safe function".to_owned(),
        );
    }
    if let Some(room) = room.filter(|room| room.sans_io && !test) {
        for word in OUTSIDE_WORLD.iter().filter(|word| has(word)) {
            complain(
                format!("`{word}` in {}, which does no I/O", room.name),
                "take the value as an argument, or hand the deed out as an output".to_owned(),
            );
        }
    }
    found
}

/// `use std::{fs, time::Instant}` hides the words above from a search for the plain path.
fn grouped_imports(file: &str, source: &Source, room: Option<&Room>) -> Vec<Complaint> {
    let Some(room) = room.filter(|room| room.sans_io) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let text = source.masked();
    for at in source::words(text, "use") {
        let statement = text[at..].split(';').next().unwrap_or_default();
        let line = text[..at].matches('\n').count() + 1;
        let flat: String = statement[3..].split_whitespace().collect();
        let test = source
            .lines()
            .nth(line - 1)
            .is_some_and(|(_, _, test)| test);
        if test || !flat.starts_with("std::{") {
            continue;
        }
        for word in [
            "fs",
            "env",
            "process",
            "net::UdpSocket",
            "thread",
            "time::Instant",
        ] {
            let named = ["{", ","].iter().any(|before| {
                flat.match_indices(&format!("{before}{word}"))
                    .any(|(at, hit)| flat[at + hit.len()..].starts_with([',', '}', ':']))
            });
            if named {
                found.push(Complaint::new(
                    file,
                    line,
                    RULE,
                    format!("`std::{word}` in {}, which does no I/O", room.name),
                    "take the value as an argument, or hand the deed out as an output",
                ));
            }
        }
    }
    found
}

/// Complaints about root files that do not forbid unsafe code.
pub(crate) fn check_forbids(room: &Room, roots: &[String], tree: &Tree) -> Vec<Complaint> {
    if room.unsafe_code != UnsafeCode::Forbidden {
        return Vec::new();
    }
    roots
        .iter()
        .map(|root| format!("{}/{root}", room.folder))
        .filter(|file| {
            tree.sources()
                .find(|(name, _)| *name == file.as_str())
                .is_some_and(|(_, source)| !source.masked().contains("#![forbid(unsafe_code)]"))
        })
        .map(|file| {
            Complaint::new(
                &file,
                1,
                RULE,
                "does not forbid unsafe code",
                "write #![forbid(unsafe_code)] below its opening comment",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_found(room: &str, text: &str, test: bool) -> usize {
        check_line("x.rs", 1, text, test, rooms::by_name(room)).len()
    }

    #[test]
    fn shortcuts_are_for_tests_only() {
        for word in ["dbg!(x)", "x.unwrap()", "todo!()", "unimplemented!()"] {
            assert_eq!(words_found("daemon", word, false), 1, "{word}");
            assert_eq!(words_found("daemon", word, true), 0, "{word}");
        }
        assert_eq!(words_found("daemon", "x.unwrap_or(1)", false), 0);
    }

    #[test]
    fn unsafe_has_its_room() {
        assert_eq!(words_found("sys", "unsafe { f() }", false), 0);
        assert_eq!(words_found("bench", "unsafe impl GlobalAlloc", false), 1);
        assert_eq!(words_found("engine", "unsafe { f() }", false), 1);
        assert_eq!(words_found("engine", "#![forbid(unsafe_code)]", false), 0);
        assert_eq!(words_found("engine", "unsafe { f() }", true), 1);
    }

    #[test]
    fn time_is_an_argument_in_the_quiet_rooms() {
        for word in OUTSIDE_WORLD {
            for room in ["time", "wire", "proto", "refclocks"] {
                assert_eq!(words_found(room, word, false), 1, "{word} in {room}");
            }
            assert_eq!(words_found("engine", word, false), 0, "{word}");
        }
        let grouped = "use std::{\n    fs,\n    time::{Instant},\n};\nuse std::fmt;\n";
        let source = Source::new("src/proto/a.rs", grouped);
        let found = grouped_imports("src/proto/a.rs", &source, rooms::by_name("proto"));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn files_come_in_through_modules() {
        assert_eq!(
            words_found("time", "include!(\"../sys/clock.rs\");", false),
            1
        );
        assert_eq!(
            words_found("time", "#[path = \"../sys/clock.rs\"]", true),
            1
        );
        assert_eq!(words_found("time", "include_str!(\"x\")", false), 0);
    }
}
