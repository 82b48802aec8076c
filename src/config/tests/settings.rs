//! Each directive and option is carried into the settings.

use std::net::IpAddr;

use truechimer_config::settings::{
    AssociationKind, AssociationOptions, FLAG_NAMES, Families, Family, Files, Host, ListenAction,
    ListenTarget, RestrictFlags, RestrictTarget, SystemFlags, Tinker, Tos,
};
use truechimer_config::{LoadError, Loader, NoFiles, Settings, Severity, codes, parse};

/// The settings of a text that is free of errors.
fn settings(text: &str) -> Settings {
    let parsed = parse("c", text.as_bytes(), &NoFiles);
    assert!(!parsed.has_errors(), "{}", parsed.render(false));
    parsed.settings
}

/// The settings of a text that makes no complaint at all.
fn clean(text: &str) -> Settings {
    let parsed = parse("c", text.as_bytes(), &NoFiles);
    assert_eq!(parsed.render(false), "");
    parsed.settings
}

fn codes_of(text: &str) -> Vec<&'static str> {
    parse("c", text.as_bytes(), &NoFiles)
        .diagnostics
        .iter()
        .map(|d| d.code)
        .collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn nothing_is_the_reference_default() {
    let s = clean("\n# only a comment\n  \t\r\n");
    assert_eq!(s, Settings::default());
    assert_eq!((s.tos.minclock, s.tos.maxclock, s.tos.minsane), (3, 10, 1));
    assert_eq!((s.tos.mindist_s, s.tos.maxdist_s), (0.001, 1.5));
    assert_eq!(
        (s.tinker.stepfwd_s, s.tinker.panic_s),
        (Some(0.128), Some(1000.0))
    );
    assert_eq!((s.tinker.stepout_s, s.tinker.dispersion_ppm), (300.0, 15.0));
    assert_eq!(
        s.flags,
        SystemFlags {
            auth: true,
            kernel: true,
            ntp: true
        }
    );
}

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
    let with = |words: &str| {
        clean(&format!("server a {words}")).associations[0]
            .options
            .clone()
    };
    let default = AssociationOptions::default;
    assert_eq!(
        with("iburst"),
        AssociationOptions {
            iburst: true,
            ..default()
        }
    );
    assert_eq!(
        with("burst"),
        AssociationOptions {
            burst: true,
            ..default()
        }
    );
    assert_eq!(
        with("prefer"),
        AssociationOptions {
            prefer: true,
            ..default()
        }
    );
    assert_eq!(
        with("true"),
        AssociationOptions {
            truechimer: true,
            ..default()
        }
    );
    assert_eq!(
        with("noselect"),
        AssociationOptions {
            noselect: true,
            ..default()
        }
    );
    assert_eq!(
        with("preempt"),
        AssociationOptions {
            preempt: true,
            ..default()
        }
    );
    assert_eq!(
        with("key 65535"),
        AssociationOptions {
            key: Some(65535),
            ..default()
        }
    );
    assert_eq!(
        with("version 3"),
        AssociationOptions {
            version: 3,
            ..default()
        }
    );
    assert_eq!(
        with("minpoll 0"),
        AssociationOptions {
            minpoll_log2_s: 0,
            ..default()
        }
    );
    assert_eq!(
        with("maxpoll 17"),
        AssociationOptions {
            maxpoll_log2_s: 17,
            ..default()
        }
    );
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
fn bounds_of_numbers() {
    for (good, bad) in [
        ("server a version 1", "server a version 0"),
        ("server a version 4", "server a version 5"),
        ("server a key 1", "server a key 0"),
        ("server a minpoll 0", "server a minpoll -1"),
        ("tos ceiling 1", "tos ceiling 0"),
        ("tos floor 15", "tos floor 16"),
        ("tos cohort 1", "tos cohort 2"),
        ("tos minclock 1", "tos minclock 0"),
        ("tos maxdist 0", "tos maxdist -0.1"),
        ("tinker freq -500", "tinker freq -500.1"),
        ("tinker freq 5e2", "tinker freq 501"),
        ("tinker dispersion 0", "tinker dispersion -1"),
        ("tinker panic 0", "tinker panic inf"),
        ("tinker step .5", "tinker step nan"),
        ("restrict ::1 ippeerlimit -1", "restrict ::1 ippeerlimit -2"),
        ("restrict ::1/128", "restrict ::1/129"),
        (
            "server 127.127.1.0\nfudge 127.127.1.0 stratum 16",
            "fudge 127.127.1.0 stratum 17",
        ),
        (
            "server 127.127.1.0\nfudge 127.127.1.0 flag1 1",
            "fudge 127.127.1.0 flag1 2",
        ),
        (
            "server 127.127.1.0\nfudge 127.127.1.0 time1 86400",
            "fudge 127.127.1.0 time1 86401",
        ),
    ] {
        settings(good);
        assert!(parse("c", bad.as_bytes(), &NoFiles).has_errors(), "{bad}");
    }
}

#[test]
fn a_broken_line_leaves_nothing() {
    let text = "server a minpol 3\nrestrict default noqyery\ntos minclock 5 x\ntinker panic 0 x\n\
        disable ntp x\ntrustedkey 1 x\ncontrolkey 1 x\nkeys /k x\ninterface listen all x\n\
        driftfile /d 1 x\nleapfile /l x\nserver 127.127.1.0 x";
    let parsed = parse("c", text.as_bytes(), &NoFiles);
    assert_eq!(parsed.settings, Settings::default());
    let lines = parsed
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error);
    let lines: Vec<_> = lines
        .filter_map(|d| d.span.as_ref())
        .map(|span| span.line)
        .collect();
    assert_eq!(lines, (1..=12).collect::<Vec<_>>());
}

#[test]
fn a_server_that_asks_for_unbuilt_protection_is_left_out() {
    for text in ["server a autokey", "server a ident G iburst"] {
        assert_eq!(codes_of(text), [codes::LEFT_OUT.id], "{text}");
        assert!(settings(text).associations.is_empty());
    }
    let kept = settings("server a ttl 3 xleave xmtnonce iburst");
    assert!(kept.associations[0].options.iburst);
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
fn each_restrict_flag_alone() {
    for (name, flag) in FLAG_NAMES {
        let fuzz = if *name == "serverresponse" {
            " fuzz"
        } else {
            ""
        };
        let s = settings(&format!("restrict ::1 {name}{fuzz}"));
        assert_eq!(s.restrictions[0].flags, *flag, "{name}");
    }
    assert!(parse("c", b"restrict ::1 serverresponse", &NoFiles).has_errors());
    assert!(clean("restrict ::1").restrictions[0].flags.is_empty());
    assert_eq!(FLAG_NAMES.len(), 17);
    let both = settings("restrict ::1 noepeer epeer").restrictions[0].flags;
    assert!(both.is_empty());
}

#[test]
fn restrict_targets() {
    let target = |words: &str| settings(&format!("restrict {words}")).restrictions[0].target;
    let net = |text, prefix_bits| RestrictTarget::Net {
        address: ip(text),
        prefix_bits,
    };
    assert_eq!(target("default"), RestrictTarget::Default(Families::Both));
    assert_eq!(
        target("-4 default ignore"),
        RestrictTarget::Default(Families::Ipv4)
    );
    assert_eq!(
        target("-6 default ignore"),
        RestrictTarget::Default(Families::Ipv6)
    );
    assert_eq!(target("source nomodify"), RestrictTarget::Source);
    assert_eq!(target("192.0.2.1"), net("192.0.2.1", 32));
    assert_eq!(target("2001:db8::/32 notrust"), net("2001:db8::", 32));
    assert_eq!(
        target("192.168.1.11 mask 255.255.255.0 nomodify"),
        net("192.168.1.0", 24)
    );
    assert_eq!(
        target("2001:db8:b19:3bb0:: mask ffff:ffff:ffff:ffff:: notrust"),
        net("2001:db8:b19:3bb0::", 64)
    );
    for bad in [
        "-4 source",
        "-4 ::1",
        "localhost",
        "default mask 255.0.0.0",
        "::1 mask 255.0.0.0",
        "10.0.0.0/8 mask 255.0.0.0",
        "10.0.0.0 mask",
        "10.0.0.0 mask 8",
    ] {
        assert!(
            parse("c", format!("restrict {bad}").as_bytes(), &NoFiles).has_errors(),
            "{bad}"
        );
    }
}

#[test]
fn restrict_rules_keep_order_limits_and_flags() {
    let s = clean("restrict default limited kod\nrestrict ::1 ippeerlimit 3 noquery nopeer");
    assert_eq!(s.restrictions.len(), 2);
    assert_eq!(
        s.restrictions[0].flags,
        RestrictFlags::LIMITED.with(RestrictFlags::KOD)
    );
    assert_eq!(s.restrictions[0].ip_peer_limit, None);
    assert_eq!(s.restrictions[1].ip_peer_limit, Some(3));
    assert!(
        s.restrictions[1]
            .flags
            .contains(RestrictFlags::NOQUERY.with(RestrictFlags::NOPEER))
    );
    assert_eq!(
        clean("restrict ::1 ippeerlimit -1").restrictions[0].ip_peer_limit,
        None
    );
}

#[test]
fn listen_rules() {
    let s = clean(
        "interface ignore wildcard\nnic listen ipv4\ninterface drop ipv6\nnic listen all\n\
         interface listen eth0\ninterface listen 192.168.1.7/24\ninterface listen ::1",
    );
    let net = |text, prefix_bits| ListenTarget::Net {
        address: ip(text),
        prefix_bits,
    };
    let seen: Vec<_> = s
        .listen_rules
        .iter()
        .map(|r| (r.action, r.target.clone()))
        .collect();
    assert_eq!(
        seen,
        [
            (ListenAction::Ignore, ListenTarget::Wildcard),
            (ListenAction::Listen, ListenTarget::Ipv4),
            (ListenAction::Drop, ListenTarget::Ipv6),
            (ListenAction::Listen, ListenTarget::All),
            (ListenAction::Listen, ListenTarget::Name("eth0".into())),
            (ListenAction::Listen, net("192.168.1.0", 24)),
            (ListenAction::Listen, net("::1", 128)),
        ]
    );
}

#[test]
fn keys() {
    let s = settings(
        "keys \"/etc/ntp keys\"\ntrustedkey 1 (5 ... 7)\ntrustedkey (9...10) 12\n\
         controlkey 3\nrequestkey 4",
    );
    let keys = &s.authentication;
    assert_eq!(keys.keys_file.as_ref().unwrap().value, "/etc/ntp keys");
    let ranges: Vec<_> = keys.trusted_keys.ranges().collect();
    assert_eq!(ranges, [1..=1, 5..=7, 9..=10, 12..=12]);
    assert_eq!(keys.control_key.as_ref().unwrap().value, 3);
    assert_eq!(keys.request_key.as_ref().unwrap().value, 4);
    assert_eq!(keys.request_key.as_ref().unwrap().span.column, 12);
}

#[test]
fn each_tos_option_alone() {
    let with = |words: &str| settings(&format!("tos {words}")).tos;
    let default = Tos::default;
    assert_eq!(
        with("minclock 4.9"),
        Tos {
            minclock: 4,
            ..default()
        }
    );
    assert_eq!(
        with("maxclock 20"),
        Tos {
            maxclock: 20,
            ..default()
        }
    );
    assert_eq!(
        with("minsane 2"),
        Tos {
            minsane: 2,
            ..default()
        }
    );
    assert_eq!(
        with("floor 2"),
        Tos {
            floor: 2,
            ..default()
        }
    );
    assert_eq!(
        with("ceiling 9"),
        Tos {
            ceiling: 9,
            ..default()
        }
    );
    assert_eq!(
        with("ceiling 16"),
        Tos {
            ceiling: 15,
            ..default()
        }
    );
    assert_eq!(
        with("cohort 1"),
        Tos {
            cohort: true,
            ..default()
        }
    );
    assert_eq!(
        with("mindist .01"),
        Tos {
            mindist_s: 0.01,
            ..default()
        }
    );
    assert_eq!(
        with("maxdist 16"),
        Tos {
            maxdist_s: 16.0,
            ..default()
        }
    );
    for unbuilt in [
        "beacon 1",
        "orphan 5",
        "orphanwait 9",
        "bcpollbstep 1",
        "basedate 2020-01-01",
    ] {
        let text = format!("tos {unbuilt} minsane 2");
        assert_eq!(codes_of(&text), [codes::NOT_BUILT.id], "{unbuilt}");
        assert_eq!(settings(&text).tos.minsane, 2, "the words after {unbuilt}");
    }
}

#[test]
fn each_tinker_option_alone() {
    let with = |words: &str| settings(&format!("tinker {words}")).tinker;
    let default = Tinker::default;
    let step = Some(0.4);
    assert_eq!(
        with("step 0.4"),
        Tinker {
            stepback_s: step,
            stepfwd_s: step,
            ..default()
        }
    );
    assert_eq!(
        with("step 0"),
        Tinker {
            stepback_s: None,
            stepfwd_s: None,
            ..default()
        }
    );
    assert_eq!(
        with("stepback 0.4"),
        Tinker {
            stepback_s: step,
            ..default()
        }
    );
    assert_eq!(
        with("stepfwd 0.4"),
        Tinker {
            stepfwd_s: step,
            ..default()
        }
    );
    assert_eq!(
        with("stepout 900"),
        Tinker {
            stepout_s: 900.0,
            ..default()
        }
    );
    assert_eq!(
        with("stepout 0"),
        Tinker {
            stepout_s: 300.0,
            ..default()
        }
    );
    assert_eq!(
        with("panic 0"),
        Tinker {
            panic_s: None,
            ..default()
        }
    );
    assert_eq!(
        with("panic 60"),
        Tinker {
            panic_s: Some(60.0),
            ..default()
        }
    );
    assert_eq!(
        with("dispersion 10"),
        Tinker {
            dispersion_ppm: 10.0,
            ..default()
        }
    );
    assert_eq!(
        with("allan 10"),
        Tinker {
            allan_s: 1024.0,
            ..default()
        }
    );
    assert_eq!(
        with("allan 1500"),
        Tinker {
            allan_s: 1500.0,
            ..default()
        }
    );
    assert_eq!(
        with("freq -12.5"),
        Tinker {
            freq_ppm: Some(-12.5),
            ..default()
        }
    );
    for unbuilt in ["huffpuff 7200", "tick 0.01"] {
        let text = format!("tinker {unbuilt} panic 0");
        assert_eq!(codes_of(&text), [codes::NOT_BUILT.id], "{unbuilt}");
        assert_eq!(settings(&text).tinker.panic_s, None);
    }
}

#[test]
fn enable_and_disable() {
    let default = SystemFlags::default;
    assert_eq!(
        clean("disable auth").flags,
        SystemFlags {
            auth: false,
            ..default()
        }
    );
    assert_eq!(
        clean("disable kernel").flags,
        SystemFlags {
            kernel: false,
            ..default()
        }
    );
    assert_eq!(
        clean("disable ntp").flags,
        SystemFlags {
            ntp: false,
            ..default()
        }
    );
    assert_eq!(
        clean("disable ntp auth kernel\nenable ntp auth kernel").flags,
        default()
    );
    for unbuilt in [
        "bclient",
        "calibrate",
        "mode7",
        "monitor",
        "stats",
        "unpeer_crypto_early",
    ] {
        assert_eq!(
            codes_of(&format!("enable {unbuilt}")),
            [codes::NOT_BUILT.id]
        );
        clean(&format!("disable {unbuilt}"));
    }
}

#[test]
fn files() {
    let s = clean("driftfile /d\nleapfile /l ignorehash\nlogfile /g\npidfile /p");
    let value = |path: &Option<truechimer_config::settings::Located<String>>| {
        path.as_ref().unwrap().value.clone()
    };
    let files = &s.files;
    let all = [
        value(&files.drift),
        value(&files.leap),
        value(&files.log),
        value(&files.pid),
    ];
    assert_eq!(all, ["/d", "/l", "/g", "/p"]);
    assert!(!files.check_leap_hash);
    assert!(clean("leapfile /l checkhash").files.check_leap_hash);
    assert!(clean("leapfile /l").files.check_leap_hash);
    for none in ["driftfile", "driftfile \"\""] {
        assert_eq!(
            clean(&format!("driftfile /d\n{none}")).files,
            Files::default()
        );
    }
    assert_eq!(codes_of("driftfile /d 1.5"), [codes::NOT_BUILT.id]);
    assert!(settings("driftfile /d 1.5").files.drift.is_some());
}

#[test]
fn every_unbuilt_directive_is_known_and_only_warned_about() {
    for name in "automax broadcast broadcastclient broadcastdelay crypto delrestrict device \
        discard dscp filegen ident keysdir leapsmearinterval logconfig manycastclient \
        manycastserver mdnstries mru multicastclient nonvolatile ntpsigndsocket peer phone \
        pollskewlist reset revoke rlimit saveconfigdir setvar simulate statistics statsdir tick \
        trap ttl unconfig unpeer"
        .split_whitespace()
    {
        let parsed = parse("c", format!("{name} x y 1").as_bytes(), &NoFiles);
        assert_eq!(parsed.diagnostics.len(), 1, "{name}");
        assert_eq!(parsed.diagnostics[0].severity, Severity::NotBuilt, "{name}");
        assert!(
            parsed.diagnostics[0]
                .message
                .starts_with(&format!("`{name}` is known but not"))
        );
        assert!(!parsed.has_errors());
    }
}

#[test]
fn keywords_are_lower_case_and_not_quoted() {
    for bad in [
        "SERVER a",
        "server a IBURST",
        "\"server\" a",
        "server a \"iburst\"",
    ] {
        assert!(parse("c", bad.as_bytes(), &NoFiles).has_errors(), "{bad}");
    }
}

#[test]
fn crlf_and_no_last_line_end() {
    let s = clean("server a\r\nserver b iburst\r\n# c\r\nkeys /k");
    assert!(s.associations[1].options.iburst);
    assert_eq!(s.authentication.keys_file.unwrap().value, "/k");
}

struct Texts;

impl Loader for Texts {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match path {
            "a" => Ok(b"server a\nincludefile b\nserver z".to_vec()),
            "b" => Ok(b"server b nonsense\ntos floor 1".to_vec()),
            "stop" => Ok(b"server stop\nend\nserver never".to_vec()),
            "big" => Ok(vec![b'#'; truechimer_config::limits::FILE_BYTES + 1]),
            other => match other.strip_prefix('n').and_then(|n| n.parse::<u32>().ok()) {
                Some(1) => Ok(b"server deepest".to_vec()),
                Some(n) => Ok(format!("includefile n{}", n - 1).into_bytes()),
                None => Err(LoadError::NotFound),
            },
        }
    }
}

#[test]
fn included_files_are_read_in_place_and_complained_about_by_name() {
    let parsed = parse("c", b"includefile a\nserver y", &Texts);
    let hosts: Vec<_> = parsed
        .settings
        .associations
        .iter()
        .map(|a| a.host.to_string())
        .collect();
    assert_eq!(hosts, ["a", "z", "y"]);
    assert_eq!(parsed.settings.tos.floor, 1);
    assert_eq!(parsed.diagnostics.len(), 1);
    assert_eq!(parsed.diagnostics[0].file(), Some("b"));
    assert!(parsed.render(false).contains("b:1:10"));
}

#[test]
fn includes_nest_five_deep_and_no_deeper() {
    assert!(!parse("c", b"includefile n5", &Texts).has_errors());
    let parsed = parse("c", b"includefile n6\nserver after", &Texts);
    assert_eq!(parsed.diagnostics[0].code, codes::INCLUDE_TOO_DEEP.id);
    assert_eq!(parsed.settings.associations.len(), 1);
}

#[test]
fn end_stops_every_file_and_large_includes_are_refused() {
    let parsed = parse("c", b"includefile stop\nserver never nonsense", &Texts);
    assert!(!parsed.has_errors());
    assert_eq!(parsed.settings.associations.len(), 1);
    assert!(parse("c", b"includefile big", &Texts).has_errors());
    assert!(parse("c", b"includefile missing", &Texts).has_errors());
}
