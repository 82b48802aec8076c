//! Statistics files, byte for byte as scripts know them from ntpd 4.2.8p15, written by a thread of
//! their own: the clock thread hands over plain values and waits for nothing.
mod desk;
mod file;
mod generation;
mod line;
mod set;
mod writer;

pub(crate) use desk::Desk;
pub use generation::{Moment, suffix};
pub use line::{Entry, SystemCounts};
pub use set::{Kind, Plan, Set};
pub use writer::Writer;
