//! Key files: `id type key [address[/length],...]`, one key a line, `#` to the end of the line.

mod access;
mod complaint;
mod generate;
mod line;
mod table;

pub use complaint::KeyComplaint;
pub use generate::{Charset, generate, generate_md5};
pub(crate) use table::Key;
pub use table::{KeyFile, KeyTable};

use complaint::Complaints;
use std::collections::BTreeMap;

/// Largest file looked at, octets.
pub const FILE_LEN_MAX: usize = 1 << 20;
/// The reference reads this many octets of a hexadecimal key.
const KEY_LEN_MAX: usize = 32;

/// Reads the text of a key file. Every line stands for itself: one that is refused costs only its
/// own key, and whether a file with refused lines is good enough is for the caller to say. Of two
/// lines with one identifier the last counts, as with the reference daemon.
pub fn parse(text: &[u8]) -> (KeyFile, Vec<KeyComplaint>) {
    let mut complaints = Complaints::default();
    if text.len() > FILE_LEN_MAX {
        complaints.refuse(
            (0, 0),
            format!("the file is longer than {FILE_LEN_MAX} octets"),
            "is this a key file? Name the right one with the keys line of ntp.conf",
        );
        return (KeyFile::default(), complaints.finish());
    }
    let mut parser = line::Parser::default();
    let mut keys = BTreeMap::new();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    for (index, octets) in text.split(|octet| *octet == b'\n').enumerate() {
        let octets = octets.strip_suffix(b"\r").unwrap_or(octets);
        let Some(key) = parser.line(index + 1, octets, &mut complaints) else {
            continue;
        };
        let id = key.id;
        if keys.insert(id, key).is_some() {
            complaints.warn(
                (index + 1, 1),
                format!("key {} was given before; this line replaces it", id.get()),
                "remove one of the two",
            );
        }
    }
    (KeyFile::new(keys), complaints.finish())
}

#[cfg(test)]
mod tests;
