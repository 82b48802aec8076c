//! Seeded worlds: oscillators, paths and nodes that run the real protocol code under virtual time.
//!
//! Everything a world does follows from its seed and the calls made to it; there is no clock, no
//! thread and no socket. Tests read each node's true error; `demo` shows three clients at work.
#![forbid(unsafe_code)]

mod clock;
pub mod demo;
mod hostile;
mod names;
mod network;
mod node;
mod random;
mod record;
mod truth;
mod world;

pub use clock::ClockConfig;
pub use hostile::{Flood, Forgery};
pub use network::{Noise, Path, Traffic};
pub use node::{Manner, NodeConfig, NodeId, Role};
pub use record::{Record, Spread};
pub use world::{BROADCAST, Datagram, NTP_PORT, World};
