//! A host of Autokey: its key files, the private values of its cookies, and who does its sums.

mod lookup;
pub(crate) mod private_values;
mod reading;
#[cfg(test)]
mod tests;

pub(crate) use lookup::Lookup;
pub(crate) use reading::{Reading, read};
