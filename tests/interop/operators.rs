//! What operators ask with: status, sources, explain, clients; ntpdate, sntp, ntp-wait, ntptrace.

use serde_json::Value;
use truechimer_tests::support::command::{Finished, finish};
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, Responder, Tree, Upstream, World, truechimer, upstreams};

fn ask(host: Host<'_>, arguments: &[&str]) -> Finished {
    let mut command = host.native(&truechimer::binary());
    command.args(arguments);
    finish(command)
}

fn json(finished: &Finished) -> Value {
    match serde_json::from_str(&finished.stdout) {
        Ok(value) => value,
        Err(error) => panic!("{error}: {}", finished.text),
    }
}

/// A lie of 300 ms is told with its size, by what each daemon says over mode 6.
fn a_liar_is_explained(tree: Tree) {
    let world = World::new(5);
    let _upstreams = [
        Upstream::Ntp4.start(world.host(1)),
        Upstream::Chrony.start(world.host(2)),
        Upstream::Chrony.start(world.host(3)),
    ];
    let _liar = Responder::start(world.host(4), &["offset=0.3"]);
    let host = world.host(5);
    let servers: String = (1..=4)
        .map(|number| format!("server {} iburst minpoll 3\n", world.host(number).v4()))
        .collect();
    let silent = "server 10.77.0.45 minpoll 3\n";
    let config = format!("{servers}{silent}restrict default\nrestrict 127.0.0.1\n");
    let _daemon = upstreams::ntpd(host, tree, &config);
    let liar = world.host(4).v4();
    // Distances are large at first, and shrink with each sample.
    until_true("the liar to be found out", seconds(90), || {
        let verdict = ask(
            host,
            &["explain", "-n", "--host", "127.0.0.1", &liar, "--json"],
        );
        let beyond = serde_json::from_str::<Value>(&verdict.stdout);
        let beyond = beyond
            .ok()
            .and_then(|it| it["numbers"]["beyond_ms"].as_f64());
        verdict.stdout.contains("\"selection\":\"falsetick\"")
            && beyond.is_some_and(|ms| ms > 100.0)
            && ask(host, &["status", "-n", "127.0.0.1"]).code == Some(0)
    });
    let verdict = ask(
        host,
        &["explain", "-n", "--host", "127.0.0.1", &liar, "--json"],
    );
    assert_eq!(verdict.code, Some(1), "{}", verdict.text);
    let beyond = json(&verdict)["numbers"]["beyond_ms"].as_f64();
    // What the intervals leave of 300 ms.
    assert!(
        beyond.is_some_and(|ms| (100.0..301.0).contains(&ms)),
        "{}",
        verdict.text
    );
    let words = ask(host, &["explain", "-n", "--host", "127.0.0.1", &liar]);
    assert!(
        words.stdout.contains("a falseticker, beyond the others by"),
        "{}",
        words.text
    );
    the_others_are_told(&world, host, &liar);
}

/// Who leads, who is silent, and who asked.
fn the_others_are_told(world: &World, host: Host<'_>, liar: &str) {
    let sources = json(&ask(host, &["sources", "-n", "127.0.0.1", "--json"]));
    let list = sources["sources"].as_array().cloned().unwrap_or_default();
    assert_eq!(list.len(), 5, "{sources}");
    until_true("one of them to be told as the leader", seconds(30), || {
        (1..=3).any(|number| {
            let server = world.host(number).v4();
            let verdict = ask(host, &["explain", "-n", "--host", "127.0.0.1", &server]);
            let words = ["it leads", "it weighs", "majority of"];
            verdict.code == Some(0) && words.iter().all(|word| verdict.stdout.contains(word))
        })
    });
    let verdict = ask(
        host,
        &["explain", "-n", "--host", "127.0.0.1", "10.77.0.45"],
    );
    assert!(
        verdict.stdout.contains("no time came from it yet"),
        "{}",
        verdict.text
    );
    assert_eq!(
        ask(host, &["explain", "-n", "--host", "127.0.0.1", "192.0.2.1"]).code,
        Some(2)
    );
    let summary = json(&ask(host, &["status", "-n", "127.0.0.1", "--json"]));
    assert_eq!(summary["system"]["is_synchronised"], true);
    assert_eq!(summary["sources_reachable"], 4, "{summary}");
    let clients = json(&ask(host, &["clients", "-n", "127.0.0.1", "--json"]));
    let known = clients["clients"].as_array().cloned().unwrap_or_default();
    let heard = |address: &str| known.iter().any(|client| client["address"] == address);
    assert!(heard(&world.host(1).v4()) && heard(liar), "{clients}");
}

#[test]
fn a_liar_is_explained_over_ntpd() {
    a_liar_is_explained(Tree::Ntp4);
}

#[test]
fn a_liar_is_explained_over_ntpsec() {
    a_liar_is_explained(Tree::Ntpsec);
}

/// Digits as marks, and the reference's plus signs left out: the seeds have none.
fn shape(text: &str) -> String {
    let mut shape = String::new();
    for c in text
        .replace("offset +", "offset ")
        .replace("offset -", "offset ")
        .chars()
    {
        let mark = if c.is_ascii_digit() { '#' } else { c };
        if mark != '#' || !shape.ends_with('#') {
            shape.push(mark);
        }
    }
    shape
}

#[test]
fn one_shot_programs() {
    let world = World::new(3);
    let _upstream = Upstream::Chrony.start(world.host(1));
    let _ahead = Responder::start(world.host(2), &["offset=0.7"]);
    let host = world.host(3);
    let (near, near6, ahead) = (world.host(1).v4(), world.host(1).v6(), world.host(2).v4());
    let reference = |program: &str, arguments: &[&str]| {
        let mut command = host.peer(Tree::Ntp4, program);
        command.args(arguments);
        finish(command)
    };
    let both = ["-q", &near, &near6];
    let (their, our) = (
        reference("/usr/sbin/ntpdate", &both),
        ask(host, &[&["ntpdate"], &both[..]].concat()),
    );
    assert_eq!(our.code, Some(0), "{}", our.text);
    let addressless = |text: &str| shape(&text.replace(&near6, "A").replace(&near, "A"));
    assert_eq!(addressless(&their.text), addressless(&our.text));
    assert!(
        our.stdout
            .contains(&format!("server {near}, stratum 3, offset ")),
        "{}",
        our.text
    );
    assert!(our.stdout.contains(": adjust time server "), "{}", our.text);

    let far = ask(host, &["ntpdate", "-q", &ahead]);
    assert!(
        far.stdout
            .contains(&format!(": step time server {ahead} offset 0.7")),
        "{}",
        far.text
    );
    let forced = ask(host, &["ntpdate", "-qb", &near]);
    assert!(
        forced.stdout.contains(": step time server "),
        "{}",
        forced.text
    );
    let nobody = ask(host, &["ntpdate", "-q", "-t", "0.2", "10.77.0.9"]);
    assert_eq!(nobody.code, Some(1));
    assert!(
        nobody
            .text
            .contains("no server suitable for synchronization found")
    );
    // Without the right to set the clock it says so.
    let refused = ask(host, &["ntpdate", &near]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.text.contains("Can't adjust the time of day"),
        "{}",
        refused.text
    );

    let last = |text: &str| {
        let line = text.lines().last().map(shape).unwrap_or_default();
        line.replace(") -", ") +")
    };
    let their = reference("/usr/bin/sntp", &[&near]);
    let our = ask(host, &["sntp", &near]);
    assert_eq!(last(&their.stdout), last(&our.stdout));
    let silent = ask(host, &["sntp", "-t", "1", "10.77.0.9"]);
    assert!(silent.stdout.contains("10.77.0.9 "), "{}", silent.text);
}

#[test]
fn waiting_and_tracing() {
    let world = World::new(2);
    let _upstream = Upstream::Ntp4.start(world.host(1));
    let host = world.host(2);
    let early = ask(host, &["ntp-wait", "-v", "-n", "1"]);
    assert_eq!(early.code, Some(1));
    assert!(
        early.stdout.ends_with("ntpd is not running!\n"),
        "{}",
        early.text
    );
    let server = format!(
        "server {} iburst minpoll 3\nrestrict default\n",
        world.host(1).v4()
    );
    let _daemon = upstreams::ntpd(host, Tree::Ntp4, &server);
    until_true("ntp-wait to see it", seconds(60), || {
        let waited = ask(host, &["ntp-wait", "-v", "-n", "20", "-s", "1"]);
        waited.stdout.ends_with("OK!\n") && waited.code == Some(0)
    });
    let traced = ask(host, &["ntptrace", "-n"]);
    let lines: Vec<&str> = traced.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", traced.text);
    assert!(
        lines[0].starts_with("127.0.0.1: stratum 4, offset "),
        "{}",
        traced.text
    );
    let above = format!("{}: stratum 3, offset ", world.host(1).v4());
    assert!(lines[1].starts_with(&above) && lines[1].contains(", synch distance "));
    let first = ask(host, &["ntptrace", "-n", "-m", "1"]);
    assert_eq!(first.stdout.lines().count(), 1, "{}", first.text);
}
