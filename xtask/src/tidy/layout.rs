//! The folders: every room stands where the floor plan says, none is empty, and the top of the
//! repository holds nothing else.

use super::{
    complaint::Complaint,
    rooms::{ROOMS, Room, TOP_LEVEL},
    tree::Tree,
};
use std::collections::BTreeSet;

/// Rule name in complaints.
const RULE: &str = "layout";

/// Complaints about what stands where.
pub(crate) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut found = strangers(tree);
    for room in ROOMS {
        found.extend(missing_or_empty(room, tree));
    }
    found
}

fn strangers(tree: &Tree) -> Vec<Complaint> {
    let mut found = Vec::new();
    let (mut tops, mut rooms) = (BTreeSet::new(), BTreeSet::new());
    for (file, _) in tree.files() {
        let mut parts = file.split('/');
        let (top, below) = (parts.next().unwrap_or_default(), parts.next());
        if !TOP_LEVEL.contains(&top) && tops.insert(top) {
            found.push(Complaint::new(
                file,
                1,
                RULE,
                format!("`{top}` does not belong at the top of the repository"),
                "put it into the folder of the room it belongs to",
            ));
        }
        let Some(folder) = below.filter(|_| top == "src") else {
            continue;
        };
        let folder = format!("src/{folder}");
        if !ROOMS.iter().any(|room| room.folder == folder) && rooms.insert(folder.clone()) {
            found.push(Complaint::new(
                file,
                1,
                RULE,
                format!("`{folder}` is no room of the floor plan"),
                "add it to xtask/src/tidy/rooms.rs and docs/ARCHITECTURE.md, or move it",
            ));
        }
    }
    found
}

fn missing_or_empty(room: &Room, tree: &Tree) -> Option<Complaint> {
    let folder = format!("{}/", room.folder);
    let complain = |file: String, what: &str| {
        Some(Complaint::new(
            &file,
            1,
            RULE,
            what,
            "build the room or take it out of xtask/src/tidy/rooms.rs; no placeholders",
        ))
    };
    let manifest = format!("{folder}Cargo.toml");
    if tree.text(&manifest).is_none() {
        return complain(manifest, "a room of the floor plan has no manifest");
    }
    let furnished = tree
        .sources()
        .filter(|(file, _)| file.starts_with(&folder))
        .any(|(_, source)| holds_code(source.masked()));
    if furnished {
        None
    } else {
        complain(format!("{folder}lib.rs"), "an empty room")
    }
}

/// Whether anything is left of a file without comments, inner attributes and an idle `main`.
fn holds_code(masked: &str) -> bool {
    let code: String = masked
        .lines()
        .filter(|line| !line.trim_start().starts_with("#!["))
        .flat_map(str::split_whitespace)
        .collect();
    !code.is_empty() && code != "fnmain(){}"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_furnishes_no_room() {
        assert!(!holds_code("   \n#![forbid(unsafe_code)]\n"));
        assert!(!holds_code("fn main() {}\n"));
        assert!(holds_code("pub mod leap;\n"));
    }
}
