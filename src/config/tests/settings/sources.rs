//! Servers, pools, reference clocks.

use truechimer_config::settings::{AssociationKind, AssociationOptions, Family, Host};
use truechimer_config::{NoFiles, codes, parse};

use crate::{clean, codes_of, ip, settings};

#[test]
fn servers_and_pools() {
    let s = clean("server 192.0.2.1\npool -6 pool.example.org\nserver [2001:db8::1]\nserver -4 a");
    let seen: Vec<_> = s
        .associations
        .iter()
        .map(|a| (a.kind, a.host.clone(), a.family))
        .collect();
    let name = |text: &str| Host::Name(text.into());
    assert_eq!(
        seen,
        [
            (
                AssociationKind::Server,
                Host::Address(ip("192.0.2.1")),
                None
            ),
            (
                AssociationKind::Pool,
                name("pool.example.org"),
                Some(Family::Ipv6)
            ),
            (
                AssociationKind::Server,
                Host::Address(ip("2001:db8::1")),
                None
            ),
            (AssociationKind::Server, name("a"), Some(Family::Ipv4)),
        ]
    );
    assert_eq!(s.associations[0].options, AssociationOptions::default());
    assert_eq!(s.associations[1].span.line, 2);
}

#[test]
fn each_association_option_alone() {
    type Change = fn(&mut AssociationOptions);
    let changes: [(&str, Change); 10] = [
        ("iburst", |o| o.iburst = true),
        ("burst", |o| o.burst = true),
        ("prefer", |o| o.prefer = true),
        ("true", |o| o.truechimer = true),
        ("noselect", |o| o.noselect = true),
        ("preempt", |o| o.preempt = true),
        ("key 65535", |o| o.key = Some(65535)),
        ("version 3", |o| o.version = 3),
        ("minpoll 0", |o| o.minpoll_log2_s = 0),
        ("maxpoll 17", |o| o.maxpoll_log2_s = 17),
    ];
    for (words, change) in changes {
        let mut expected = AssociationOptions::default();
        change(&mut expected);
        let parsed = clean(&format!("server a {words}"));
        assert_eq!(parsed.associations[0].options, expected, "{words}");
    }
}

#[test]
fn polls_are_never_crossed() {
    let with = |words: &str| {
        let options = settings(&format!("server a {words}")).associations[0]
            .options
            .clone();
        (options.minpoll_log2_s, options.maxpoll_log2_s)
    };
    assert_eq!(with("maxpoll 4"), (4, 4));
    assert_eq!(with("minpoll 12"), (12, 12));
    assert_eq!(with("minpoll 10"), (10, 10));
    assert_eq!(with("maxpoll 9 minpoll 8"), (8, 9));
}

#[test]
fn a_server_whose_proof_nobody_would_ask_for_is_left_out() {
    for (text, code) in [
        ("server a autokey", codes::AUTOKEY_OFF),
        ("server a ident G iburst", codes::IDENT_ALONE),
        ("crypto pw p\nserver a ident G iburst", codes::IDENT_ALONE),
        ("server a nts", codes::LEFT_OUT),
    ] {
        assert_eq!(codes_of(text), [code.id], "{text}");
        assert!(settings(text).associations.is_empty());
    }
}

#[test]
fn autokey_before_and_after_the_line_that_turns_it_on() {
    for text in [
        "crypto pw p\nserver a autokey ident G",
        "server a autokey ident G\ncrypto pw p",
    ] {
        let options = clean(text).associations[0].options.clone();
        assert!(options.autokey && options.ident.as_deref() == Some("G"));
    }
    let both = "crypto\nserver a key 5 autokey";
    assert_eq!(codes_of(both), [codes::OPTION_WITHOUT_EFFECT.id]);
    assert_eq!(settings(both).associations[0].options.key, None);
}

#[test]
fn a_host_is_of_as_many_groups_as_are_named() {
    let idents = |text: &str| settings(text).autokey.idents;
    assert_eq!(
        idents("crypto pw p ident GR1 ident GR2\ncrypto ident GR3\ncrypto ident GR1"),
        ["GR1", "GR2", "GR3"]
    );
    let many: String = (0..65).map(|it| format!("crypto ident G{it}\n")).collect();
    let parsed = parse("c", many.as_bytes(), &NoFiles);
    assert_eq!(parsed.settings.autokey.idents.len(), 64);
    assert_eq!(codes_of(&many), [codes::TOO_MANY_GROUPS.id]);
}

#[test]
fn a_second_line_adds_the_proof_it_asks_for() {
    let of = |first: &str, second: &str| {
        let text = format!("crypto\nserver 192.0.2.1 {first}\nserver 192.0.2.1 {second}");
        let options = settings(&text).associations[0].options.clone();
        (options.autokey, options.ident, options.key)
    };
    let group = Some("G".to_owned());
    assert_eq!(of("iburst", "autokey ident G"), (true, group.clone(), None));
    assert_eq!(of("key 5", "autokey"), (true, None, None));
    assert_eq!(of("autokey", "key 5"), (true, None, None));
    assert_eq!(of("autokey ident G", "iburst"), (true, group, None));
    assert_eq!(of("iburst", "key 5"), (false, None, Some(5)));
}

#[test]
fn duplicates_of_addresses_only() {
    assert_eq!(
        settings("server 192.0.2.1\nserver 192.0.2.1")
            .associations
            .len(),
        1
    );
    assert_eq!(clean("server a.org\nserver a.org").associations.len(), 2);
    assert_eq!(
        clean("server 192.0.2.1\npool 192.0.2.1").associations.len(),
        2
    );
    assert_eq!(
        settings("server 127.127.1.0\nserver 127.127.1.0")
            .refclocks
            .len(),
        1
    );
}

#[test]
fn local_clock_and_its_fudges() {
    let s = clean(
        "fudge 127.127.1.3 stratum 10 refid LOCL time1 0.5 flag1 1\n\
         server 127.127.1.3 mode 7 prefer true noselect minpoll 5\n\
         fudge 127.127.1.3 stratum 11 time2 -2.5 flag2 0 flag3 1 flag4 1",
    );
    assert!(s.associations.is_empty());
    let clock = &s.refclocks[0];
    assert_eq!((clock.driver, clock.unit, clock.mode), (1, 3, 7));
    assert!(clock.prefer && clock.truechimer && clock.noselect);
    assert_eq!((clock.minpoll_log2_s, clock.maxpoll_log2_s), (5, 5));
    assert_eq!(
        (clock.fudge.stratum, clock.fudge.refid),
        (Some(11), Some(*b"LOCL"))
    );
    assert_eq!(
        (clock.fudge.time1_s, clock.fudge.time2_s),
        (Some(0.5), Some(-2.5))
    );
    assert_eq!(
        clock.fudge.flags,
        [Some(true), Some(false), Some(true), Some(true)]
    );
    let plain = &clean("server 127.127.1.0").refclocks[0];
    assert_eq!((plain.minpoll_log2_s, plain.maxpoll_log2_s), (6, 6));
    assert!(!plain.prefer && !plain.truechimer && !plain.noselect);
    assert_eq!(plain.fudge, truechimer_config::settings::Fudge::default());
}

#[test]
fn refids_are_cut_and_padded() {
    let refid = |text: &str| {
        settings(&format!(
            "server 127.127.1.0\nfudge 127.127.1.0 refid {text}"
        ))
        .refclocks[0]
            .fudge
            .refid
    };
    assert_eq!(refid("Port2"), Some(*b"Port"));
    assert_eq!(refid("X"), Some([b'X', 0, 0, 0]));
    assert_eq!(refid("true"), Some(*b"true"));
}

#[test]
fn a_fudge_of_a_clock_that_is_not_built_is_no_orphan() {
    let text = "server 127.127.20.0\nfudge 127.127.20.0 time2 0.4";
    assert_eq!(codes_of(text), [codes::DRIVER_NOT_BUILT.id]);
    assert_eq!(
        codes_of("fudge 127.127.1.1 flag1 1"),
        [codes::ORPHAN_FUDGE.id]
    );
    let message = &parse("c", text.as_bytes(), &NoFiles).diagnostics[0].message;
    assert!(message.contains("NMEA"), "{message}");
}

#[test]
fn a_key_on_a_second_line_is_not_dropped() {
    let key_of = |text: &str| settings(text).associations[0].options.key;
    let (plain, keyed) = ("server 192.0.2.1\n", "server 192.0.2.1 key 5\n");
    assert_eq!(key_of(&format!("{plain}{keyed}")), Some(5));
    assert_eq!(key_of(&format!("{keyed}{plain}")), Some(5));
    assert_eq!(key_of(&format!("{keyed}server 192.0.2.1 key 7")), Some(5));
}
