//! Plays on a campus: two networks with a router between them, and the modes in which hosts hear
//! more than one server's answers: broadcast, multicast, manycast, symmetric, orphan.
//!
//! Each play is given the reference on both sides first, which shows what the real one does, and
//! then ours on either side.

mod broadcast;
mod chrony;
mod either_upstream;
mod hostile;
mod manycast;
mod multicast;
mod orphan;
mod seed;
mod symmetric;

pub(crate) use broadcast::hurry;
use std::net::IpAddr;
use truechimer_tests::support::sniffer::Seen;
use truechimer_tests::support::table::Row;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Host, Node, Side, keys};

/// The stratum of a source that is alone.
const STRATUM: u8 = 3;

/// Loads the shared keys on a host of either side.
fn keyed(host: Host<'_>) -> &'static str {
    host.write("ntp.keys", &keys::ntp_keys());
    "keys LAB/ntp.keys\ntrustedkey 1 2 3 4\n"
}

/// Starts a source with these lines, and waits until it is content with this machine's clock.
/// Orphan mode serves at once, where a LOCAL clock would first have to be believed.
fn source<'a>(side: Side, host: Host<'a>, lines: &str) -> Node<'a> {
    let alone = "tos orphan 3 orphanwait 1\nrestrict default\n";
    let mut node = Node::start(side, host, &format!("{alone}{lines}"));
    node.wait_serving(seconds(60));
    node
}

/// Waits until a client of broadcasts, or a peer, follows this source.
fn follows(node: &mut Node<'_>, source: &str) -> Row {
    let row = node.wait_follows(source, seconds(100));
    assert!(row.offset_ms.abs() < 20.0, "{row:?}");
    row
}

/// The address of a host, or a group, to compare with what was seen.
fn ip(text: &str) -> IpAddr {
    match text.parse() {
        Ok(address) => address,
        Err(error) => panic!("{text}: {error}"),
    }
}

/// Whether a packet went from one to the other in this mode.
fn went(seen: &Seen, mode: u8, from: &str, to: &str) -> bool {
    seen.mode() == Some(mode) && seen.source == ip(from) && seen.target == ip(to)
}
