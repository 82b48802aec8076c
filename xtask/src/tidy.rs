//! `cargo xtask tidy`: the rules of the house, checked.

mod complaint;
mod crates;
mod doors;
mod layout;
mod lints;
mod manifest;
mod paths;
mod rooms;
mod sizes;
mod source;
mod tree;
mod words;

#[cfg(test)]
mod breaches;

use complaint::Complaint;
use std::{io, path::Path};
use tree::Tree;

pub(crate) use tree::top;

/// Checks the work tree at `top` and prints every complaint.
///
/// # Errors
/// How many complaints there were, or why the tree could not be read.
pub(crate) fn run(top: &Path) -> Result<(), String> {
    let found = complaints(top).map_err(|error| format!("cannot read the tree: {error}"))?;
    for complaint in &found {
        eprintln!("{complaint}");
    }
    match found.len() {
        0 => {
            println!("tidy: the walls stand");
            Ok(())
        }
        1 => Err("one complaint".to_owned()),
        many => Err(format!("{many} complaints")),
    }
}

/// Every complaint about the work tree at `top`, by file and line.
fn complaints(top: &Path) -> io::Result<Vec<Complaint>> {
    let tree = Tree::read(top)?;
    let mut found = layout::check(&tree);
    found.extend(manifests(&tree));
    found.extend(sizes::check(&tree));
    found.extend(words::check(&tree));
    found.extend(paths::check(&tree));
    found.extend(lints::check(&tree));
    found.sort();
    Ok(found)
}

fn manifests(tree: &Tree) -> Vec<Complaint> {
    let unreadable = |file: &str, error: &str| {
        vec![Complaint::new(
            file,
            1,
            "doors",
            format!("cannot be read: {error}"),
            "mend it",
        )]
    };
    let renames = match manifest::renames(tree.text("Cargo.toml").unwrap_or_default()) {
        Ok(renames) => renames,
        Err(error) => return unreadable("Cargo.toml", &error),
    };
    let mut found = Vec::new();
    for room in rooms::ROOMS {
        let file = format!("{}/Cargo.toml", room.folder);
        let Some(text) = tree.text(&file) else {
            continue;
        };
        match manifest::read(text, &renames) {
            Ok(manifest) => {
                found.extend(doors::check(room, &file, &manifest));
                found.extend(crates::check(room, &file, &manifest));
                found.extend(words::check_forbids(room, &manifest.roots, tree));
            }
            Err(error) => found.extend(unreadable(&file, &error)),
        }
    }
    found
}
