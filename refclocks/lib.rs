//! Reference clock drivers as machines: fed timers (and, in time, bytes, pulses and edges), they
//! yield samples. No driver opens, reads or waits; whoever runs it does.
#![forbid(unsafe_code)]

mod local;

pub use local::Local;
