//! Breaks every wall on purpose, in a small made-up house, and sees tidy complain.

use super::rooms::{Doors, ROOMS};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

/// A work tree of its own, removed when dropped.
struct House(PathBuf);

impl House {
    /// A house in order: every room of the floor plan with one line of code in it.
    fn in_order() -> Self {
        static BUILT: AtomicUsize = AtomicUsize::new(0);
        let number = BUILT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir();
        let folder = folder.join(format!("truechimer-tidy-{}-{number}", std::process::id()));
        let house = Self(folder);
        fs::create_dir_all(&house.0).unwrap();
        let git = Command::new("git")
            .args(["init", "-q"])
            .current_dir(&house.0)
            .status();
        assert!(git.unwrap().success());
        house.write("Cargo.toml", "[workspace]\n");
        house.write("clippy.toml", "too-many-lines-threshold = 70\n");
        for room in ROOMS {
            house.furnish(room.folder, room.package, &room.doors);
            if room.sans_io {
                house.write(
                    &format!("{}/clippy.toml", room.folder),
                    "too-many-lines-threshold = 70\ndisallowed-methods = []\ndisallowed-types = []\n",
                );
            }
        }
        house
    }

    fn furnish(&self, folder: &str, package: &str, doors: &Doors) {
        let mut manifest =
            format!("[package]\nname = \"{package}\"\n[lib]\npath = \"lib.rs\"\n[dependencies]\n");
        if let Doors::Only(names) = doors {
            for name in *names {
                manifest.push_str(&format!("truechimer-{name}.workspace = true\n"));
            }
        }
        self.write(&format!("{folder}/Cargo.toml"), &manifest);
        let lib = "//! A room.\n#![forbid(unsafe_code)]\n\npub const ONE: u8 = 1;\n";
        self.write(&format!("{folder}/lib.rs"), lib);
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
    }

    fn append(&self, file: &str, text: &str) {
        let before = fs::read_to_string(self.0.join(file)).unwrap();
        self.write(file, &(before + text));
    }

    fn complaints(&self) -> Vec<String> {
        super::complaints(&self.0)
            .unwrap()
            .into_iter()
            .map(|c| format!("{}:{} [{}] {}", c.file, c.line, c.rule, c.what))
            .collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Left behind in the temporary folder if this fails; nothing else depends on it.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Breaks one thing and gives back the only complaint.
fn breach(break_it: impl FnOnce(&House)) -> String {
    let house = House::in_order();
    break_it(&house);
    let found = house.complaints();
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_house_in_order_passes() {
    let found = House::in_order().complaints();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_door_where_there_is_none() {
    let up = breach(|h| h.append("src/proto/Cargo.toml", "truechimer-sys.workspace = true\n"));
    assert_eq!(
        up,
        "src/proto/Cargo.toml:8 [doors] proto has no door to sys"
    );
    let renamed = breach(|h| {
        h.append(
            "src/wire/Cargo.toml",
            "p = { package = \"truechimer-proto\", path = \"x\" }\n",
        );
    });
    assert_eq!(
        renamed,
        "src/wire/Cargo.toml:7 [doors] wire has no door to proto"
    );
    let measured = breach(|h| h.append("src/daemon/Cargo.toml", "bench = { path = \"x\" }\n"));
    assert_eq!(
        measured,
        "src/daemon/Cargo.toml:6 [doors] daemon opens a door into bench"
    );
}

#[test]
fn a_crate_in_the_wrong_room() {
    let found = breach(|h| h.append("src/time/Cargo.toml", "libc.workspace = true\n"));
    assert_eq!(
        found,
        "src/time/Cargo.toml:6 [crates] time may not use the crate libc"
    );
}

#[test]
fn too_long() {
    let long = "// line\n".repeat(401);
    let found = breach(|h| h.write("src/sys/long.rs", &long));
    assert_eq!(
        found,
        "src/sys/long.rs:1 [sizes] file src/sys/long.rs has 401 lines, more than 400"
    );
    let body = "    one();\n".repeat(69);
    let long = format!("fn f() {{\n{body}}}\n");
    let found = breach(|h| h.write("src/sys/long.rs", &long));
    assert_eq!(
        found,
        "src/sys/long.rs:1 [sizes] fn src/sys/long.rs::f has 71 lines, more than 70"
    );
    let found = breach(|h| {
        h.write("src/sys/long.rs", &long);
        h.write("xtask/ratchet.txt", "fn src/sys/long.rs::f 75\n");
    });
    assert_eq!(
        found,
        "xtask/ratchet.txt:1 [sizes] fn src/sys/long.rs::f shrank to 71 lines from 75"
    );
    let found = breach(|h| h.write("xtask/ratchet.txt", "file src/gone.rs 500\n"));
    assert_eq!(
        found,
        "xtask/ratchet.txt:1 [sizes] file src/gone.rs is gone"
    );
}

#[test]
fn banned_words() {
    let found = breach(|h| h.append("src/engine/lib.rs", "fn f() { x.unwrap(); }\n"));
    assert_eq!(
        found,
        "src/engine/lib.rs:5 [words] `.unwrap()` outside a test"
    );
    let found = breach(|h| h.append("src/crypto/lib.rs", "unsafe fn f() {}\n"));
    assert_eq!(
        found,
        "src/crypto/lib.rs:5 [words] `unsafe` outside src/sys"
    );
    let found = breach(|h| h.append("src/proto/lib.rs", "fn f() { Instant::now(); }\n"));
    assert_eq!(
        found,
        "src/proto/lib.rs:5 [words] `Instant::now` in proto, which does no I/O"
    );
    let found = breach(|h| h.append("refclocks/lib.rs", "use std::fs;\n"));
    assert_eq!(
        found,
        "refclocks/lib.rs:5 [words] `std::fs` in refclocks, which does no I/O"
    );
    let found = breach(|h| h.write("src/sim/lib.rs", "pub const ONE: u8 = 1;\n"));
    assert_eq!(
        found,
        "src/sim/lib.rs:1 [words] does not forbid unsafe code"
    );
    let found = breach(|h| h.append("src/time/lib.rs", "#[path = \"../sys/x.rs\"]\nmod x;\n"));
    assert_eq!(
        found,
        "src/time/lib.rs:5 [words] `#[path` takes a file in past the manifest"
    );
}

#[test]
fn tests_may_take_shortcuts() {
    let house = House::in_order();
    house.append("src/proto/lib.rs", "#[cfg(test)]\nmod checks;\n");
    house.write(
        "src/proto/checks.rs",
        "use std::fs;\nfn f() { x.unwrap(); }\n",
    );
    house.write("src/config/tests/a.rs", "fn f() { x.unwrap(); }\n");
    house.write("tests/interop/a.rs", "fn f() { x.unwrap(); }\n");
    assert!(house.complaints().is_empty(), "{:#?}", house.complaints());
}

#[test]
fn hosts_and_machine_paths() {
    let host = format!("see https://{}{}\n", "crates", ".io");
    let found = breach(|h| h.write("README.md", &host));
    assert!(
        found.starts_with("README.md:1 [paths] names the registry host"),
        "{found}"
    );
    let path = format!("cd {}{}main\n", "/wo", "rk/");
    let found = breach(|h| h.write("docs/a.md", &path));
    assert!(found.starts_with("docs/a.md:1 [paths] names"), "{found}");
}

#[test]
fn rooms_out_of_place() {
    let found = breach(|h| h.write("src/attic/lib.rs", "pub const ONE: u8 = 1;\n"));
    assert_eq!(
        found,
        "src/attic/lib.rs:1 [layout] `src/attic` is no room of the floor plan"
    );
    let found = breach(|h| h.write("notes/a.txt", "x\n"));
    assert_eq!(
        found,
        "notes/a.txt:1 [layout] `notes` does not belong at the top of the repository"
    );
    let empty = "//! Nothing yet.\n#![forbid(unsafe_code)]\n";
    let found = breach(|h| h.write("src/sim/lib.rs", empty));
    assert_eq!(found, "src/sim/lib.rs:1 [layout] an empty room");
    let found = breach(|h| fs::remove_file(h.0.join("src/sim/Cargo.toml")).unwrap());
    assert_eq!(
        found,
        "src/sim/Cargo.toml:1 [layout] a room of the floor plan has no manifest"
    );
}

#[test]
fn clippy_walls() {
    let found = breach(|h| fs::remove_file(h.0.join("src/proto/clippy.toml")).unwrap());
    assert_eq!(
        found,
        "src/proto/clippy.toml:1 [lints] clippy does not guard this room"
    );
    let found = breach(|h| {
        h.write(
            "src/proto/clippy.toml",
            "disallowed-methods = []\ndisallowed-types = []\n",
        );
    });
    assert!(
        found.contains("lacks `too-many-lines-threshold`"),
        "{found}"
    );
}
