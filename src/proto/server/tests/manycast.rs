//! Requests that came to many: who is answered, and that nobody else gets a word.
use super::bench::{Bench, LOCAL, keyed, request};
use crate::packet::{LinkId, Via};
use crate::server::{
    AccessRule, DropReason, Limits, Manycast, MruTable, Network, Policy, Rates, RestrictFlags,
    Verdict, Watch,
};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use truechimer_time::leap::LeapIndicator;
use truechimer_wire::{Header, Mode, ReferenceId};

const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(239, 1, 1, 1));

fn to(group: IpAddr) -> Via {
    Via::Many {
        to: group,
        link: LinkId(2),
        local: LOCAL,
    }
}

/// A manycast server of stratum 2.
fn bench(cohort: bool) -> Bench {
    let mut bench = Bench::new();
    bench.policy = Policy::default().with_manycast(Manycast::new([GROUP], cohort));
    bench.via = to(GROUP);
    bench
}

fn asking(stratum: u8, reference: [u8; 4]) -> [u8; 48] {
    let mut header = Header::parse(&request(4, Mode::Client));
    header.stratum = stratum;
    header.reference_id = ReferenceId::from_octets(reference);
    header.to_octets()
}

#[test]
fn a_minimised_request_is_answered() {
    let mut bench = bench(false);
    let reply = bench.reply_to(&request(4, Mode::Client));
    assert_eq!((reply.mode, reply.stratum), (Mode::Server, 2));
    let sealed = keyed(&request(4, Mode::Client), 7, 0);
    assert_eq!(bench.answer(&sealed), Verdict::Reply(68));
}

#[test]
fn only_manycast_servers_answer_and_only_in_their_groups() {
    let dropped = Verdict::Drop(DropReason::ToMany);
    let plain = request(4, Mode::Client);
    let mut none = Bench::new();
    none.via = to(GROUP);
    assert_eq!(none.answer(&plain), dropped);
    for other in [[239, 1, 1, 2], [224, 0, 1, 1], [192, 0, 2, 255]] {
        let mut bench = bench(false);
        bench.via = to(IpAddr::from(other));
        assert_eq!(bench.answer(&plain), dropped, "{other:?}");
        assert_eq!(bench.responder.counters().dropped(DropReason::ToMany), 1);
    }
}

#[test]
fn no_other_mode_gets_a_word() {
    for version in 1..=4 {
        for mode in (0..8).map(Mode::from_bits).filter(|it| *it != Mode::Client) {
            let verdict = bench(true).answer(&request(version, mode));
            let dropped = Verdict::Drop(DropReason::Mode);
            assert_eq!(verdict, dropped, "{version} {mode:?}");
        }
    }
}

#[test]
fn who_has_no_time_keeps_silent() {
    let plain = request(4, Mode::Client);
    let mut unset = bench(true);
    unset.snapshot.leap = LeapIndicator::NotSynchronized;
    assert_eq!(unset.answer(&plain), Verdict::Drop(DropReason::NoHelp));
    let mut unset = bench(true);
    unset.snapshot.stratum = 16;
    assert_eq!(unset.answer(&plain), Verdict::Drop(DropReason::NoHelp));
}

#[test]
fn strata_must_fit() {
    // We are of stratum 2; 0 and 16 are a client that has no time yet.
    for (asker, alone, among_equals) in [
        (0, true, true),
        (16, true, true),
        (255, true, true),
        (3, true, true),
        (2, true, true),
        (1, false, true),
    ] {
        for (cohort, helped) in [(false, alone), (true, among_equals)] {
            let verdict = bench(cohort).answer(&asking(asker, [0; 4]));
            let replied = verdict == Verdict::Reply(48);
            assert_eq!(replied, helped, "{asker} {cohort}: {verdict:?}");
        }
    }
    let mut far = bench(true);
    far.snapshot.stratum = 3;
    let verdict = far.answer(&asking(1, [0; 4]));
    assert_eq!(verdict, Verdict::Drop(DropReason::NoHelp));
}

#[test]
fn who_follows_us_needs_no_help_and_we_need_none_of_ours() {
    let dropped = Verdict::Drop(DropReason::NoHelp);
    assert_eq!(bench(true).answer(&asking(3, [192, 0, 2, 1])), dropped);
    let other = bench(true).answer(&asking(3, [192, 0, 2, 2]));
    assert_eq!(other, Verdict::Reply(48));
    let mut ours = bench(true);
    ours.source = SocketAddr::new(LOCAL.ip(), 40_000);
    assert_eq!(ours.answer(&request(4, Mode::Client)), dropped);
    // Where no MD5 is to be had an IPv6 host cannot know, and answers.
    let mut six = bench(true);
    six.via = Via::Many {
        to: GROUP,
        link: LinkId(2),
        local: SocketAddr::from((Ipv6Addr::LOCALHOST, 123)),
    };
    let verdict = six.answer(&asking(3, [192, 0, 2, 1]));
    assert_eq!(verdict, Verdict::Reply(48));
}

#[test]
fn a_wrong_mac_gets_no_complaint() {
    let mut bench = bench(false);
    for spoilt in [
        keyed(&request(4, Mode::Client), 7, 1),
        keyed(&request(4, Mode::Client), 77, 0),
    ] {
        let verdict = bench.answer(&spoilt);
        assert_eq!(verdict, Verdict::Drop(DropReason::Unproven));
    }
    let counters = bench.responder.counters();
    assert_eq!((counters.crypto_naks, counters.replied), (0, 0));
}

#[test]
fn rules_bind_and_nobody_is_kissed() {
    let plain = request(4, Mode::Client);
    let with = |flags| {
        let rule = AccessRule::new(Network::ANY_V4, flags);
        Policy::new([rule], None).with_manycast(Manycast::new([GROUP], false))
    };
    for (flags, reason) in [
        (RestrictFlags::IGNORE, DropReason::Ignored),
        (RestrictFlags::NOSERVE, DropReason::NotServed),
        (RestrictFlags::NOTRUST, DropReason::NotTrusted),
    ] {
        let mut bench = bench(false);
        bench.policy = with(flags);
        assert_eq!(bench.answer(&plain), Verdict::Drop(reason));
    }
    let mut bench = bench(false);
    let watch = Watch {
        limits: Limits {
            rates: Rates::new(3, 2),
            maxage_s: 64,
            monitor_s: 0,
        },
        clients: Arc::new(MruTable::new(64, &[0; 16])),
    };
    let limited = RestrictFlags::LIMITED.with(RestrictFlags::KOD);
    bench.policy = with(limited).with_watch(watch, true);
    for _ in 0..200 {
        bench.answer(&plain);
    }
    let counters = bench.responder.counters();
    assert_eq!(counters.kod_sent, 0);
    assert!(counters.dropped(DropReason::Limited) > 100);
}
