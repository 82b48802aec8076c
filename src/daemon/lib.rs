//! The daemon and its tools: the room that joins all others.
//!
//! It reads the command line and the files, drops privileges, keeps the log, resolves names and
//! starts the engine. It decides nothing about time: `proto` does.
#![forbid(unsafe_code)]

pub mod billboard;
mod calendar;
pub mod files;
pub mod logging;
pub mod persona;
pub mod privilege;
pub mod service;
#[cfg(test)]
mod testing;
