//! Which addresses are served: by the rules, as they come and go, each by itself.

use super::client::FAST;
use super::server::LOCAL;
use std::collections::BTreeSet;
use truechimer_tests::support::command::must;
use truechimer_tests::support::daemon::Daemon;
use truechimer_tests::support::truechimer::query;
use truechimer_tests::support::upstreams::{ntpd, wait_serving};
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, Tree, Truechimer, Upstream, World};

/// How soon a change must show. The kernel tells at once; builds beside this may not be that fast.
const SOON_S: u64 = 3;

fn answers(from: Host<'_>, address: &str) -> bool {
    let said = query(from, &["--json", "--timeout", "1", address]);
    said.stdout.contains("\"stratum\"") || said.stdout.contains("\"kiss\"")
}

/// What ntpd opened: address, with ` dropped` if it does not listen. The wildcard sockets are its
/// own way to be told of nothing, and a link-local address may come later.
fn opened_by_ntpd(host: Host<'_>, rules: &str) -> BTreeSet<String> {
    // Of the one before.
    let _ = std::fs::remove_file(host.folder().join("ntpd.log"));
    let mut daemon = ntpd(host, Tree::Ntp4, rules);
    daemon.wait_log(&["Listening on routing socket"], seconds(10));
    let mut opened = BTreeSet::new();
    for line in daemon.log().lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let address = words
            .last()
            .map_or("", |word| word.trim_end_matches(":123"));
        if line.contains("wildcard") || address.contains("fe80") {
            continue;
        }
        if line.contains(": Listen normally on") {
            opened.insert(address.to_owned());
        } else if line.contains(": Listen and drop on") {
            opened.insert(format!("{address} dropped"));
        }
    }
    opened
}

/// What truechimer has open according to its log, from its start on.
fn open_in(daemon: &Daemon) -> BTreeSet<String> {
    let mut open = BTreeSet::new();
    for line in daemon.log().lines() {
        let Some((_, rest)) = line.split_once("listening on ") else {
            continue;
        };
        let (place, dropped) = match rest.split_once(", to drop") {
            Some((place, _)) => (place, " dropped"),
            None => (rest, ""),
        };
        let address = place.split_whitespace().last().unwrap_or_default();
        let address = address.rsplit_once(':').map_or(address, |(ip, _)| ip);
        if address.contains("fe80") {
            continue;
        }
        open.remove(address);
        open.remove(&format!("{address} dropped"));
        if !line.contains("no longer") {
            open.insert(format!("{address}{dropped}"));
        }
    }
    open
}

/// Each set of rules given to ntpd 4.2.8p15 at its start, and to one truechimer by SIGHUP.
#[test]
fn rules_leave_what_the_reference_leaves_and_count_from_a_reload_on() {
    const RULES: [&str; 14] = [
        "",
        "interface ignore all\n",
        "interface listen eth0\n",
        "interface ignore eth0\n",
        "interface drop all\n",
        "interface ignore ipv4\n",
        "interface ignore all\ninterface listen 10.77.0.51\n",
        "interface listen 10.77.0.51\nnic ignore all\n",
        "interface ignore lo\nnic listen ETH0\n",
        "interface ignore 127.0.0.1\ninterface drop 10.77.0.0/25\n",
        "interface listen eth\n",
        "interface listen wildcard\n",
        "interface ignore ::1\ninterface ignore ipv6\ninterface listen all\n",
        "interface ignore ipv6\ninterface listen fd77::1\n",
    ];
    let world = World::new(1);
    let host = world.host(1);
    let mut truechimer = Truechimer::start_with(host, "truechimer", LOCAL, &["--port", "1123"]);
    truechimer.daemon.wait_log(&["listening on lo"], seconds(5));
    for (number, rules) in RULES.into_iter().enumerate() {
        let theirs = opened_by_ntpd(host, rules);
        host.write("truechimer.conf", &format!("{rules}{LOCAL}"));
        truechimer.daemon.signal("HUP");
        until_true(&format!("the reload for {rules:?}"), seconds(5), || {
            truechimer
                .daemon
                .count_lines(&["the configuration changed"])
                == number + 1
        });
        let mut ours = BTreeSet::new();
        for _ in 0..50 {
            ours = open_in(&truechimer.daemon);
            if ours == theirs {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        assert_eq!(ours, theirs, "{rules:?}");
    }
}

/// In both forms: with threads, and with everything in one.
#[test]
fn addresses_that_come_and_go_are_served_while_they_are_there() {
    let world = World::new(3);
    let asker = world.host(3);
    for (number, threads) in [(1, "2"), (2, "0")] {
        let host = world.host(number);
        let options = ["--threads", threads];
        let mut truechimer = Truechimer::start_with(host, "truechimer", LOCAL, &options);
        wait_serving(host, &mut truechimer.daemon, seconds(30));
        for address in host.addresses().into_iter().chain([host.v6()]) {
            assert!(answers(asker, &address), "{address} is served");
        }

        let late = format!("10.77.0.{}", 210 + number);
        assert!(!answers(asker, &late));
        host.ip(&format!("addr add {late}/24 dev eth0\n"));
        until_true("the new address to be served", seconds(SOON_S), || {
            answers(asker, &late)
        });
        host.ip(&format!("addr del {late}/24 dev eth0\n"));
        let gone = format!("no longer listening on {late}");
        truechimer.daemon.wait_log(&[&gone], seconds(SOON_S));

        host.unplug();
        let gone = format!("no longer listening on {}", host.v4());
        truechimer.daemon.wait_log(&[&gone], seconds(SOON_S));
        host.plug();
        // The new card has another hardware address.
        asker.ip("neigh flush dev eth0\n");
        until_true("all to be served again", seconds(SOON_S), || {
            let mut all = host.addresses().into_iter().chain([host.v6()]);
            all.all(|address| answers(asker, &address))
        });
        // A link that flaps.
        for _ in 0..5 {
            host.ip("link set eth0 down\nlink set eth0 up\n");
        }
        until_true("the link to be served again", seconds(SOON_S), || {
            answers(asker, &host.v4())
        });
        assert!(truechimer.daemon.lives());
    }
}

#[test]
fn without_ipv6_the_rest_is_served_and_asked() {
    let world = World::new(2);
    let host = world.host(2);
    let _upstream = Upstream::Chrony.start(world.host(1));
    let sysctl = "sysctl -qw net.ipv6.conf.all.disable_ipv6=1";
    let mut command = host.native(std::path::Path::new("sh"));
    command.args(["-c", sysctl]);
    must(command);
    let config = format!(
        "server {} {FAST}\nserver {} {FAST}\nrestrict default\n",
        world.host(1).v6(),
        world.host(1).v4()
    );
    let mut truechimer = Truechimer::start(host, &config);
    let rows = truechimer.wait_peers("the IPv4 server", seconds(30), |rows| {
        rows.iter().any(|row| row.reach > 1)
    });
    assert_eq!(rows.len(), 2);
    assert!(answers(world.host(1), &host.v4()));
    assert!(
        open_in(&truechimer.daemon)
            .iter()
            .all(|it| !it.contains(':'))
    );
}

/// The zone names an interface, so the address is found again on a new card of that name.
#[test]
fn a_link_local_server_is_followed_even_over_a_new_card() {
    let world = World::new(2);
    let (server, own) = (world.host(1), world.host(2));
    let address = server.link_local();
    let _upstream = Upstream::Chrony.start(server);
    let _ = own.link_local();
    let zoned = format!("{address}%eth0");
    let config = format!("server {zoned} {FAST}\nrestrict default\n");
    let mut truechimer = Truechimer::start(own, &config);
    let heard = |what: &str, truechimer: &mut Truechimer<'_>| {
        truechimer.wait_peers(what, seconds(60), |rows| {
            rows.iter()
                .any(|row| row.tally == '*' && row.reach & 1 == 1)
        });
    };
    heard("the link-local server", &mut truechimer);
    assert!(answers(own, &zoned), "and truechimer query knows it too");
    own.unplug();
    truechimer
        .daemon
        .wait_log(&["no longer listening on [fe80"], seconds(SOON_S));
    std::thread::sleep(seconds(3));
    own.plug();
    let _ = own.link_local();
    heard("the same over the new card", &mut truechimer);
}
