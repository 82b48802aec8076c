//! Each room that does no I/O has a `clippy.toml` that says so to clippy. Such a file replaces
//! the one at the top, so it must repeat those settings.

use super::{
    complaint::Complaint,
    rooms::{ROOMS, Room},
    tree::Tree,
};
use toml::de::DeTable;

/// Rule name in complaints.
const RULE: &str = "lints";
/// Settings only these rooms have.
const WALLS: [&str; 2] = ["disallowed-methods", "disallowed-types"];

/// Complaints about missing or diverging `clippy.toml` files.
pub(crate) fn check(tree: &Tree) -> Vec<Complaint> {
    let top = tree.text("clippy.toml").unwrap_or_default();
    ROOMS
        .iter()
        .filter(|room| room.sans_io)
        .filter_map(|room| check_one(room, top, tree))
        .collect()
}

fn check_one(room: &Room, top: &str, tree: &Tree) -> Option<Complaint> {
    let file = format!("{}/clippy.toml", room.folder);
    let complain = |what: String, fix: &str| Some(Complaint::new(&file, 1, RULE, what, fix));
    let copy = "copy the file of another room that does no I/O";
    let Some(text) = tree.text(&file) else {
        return complain("clippy does not guard this room".to_owned(), copy);
    };
    let (Ok(own_table), Ok(top_table)) = (DeTable::parse(text), DeTable::parse(top)) else {
        return complain("is no TOML".to_owned(), copy);
    };
    let (own_table, top_table) = (own_table.get_ref(), top_table.get_ref());
    if let Some(wall) = WALLS.iter().find(|wall| !own_table.contains_key(**wall)) {
        return complain(format!("does not set {wall}"), copy);
    }
    let differs = top_table.iter().find(|(key, value)| {
        let own = own_table.get(*key).map(|value| &text[value.span()]);
        own != Some(&top[value.span()])
    });
    differs.and_then(|(key, _)| {
        complain(
            format!(
                "lacks `{}` as the clippy.toml at the top has it",
                key.get_ref()
            ),
            "repeat the setting here; this file replaces the one at the top",
        )
    })
}
