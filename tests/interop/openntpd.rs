//! OpenNTPD, both ways at once, for it takes minutes.

use super::client::servers;
use super::server::{LOCAL, serve};
use truechimer_tests::support::upstreams::{openntpd, wait_serving};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Client, ClientKind, Truechimer, Upstream, World};

#[test]
fn follows_openntpd_and_openntpd_follows() {
    let world = World::new(5);
    let _source = Upstream::Chrony.start(world.host(1));
    let _server = serve(world.host(2), LOCAL);
    let config = format!("listen on *\nserver {}\n", world.host(1).v4());
    let relay_host = world.host(3);
    let mut relay = openntpd(relay_host, &config);
    let client_host = world.host(4);
    let mut client = Client::start(ClientKind::OpenNtpd, client_host, &[&world.host(2).v4()]);

    std::thread::scope(|scope| {
        scope.spawn(|| {
            client.wait_openntpd(client_host, seconds(240));
        });
        Client::quicken(relay_host, seconds(240), || {
            assert!(relay.lives(), "OpenNTPD ended");
            truechimer_tests::support::upstreams::serves(relay_host)
        });
    });
    relay.assert_clock_safe();
    wait_serving(relay_host, &mut relay, seconds(5));

    let addresses = [relay_host.v4(), relay_host.v6()];
    let mut truechimer = Truechimer::start(world.host(5), &servers(&addresses));
    truechimer.wait_full_reach(seconds(60));
}
