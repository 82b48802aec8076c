//! What a `Cargo.toml` says a crate depends on, however it is spelled.

use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// Which table a dependency stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `[dependencies]` or `[build-dependencies]`.
    Normal,
    /// `[dev-dependencies]`.
    Dev,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// Package, after renames here or in the workspace are undone.
    pub(crate) package: String,
    /// Line in the manifest, from 1.
    pub(crate) line: usize,
    /// Table it stands in.
    pub(crate) kind: Kind,
    /// Condition of a `[target.'...']` table, if in one.
    pub(crate) target: Option<String>,
}

/// Packages by the name the workspace gives them, where the two differ.
pub(crate) type Renames = BTreeMap<String, String>;

/// A manifest that was read.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// `[package] name`.
    pub(crate) package: Option<String>,
    /// All dependencies.
    pub(crate) dependencies: Vec<Dependency>,
    /// Where the root files of its targets may be, from the crate's folder.
    pub(crate) roots: Vec<String>,
}

/// Reads a crate's manifest.
///
/// # Errors
/// The parser's own words when the text is no TOML.
pub(crate) fn read(text: &str, renames: &Renames) -> Result<Manifest, String> {
    let table = DeTable::parse(text).map_err(|error| error.to_string())?;
    let table = table.get_ref();
    let mut dependencies = Vec::new();
    let mut collect = |table: &DeTable<'_>, target: Option<&str>| {
        for (name, kind) in [
            ("dependencies", Kind::Normal),
            ("build-dependencies", Kind::Normal),
            ("dev-dependencies", Kind::Dev),
        ] {
            let Some(listed) = sub(table, name) else {
                continue;
            };
            for (key, value) in listed {
                dependencies.push(Dependency {
                    package: package_of(key.get_ref(), value.get_ref(), renames),
                    line: line_of(text, key.span().start),
                    kind,
                    target: target.map(str::to_owned),
                });
            }
        }
    };
    collect(table, None);
    for (condition, conditional) in sub(table, "target").into_iter().flatten() {
        if let DeValue::Table(conditional) = conditional.get_ref() {
            collect(conditional, Some(condition.get_ref()));
        }
    }
    Ok(Manifest {
        package: sub(table, "package").and_then(|package| string(package, "name")),
        dependencies,
        roots: roots(table),
    })
}

/// Renames in the root manifest's `[workspace.dependencies]`.
///
/// # Errors
/// The parser's own words when the text is no TOML.
pub(crate) fn renames(text: &str) -> Result<Renames, String> {
    let table = DeTable::parse(text).map_err(|error| error.to_string())?;
    let listed = sub(table.get_ref(), "workspace").and_then(|table| sub(table, "dependencies"));
    Ok(listed
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| match value.get_ref() {
            DeValue::Table(value) => Some((key.get_ref().to_string(), string(value, "package")?)),
            _ => None,
        })
        .collect())
}

fn package_of(key: &str, value: &DeValue<'_>, renames: &Renames) -> String {
    let own = match value {
        DeValue::Table(value) => string(value, "package"),
        _ => None,
    };
    own.or_else(|| renames.get(key).cloned())
        .unwrap_or_else(|| key.to_owned())
}

fn roots(table: &DeTable<'_>) -> Vec<String> {
    // Where cargo looks by itself when the manifest names no path.
    let mut found: Vec<String> = ["src/lib.rs", "src/main.rs"].map(str::to_owned).into();
    found.extend(sub(table, "lib").and_then(|lib| string(lib, "path")));
    if let Some(DeValue::Array(bins)) = table.get("bin").map(toml::Spanned::get_ref) {
        found.extend(bins.iter().filter_map(|bin| match bin.get_ref() {
            DeValue::Table(bin) => string(bin, "path"),
            _ => None,
        }));
    }
    found
}

fn sub<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<&'a DeTable<'i>> {
    match table.get(name)?.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn string(table: &DeTable<'_>, name: &str) -> Option<String> {
    match table.get(name)?.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        _ => None,
    }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: &str = "[workspace.dependencies]\nclock = { package = \"truechimer-sys\", path = \"src/sys\" }\nlog = \"0.4\"\n";

    #[test]
    fn every_spelling_of_a_dependency_is_seen() {
        let text = "[package]\nname = \"truechimer-wire\"\n[lib]\npath = \"lib.rs\"\n\
            [[bin]]\nname = \"w\"\npath = \"w.rs\"\n\
            [dependencies]\ntruechimer-time.workspace = true\nclock = { workspace = true }\n\
            hidden = { package = \"openssl\", version = \"0.10\" }\n\
            [dependencies.libc]\nversion = \"0.2\"\n\
            [build-dependencies]\ncc = \"1\"\n\
            [dev-dependencies]\nproptest = \"1\"\n\
            [target.'cfg(unix)'.dependencies]\nnix = \"0.31\"\n";
        let manifest = read(text, &renames(ROOT).unwrap()).unwrap();
        assert_eq!(manifest.package.as_deref(), Some("truechimer-wire"));
        assert_eq!(
            manifest.roots,
            ["src/lib.rs", "src/main.rs", "lib.rs", "w.rs"]
        );
        let mut seen: Vec<(String, usize, Kind, bool)> = manifest
            .dependencies
            .into_iter()
            .map(|d| (d.package, d.line, d.kind, d.target.is_some()))
            .collect();
        seen.sort_by_key(|entry| entry.1);
        let expected = [
            ("truechimer-time", 9, Kind::Normal, false),
            ("truechimer-sys", 10, Kind::Normal, false),
            ("openssl", 11, Kind::Normal, false),
            ("libc", 12, Kind::Normal, false),
            ("cc", 15, Kind::Normal, false),
            ("proptest", 17, Kind::Dev, false),
            ("nix", 19, Kind::Normal, true),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(name, line, kind, target)| (name.to_owned(), line, kind, target))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn broken_toml_is_an_error() {
        assert!(read("[dependencies\n", &Renames::new()).is_err());
    }
}
