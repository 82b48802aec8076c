//! What is counted of requests and answers.
use super::{Opcode, ask, request, world};

#[test]
fn answers_of_servers_are_among_what_came() {
    let mut world = world();
    let (heard, processed) = world.status().answers();
    assert!(processed > 0 && heard >= processed, "{heard} {processed}");
    let asked = request(
        Opcode::ReadVariables,
        0,
        "ss_received,ss_thisver,ss_processed",
    );
    let answer = ask(&mut world, &asked).expect("answered");
    for (name, count) in [
        ("ss_received", heard),
        ("ss_thisver", heard),
        ("ss_processed", processed),
    ] {
        assert_eq!(answer.value(name), Some(count.to_string()), "{name}");
    }
}
