//! Limits as a client meets them.
use super::bench::{Bench, keyed, request};
use crate::server::{
    AccessRule, DropReason, Limits, MruTable, Network, Policy, RestrictFlags, Verdict, Watch,
};
use core::net::SocketAddr;
use std::sync::Arc;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{Header, Mode};

fn watched(flags: RestrictFlags) -> Bench {
    let mut bench = Bench::new();
    let watch = Watch {
        limits: Limits::default(),
        clients: Arc::new(MruTable::new(700, b"not so secret...")),
    };
    let rule = AccessRule::new(Network::ANY_V4, flags);
    bench.policy = Policy::new([rule], None).with_watch(watch, true);
    bench
}

const LIMITED: RestrictFlags = RestrictFlags::LIMITED;
const KISSED: RestrictFlags = RestrictFlags::LIMITED.with(RestrictFlags::KOD);

fn is_kiss(bench: &Bench) -> bool {
    let header = Header::parse(bench.out.first_chunk().expect("a header"));
    header.stratum == 0 && header.reference_id.octets() == *b"RATE"
}

/// Asks every 10 ms; how many got the time, and how many a kiss.
fn ask(bench: &mut Bench, octets: &[u8], times: u32) -> (u32, u32) {
    let mut got = (0, 0);
    for _ in 0..times {
        bench.now.mono = bench.now.mono.plus_seconds(0.01);
        match bench.answer(octets) {
            Verdict::Reply(len) => {
                assert!(len <= octets.len());
                if is_kiss(bench) {
                    got.1 += 1;
                } else {
                    got.0 += 1;
                }
            }
            verdict => assert_eq!(verdict, Verdict::Drop(DropReason::Limited)),
        }
    }
    got
}

#[test]
fn a_greedy_client_gets_some_answers_and_one_kiss() {
    let mut bench = watched(KISSED);
    let (answers, kisses) = ask(&mut bench, &request(4, Mode::Client), 3000);
    assert!((450..750).contains(&answers), "{answers}");
    assert_eq!(kisses, 1);
    let counters = *bench.responder.counters();
    assert_eq!(counters.kod_sent, 1);
    assert_eq!(counters.spared, u64::from(answers) - 1);
    let limited = counters.dropped(DropReason::Limited);
    assert_eq!(limited, 3000 - u64::from(answers) - 1);
    let reference = counters.reference();
    assert!(reference.contains(&("ss_limited", limited + 1)));
    assert!(reference.contains(&("ss_kodsent", 1)));
}

#[test]
fn without_kod_nobody_is_kissed_and_without_limited_nobody_is_limited() {
    let octets = request(4, Mode::Client);
    assert_eq!(ask(&mut watched(LIMITED), &octets, 100).1, 0);
    let kod_alone = ask(&mut watched(RestrictFlags::KOD), &octets, 100);
    assert_eq!(kod_alone, (100, 0));
}

#[test]
fn a_kiss_has_the_form_that_ntpd_obeys() {
    let mut bench = watched(KISSED);
    let octets = request(3, Mode::Client);
    bench.answer(&octets);
    let kiss = bench.reply_to(&octets);
    assert!(is_kiss(&bench));
    assert_eq!((kiss.version, kiss.mode), (3, Mode::Server));
    assert_eq!(kiss.leap, LeapIndicator::NotSynchronized);
    let asked = Header::parse(octets.first_chunk().expect("a header"));
    let stamps = [kiss.origin_time, kiss.receive_time, kiss.transmit_time];
    assert_eq!(stamps, [asked.transmit_time; 3]);
    assert_eq!(kiss.poll, 6);
}

/// ntpd 4.2.8p15 answers a mode 2 packet with a kiss in mode 1, and a peer's with one it
/// would answer in turn.
#[test]
fn only_clients_are_kissed() {
    for mode in [Mode::SymmetricActive, Mode::SymmetricPassive, Mode::Server] {
        let mut bench = watched(KISSED);
        let octets = request(4, mode);
        for _ in 0..100 {
            if matches!(bench.answer(&octets), Verdict::Reply(_)) {
                assert!(!is_kiss(&bench), "{mode:?}");
            }
        }
        assert_eq!(bench.responder.counters().kod_sent, 0);
    }
}

#[test]
fn replies_of_servers_are_outside_the_limits() {
    let mut bench = watched(KISSED);
    let octets = request(4, Mode::Server);
    for _ in 0..1000 {
        assert_eq!(bench.answer(&octets), Verdict::HandOff);
    }
    let answered = bench.answer(&request(4, Mode::Client));
    assert_eq!(answered, Verdict::Reply(48), "and do not count against it");
}

#[test]
fn a_kiss_is_sealed_only_for_who_has_the_key() {
    let octets = keyed(&request(4, Mode::Client), 7, 0);
    let mut bench = watched(KISSED);
    bench.answer(&octets);
    assert_eq!(bench.answer(&octets), Verdict::Reply(68));
    assert!(is_kiss(&bench));
    let wrong = keyed(&request(4, Mode::Client), 7, 1);
    let mut bench = watched(KISSED);
    bench.answer(&wrong);
    let verdict = bench.answer(&wrong);
    assert_eq!(verdict, Verdict::Drop(DropReason::Limited));
}

#[test]
fn one_greedy_client_is_not_all() {
    let mut bench = watched(KISSED);
    let octets = request(4, Mode::Client);
    ask(&mut bench, &octets, 1000);
    for last in 8..200 {
        bench.source = SocketAddr::from(([198, 51, 100, last], 40_000));
        assert_eq!(bench.answer(&octets), Verdict::Reply(48));
        assert!(!is_kiss(&bench));
    }
}

#[test]
fn what_is_refused_is_not_remembered() {
    for flags in [RestrictFlags::IGNORE, RestrictFlags::NOSERVE] {
        let mut bench = watched(flags);
        bench.answer(&request(4, Mode::Client));
        let watch = bench.policy.watch().expect("a memory");
        assert_eq!(watch.clients.occupied(), 0);
    }
}

#[test]
fn memory_is_left_out_where_nothing_needs_it() {
    let watch = Watch {
        limits: Limits::default(),
        clients: Arc::new(MruTable::new(7, &[0; 16])),
    };
    let open = [Network::ANY_V4, Network::ANY_V6];
    let open = open.map(|network| AccessRule::new(network, RestrictFlags::NONE));
    let policy = |rules: &[AccessRule], source| Policy::new(rules.iter().copied(), source);
    let none = Some(RestrictFlags::NONE);
    assert!(
        policy(&open, none)
            .with_watch(watch.clone(), false)
            .watch()
            .is_none()
    );
    assert!(
        policy(&open, none)
            .with_watch(watch.clone(), true)
            .watch()
            .is_some()
    );
    assert!(
        policy(&open, None)
            .with_watch(watch.clone(), false)
            .watch()
            .is_some()
    );
    assert!(policy(&[], none).with_watch(watch, false).watch().is_some());
}
