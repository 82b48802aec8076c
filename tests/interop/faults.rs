//! What goes wrong around the daemon: said once and clearly, and nothing is lost.

use super::client::FAST;
use super::server::{LOCAL, serve};
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Truechimer, Upstream, World, upstreams};

/// Exit code for a faulty configuration (EX_CONFIG of sysexits.h).
const EX_CONFIG: i32 = 78;

#[test]
fn serves_without_the_right_to_steer_and_says_so_once() {
    let world = World::new(1);
    let mut truechimer = serve(world.host(1), LOCAL);
    truechimer.daemon.assert_clock_safe();
    truechimer.daemon.wait_log(&["CAP_SYS_TIME"], seconds(2));
    std::thread::sleep(seconds(5));
    assert_eq!(truechimer.daemon.count_lines(&["CAP_SYS_TIME"]), 1);
}

#[test]
fn a_second_instance_finds_the_port_taken() {
    let world = World::new(1);
    let host = world.host(1);
    let mut first = serve(host, LOCAL);
    let mut second = Truechimer::start_unchecked(host, "second", LOCAL);
    let (status, _) = second.daemon.wait_end(seconds(5));
    assert!(status.code().is_some_and(|code| code != 0), "{status}");
    let line = second.daemon.line_with(&["in use", "taken"]);
    assert!(
        line.as_ref().is_some_and(|line| line.contains("123")),
        "the port is named: {line:?}"
    );
    assert!(first.daemon.lives());
    assert!(upstreams::serves(host), "the first serves on");
}

#[test]
fn a_name_that_does_not_resolve_is_tried_again_and_told_once() {
    const NAME: &str = "no-such-server.invalid";
    let world = World::new(3);
    let _upstreams = [
        Upstream::Chrony.start(world.host(1)),
        Upstream::Chrony.start(world.host(3)),
    ];
    let own = world.host(2);
    let hosts = own.write("hosts", "127.0.0.1 localhost\n");
    let prepare = format!(
        "mount --bind {0} /etc/hosts && mount --bind {0} /etc/resolv.conf",
        hosts.display()
    );
    let config = format!(
        "server {NAME} {FAST}\nserver {} {FAST}\n",
        world.host(3).v4()
    );
    let mut truechimer = Truechimer::start_prepared(own, &config, &prepare);
    truechimer.daemon.wait_log(&[NAME], seconds(30));
    until_true("service in spite of it", seconds(60), || {
        upstreams::serves(own)
    });
    let told = || truechimer.daemon.line_with(&["not resolve", "resolv"]);
    assert!(
        told().is_some_and(|line| line.contains(NAME)),
        "{:?}",
        told()
    );
    let lines = truechimer
        .daemon
        .count_lines(&["not resolve", "cannot resolve"]);
    assert_eq!(lines, 1, "told {lines} times");

    // The same file, for the mount is of its inode.
    own.write(
        "hosts",
        &format!("127.0.0.1 localhost\n{} {NAME}\n", world.host(1).v4()),
    );
    truechimer.wait_peers("the name to be followed", seconds(90), |rows| {
        let named = rows.iter().find(|row| row.remote == world.host(1).v4());
        named.is_some_and(|row| row.reach != 0)
    });
}

#[test]
fn a_faulty_configuration_is_refused_with_its_line() {
    let world = World::new(1);
    let faults = [
        ("server 10.77.0.9\nserver\n", ":2"),
        ("driftfile x\n\nfrobnicate 7\n", ":3"),
        ("server 10.77.0.9 minpoll banana\n", ":1"),
        ("restrict default limted\n", ":1"),
        ("\0\u{1}\u{2}garbage\u{7f}\n", ":1"),
    ];
    for (number, (config, line)) in faults.iter().enumerate() {
        let name = format!("faulty{number}");
        let mut refused = Truechimer::start_unchecked(world.host(1), &name, config);
        let (status, _) = refused.daemon.wait_end(seconds(5));
        assert_eq!(status.code(), Some(EX_CONFIG), "{config:?}");
        let place = format!("{name}.conf{line}");
        assert!(
            refused.daemon.line_with(&[&place]).is_some(),
            "{place} is not named in: {}",
            refused.daemon.log()
        );
    }
}

#[test]
fn ends_cleanly_within_a_second_of_sigterm() {
    let world = World::new(2);
    let _upstream = Upstream::Chrony.start(world.host(1));
    let config = format!("server {} {FAST}\n{LOCAL}", world.host(1).v4());
    let mut truechimer = serve(world.host(2), &config);
    truechimer.daemon.signal("TERM");
    let (status, took) = truechimer.daemon.wait_end(seconds(5));
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(took < seconds(1), "took {took:?}");
}

#[test]
fn sighup_takes_up_a_changed_configuration() {
    let world = World::new(3);
    let _upstreams = [
        Upstream::Chrony.start(world.host(1)),
        Upstream::Chrony.start(world.host(2)),
    ];
    let own = world.host(3);
    let line = |number| format!("server {} {FAST}\n", world.host(number).v4());
    let mut truechimer = Truechimer::start(own, &line(1));
    truechimer.wait_peers("the first server", seconds(30), |rows| {
        rows.len() == 1 && rows[0].reach > 7
    });

    own.write("truechimer.conf", &(line(1) + &line(2)));
    truechimer.daemon.signal("HUP");
    let rows = truechimer.wait_peers("the second server", seconds(30), |rows| {
        rows.len() == 2 && rows.iter().all(|row| row.reach != 0)
    });
    let kept = rows.iter().find(|row| row.remote == world.host(1).v4());
    assert!(
        kept.is_some_and(|row| row.reach > 7),
        "the first began anew: {rows:?}"
    );

    own.write("truechimer.conf", "server\n");
    truechimer.daemon.signal("HUP");
    truechimer
        .daemon
        .wait_log(&["truechimer.conf:1"], seconds(5));
    assert_eq!(truechimer.peers().len(), 2, "a faulty file changes nothing");

    own.write("truechimer.conf", &line(2));
    truechimer.daemon.signal("HUP");
    truechimer.wait_peers("the first server to go", seconds(30), |rows| {
        rows.len() == 1 && rows[0].remote == world.host(2).v4()
    });
    assert_eq!(truechimer.daemon.count_lines(&[" mobilize"]), 2);
}

#[test]
fn lenient_serves_in_spite_of_errors_but_not_without_an_access_line() {
    let world = World::new(1);
    let host = world.host(1);
    let config = format!("frobnicate 7\ntinker panik 0\n{LOCAL}");
    let mut truechimer = Truechimer::start_with(host, "lenient", &config, &["--lenient"]);
    for place in ["lenient.conf:1:1", "lenient.conf:2:8"] {
        truechimer.daemon.wait_log(&[place], seconds(5));
    }
    until_true("service", seconds(20), || upstreams::serves(host));
    drop(truechimer);
    for guard in ["restrict default limted", "restrct default ignore", "keys"] {
        let config = format!("{guard}\n{LOCAL}");
        let mut refused = Truechimer::start_with(host, "guarded", &config, &["--lenient"]);
        let (status, _) = refused.daemon.wait_end(seconds(5));
        assert_eq!(status.code(), Some(EX_CONFIG), "{guard}");
    }
}
