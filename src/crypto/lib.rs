//! Keys, digests and MACs, all of them by OpenSSL.
//!
//! This room parses key files, holds secrets, and is the `Authenticator` the protocol asks. It
//! reads no file and no clock, and decides nothing about packets: `proto` does.
#![forbid(unsafe_code)]

mod algorithm;
pub mod autokey;
pub mod certificate;
mod cmac;
mod digest;
pub mod identity;
pub mod keyfile;
mod keyring;
pub mod keys;
pub mod pool;
mod private_key;
mod secret;
mod secret_number;

pub use digest::{RandomUnavailable, leap_list_matches, openssl_version, random_seed, sha1};
pub use keyring::Keyring;
pub use keys::{KeyComplaint, KeyFile, KeyTable};
pub use private_key::{KeyForm, KeyKind, PrivateKey};
pub use secret::wipe;
