//! What the control key opens, and what even it does not.
use super::super::world::World;
use super::{HERE, ask, keyed, read, request, send, world};
use crate::control::{Done, Operation, Task};
use crate::host::{HostEvent, Output};
use crate::server::RestrictFlags;
use truechimer_wire::{Opcode, SystemStatusWord};

#[test]
fn who_has_the_key_changes_things_and_gets_sealed_answers() {
    let mut world = world();
    let octets = keyed(
        request(Opcode::WriteVariables, 0, "site=\"roof, north\""),
        7,
    );
    let answer = ask(&mut world, &octets).expect("an answer");
    assert!(answer.error.is_none() && answer.sealed);
    let site = ask(&mut world, &request(Opcode::ReadVariables, 0, "site")).expect("an answer");
    assert_eq!(site.text, "site=\"roof, north\"\r\n");
    // Whoever proves a key has seen the events.
    let octets = keyed(request(Opcode::ReadVariables, 0, "leap"), 7);
    ask(&mut world, &octets);
    let word = ask(&mut world, &request(Opcode::ReadVariables, 0, "leap")).expect("an answer");
    assert_eq!(SystemStatusWord::from_word(word.status).count, 0);

    let octets = keyed(request(Opcode::Configure, 0, "server 192.0.2.3\n"), 7);
    let outputs = send(&mut world, HERE, &octets, RestrictFlags::NONE);
    let [Output::Operate(Operation { id, what, .. })] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!(*what, Task::Configure("server 192.0.2.3".to_owned()));
    let done = Done {
        id: *id,
        succeeded: true,
        text: "Config Succeeded".to_owned(),
        saved: None,
    };
    world.control.clear();
    world.host(HostEvent::Operated(done.clone()));
    let Some(Output::Control(reply)) = world.control.pop() else {
        panic!("no answer");
    };
    assert_eq!(reply.to.to_string(), HERE);
    let answer = read(&reply);
    assert_eq!(
        (answer.text.as_str(), answer.sealed),
        ("Config Succeeded\r\n", true)
    );
    // It is answered once.
    world.host(HostEvent::Operated(done));
    assert!(world.control.is_empty());
}

#[test]
fn nomodify_and_odd_names_are_refused_in_words() {
    let mut world = world();
    let said = |world: &mut World, opcode, data: &str, flags| {
        let octets = keyed(request(opcode, 0, data), 7);
        match send(world, HERE, &octets, flags).first() {
            Some(Output::Control(reply)) => read(reply).text,
            other => panic!("{other:?}"),
        }
    };
    let (none, nomodify) = (RestrictFlags::NONE, RestrictFlags::NOMODIFY);
    let text = said(&mut world, Opcode::Configure, "server a", nomodify);
    assert_eq!(
        text,
        "runtime configuration prohibited by restrict ... nomodify\r\n"
    );
    let text = said(&mut world, Opcode::SaveConfig, "a.conf", nomodify);
    assert_eq!(text, "saveconfig prohibited by restrict ... nomodify\r\n");
    for name in ["../x", "/etc/x", ".hidden", "a b", "a\\b", "-x"] {
        let text = said(&mut world, Opcode::SaveConfig, name, none);
        assert_eq!(
            text,
            format!("saveconfig rejects unsafe file name '{name}'\r\n")
        );
    }
    let text = said(&mut world, Opcode::Configure, "server a\x07", none);
    assert!(text.contains("unprintable"), "{text}");
}
