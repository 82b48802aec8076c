//! The protocol, sans I/O: `handle_*` takes an event and the time, `poll_*` yields what to do.
//!
//! `System` is RFC 5905's client side and clock discipline, owned by one clock thread. `Responder`
//! is the server side, one per server thread, answering from a published `Snapshot`. Neither reads
//! a clock, opens a socket, starts a thread or holds a key: time is an argument, datagrams are
//! slices, cryptography is behind `Authenticator`.
#![forbid(unsafe_code)]

mod association;
pub mod authentication;
pub mod autokey;
mod clock_filter;
pub mod config;
pub mod control;
pub mod discipline;
pub mod event;
pub mod host;
pub mod leap;
pub mod packet;
pub mod refclock;
pub mod server;
pub mod snapshot;
pub mod statistics;
pub mod status;
pub mod system;
pub mod trace;
pub mod unsolicited;
