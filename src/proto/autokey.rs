//! Autokey version 2 (RFC 5906): what is decided of it, without a key and without a clock.
//!
//! Everything that needs a public or private key is a [`CryptoJob`](job::CryptoJob), done by somebody
//! else on threads of their own; here its outcome is an event. Session keys and cookies need only a
//! digest and are asked of the [`Authenticator`](crate::authentication::Authenticator).
pub mod certificates;
pub(crate) mod dance;
pub mod exposure;
pub mod facts;
pub mod job;
pub mod key_list;
pub mod pool_counts;
pub mod service;
pub mod status;
pub(crate) mod wanted;
