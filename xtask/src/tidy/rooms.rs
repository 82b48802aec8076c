//! The floor plan: every room, the rooms it may use, the outside crates it may use.
//!
//! A new door or crate is a change to this table, so a review sees it by itself.

/// One crate of the house.
pub(crate) struct Room {
    /// Short name, as the doors of other rooms give it.
    pub(crate) name: &'static str,
    /// Folder, from the top of the repository.
    pub(crate) folder: &'static str,
    /// Package name in its manifest.
    pub(crate) package: &'static str,
    /// Rooms it may use.
    pub(crate) doors: Doors,
    /// Crates from outside it may use.
    pub(crate) outside: Outside,
    /// Reads no clock, opens no socket or file, starts no thread.
    pub(crate) sans_io: bool,
    /// What it may do with `unsafe`.
    pub(crate) unsafe_code: UnsafeCode,
}

/// Doors out of a room.
pub(crate) enum Doors {
    /// These rooms and no other.
    Only(&'static [&'static str]),
    /// Every room but `bench` and `tests`.
    All,
}

/// Crates from outside.
pub(crate) enum Outside {
    /// These and no other.
    Only(&'static [&'static str]),
    /// Any: the room ships nothing.
    Any,
}

/// What a room may do with `unsafe`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnsafeCode {
    /// `#![forbid(unsafe_code)]` stands in its root files.
    Forbidden,
    /// As forbidden, but every file may be a root, so only the word is looked for.
    Absent,
    /// The kernel's room.
    Allowed,
}

const fn room(
    name: &'static str,
    folder: &'static str,
    package: &'static str,
    doors: &'static [&'static str],
    outside: &'static [&'static str],
) -> Room {
    Room {
        name,
        folder,
        package,
        doors: Doors::Only(doors),
        outside: Outside::Only(outside),
        sans_io: false,
        unsafe_code: UnsafeCode::Forbidden,
    }
}

const fn sans_io(mut room: Room) -> Room {
    room.sans_io = true;
    room
}

const fn unsafe_code(unsafe_code: UnsafeCode, mut room: Room) -> Room {
    room.unsafe_code = unsafe_code;
    room
}

const fn any_door(mut room: Room) -> Room {
    room.doors = Doors::All;
    room
}

const fn any_crate(mut room: Room) -> Room {
    room.outside = Outside::Any;
    room
}

/// All rooms, ground floor first.
pub(crate) const ROOMS: &[Room] = &[
    sans_io(room("time", "src/time", "truechimer-time", &[], &[])),
    sans_io(room("wire", "src/wire", "truechimer-wire", &["time"], &[])),
    unsafe_code(
        UnsafeCode::Allowed,
        room(
            "sys",
            "src/sys",
            "truechimer-sys",
            &["time"],
            &["core_affinity", "io-uring", "libc", "nix"],
        ),
    ),
    sans_io(room(
        "proto",
        "src/proto",
        "truechimer-proto",
        &["time", "wire"],
        &["bytemuck", "loom", "rand_chacha", "siphasher"],
    )),
    room(
        "engine",
        "src/engine",
        "truechimer-engine",
        &["time", "wire", "proto", "sys"],
        &["crossbeam-channel", "loom"],
    ),
    room(
        "crypto",
        "src/crypto",
        "truechimer-crypto",
        &["time", "wire", "proto"],
        &["crossbeam-channel", "openssl"],
    ),
    sans_io(room(
        "refclocks",
        "refclocks",
        "truechimer-refclocks",
        &["time", "proto"],
        &[],
    )),
    room(
        "config",
        "src/config",
        "truechimer-config",
        &["time"],
        &["annotate-snippets", "strsim"],
    ),
    room(
        "sim",
        "src/sim",
        "truechimer-sim",
        &["time", "wire", "proto", "crypto", "config", "refclocks"],
        &["rand_chacha"],
    ),
    any_door(room(
        "daemon",
        "src/daemon",
        "truechimer",
        &[],
        DAEMON_CRATES,
    )),
    unsafe_code(
        UnsafeCode::Absent,
        any_crate(any_door(room("bench", "bench", "bench", &[], &[]))),
    ),
    unsafe_code(
        UnsafeCode::Absent,
        any_crate(any_door(room(
            "tests",
            "tests",
            "truechimer-tests",
            &[],
            &[],
        ))),
    ),
    room("xtask", "xtask", "xtask", &[], &["toml"]),
];

const DAEMON_CRATES: &[&str] = &[
    "caps",
    "clap",
    "crossbeam-channel",
    "etherparse",
    "landlock",
    "lexopt",
    "log",
    "nix",
    "pcap-parser",
    "rustyline",
    "sd-notify",
    "seccompiler",
    "serde",
    "serde_json",
    "signal-hook",
];

/// Crates any room's tests may use.
pub(crate) const TEST_CRATES: &[&str] = &["insta", "proptest"];

/// Crates that may stand only under one target condition: room, crate, condition.
pub(crate) const CONDITIONAL: &[(&str, &str, &str)] = &[
    ("engine", "loom", "cfg(loom)"),
    ("proto", "loom", "cfg(loom)"),
];

/// Rooms no other room may open: they measure and judge the house, and ship nothing.
pub(crate) const SEALED: &[&str] = &["bench", "tests", "xtask"];

/// What may stand at the top of the repository.
pub(crate) const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "bench",
    "clippy.toml",
    "deny.toml",
    "docs",
    "fuzz",
    "refclocks",
    "rustfmt.toml",
    "src",
    "systemd",
    "tests",
    "udev",
    "xtask",
];

/// The room of a short name.
#[cfg(test)]
pub(crate) fn by_name(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// The room of a package name.
pub(crate) fn by_package(package: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.package == package)
}

/// The room a file lies in.
pub(crate) fn of_file(file: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| {
        file.strip_prefix(room.folder)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}

impl Room {
    /// Whether this room may use `other`.
    pub(crate) fn opens(&self, other: &Room) -> bool {
        match self.doors {
            Doors::Only(names) => names.contains(&other.name),
            Doors::All => !SEALED.contains(&other.name),
        }
    }

    /// Whether this room can reach `other` through any number of doors.
    pub(crate) fn reaches(&self, other: &Room) -> bool {
        ROOMS
            .iter()
            .filter(|next| next.name != self.name && self.opens(next))
            .any(|next| next.name == other.name || next.reaches(other))
    }

    /// The rooms this one may use, for a complaint.
    pub(crate) fn doors_in_words(&self) -> String {
        match self.doors {
            Doors::Only([]) => "no other room".to_owned(),
            Doors::Only(names) => names.join(", "),
            Doors::All => "every room but bench, tests and xtask".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_lead_to_rooms_and_never_in_a_circle() {
        for room in ROOMS {
            if let Doors::Only(names) = room.doors {
                for name in names {
                    assert!(by_name(name).is_some(), "{} -> {name}", room.name);
                }
            }
            if !SEALED.contains(&room.name) && room.name != "daemon" {
                assert!(!room.reaches(room), "{} reaches itself", room.name);
            }
        }
    }

    #[test]
    fn the_architecture_page_shows_this_floor_plan() {
        let page = std::fs::read_to_string(crate::tidy::top().join("docs/ARCHITECTURE.md"));
        let page = page.unwrap();
        let shown = |list: &[&str]| match list {
            [] => "–".to_owned(),
            list => list.join(", "),
        };
        for room in ROOMS.iter().filter(|room| !SEALED.contains(&room.name)) {
            let Outside::Only(outside) = room.outside else {
                panic!("{} ships, so its crates are listed", room.name);
            };
            let doors = match room.doors {
                Doors::Only(names) => shown(names),
                Doors::All => "all".to_owned(),
            };
            let row = page
                .lines()
                .find(|line| line.contains(&format!("| `{}` |", room.folder)));
            let end = format!(" | {doors} | {} |", shown(outside));
            assert!(
                row.is_some_and(|row| row.ends_with(&end)),
                "docs/ARCHITECTURE.md: the row of `{}` should end in{end}",
                room.folder
            );
        }
    }

    #[test]
    fn a_file_belongs_to_the_room_of_its_folder() {
        let name = |file| of_file(file).map(|room| room.name);
        assert_eq!(name("src/wire/header.rs"), Some("wire"));
        assert_eq!(name("refclocks/local.rs"), Some("refclocks"));
        assert_eq!(name("src/wireless/header.rs"), None);
        assert_eq!(name("README.md"), None);
    }
}
