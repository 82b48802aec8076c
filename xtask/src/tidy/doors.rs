//! Doors between rooms: a manifest may name only the rooms the floor plan opens to it.

use super::{
    complaint::Complaint,
    manifest::{Dependency, Kind, Manifest},
    rooms::{self, Room},
};

/// Rule name in complaints.
const RULE: &str = "doors";

/// Complaints about the rooms that `room` depends on.
pub(crate) fn check(room: &Room, file: &str, manifest: &Manifest) -> Vec<Complaint> {
    let mut found = Vec::new();
    if manifest.package.as_deref() != Some(room.package) {
        found.push(Complaint::new(
            file,
            1,
            RULE,
            format!("{} is not called {}", room.folder, room.package),
            format!("name the package {}", room.package),
        ));
    }
    for dependency in &manifest.dependencies {
        if let Some(other) = rooms::by_package(&dependency.package) {
            found.extend(check_one(room, file, dependency, other));
        }
    }
    found
}

fn check_one(room: &Room, file: &str, dependency: &Dependency, other: &Room) -> Option<Complaint> {
    let complain =
        |what: String, fix: String| Some(Complaint::new(file, dependency.line, RULE, what, fix));
    if rooms::SEALED.contains(&other.name) {
        return complain(
            format!("{} opens a door into {}", room.name, other.name),
            format!(
                "move what is needed out of {}; nothing depends on it",
                other.name
            ),
        );
    }
    match dependency.kind {
        Kind::Normal if !room.opens(other) => complain(
            format!("{} has no door to {}", room.name, other.name),
            format!(
                "{} may use {}; pass a value defined there instead",
                room.name,
                room.doors_in_words()
            ),
        ),
        Kind::Dev if other.name == room.name || other.reaches(room) => complain(
            format!(
                "the tests of {} open a door up to {}",
                room.name, other.name
            ),
            "move the test to the folder tests, which may open any door".to_owned(),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::manifest::{self, Renames};

    fn complaints(room: &str, dependencies: &str) -> Vec<String> {
        let room = rooms::by_name(room).unwrap();
        let text = format!("[package]\nname = \"{}\"\n{dependencies}", room.package);
        let manifest = manifest::read(&text, &Renames::new()).unwrap();
        check(room, "Cargo.toml", &manifest)
            .into_iter()
            .map(|c| format!("{}: {}", c.line, c.what))
            .collect()
    }

    #[test]
    fn allowed_doors_are_open() {
        assert!(complaints("proto", "[dependencies]\ntruechimer-time = \"0\"\n").is_empty());
        assert!(complaints("daemon", "[dependencies]\ntruechimer-sim = \"0\"\n").is_empty());
        assert!(complaints("tests", "[dev-dependencies]\ntruechimer = \"0\"\n").is_empty());
        assert!(complaints("wire", "[dev-dependencies]\ntruechimer-config = \"0\"\n").is_empty());
    }

    #[test]
    fn walls_hold() {
        assert_eq!(
            complaints("proto", "[dependencies]\ntruechimer-sys = \"0\"\n"),
            ["4: proto has no door to sys"]
        );
        assert_eq!(
            complaints(
                "config",
                "[target.'cfg(unix)'.dependencies]\ntruechimer-wire = \"0\"\n"
            ),
            ["4: config has no door to wire"]
        );
        assert_eq!(
            complaints("daemon", "[dev-dependencies]\nbench = \"0\"\n"),
            ["4: daemon opens a door into bench"]
        );
        assert_eq!(
            complaints("wire", "[dev-dependencies]\ntruechimer-crypto = \"0\"\n"),
            ["4: the tests of wire open a door up to crypto"]
        );
    }

    #[test]
    fn a_room_goes_by_its_name() {
        let room = rooms::by_name("time").unwrap();
        let manifest = manifest::read("[package]\nname = \"other\"\n", &Renames::new()).unwrap();
        assert_eq!(check(room, "Cargo.toml", &manifest).len(), 1);
    }
}
