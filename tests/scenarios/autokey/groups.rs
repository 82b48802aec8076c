//! One server of several groups.
use super::hosts::{GQ, Group, Host, IFF, Kind, MV};
use super::{add, client_config, flags_after_s, is_reached, known, line, server_config, written};
use crate::build::world;

/// Each client is answered by the scheme and the group that it asks for, whether its own name has a
/// group or not.
#[test]
fn each_client_is_shown_its_own_group() {
    let [one, two, three] = [0, 7, 7].map(Group::made_later);
    let server = Host::of_groups(
        "alice",
        &[
            ("one", &one, IFF),
            ("two", &two, IFF),
            ("three", &three, GQ),
        ],
    );
    assert_eq!(server.facts.name, "alice@one");
    let mut world = world(21);
    add(&mut world, 1, &server, server_config(&server, 0xfeed_beef));
    world.run_until(60.0);
    for (number, (name, group, ident, flags, known_as)) in [
        ("bob", &one, "one", 0x7f63, "alice@one"),
        ("carol", &two, "two", 0x7f63, "alice@one"),
        ("dave@one", &one, "one", 0x7f63, "alice@one"),
        ("erin@two", &two, "two", 0x7f63, "alice@two"),
        ("fred@three", &three, "three", 0x7f63, "alice@three"),
    ]
    .into_iter()
    .enumerate()
    {
        let last = u8::try_from(number).expect("few") + 2;
        let mut files = group.parameters(ident);
        // One of each group, as its server has it.
        files.retain(|it| it.1 == if ident == "three" { GQ } else { IFF });
        let client = Host::new(name, Kind::Plain, None, &[&files]);
        let config = client_config(&client, vec![line(1, Some(ident))]);
        let node = add(&mut world, last, &client, config);
        let after_s = flags_after_s(&mut world, node, flags, 120.0);
        let status = known(&mut world, node);
        assert!(
            after_s > 0.0,
            "{name}: {status:?} {:#?}",
            written(&world, node)
        );
        assert_eq!(status.host, known_as, "{name}");
        assert!(status.identity.is_some(), "{name}");
        assert!(is_reached(&mut world, node), "{name}");
        let lines = written(&world, node);
        let signed = format!("sign {name} {known_as} ");
        assert!(lines.iter().any(|it| it.starts_with(&signed)), "{lines:#?}");
    }
}

/// Who has parameters of a group that the server is not of, and who is only called so.
#[test]
fn others_are_shown_nothing() {
    let [one, two, other] = [0, 7, 9].map(Group::made_later);
    let server = Host::of_groups("alice", &[("one", &one, IFF), ("two", &two, MV)]);
    let mut world = world(22);
    add(&mut world, 1, &server, server_config(&server, 0xfeed_beef));
    world.run_until(60.0);
    for (last, name, files) in [
        (2, "bob", other.parameters("one")),
        (3, "carol@two", one.parameters("three")),
        (4, "dave@three", other.parameters("three")),
        (5, "erin@two", two.revoked("three")),
    ] {
        let client = Host::new(name, Kind::Plain, None, &[&files]);
        let ident = files[0].0.clone();
        let config = client_config(&client, vec![line(1, Some(&ident))]);
        let node = add(&mut world, last, &client, config);
        let end_s = 460.0 + f64::from(last) * 400.0;
        world.run_until(end_s);
        let status = known(&mut world, node);
        // That a name is another group's is no matter where the group itself is proven.
        assert_eq!(status.identity.is_some(), name == "carol@two", "{name}");
        assert_eq!(is_reached(&mut world, node), name == "carol@two", "{name}");
    }
}

/// One that serves a group by its own key proves its server by the parameters of another.
#[test]
fn a_server_of_one_group_is_client_of_another() {
    let [upper, lower] = [Group::new(), Group::new()];
    let alice = upper.server("alice", IFF);
    let bob = lower.holder("bob", IFF, &[&upper.parameters("upper")]);
    let below = &lower.parameters("lower");
    let carol = Host::new("carol", Kind::Plain, None, &[below]);
    let mut world = world(41);
    add(&mut world, 1, &alice, server_config(&alice, 1));
    let config = client_config(&bob, vec![line(1, Some("upper"))]);
    let bob_node = add(&mut world, 2, &bob, config);
    let config = client_config(&carol, vec![line(2, Some("lower"))]);
    let carol_node = add(&mut world, 3, &carol, config);
    // Who has the parameters of the wrong group is not fooled by a server that has both.
    let above = &upper.parameters("lower");
    let dave = Host::new("dave", Kind::Plain, None, &[above]);
    let config = client_config(&dave, vec![line(2, Some("lower"))]);
    let dave_node = add(&mut world, 4, &dave, config);
    world.run_until(900.0);
    for (node, name) in [(bob_node, "bob"), (carol_node, "carol")] {
        let flags = known(&mut world, node).status.word();
        assert_eq!(
            flags & 0x1f20,
            0x1f20,
            "{name}: {:#?}",
            written(&world, node)
        );
        assert!(is_reached(&mut world, node), "{name}");
    }
    let lines = written(&world, dave_node);
    let refused = |it: &String| it.ends_with("10e bad_or_missing_group key");
    assert!(lines.iter().any(refused), "{lines:#?}");
    assert!(!is_reached(&mut world, dave_node));
}
