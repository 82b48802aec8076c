//! The daemon among the real NTP programs, in networks of its own.
//!
//! Needs root, and the peers: `tests/peers/install`. Nothing is skipped: what is missing fails,
//! with the command that gets it.
#![forbid(unsafe_code)]

mod access;
mod access_flood;
mod autokey;
mod campus;
mod client;
mod client_hostile;
mod command_line;
mod control;
mod control_moves;
mod decode;
mod engines;
mod faults;
mod faults_files;
mod faults_system;
mod groups;
mod interfaces;
mod interleaved;
mod keyed;
mod keyed_hostile;
mod keygen;
mod keygen_openvms;
mod ntpdc;
mod ntpq;
mod openntpd;
mod operators;
mod peers_alone;
mod server;
mod statistics_day;
mod statistics_live;
mod traces;
