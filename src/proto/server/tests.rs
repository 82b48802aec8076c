//! Requests against replies.
mod access;
mod amplification;
mod autokey;
pub(super) mod bench;
mod golden;
mod manycast;
mod modes;
mod passive;
mod rates;
mod refusals;
