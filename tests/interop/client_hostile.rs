//! What a liar on the path or in a server's place may not bring about.

use super::client::{FAST, servers};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Responder, Truechimer, Upstream, World, keys};

/// A server of which every answer is wrapped in lies that one who cannot see our requests could
/// send: it stays in use, they are named, and no kiss among them is obeyed.
#[test]
fn lies_beside_true_answers_change_nothing() {
    let world = World::new(3);
    let _upstream = Upstream::Chrony.start(world.host(1));
    let lies = "before=wrong-origin,zero-origin,short,kod-deny,kod-rate,bad-version,request-echo";
    let _liar = Responder::start(world.host(2), &[lies, "after=duplicate,long-garbage"]);
    let config = servers(&[world.host(1).v4(), world.host(2).v4()]);
    let mut truechimer = Truechimer::start(world.host(3), &config);
    let rows = truechimer.wait_full_reach(seconds(60));
    assert!(
        rows.iter()
            .all(|row| "*+".contains(row.tally) && row.poll_s == 2),
        "{rows:?}"
    );
    for word in ["pkt_bogus", "pkt_dup"] {
        truechimer.daemon.wait_log(&[word], seconds(1));
    }
    for word in ["access_denied", "rate_exceeded"] {
        assert_eq!(truechimer.daemon.line_with(&[word]), None);
    }
    let lines = truechimer.daemon.count_lines(&["packet refused"]);
    assert!(lines < 40, "a stranger wrote {lines} lines into the log");
}

#[test]
fn kisses_of_the_true_server_are_obeyed() {
    let world = World::new(3);
    let _denies = Responder::start(world.host(1), &["before=obeyed-kod-deny", "silent"]);
    let _slows = Responder::start(world.host(2), &["before=obeyed-kod-rate", "silent"]);
    let config = servers(&[world.host(1).v4(), world.host(2).v4()]);
    let mut truechimer = Truechimer::start(world.host(3), &config);
    truechimer.daemon.wait_log(&["access_denied"], seconds(15));
    truechimer.daemon.wait_log(&["rate_exceeded"], seconds(15));
    let rows = truechimer.peers();
    let slowed = rows.iter().find(|row| row.remote == world.host(2).v4());
    assert!(slowed.is_some_and(|row| row.poll_s > 2), "{rows:?}");
}

#[test]
fn a_keyed_association_believes_no_unkeyed_answer() {
    let world = World::new(3);
    let _unkeyed = Responder::start(world.host(1), &[]);
    let _refuses = Responder::start(world.host(2), &["before=crypto-nak", "silent"]);
    let own = world.host(3);
    let path = own.write("ntp.keys", &keys::ntp_keys());
    let config = format!(
        "keys {}\ntrustedkey 1 2\nserver {} key 1 {FAST}\nserver {} key 2 {FAST}\n",
        path.display(),
        world.host(1).v4(),
        world.host(2).v4(),
    );
    let mut truechimer = Truechimer::start(own, &config);
    truechimer.daemon.wait_log(&["bad_auth key 1"], seconds(20));
    truechimer.daemon.wait_log(&["bad_auth key 2"], seconds(20));
    let rows = truechimer.peers();
    assert!(
        rows.iter().all(|row| row.reach == 0 && row.tally == ' '),
        "{rows:?}"
    );
}
