//! The files tidy looks at: all that git tracks or would track.

use super::{rooms, source::Source};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// The repository as text.
pub(crate) struct Tree {
    /// Text by path from the top; bytes that are no UTF-8 are replaced.
    files: BTreeMap<String, String>,
    /// Rust files, taken apart once.
    sources: BTreeMap<String, Source>,
}

impl Tree {
    /// Reads the work tree at `top`: tracked files and new ones that git does not ignore.
    ///
    /// # Errors
    /// When git cannot list the files or one cannot be read.
    pub(crate) fn read(top: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        for name in listed(top)? {
            let path = top.join(&name);
            if path.is_file() {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                files.insert(name, text);
            }
        }
        let sources = files
            .iter()
            .filter(|(name, _)| name.ends_with(".rs"))
            .map(|(name, text)| (name.clone(), Source::new(name, text)))
            .collect();
        let mut tree = Self { files, sources };
        tree.mark_test_files();
        Ok(tree)
    }

    /// Path and text of every file.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Text of one file.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// Path and source of every Rust file.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources
            .iter()
            .map(|(name, source)| (name.as_str(), source))
    }

    /// A module declared under `#[cfg(test)]` in another file is a test as a whole, and so is all
    /// in a folder where cargo looks for tests.
    fn mark_test_files(&mut self) {
        let declared: Vec<String> = self
            .sources
            .values()
            .flat_map(|source| source.test_modules().iter().cloned())
            .collect();
        for (name, source) in &mut self.sources {
            let of_test_module = declared.iter().any(|module| {
                name.strip_prefix(module.as_str())
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
            let of_test_folder = rooms::of_file(name).is_some_and(|room| {
                room.name == "tests" || name[room.folder.len()..].starts_with("/tests/")
            });
            if of_test_module || of_test_folder {
                source.mark_as_test();
            }
        }
    }
}

fn listed(top: &Path) -> io::Result<Vec<String>> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(top)
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("git ls-files: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(format!("git ls-files: {said}")));
    }
    let mut names: Vec<String> = output
        .stdout
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// The top of the repository, from where cargo runs this package now; where it was built may be
/// another copy that shares the build folder.
pub(crate) fn top() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or(here.clone(), Path::to_path_buf)
}
