//! Autokey (RFC 5906): the keys of a host, and everything that is done with them.

mod digest;
mod identity;
mod material;
pub(crate) mod public_key;
mod signature;
mod worker;

pub use digest::{AutokeyDigest, UnusableDigest};
pub use material::{Material, MaterialDraft, MaterialError, Remark};
pub use worker::Worker;

#[cfg(test)]
pub(crate) mod test_hosts;
#[cfg(test)]
mod tests;
