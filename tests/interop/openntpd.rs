//! OpenNTPD, both ways at once, for it takes minutes.

use super::client::servers;
use super::server::{LOCAL, serve};
use truechimer_tests::support::upstreams::{openntpd, wait_serving};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Client, ClientKind, Truechimer, Upstream, World, slow_line};

/// How long OpenNTPD may take, seconds; 200 is usual.
const LIMIT_S: u64 = 330;

#[test]
fn follows_openntpd_and_openntpd_follows() {
    let world = World::new(7);
    let _source = Upstream::Chrony.start(world.host(1));
    let _to_source = slow_line(world.host(2), &world.host(1).v4());
    let _server = serve(world.host(3), LOCAL);
    let _to_server = slow_line(world.host(4), &world.host(3).v4());

    let config = format!("listen on *\nserver {}\n", world.host(2).v4());
    let mut relay = openntpd(world.host(5), &config);
    let to_server = world.host(4).v4();
    let mut client = Client::start(ClientKind::OpenNtpd, world.host(6), &[&to_server]);
    client.wait_synchronised(seconds(LIMIT_S));
    wait_serving(world.host(5), &mut relay, seconds(LIMIT_S / 2));
    relay.assert_clock_safe();

    let addresses = [world.host(5).v4(), world.host(5).v6()];
    let mut truechimer = Truechimer::start(world.host(7), &servers(&addresses));
    truechimer.wait_full_reach(seconds(60));
}
