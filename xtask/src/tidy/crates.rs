//! Crates from outside: each room may use the ones the floor plan lists.

use super::{
    complaint::Complaint,
    manifest::{Dependency, Kind, Manifest},
    rooms::{self, Outside, Room},
};

/// Rule name in complaints.
const RULE: &str = "crates";

/// Complaints about the outside crates that `room` depends on.
pub(crate) fn check(room: &Room, file: &str, manifest: &Manifest) -> Vec<Complaint> {
    manifest
        .dependencies
        .iter()
        .filter(|dependency| rooms::by_package(&dependency.package).is_none())
        .filter_map(|dependency| check_one(room, file, dependency))
        .collect()
}

fn check_one(room: &Room, file: &str, dependency: &Dependency) -> Option<Complaint> {
    let package = dependency.package.as_str();
    let Outside::Only(allowed) = room.outside else {
        return None;
    };
    let for_tests = dependency.kind == Kind::Dev && rooms::TEST_CRATES.contains(&package);
    if !for_tests && !allowed.contains(&package) {
        let list = if allowed.is_empty() {
            "none".to_owned()
        } else {
            allowed.join(", ")
        };
        return Some(Complaint::new(
            file,
            dependency.line,
            RULE,
            format!("{} may not use the crate {package}", room.name),
            format!("allowed here: {list}; call it from a room that has it"),
        ));
    }
    let condition = rooms::CONDITIONAL
        .iter()
        .find(|(name, conditional, _)| *name == room.name && *conditional == package)?
        .2;
    (dependency.target.as_deref() != Some(condition)).then(|| {
        Complaint::new(
            file,
            dependency.line,
            RULE,
            format!("{package} would be built into the daemon"),
            format!("put it under [target.'{condition}'.dependencies]"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::manifest::{self, Renames};

    fn complaints(room: &str, dependencies: &str) -> Vec<String> {
        let room = rooms::by_name(room).unwrap();
        let manifest = manifest::read(dependencies, &Renames::new()).unwrap();
        check(room, "Cargo.toml", &manifest)
            .into_iter()
            .map(|c| c.what)
            .collect()
    }

    #[test]
    fn listed_crates_pass() {
        assert!(complaints("sys", "[dependencies]\nlibc = \"0.2\"\n").is_empty());
        assert!(complaints("time", "[dev-dependencies]\nproptest = \"1\"\n").is_empty());
        assert!(complaints("tests", "[dependencies]\nserde_json = \"1\"\n").is_empty());
        let loom = "[target.'cfg(loom)'.dependencies]\nloom = \"0.7\"\n";
        assert!(complaints("engine", loom).is_empty());
    }

    #[test]
    fn other_crates_do_not() {
        assert_eq!(
            complaints("proto", "[dependencies]\nopenssl = \"0.10\"\n"),
            ["proto may not use the crate openssl"]
        );
        assert_eq!(
            complaints("time", "[dependencies]\nproptest = \"1\"\n"),
            ["time may not use the crate proptest"]
        );
        assert_eq!(
            complaints(
                "daemon",
                "[dependencies]\nhidden = { package = \"libc\" }\n"
            ),
            ["daemon may not use the crate libc"]
        );
        assert_eq!(
            complaints("engine", "[dependencies]\nloom = \"0.7\"\n"),
            ["loom would be built into the daemon"]
        );
    }
}
