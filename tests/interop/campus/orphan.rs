//! Hosts whose upstream is gone agree on one of them, and let go of it when the upstream returns.

use super::keyed;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
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

/// In which order the hosts begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// All at once: each would be the parent, and the lowest address decides.
    Together,
    /// The parent first. The others know it before their wait is over, and no one else would be
    /// parent.
    ParentFirst,
}

impl Start {
    /// Seconds without a source before this host would be the parent.
    const fn orphan_wait_s(self, number: u8) -> u32 {
        match self {
            Self::ParentFirst if number > 1 => 100,
            Self::ParentFirst | Self::Together => 10,
        }
    }
}

/// The keyed peers of host `number`, an upstream that is away, and what to do without it.
fn config(world: &World, number: u8, start: Start) -> String {
    let peers = (1..=HOSTS).filter(|other| *other != number).map(|other| {
        let other = world.host(other).v4();
        format!("peer {other} key 1 minpoll 3 maxpoll 3\n")
    });
    format!(
        "{}tos orphan {ORPHAN} orphanwait {}\n\
         server {} iburst minpoll 3 maxpoll 3\n{}restrict default\n",
        keyed(world.host(number)),
        start.orphan_wait_s(number),
        world.host(HOSTS + 1).v4(),
        peers.collect::<String>(),
    )
}

fn converges_and_dissolves(sides: [Side; HOSTS as usize], start: Start, limit: Duration) {
    let world = World::new(HOSTS + 1);
    let upstream = world.host(HOSTS + 1);
    let mut nodes = Vec::new();
    for (number, side) in (1..=HOSTS).zip(sides) {
        let node = Node::start(side, world.host(number), &config(&world, number, start));
        if start == Start::ParentFirst && number == 1 {
            let own = (ORPHAN, OWN_CLOCK.to_owned());
            until_true("the parent", seconds(60), || {
                stratum_and_refid(&node.variables("0")) == own
            });
        }
        nodes.push(node);
    }
    let begun = Instant::now();
    let mut since = None;
    until_true("one parent and four that follow it", limit, || {
        if !all_follow_one_parent(&nodes) {
            since = None;
            return false;
        }
        since.get_or_insert_with(Instant::now).elapsed() > seconds(8)
    });
    eprintln!("one parent after {:?}", begun.elapsed());
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
    eprintln!("and none after {:?}", begun.elapsed());
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

/// Where all begin together its parent now and then follows the child of a child, and becomes parent
/// again after its wait; each such round takes half a minute, and nothing bounds their number.
#[test]
fn the_reference_alone() {
    let hosts = [Side::Ntp4; HOSTS as usize];
    converges_and_dissolves(hosts, Start::ParentFirst, seconds(150));
}

#[test]
fn ours_alone() {
    let hosts = [Side::Ours; HOSTS as usize];
    converges_and_dissolves(hosts, Start::Together, seconds(150));
}

/// The lowest address is ours, and never follows who follows it.
#[test]
fn ours_among_the_reference() {
    use Side::{Ntp4, Ours};
    let hosts = [Ours, Ntp4, Ours, Ntp4, Ours];
    converges_and_dissolves(hosts, Start::Together, seconds(300));
}
