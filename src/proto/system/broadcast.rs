//! Telling the time to many, and hearing those who do.
mod hear;
mod tell;

pub(super) use hear::{Arrival, Proof};
