//! Either engine in the whole daemon, and the one line that says why there is no uring.

use super::server::{LOCAL, serve};
use truechimer_tests::support::command::finish;
use truechimer_tests::support::truechimer::binary;
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Host, Truechimer, World, upstreams};

/// The name of its engine, and why, as it says itself.
fn engine(host: Host<'_>) -> (String, String) {
    let mut command = host.native(&binary());
    command.args(["status", "--json", "127.0.0.1"]);
    let said = finish(command);
    let status: serde_json::Value = match serde_json::from_str(&said.stdout) {
        Ok(status) => status,
        Err(error) => panic!("{error}: {}", said.text),
    };
    let word = |name: &str| {
        let word = status["system"]["engine"][name].as_str();
        word.unwrap_or_default().to_owned()
    };
    (word("name"), word("reason"))
}

#[test]
fn either_answers_and_the_status_says_which() {
    for (line, name, reason) in [
        ("", "poll", "by default"),
        ("engine poll threads 2", "poll", "as configured"),
        ("engine uring threads 2", "uring", "as configured"),
        ("engine auto linger 0", "uring", "io_uring can be had"),
        (
            "engine uring threads 0",
            "poll",
            "one thread does everything",
        ),
    ] {
        let world = World::new(1);
        let mut truechimer = serve(world.host(1), &format!("{LOCAL}{line}\n"));
        let refusal = truechimer
            .daemon
            .line_with(&["serving with the engine poll"]);
        match refusal {
            None => assert_eq!(
                engine(world.host(1)),
                (name.into(), reason.into()),
                "{line}"
            ),
            Some(told) => {
                let (name, reason) = engine(world.host(1));
                assert_eq!(name, "poll", "{line}: {told}");
                assert!(told.contains(&reason), "{line}: {told}: {reason}");
            }
        }
        assert!(truechimer.daemon.lives());
    }
}

/// Kernels before 6.14 do not count a ring's memory, and let us have it all the same.
#[test]
fn without_memory_to_lock_poll_answers_and_one_line_says_why() {
    let world = World::new(1);
    let own = world.host(1);
    let script =
        "ulimit -l 0 && set -- setpriv --bounding-set -ipc_lock --inh-caps -ipc_lock -- \"$@\"";
    let lines = format!("{LOCAL}engine auto\n");
    let mut truechimer = Truechimer::start_prepared(own, &lines, script);
    upstreams::wait_serving(own, &mut truechimer.daemon, seconds(60));
    let (name, reason) = engine(own);
    let lines = truechimer
        .daemon
        .count_lines(&["serving with the engine poll"]);
    match name.as_str() {
        "poll" => {
            assert!(reason.contains("ulimit -l"), "{reason}");
            assert_eq!(lines, 1);
        }
        _ => assert_eq!(lines, 0),
    }
}
