//! The drift file: garbage in it, and no room for it.

use super::client::FAST;
use super::server::{LOCAL, serve};
use std::fs;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Truechimer, Upstream, World, upstreams};

#[test]
fn garbage_in_the_drift_file_is_named_and_passed_over() {
    let world = World::new(1);
    let host = world.host(1);
    for (number, garbage) in ["nan\n", "1e9\n", "not a number\n", "-501\n", "\0\0\0"]
        .iter()
        .enumerate()
    {
        let name = format!("drift{number}");
        let drift = host.write(&name, garbage);
        let config = format!("driftfile {}\n{LOCAL}", drift.display());
        let mut truechimer = Truechimer::start(host, &config);
        truechimer.daemon.wait_log(&[&name], seconds(2));
        truechimer.daemon.wait_log(&["freq_not_set"], seconds(2));
        truechimer.daemon.signal("TERM");
        let (status, _) = truechimer.daemon.wait_end(seconds(5));
        assert_eq!(status.code(), Some(0), "{garbage:?}: {status}");
    }
}

/// A disk that takes no more may cost the new frequency, never the old one, nor the service.
#[test]
fn a_full_disk_costs_neither_the_old_drift_nor_the_service() {
    let world = World::new(2);
    let host = world.host(1);
    let _upstream = Upstream::Chrony.start(world.host(2));
    let full = host.folder().join("full");
    let prepare = format!(
        "mkdir -p {0} && mount -t tmpfs -o size=8k tmpfs {0} && echo 12.345 > {0}/ntp.drift && \
         {{ head -c 8192 /dev/zero > {0}/ballast 2> /dev/null; true; }}",
        full.display()
    );
    let config = format!(
        "driftfile {}/ntp.drift\nserver {} {FAST}\n",
        full.display(),
        world.host(2).v4()
    );
    let mut truechimer = Truechimer::start_pretending(host, &config, &prepare);
    upstreams::wait_serving(host, &mut truechimer.daemon, seconds(60));
    truechimer
        .daemon
        .wait_log(&["freq_set +12.345"], seconds(2));
    // Before that it has no frequency to store.
    truechimer.daemon.wait_log(&["clock_sync"], seconds(30));
    // The mount is the daemon's own: seen through its root.
    let root = format!("/proc/{}/root", truechimer.daemon.pid());
    let drift = format!("{root}{}/ntp.drift", full.display());
    let held = fs::File::open(&drift);
    truechimer.daemon.signal("TERM");
    let (status, took) = truechimer.daemon.wait_end(seconds(5));
    assert_eq!(status.code(), Some(0), "{status}");
    assert!(took < seconds(1), "took {took:?}");
    let kept = held.and_then(std::io::read_to_string);
    assert_eq!(kept.ok().as_deref().map(str::trim), Some("12.345"));
    truechimer
        .daemon
        .wait_log(&["No space left", "disk is full"], seconds(1));
}

#[test]
fn a_good_drift_file_is_taken_up() {
    let world = World::new(1);
    let host = world.host(1);
    let drift = host.write("ntp.drift", "-7.250\n");
    let config = format!("driftfile {}\n{LOCAL}", drift.display());
    let mut truechimer = serve(host, &config);
    truechimer.daemon.wait_log(&["freq_set -7.250"], seconds(2));
    truechimer.daemon.signal("TERM");
    truechimer.daemon.wait_end(seconds(5));
    let kept = fs::read_to_string(&drift).unwrap();
    assert!(
        kept.trim().parse::<f64>().is_ok_and(f64::is_finite),
        "{kept:?}"
    );
}
