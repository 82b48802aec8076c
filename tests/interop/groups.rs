//! Groups and broadcast addresses: heard on every interface that is served, as it comes and goes, and
//! left when they are not wanted any more.

use super::server::LOCAL;
use std::path::Path;
use truechimer_tests::support::command::must;
use truechimer_tests::support::daemon::Daemon;
use truechimer_tests::support::sniffer::{Sniffer, igmp};
use truechimer_tests::support::truechimer::binary;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, World};

/// How soon a change must show.
const SOON_S: u64 = 5;

fn start(host: Host<'_>, config: &str, threads: &str) -> Daemon {
    let path = host.write("truechimer.conf", config);
    let mut command = host.native(&binary());
    // What is opened later is opened by somebody without root's rights.
    command.args(["run", "-u", "nobody", "--threads", threads, "-c"]);
    command.arg(path);
    Daemon::start(host, "truechimer", command)
}

fn is_member(host: Host<'_>, group: &str) -> bool {
    let mut command = host.native(Path::new("ip"));
    command.args(["maddress", "show", "dev", "eth0"]);
    must(command).contains(group)
}

/// Waits until the daemon has said so for the `count`th time.
fn wait_told(daemon: &Daemon, line: &str, count: usize) {
    until_true(&format!("{line:?}, {count} times"), seconds(SOON_S), || {
        daemon.count_lines(&[line]) >= count
    });
}

fn heard_while_wanted(threads: &str) {
    const GROUPS: [&str; 2] = ["224.0.1.1", "ff05::101"];
    const BROADCASTS: [&str; 2] = ["10.77.0.255", "255.255.255.255"];
    let world = World::new(2);
    let (host, sniffing) = (world.host(1), world.host(2));
    let mut sysctl = host.native(Path::new("sysctl"));
    // In version 2 a leave is a message of its own.
    sysctl.args(["-qw", "net.ipv4.conf.all.force_igmp_version=2"]);
    must(sysctl);
    let sniffer = Sniffer::start(sniffing);
    let config = "broadcastclient\nmulticastclient 224.0.1.1 ff05::101\nmanycastserver 239.1.1.1\n";
    let mut daemon = start(host, &format!("{LOCAL}{config}"), threads);
    for place in GROUPS.iter().chain(&BROADCASTS).chain(&["239.1.1.1"]) {
        daemon.wait_log(&[&format!("listening to {place} on eth0")], seconds(10));
    }
    for group in GROUPS {
        assert!(is_member(host, group), "{group}");
    }
    let joined = sniffer.wait_igmp(igmp::REPORT_V2, GROUPS[0], 0.0, seconds(SOON_S));

    host.ip("link set eth0 down\n");
    wait_told(&daemon, "no longer listening to 224.0.1.1 on eth0", 1);
    host.ip("link set eth0 up\n");
    // Every begin has an end, whose line has the same words.
    wait_told(&daemon, "listening to 224.0.1.1 on eth0", 3);
    sniffer.wait_igmp(igmp::REPORT_V2, GROUPS[0], joined.at_s + 0.5, seconds(20));
    host.unplug();
    wait_told(&daemon, "no longer listening to 224.0.1.1 on eth0", 2);
    host.plug();
    wait_told(&daemon, "listening to 224.0.1.1 on eth0", 5);
    until_true("both to be heard again", seconds(SOON_S), || {
        GROUPS.iter().all(|group| is_member(host, group))
    });

    host.write(
        "truechimer.conf",
        &format!("{LOCAL}multicastclient 224.0.1.1 239.1.1.2\n"),
    );
    daemon.signal("HUP");
    wait_told(&daemon, "listening to 239.1.1.2 on eth0", 1);
    for place in BROADCASTS.iter().chain(&["ff05::101", "239.1.1.1"]) {
        let line = format!("no longer listening to {place} on eth0");
        daemon.wait_log(&[&line], seconds(SOON_S));
    }
    assert!(is_member(host, "239.1.1.2") && is_member(host, "224.0.1.1"));
    assert!(!is_member(host, "239.1.1.1") && !is_member(host, "ff05::101"));
    sniffer.wait_igmp(igmp::LEAVE_V2, "239.1.1.1", 0.0, seconds(SOON_S));

    daemon.signal("TERM");
    for group in ["224.0.1.1", "239.1.1.2"] {
        sniffer.wait_igmp(igmp::LEAVE_V2, group, joined.at_s, seconds(SOON_S));
        until_true("the group to be left", seconds(SOON_S), || {
            !is_member(host, group)
        });
    }
}

#[test]
fn groups_are_heard_while_they_are_wanted_by_one_thread() {
    heard_while_wanted("0");
}

#[test]
fn groups_are_heard_while_they_are_wanted_beside_server_threads() {
    heard_while_wanted("2");
}

#[test]
fn what_cannot_be_heard_is_named() {
    let world = World::new(1);
    let host = world.host(1);
    host.ip("link set eth0 multicast off\n");
    let config = "multicastclient 224.0.1.1\n";
    let mut daemon = start(host, &format!("{LOCAL}{config}"), "1");
    for line in [
        "eth0 has no multicast: no group is heard there",
        "nowhere to listen to 224.0.1.1",
    ] {
        daemon.wait_log(&[line], seconds(10));
    }
    host.ip("link set eth0 multicast on\n");
    daemon.wait_log(&["listening to 224.0.1.1 on eth0"], seconds(SOON_S));
    assert!(daemon.lives());
}
