//! Autokey's requests (RFC 5906): who has the session key is answered, at once where the answer is
//! ready, else when a holder of keys has made it. Nothing is remembered of who asks.
mod answer;
mod bounds;
mod echo;
mod names;
mod parked;
mod session;

pub(super) use answer::{Asked, Outcome};
pub use bounds::Bounds;
pub(crate) use bounds::{UnderWay, network_of};
pub use names::Namesakes;
pub use parked::Parked;
pub(super) use session::Session;
