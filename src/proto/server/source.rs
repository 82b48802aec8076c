//! Who cannot have sent what came.
use super::DropReason;
use crate::packet::{Received, Via};
use core::net::IpAddr;

/// Senders that cannot be there. Loopback sources on the wire (BCP 38) would let a stranger pass for
/// this host; 127.127/16 are our reference clocks' pseudo addresses.
pub(super) fn check_source(received: &Received<'_>) -> Result<(), DropReason> {
    if received.source.port() == 0 {
        return Err(DropReason::SourcePort);
    }
    let source = received.source.ip().to_canonical();
    let impossible = match source {
        IpAddr::V4(v4) => {
            v4.octets().starts_with(&[127, 127]) || v4.is_broadcast() || v4.is_multicast()
        }
        IpAddr::V6(v6) => v6.is_multicast(),
    };
    let from_the_wire = match received.via {
        // The unspecified address says nothing about where a datagram came in.
        Via::Server(local) | Via::Many { local, .. } => {
            let local = local.ip().to_canonical();
            !local.is_loopback() && !local.is_unspecified()
        }
        Via::Client(_) => false,
    };
    if impossible || source.is_unspecified() || (source.is_loopback() && from_the_wire) {
        return Err(DropReason::SourceAddress);
    }
    Ok(())
}
