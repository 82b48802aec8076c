//! Help for this room's tests.
use std::path::PathBuf;
use std::{env, fs, process};

/// A folder of its own that goes with the value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// `name` keeps tests of one process apart.
    pub(crate) fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("truechimer-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder for the test");
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
