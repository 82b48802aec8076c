//! Hosts whose upstream is gone agree on one of them, and let go of it when the upstream returns.

use super::keyed;
use std::collections::BTreeMap;
use std::time::Instant;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Node, Side, Upstream, World};

/// Hosts that know one another, and an upstream that is away.
const HOSTS: u8 = 5;
/// Their orphan stratum.
const ORPHAN: u8 = 5;
/// The stratum of the upstream.
const UPSTREAM: u8 = 3;
/// The refid of a parent.
const OWN_CLOCK: &str = "127.0.0.1";

fn converges_and_dissolves(sides: [Side; HOSTS as usize]) {
    let world = World::new(HOSTS + 1);
    let upstream = world.host(HOSTS + 1);
    let mut nodes = Vec::new();
    for (number, side) in (1..=HOSTS).zip(sides) {
        let own = world.host(number);
        let peers: String = (1..=HOSTS)
            .filter(|other| *other != number)
            .map(|other| {
                format!(
                    "peer {} key 1 minpoll 3 maxpoll 3\n",
                    world.host(other).v4()
                )
            })
            .collect();
        let config = format!(
            "{}tos orphan {ORPHAN} orphanwait 10\n\
             server {} iburst minpoll 3 maxpoll 3\n{peers}restrict default\n",
            keyed(own),
            upstream.v4()
        );
        nodes.push(Node::start(side, own, &config));
    }
    // On the way there the reference's hosts follow one another for a while.
    let mut since = None;
    until_true("one parent and four that follow it", seconds(150), || {
        if !all_follow_one_parent(&nodes) {
            since = None;
            return false;
        }
        since.get_or_insert_with(Instant::now).elapsed() > seconds(8)
    });
    let _upstream = Upstream::Chrony.start(upstream);
    until_true("all to follow the upstream", seconds(150), || {
        let said = nodes.iter().map(|node| node.variables("0"));
        let said: Vec<_> = said.map(|said| stratum_and_refid(&said)).collect();
        eprintln!("{said:?}");
        // Of the upstream itself, or of another host that follows it: never of a parent, and nobody
        // is one any more.
        let is_led = |(stratum, refid): &(u8, String)| *stratum <= ORPHAN && refid != OWN_CLOCK;
        let of_upstream = (UPSTREAM + 1, upstream.v4());
        said.iter().all(is_led) && said.contains(&of_upstream)
    });
}

fn stratum_and_refid(said: &BTreeMap<String, String>) -> (u8, String) {
    let word = |name: &str| said.get(name).cloned().unwrap_or_default();
    (word("stratum").parse().unwrap_or(16), word("refid"))
}

/// One serves the orphan stratum as its own reference, and all the others have it for theirs.
fn all_follow_one_parent(nodes: &[Node<'_>]) -> bool {
    let mut parents = Vec::new();
    let mut children = Vec::new();
    for node in nodes {
        let said = node.variables("0");
        let word = |name: &str| said.get(name).cloned().unwrap_or_default();
        eprintln!(
            "{} stratum {} refid {}",
            node.host.v4(),
            word("stratum"),
            word("refid")
        );
        if word("leap") != "00" {
            return false;
        }
        match word("stratum").parse() {
            Ok(ORPHAN) if word("refid") == OWN_CLOCK => parents.push(node.host.v4()),
            Ok(stratum) if stratum == ORPHAN + 1 => children.push(word("refid")),
            _ => return false,
        }
    }
    parents.len() == 1 && children.iter().all(|refid| *refid == parents[0])
}

#[test]
fn the_reference_alone() {
    converges_and_dissolves([Side::Ntp4; 5]);
}

#[test]
fn ours_alone() {
    converges_and_dissolves([Side::Ours; 5]);
}

#[test]
fn ours_among_the_reference() {
    use Side::{Ntp4, Ours};
    converges_and_dissolves([Ours, Ntp4, Ours, Ntp4, Ours]);
}
