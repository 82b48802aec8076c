//! The peers among themselves: the rig works, and none of them can reach the machine's clock.

use std::process::Command;
use truechimer_tests::support::command::must;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{
    Client, ClientKind, Family, Responder, Upstream, World, peers, upstreams,
};

#[test]
fn clients_follow_upstreams() {
    let world = World::new(8);
    let _upstreams = [
        Upstream::Ntp4.start(world.host(1)),
        Upstream::Chrony.start(world.host(2)),
        Upstream::Ntpsec.start(world.host(3)),
        upstreams::ntpd_rs(world.host(4), &world.host(2).v4()),
    ];
    let servers: Vec<String> = (1..=4).map(|n| world.host(n).v4()).collect();
    let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
    let mut clients = [
        Client::start(ClientKind::Ntp4, world.host(5), &servers),
        Client::start(ClientKind::Chrony, world.host(6), &servers),
        Client::start(ClientKind::Ntpsec, world.host(7), &servers),
        Client::start(ClientKind::NtpdRs, world.host(8), &servers),
    ];
    for client in &mut clients {
        client.wait_synchronised(seconds(90));
    }
}

#[test]
fn a_false_responder_is_found_out_by_ntpd() {
    let world = World::new(4);
    let _upstreams = [
        Upstream::Chrony.start(world.host(1)),
        Upstream::Ntp4.start(world.host(2)),
    ];
    let _false = Responder::start(world.host(3), &["offset=0.3"]);
    let servers = [1, 2, 3].map(|n| world.host(n).address(Family::V6));
    let servers = servers.each_ref().map(String::as_str);
    let client = Client::start(ClientKind::Ntp4, world.host(4), &servers);
    truechimer_tests::support::wait::until_true(
        "ntpd to mark the falseticker",
        seconds(60),
        || {
            client
                .rows()
                .iter()
                .any(|row| row.tally == 'x' && row.remote == world.host(3).v6())
        },
    );
}

/// The launcher's promise, put to the proof with a step of 50 ms that, if it came through, would
/// do little harm.
#[test]
fn the_launcher_keeps_the_clock() {
    const TRY: &str = "import time\n\
        before = time.time() - time.monotonic()\n\
        time.clock_settime(time.CLOCK_REALTIME, time.time() + 0.05)\n\
        after = time.time() - time.monotonic()\n\
        assert abs(after - before) < 0.01, 'the clock moved'\n\
        print('kept')";
    let world = World::new(1);
    let state = || {
        let mut command = Command::new(peers::noclock());
        command.arg("--state");
        must(command)
    };
    let before = state();
    let mut command = world.host(1).peer(peers::Tree::Ntplib, "/usr/bin/python3");
    command.args(["-c", TRY]);
    assert_eq!(must(command).trim(), "kept");
    assert_eq!(before, state());
}
