//! A host of Autokey: its key files, the private values of its cookies, and who does its sums.

mod expiry;
mod keeper;
mod lookup;
mod office;
mod private_values;
mod reading;
#[cfg(test)]
mod tests;
mod workshop;

use lookup::Lookup;
pub(crate) use lookup::folder;
pub(crate) use office::Office;
pub(crate) use reading::{Reading, read};
use workshop::Workshop;

/// What this machine calls itself.
pub(crate) fn machine() -> String {
    let name = nix::unistd::gethostname();
    name.map_or_else(
        |_| "localhost".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
