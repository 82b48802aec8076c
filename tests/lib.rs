//! What the tests of the whole project share: a small network of hosts made of network
//! namespaces, the real NTP programs that live in it, and the daemon under test.
//!
//! It holds no test itself and ships nothing. Whatever goes wrong here is a failed test, so the
//! helpers panic with the reason, and never skip.
#![forbid(unsafe_code)]

pub mod support;
