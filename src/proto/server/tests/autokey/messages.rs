//! What is said to each message (RFC 5906 §10).
use super::super::bench::LOCAL;
use super::world::{ASKED_FILESTAMP, SIGNED_AT, World, field, signed};
use crate::autokey::job::{Done, Failure, Task};
use crate::autokey::status::Scheme;
use crate::packet::AssociationId;
use crate::server::{AutokeyOutcome, DropReason, Verdict};
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{AutokeyCode, Mode};

#[test]
fn ready_values_are_given_at_once_and_echo_the_askers_association() {
    let mut world = World::new();
    let said = world.ask(AutokeyCode::Association, b"bob");
    assert_eq!((said.association, said.is_error), (77, false));
    assert_eq!(said.body, Some((SIGNED_AT, 0x029C_0023, b"alice".to_vec())));
    assert_eq!(said.header.stratum, 2, "the time comes with it");
    let said = world.ask(AutokeyCode::Certificate, b"alice");
    assert_eq!(said.body, Some((SIGNED_AT, 6, vec![0x30; 400])));
    let said = world.ask(AutokeyCode::LeapSeconds, &[]);
    assert_eq!(said.body, Some((SIGNED_AT, 6, vec![0; 12])));
    let counters = world.bench.responder.counters();
    assert_eq!(counters.autokey(AutokeyOutcome::Ready), 3);
    assert_eq!(counters.replied, 3);
}

#[test]
fn a_key_list_is_given_by_its_association() {
    let mut world = World::new();
    world.introduce();
    let said = world.ask(AutokeyCode::Autokey, &[]);
    assert!(
        said.is_error && said.body.is_none(),
        "there is no such list"
    );
    let list = signed(SIGNED_AT, &[1, 2, 3, 4, 0, 0, 0, 99]);
    world
        .service
        .key_lists
        .insert((AssociationId(77), LOCAL.ip()), list);
    let said = world.ask(AutokeyCode::Autokey, &[]);
    assert_eq!(said.body.map(|it| it.2.len()), Some(8));
}

#[test]
fn what_there_is_not_is_said_in_eight_octets() {
    let mut world = World::new();
    world.introduce();
    let said = world.ask(AutokeyCode::Certificate, b"mallory");
    assert_eq!(
        (said.body, said.is_error, said.len),
        (None, false, 48 + 8 + 20)
    );
    world.bench.snapshot.leap = LeapIndicator::NotSynchronized;
    for (code, value) in [
        (AutokeyCode::Certificate, &b"alice"[..]),
        (AutokeyCode::LeapSeconds, &[]),
        (AutokeyCode::Cookie, &[0x30; 74]),
        (AutokeyCode::Sign, &[0x30; 300]),
        (AutokeyCode::Iff, &[7; 20]),
    ] {
        let said = world.ask(code, value);
        assert_eq!((said.body, said.is_error), (None, false), "{code:?}");
    }
    assert!(world.ask(AutokeyCode::Association, b"bob").body.is_some());
}

#[test]
fn what_cannot_be_is_an_error() {
    let mut world = World::new();
    world.introduce();
    for (code, value) in [
        (AutokeyCode::NoOperation, &[][..]),
        (AutokeyCode::Other(10), &[1]),
        (AutokeyCode::Association, &[]),
        (AutokeyCode::Certificate, &[]),
        (AutokeyCode::Cookie, &[]),
        (AutokeyCode::Cookie, &[0x30; 601]),
        (AutokeyCode::Gq, &[7; 64]),
        (AutokeyCode::Mv, &[7; 64]),
    ] {
        let said = world.ask(code, value);
        assert!(said.is_error && said.body.is_none(), "{code:?}");
        assert_eq!(said.code, code);
    }
}

#[test]
fn hostile_fields_behind_a_right_mac_are_dropped() {
    let mut world = World::new();
    world.introduce();
    let good = field(AutokeyCode::Association, b"bob");
    let with = |at: usize, octet: u8| {
        let mut octets = good.clone();
        octets[at] = octet;
        octets
    };
    for fields in [
        with(0, 0x82),
        with(0, 0xC2),
        with(0, 0x42),
        with(0, 0x01),
        with(19, 9),
        with(16, 0xFF),
        with(27, 9),
    ] {
        let octets = world.request(Mode::Client, &fields, 0);
        let verdict = world.answer(&octets);
        assert_eq!(
            verdict,
            Verdict::Drop(DropReason::AutokeyForm),
            "{fields:x?}"
        );
    }
}

#[test]
fn a_second_field_is_not_answered() {
    let mut world = World::new();
    let mut fields = field(AutokeyCode::Association, b"bob");
    fields.extend_from_slice(&field(AutokeyCode::LeapSeconds, &[]));
    let octets = world.request(Mode::Client, &fields, 0);
    let Verdict::Reply(len) = world.answer(&octets) else {
        panic!("no reply");
    };
    assert_eq!(world.read(len).code, AutokeyCode::Association);
}

#[test]
fn what_needs_a_key_waits_for_a_holder_of_keys() {
    let mut world = World::new();
    world.introduce();
    let cookie = world.cookie(71);
    let asked = |code, value: &[u8], world: &mut World| {
        assert_eq!(world.ask_for(code, value), Verdict::Park);
        let parked = world.parked();
        assert_eq!(parked.source(), world.bench.source);
        parked
    };
    let parked = asked(AutokeyCode::Cookie, &[0x30; 74], &mut world);
    let Task::SealCookie {
        cookie: sealed,
        filestamp,
        public_key,
        ..
    } = &parked.job().task
    else {
        panic!("{:?}", parked.job());
    };
    assert_eq!((*sealed, *filestamp), (cookie, SIGNED_AT));
    assert_eq!(public_key.len(), 74);
    let value = signed(SIGNED_AT, &[9; 64]);
    let said = world.finish(&parked, &Done::Value(value)).expect("a reply");
    assert_eq!(said.body, Some((SIGNED_AT, SIGNED_AT, vec![9; 64])));
    assert_eq!(said.association, 77);

    let parked = asked(AutokeyCode::Sign, &[0x30; 300], &mut world);
    assert!(matches!(parked.job().task, Task::SignCertificate { .. }));
    let failed = Done::Failed(Failure::Certificate);
    let said = world.finish(&parked, &failed).expect("a reply");
    assert!(said.is_error && said.body.is_none());

    let parked = asked(AutokeyCode::Iff, &[7; 20], &mut world);
    let Task::AnswerChallenge {
        scheme,
        filestamp,
        challenge,
        ..
    } = &parked.job().task
    else {
        panic!("{:?}", parked.job());
    };
    assert_eq!((*scheme, challenge.as_slice()), (Scheme::Iff, &[7; 20][..]));
    assert_eq!(*filestamp, ASKED_FILESTAMP, "it tells the group");
    let busy = Done::Failed(Failure::Busy);
    assert_eq!(world.finish(&parked, &busy), None, "it asks again");
}

#[test]
fn without_a_private_value_no_cookie_is_given() {
    let mut world = World::new();
    world.introduce();
    world.service.private_values.clear();
    let said = world.ask(AutokeyCode::Cookie, &[0x30; 74]);
    assert_eq!((said.body, said.is_error), (None, false));
}
