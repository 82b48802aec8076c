//! A pair of peers loses the upstream of either one, and takes it back when it returns.

use super::{STRATUM, keyed};
use truechimer_tests::support::table::Row;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, Node, Side, Upstream, World};

/// Of the pair, who loses its upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loser {
    Left,
    Right,
}

/// All clocks are this machine's: who leads is not held by how near the other is.
const SAME_CLOCK: &str = "tos mindist 0.00001\n";

/// One of the pair: its own upstream, and the other by key.
fn member<'a>(side: Side, own: Host<'a>, upstream: Host<'_>, peer: Host<'_>) -> Node<'a> {
    let config = format!(
        "{}{SAME_CLOCK}server {} iburst minpoll 3 maxpoll 3\npeer {} key 1 minpoll 3 maxpoll 3\n\
         restrict default\n",
        keyed(own),
        upstream.v4(),
        peer.v4()
    );
    Node::start(side, own, &config)
}

fn dies_and_returns(left: Side, right: Side, loser: Loser) {
    let world = World::campus(4, 0);
    let upstreams = [world.host(1), world.host(2)];
    let hosts = [world.host(3), world.host(4)];
    let mut running = upstreams.map(|host| Upstream::Chrony.start(host));
    let mut pair = [
        member(left, hosts[0], upstreams[0], hosts[1]),
        member(right, hosts[1], upstreams[1], hosts[0]),
    ];
    for node in &mut pair {
        node.wait_rows("its upstream and its peer", seconds(60), |rows| {
            rows.len() == 2 && rows.iter().all(|row| row.reach > 1) && leads(rows).is_some()
        });
    }
    let (lost, other) = if loser == Loser::Left { (0, 1) } else { (1, 0) };
    running[lost].kill();
    let row = pair[lost].wait_follows(&hosts[other].v4(), seconds(100));
    assert_eq!((row.kind, row.stratum), ('s', STRATUM + 1), "{row:?}");
    holds(&pair[lost], &pair[other], &upstreams[other].v4());

    running[lost] = Upstream::Chrony.start(upstreams[lost]);
    let row = pair[lost].wait_follows(&upstreams[lost].v4(), seconds(100));
    assert_eq!((row.kind, row.stratum), ('u', STRATUM), "{row:?}");
    until_true("its stratum of before", seconds(5), || {
        pair[lost].stratum() == STRATUM + 1
    });
    let row = pair[other].wait_follows(&upstreams[other].v4(), seconds(5));
    assert_eq!(row.stratum, STRATUM, "{row:?}");
}

/// Who leads.
fn leads(rows: &[Row]) -> Option<&Row> {
    rows.iter().find(|row| row.tally == '*')
}

/// The one without an upstream serves, one stratum below the other, who never follows it, for
/// a poll.
fn holds(lost: &Node<'_>, other: &Node<'_>, upstream: &str) {
    let until = std::time::Instant::now() + seconds(8);
    while std::time::Instant::now() < until {
        assert_eq!(
            (lost.stratum(), other.stratum()),
            (STRATUM + 2, STRATUM + 1)
        );
        let said = lost.variables("0");
        assert_eq!(said.get("leap").map(String::as_str), Some("00"), "{said:?}");
        for (node, remote) in [(lost, other.host.v4()), (other, upstream.to_owned())] {
            let rows = node.rows();
            let row = leads(&rows).map(|row| (row.remote.as_str(), row.reach > 0));
            assert_eq!(row, Some((remote.as_str(), true)), "{rows:?}");
            assert!(
                rows.iter().all(|row| row.offset_ms.abs() < 20.0),
                "{rows:?}"
            );
        }
        std::thread::sleep(seconds(2));
    }
}

#[test]
fn the_right_of_the_reference_and_the_reference() {
    dies_and_returns(Side::Ntp4, Side::Ntp4, Loser::Right);
}

#[test]
fn the_left_of_ours_and_ours() {
    dies_and_returns(Side::Ours, Side::Ours, Loser::Left);
}

#[test]
fn the_right_of_ours_and_ours() {
    dies_and_returns(Side::Ours, Side::Ours, Loser::Right);
}

#[test]
fn the_right_of_ours_and_the_reference() {
    dies_and_returns(Side::Ours, Side::Ntp4, Loser::Right);
}

#[test]
fn the_right_of_the_reference_and_ours() {
    dies_and_returns(Side::Ntp4, Side::Ours, Loser::Right);
}
