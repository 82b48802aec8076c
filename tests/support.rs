//! Worlds, processes, peers and how to look at them.

pub mod command;
pub mod crowd;
pub mod daemon;
pub mod keys;
pub mod peers;
pub mod table;
pub mod truechimer;
pub mod upstreams;
pub mod wait;
pub mod world;

mod clients;
mod responder;

pub use clients::{Client, ClientKind};
pub use daemon::Daemon;
pub use peers::Tree;
pub use responder::{Responder, slow_line};
pub use truechimer::Truechimer;
pub use upstreams::Upstream;
pub use world::{Family, Host, World};
