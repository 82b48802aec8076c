//! Clocks in hardware: those of network interfaces (PHC), and which interfaces stamp by them.
mod interface;
mod phc;

pub use interface::{ReceiveFilter, Receives, Stamping, link_speed_mbps, start_stamping};
pub use phc::{Comparison, Phc};
