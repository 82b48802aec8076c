//! What the system around the daemon may do to it: few descriptors, no memory to lock, a state
//! folder that cannot be written, a process that is stopped, a clock that others set. Each is
//! survived, and said.

use super::client::FAST;
use super::server::{LOCAL, serve};
use truechimer_tests::support::peers::stepclock;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Truechimer, Upstream, World, upstreams};

#[test]
fn sixteen_descriptors_are_enough_to_ask_and_to_serve() {
    let world = World::new(3);
    let _upstreams = [
        Upstream::Chrony.start(world.host(1)),
        Upstream::Ntp4.start(world.host(2)),
    ];
    let own = world.host(3);
    let config = format!(
        "server {} {FAST}\nserver {} {FAST}\nrestrict default\n",
        world.host(1).v4(),
        world.host(2).v4()
    );
    let mut truechimer = Truechimer::start_prepared(own, &config, "ulimit -n 16");
    // The host has nine addresses.
    truechimer.daemon.wait_log(
        &["addresses are not served: too many, or too few descriptors"],
        seconds(5),
    );
    truechimer.wait_full_reach(seconds(60));
    upstreams::wait_serving(own, &mut truechimer.daemon, seconds(10));
    own.write("truechimer.conf", &format!("{config}{LOCAL}"));
    truechimer.daemon.signal("HUP");
    truechimer.wait_peers("the reload", seconds(10), |rows| rows.len() == 3);
}

#[test]
fn no_memory_to_lock_is_no_reason_not_to_run() {
    let world = World::new(1);
    let own = world.host(1);
    let config = format!("rlimit memlock 32\n{LOCAL}");
    let mut truechimer = Truechimer::start_prepared(own, &config, "ulimit -l 0");
    upstreams::wait_serving(own, &mut truechimer.daemon, seconds(60));
    truechimer.daemon.wait_log(&["rlimit"], seconds(1));
}

#[test]
fn a_state_folder_that_cannot_be_written_costs_the_frequency_alone() {
    let world = World::new(2);
    let own = world.host(1);
    let _upstream = Upstream::Chrony.start(world.host(2));
    let state = own.folder().join("state");
    let prepare = format!(
        "mkdir -p {0} && mount -t tmpfs tmpfs {0} && echo 12.345 > {0}/ntp.drift && \
         mount -o remount,ro {0}",
        state.display()
    );
    let config = format!(
        "driftfile {}/ntp.drift\nserver {} {FAST}\n",
        state.display(),
        world.host(2).v4()
    );
    let mut truechimer = Truechimer::start_pretending(own, &config, &prepare);
    truechimer
        .daemon
        .wait_log(&["freq_set +12.345"], seconds(2));
    truechimer.daemon.wait_log(&["clock_sync"], seconds(60));
    upstreams::wait_serving(own, &mut truechimer.daemon, seconds(10));
    truechimer.daemon.signal("TERM");
    let (status, _) = truechimer.daemon.wait_end(seconds(5));
    assert_eq!(status.code(), Some(0), "{status}");
    truechimer
        .daemon
        .wait_log(&["Read-only file system"], seconds(1));
}

#[test]
fn ten_seconds_stopped_are_told_of_and_step_nothing() {
    let world = World::new(2);
    let own = world.host(2);
    let _upstream = Upstream::Chrony.start(world.host(1));
    let config = format!("server {} {FAST}\nrestrict default\n", world.host(1).v4());
    let mut truechimer = serve(own, &config);
    truechimer.daemon.signal("STOP");
    std::thread::sleep(seconds(10));
    truechimer.daemon.signal("CONT");
    truechimer.daemon.wait_log(&["held up for"], seconds(3));
    upstreams::wait_serving(own, &mut truechimer.daemon, seconds(3));
    let rows = truechimer.wait_peers("the next reply", seconds(10), |rows| {
        rows.iter()
            .any(|row| row.reach & 1 == 1 && row.tally == '*')
    });
    assert!(rows[0].offset_ms.abs() < 50.0, "{rows:?}");
    for word in ["clock_step", "stepped", "unreachable"] {
        assert_eq!(truechimer.daemon.line_with(&[word]), None);
    }
}

#[test]
fn a_clock_that_another_program_steps_is_told_of_and_served_on() {
    let world = World::new(2);
    let own = world.host(2);
    let _upstream = Upstream::Chrony.start(world.host(1));
    let mark = own.folder().join("stepped");
    let prepare = format!(
        "export LD_PRELOAD={} STEPCLOCK={}",
        stepclock().display(),
        mark.display()
    );
    let config = format!("server {} {FAST}\nrestrict default\n", world.host(1).v4());
    let mut truechimer = Truechimer::start_pretending(own, &config, &prepare);
    upstreams::wait_serving(own, &mut truechimer.daemon, seconds(60));
    own.write("stepped", "");
    truechimer
        .daemon
        .wait_log(&["s by somebody else: samples dropped"], seconds(5));
    until_true("service after it", seconds(60), || upstreams::serves(own));
    assert!(truechimer.daemon.lives());
}
