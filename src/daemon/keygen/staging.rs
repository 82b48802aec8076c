//! What a run is about to write.
use super::folder::{KeyFolder, Problem};

/// Files and links, kept in memory until all of them are made.
#[derive(Default)]
pub(super) struct Staging(Vec<Deed>);

enum Deed {
    /// A new file, and the links that will point to it.
    Create {
        file: String,
        text: String,
        secret: bool,
        links: Vec<String>,
    },
    /// New contents under an old name.
    Replace { file: String, text: String },
}

impl Staging {
    pub(super) fn create(&mut self, file: String, text: String, secret: bool, links: Vec<String>) {
        self.0.push(Deed::Create {
            file,
            text,
            secret,
            links,
        });
    }

    pub(super) fn replace(&mut self, file: String, text: String) {
        self.0.push(Deed::Replace { file, text });
    }

    /// Writes all files, then moves the links: a daemon that reads meanwhile finds the old set or
    /// the new one.
    pub(super) fn commit(&self, folder: &KeyFolder, aside: &str) -> Result<(), Problem> {
        for deed in &self.0 {
            match deed {
                Deed::Create {
                    file, text, secret, ..
                } => folder.create(file, text, *secret)?,
                Deed::Replace { file, text } => folder.replace(file, text, aside, true)?,
            }
        }
        folder.sync();
        for deed in &self.0 {
            if let Deed::Create { file, links, .. } = deed {
                for link in links {
                    folder.link(link, file, aside)?;
                }
            }
        }
        folder.sync();
        Ok(())
    }
}
