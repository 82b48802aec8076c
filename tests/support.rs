//! Worlds, processes, peers and how to look at them.

pub mod autokey;
pub mod campus;
pub mod command;
pub mod crowd;
pub mod daemon;
pub mod forger;
pub mod keygen;
pub mod keys;
pub mod node;
pub mod peers;
pub mod sniffer;
pub mod table;
pub mod truechimer;
pub mod upstreams;
pub mod wait;
pub mod world;

mod clients;
mod responder;

pub use clients::{Client, ClientKind};
pub use daemon::Daemon;
pub use node::{Node, Side};
pub use peers::Tree;
pub use responder::{Responder, slow_line};
pub use sniffer::Sniffer;
pub use truechimer::Truechimer;
pub use upstreams::Upstream;
pub use world::{Family, Host, World};
