//! truechimer follows the real servers.

use truechimer_tests::support::table::Row;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Family, Host, Responder, Truechimer, Upstream, World, upstreams};

/// What follows `server ADDRESS` here: eight polls take 16 s.
pub(crate) const FAST: &str = "iburst minpoll 1 maxpoll 1";

/// Configuration lines for these servers.
pub(crate) fn servers(addresses: &[String]) -> String {
    addresses
        .iter()
        .map(|address| format!("server {address} {FAST}\n"))
        .collect()
}

/// Follows host 1 over IPv4 and IPv6 at once until both were heard eight times in a row.
fn follow_both_families(upstream: Host<'_>, own: Host<'_>, stratum: u8) {
    let config = servers(&[upstream.v4(), upstream.v6()]);
    let mut truechimer = Truechimer::start(own, &config);
    let rows = truechimer.wait_full_reach(seconds(60));
    assert_eq!(rows.len(), 2, "{rows:?}");
    for row in &rows {
        assert!(row.tally == '*' || row.tally == '+', "{rows:?}");
        assert_eq!(row.stratum, stratum, "{rows:?}");
        assert!(row.offset_ms.abs() < 20.0 && row.delay_ms > 0.0, "{rows:?}");
    }
    let answer = truechimer.answer();
    assert_eq!(answer["stratum"], stratum + 1, "{answer}");
    assert_eq!(answer["leap"], 0, "{answer}");
    for word in ["mobilize", "reachable", "sys_peer"] {
        truechimer.daemon.wait_log(&[word], seconds(1));
    }
}

#[test]
fn follows_ntpd_4_2_8p15() {
    let world = World::new(2);
    let _upstream = Upstream::Ntp4.start(world.host(1));
    follow_both_families(world.host(1), world.host(2), upstreams::STRATUM);
}

#[test]
fn follows_chrony() {
    let world = World::new(2);
    let _upstream = Upstream::Chrony.start(world.host(1));
    follow_both_families(world.host(1), world.host(2), upstreams::STRATUM);
}

#[test]
fn follows_ntpsec() {
    let world = World::new(2);
    let _upstream = Upstream::Ntpsec.start(world.host(1));
    follow_both_families(world.host(1), world.host(2), upstreams::STRATUM);
}

#[test]
fn follows_ntpd_rs() {
    let world = World::new(3);
    let _source = Upstream::Chrony.start(world.host(3));
    let _upstream = upstreams::ntpd_rs(world.host(1), &world.host(3).v4());
    follow_both_families(world.host(1), world.host(2), upstreams::STRATUM + 1);
}

#[test]
fn follows_over_ipv6_alone() {
    let world = World::new(2);
    let _upstream = Upstream::Chrony.start(world.host(1));
    let address = world.host(1).address(Family::V6);
    let mut truechimer = Truechimer::start(world.host(2), &servers(&[address]));
    truechimer.wait_full_reach(seconds(60));
    assert_eq!(truechimer.answer()["stratum"], upstreams::STRATUM + 1);
}

#[test]
fn finds_the_falseticker_among_four() {
    let world = World::new(5);
    let _true = [
        Upstream::Ntp4.start(world.host(1)),
        Upstream::Chrony.start(world.host(2)),
        Upstream::Ntpsec.start(world.host(3)),
    ];
    let _false = Responder::start(world.host(4), &["offset=0.3", "stratum=1"]);
    let addresses: Vec<_> = (1..=4).map(|number| world.host(number).v4()).collect();
    let mut truechimer = Truechimer::start(world.host(5), &servers(&addresses));
    let rows = truechimer.wait_full_reach(seconds(60));
    for row in &rows {
        let false_one = row.remote == world.host(4).v4();
        assert_eq!(row.tally == 'x', false_one, "{rows:?}");
        let offset_ms = if false_one { 300.0 } else { 0.0 };
        assert!((row.offset_ms - offset_ms).abs() < 50.0, "{rows:?}");
    }
    let offset_s = truechimer.answer()["offset_s"].as_f64();
    assert!(
        offset_s.is_some_and(|offset| offset.abs() < 0.05),
        "{offset_s:?}"
    );
}

#[test]
fn goes_on_when_the_upstream_is_pulled() {
    let world = World::new(2);
    let mut upstream = Upstream::Chrony.start(world.host(1));
    let mut truechimer = Truechimer::start(world.host(2), &servers(&[world.host(1).v4()]));
    truechimer.wait_full_reach(seconds(60));
    upstream.kill();
    let halfway = |rows: &[Row]| rows.iter().all(|row| row.reach != 0o377 && row.reach != 0);
    truechimer.wait_peers("reach to decay", seconds(20), halfway);
    truechimer.wait_peers("reach to be 0", seconds(40), |rows| {
        rows.iter().all(|row| row.reach == 0)
    });
    truechimer.daemon.wait_log(&["unreachable"], seconds(5));
    assert!(truechimer.answer()["stratum"].is_u64(), "it serves on");
    assert_eq!(
        truechimer.daemon.count_lines(&[" unreachable"]),
        1,
        "said once"
    );

    let _again = Upstream::Chrony.start(world.host(1));
    truechimer.wait_peers("the upstream to be followed again", seconds(60), |rows| {
        rows.iter().any(|row| row.tally == '*')
    });
    until_true("leap to be clear again", seconds(10), || {
        truechimer.answer()["leap"] == 0
    });
}
