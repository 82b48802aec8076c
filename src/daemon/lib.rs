//! The daemon and its tools: the room that joins all others.
//!
//! It reads the command line and the files, drops privileges, keeps the log, resolves names and
//! starts the engine. It decides nothing about time: `proto` does.
#![forbid(unsafe_code)]

mod autokey;
pub mod billboard;
mod calendar;
pub mod check;
pub mod cli;
pub mod control_client;
pub mod decode;
pub mod demo;
pub mod exit;
pub mod explain;
pub mod files;
pub mod keygen;
pub mod keys;
pub mod logging;
pub mod paths;
pub mod persona;
pub mod privilege;
pub mod query;
pub mod service;
pub mod statistics;
pub mod status;
#[cfg(test)]
mod testing;
pub mod translate;
