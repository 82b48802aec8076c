//! The host's side of Autokey: what is signed when, and what server threads answer from.
mod broadcast;
mod passive;
mod support;
use super::world::{Server, World, config, server_line};
use crate::autokey::facts::Generation;
use crate::autokey::job::{Done, Failure, Task};
use crate::autokey::status::Flags;
use crate::config::{AssociationConfig, SystemConfig};
use crate::event::{Event, SystemEvent};
use crate::host::HostEvent;
use crate::statistics::{Measured, Record, Recording};
use std::sync::Arc;
use support::{autokey, sign_all};
use truechimer_time::NtpDuration;
use truechimer_time::leap::LeapTable;

fn speaking(generation: u64) -> SystemConfig {
    SystemConfig {
        autokey: Some(autokey(generation)),
        recording: Recording {
            crypto: true,
            ..Recording::default()
        },
        ..config(vec![server_line(1)])
    }
}

fn synchronized() -> World {
    let mut world = World::new(speaking(1));
    world.serve(1, Server::default());
    world.run_s(60.0);
    world
}

/// Lines of cryptostats.
fn written(world: &World) -> Vec<String> {
    let text = |it: &Record| match &it.measured {
        Measured::Crypto { remote: None, text } => Some(text.clone()),
        _ => None,
    };
    world.records.iter().filter_map(text).collect()
}

#[test]
fn nothing_is_signed_before_the_time_is_known() {
    let mut world = World::new(speaking(1));
    world.run_s(60.0);
    assert!(world.jobs.is_empty());
    let [Some(service)] = &world.services[..] else {
        panic!("one service: {:?}", world.services);
    };
    assert_eq!(service.name(), "alice");
    assert_eq!(service.signed_at(), 0);
    assert_eq!(service.status().flags, Flags::ENABLED | Flags::IFF);
    world.serve(1, Server::default());
    world.run_until(|world| !world.jobs.is_empty());
    let [(_, job)] = &world.jobs[..] else {
        panic!("one job: {:?}", world.jobs);
    };
    assert_eq!(job.generation, Generation(1));
    let Task::Sign { values, .. } = &job.task else {
        panic!("{job:?}");
    };
    let signed: Vec<(u32, &[u8])> = values.iter().map(|it| (it.0, &it.1[..])).collect();
    let leap = &[0; 12][..];
    let expected = [(5, &b"key"[..]), (6, leap), (6, b"alice 1")];
    assert_eq!(signed, expected);
    sign_all(&mut world);
    let service = world.services.last().cloned().flatten().expect("there");
    assert!(service.signed_at() > 0);
    let flags = Flags::ENABLED | Flags::IFF | Flags::TAI;
    assert_eq!(service.status().flags, flags);
    assert_eq!(service.certificates["alice"].signature, b"signed by 1");
    let line = format!("signature update ts {}", service.signed_at());
    assert_eq!(written(&world), [line]);
    world.run_s(10_000.0);
    assert!(world.jobs.is_empty(), "once is enough");
}

#[test]
fn a_leap_table_and_a_step_have_all_signed_anew() {
    let mut world = synchronized();
    sign_all(&mut world);
    let table = LeapTable::new(vec![(1_483_228_800, 37)], 2_000_000_000).expect("a row");
    world.host(HostEvent::LeapTable(table));
    let services = world.services.len();
    sign_all(&mut world);
    let service = world.services.last().cloned().flatten().expect("there");
    assert_eq!(world.services.len(), services + 1);
    // 2017-01-01, and the expiry, NTP seconds.
    let words = [37_u32, 3_692_217_600, 4_208_988_800];
    let value: Vec<u8> = words.iter().flat_map(|it| it.to_be_bytes()).collect();
    assert_eq!(service.leap.value, value);
    world.host(HostEvent::ForeignStep(NtpDuration::from_seconds(-3600.0)));
    world.run_until(|world| !world.jobs.is_empty());
}

#[test]
fn what_fails_is_tried_again() {
    let mut world = synchronized();
    let (id, _) = world.jobs.pop().expect("a job");
    let now = world.now();
    let failed = Done::Failed(Failure::Busy);
    world.system.handle_crypto_done(now, id, failed.clone());
    world.run_s(15.0);
    assert!(world.jobs.is_empty());
    world.run_s(2.0);
    // Nobody ever tells what came of this one.
    assert!(world.jobs.pop().is_some());
    world.run_s(59.0);
    assert!(world.jobs.is_empty());
    world.run_s(18.0);
    sign_all(&mut world);
    let service = world.services.last().cloned().flatten().expect("there");
    assert!(service.signed_at() > 0);
    world.system.handle_crypto_done(now, id, failed);
    world.run_s(100.0);
    assert!(world.jobs.is_empty(), "what was given up changes nothing");
}

#[test]
fn a_new_reading_of_the_files_is_signed_by_its_own_keys() {
    let mut world = synchronized();
    let (late, job) = world.jobs.pop().expect("a job");
    world.reload(speaking(2));
    let done = support::signed(&job);
    let now = world.now();
    world.system.handle_crypto_done(now, late, done);
    world.drain();
    let service = world.services.last().cloned().flatten().expect("there");
    assert_eq!(
        (service.generation(), service.signed_at()),
        (Generation(2), 0)
    );
    sign_all(&mut world);
    let service = world.services.last().cloned().flatten().expect("there");
    let given = &service.certificates["alice"];
    assert_eq!(given.value, b"alice 2");
    assert_eq!(given.signature, b"signed by 2");
    world.reload(speaking(2));
    assert!(world.jobs.is_empty(), "the same again");
}

#[test]
fn private_values_change_alone_and_autokey_can_be_given_up() {
    let mut world = synchronized();
    sign_all(&mut world);
    world.host(HostEvent::PrivateValues(vec![8, 7]));
    let service = world.services.last().cloned().flatten().expect("there");
    assert_eq!(service.private_values, [8, 7]);
    assert!(service.signed_at() > 0 && world.jobs.is_empty());
    world.host(HostEvent::PrivateValues(Vec::new()));
    let still = world.services.last().cloned().flatten().expect("there");
    assert_eq!(still.private_values, [8, 7]);
    world.reload(config(vec![server_line(1)]));
    assert!(matches!(world.services.last(), Some(None)));
}

#[test]
fn two_hosts_of_one_name_are_told_of_once_in_a_while() {
    let mut world = synchronized();
    sign_all(&mut world);
    let service = world.services.last().cloned().flatten().expect("there");
    let told = |world: &World| {
        let namesakes = |it: &&Event| matches!(it, Event::System(SystemEvent::Namesakes(_)));
        world.events.iter().filter(namesakes).count()
    };
    for (turn, expected) in [(0, 0), (1, 1), (2, 1), (3, 1)] {
        let mut asker = (*autokey(turn % 2).host.certificates[0]).clone();
        asker.public_key = vec![u8::try_from(turn % 2).expect("small")].into();
        let address = [192, 0, 2, 10 + u8::try_from(turn % 2).expect("small")].into();
        service.bounds.names().note(&asker, address);
        world.run_s(5.0);
        let now = world.now();
        world.system.handle_timeout(now);
        world.drain();
        assert_eq!(told(&world), expected, "{turn}");
    }
    world.run_s(200.0);
    assert_eq!(told(&world), 2);
    let lines = written(&world);
    let namesakes = lines
        .iter()
        .filter(|it| it.contains("one Autokey name, alice"));
    assert_eq!(namesakes.count(), 2, "{lines:?}");
    let told = world.events.iter().rev().find_map(|it| match it {
        Event::System(it @ SystemEvent::Namesakes(_)) => Some(it.to_string()),
        _ => None,
    });
    let told = told.expect("an event");
    assert!(
        told.contains("192.0.2.11") && told.contains("alice"),
        "{told}"
    );
    assert!(told.contains("ntp-keygen -H -s NAME there"), "{told}");
}

/// No signature says to whom a value is given, so it can be passed on; that is told, at least.
#[test]
fn one_certificate_at_two_addresses_is_noticed() {
    let line = |last| AssociationConfig {
        autokey: true,
        ..server_line(last)
    };
    let mut world = World::new(SystemConfig {
        autokey: Some(autokey(1)),
        ..config(vec![line(1), line(2), line(3)])
    });
    world.run_s(1.0);
    let mut ids = Vec::new();
    for (it, key) in world.system.associations.values_mut().zip(["a", "b", "a"]) {
        let mut certificate = (*autokey(1).host.certificates[0]).clone();
        certificate.public_key = key.as_bytes().into();
        let autokey = it.autokey.as_mut().expect("by its line");
        autokey.dance.pretend_certified(Arc::new(certificate));
        ids.push((it.id, it.remote.map(|it| it.ip())));
    }
    let [(one, first), (two, _), (three, third)] = ids[..] else {
        panic!("{ids:?}");
    };
    assert_eq!(world.system.where_same_key(one), third);
    assert_eq!(world.system.where_same_key(two), None);
    assert_eq!(world.system.where_same_key(three), first);
}
