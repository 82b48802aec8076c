//! Requests against replies.
mod access;
mod amplification;
mod autokey;
mod bench;
mod golden;
mod manycast;
mod modes;
mod passive;
mod rates;
mod refusals;
