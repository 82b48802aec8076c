//! Autokey (RFC 5906): the keys of a host, and everything that is done with them.

mod digest;

pub use digest::{AutokeyDigest, UnusableDigest};
