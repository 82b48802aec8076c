//! Named scenarios of the real protocol code in seeded virtual worlds, each with its bounds.
//!
//! Every scenario prints one line of figures (`cargo test --test scenarios -- --nocapture`), so
//! two runs can be compared; a failure prints the world's seed.
#![forbid(unsafe_code)]

mod accuracy;
mod autokey;
mod broadcast;
mod build;
mod faults;
mod hostile;
mod interleaved;
mod leap;
mod manycast;
mod orphan;
mod repeat;
mod selection;
mod statistics;
mod steering;
mod symmetric;
