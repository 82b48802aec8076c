//! What 4.2.8 and NTPsec know beyond what is built: it is read into the settings all the same.

use truechimer_config::settings::{
    AssociationKind, BaseDate, CounterSet, Engine, EngineName, Host, LegacyFile, StampFilter,
};
use truechimer_config::{NoFiles, Settings, Severity, codes, parse};

use crate::{clean, codes_of, ip, settings};

#[test]
fn all_modes_in_the_order_of_the_file() {
    let s = settings(
        "peer a key 3 xleave\nbroadcast 224.0.1.1 key 2 ttl 255\n\
         broadcast 192.168.1.255\nmanycastclient -6 ff05::101 maxpoll 12 ttl 1 key 2\nserver b",
    );
    let kinds: Vec<_> = s.associations.iter().map(|a| a.kind).collect();
    assert_eq!(
        kinds,
        [
            AssociationKind::Peer,
            AssociationKind::Broadcast,
            AssociationKind::Broadcast,
            AssociationKind::ManycastClient,
            AssociationKind::Server
        ]
    );
    let [peer, broadcast, _, manycast, _] = s.associations.as_slice() else {
        panic!("five")
    };
    assert!(peer.options.xleave);
    assert_eq!(
        (broadcast.options.key, broadcast.options.ttl),
        (Some(2), Some(255))
    );
    assert_eq!(broadcast.host, Host::Address(ip("224.0.1.1")));
    assert_eq!(
        (manycast.options.ttl, manycast.options.maxpoll_log2_s),
        (Some(1), 12)
    );
}

#[test]
fn an_address_of_the_wrong_kind() {
    for (text, code) in [
        ("peer 224.0.1.1", codes::NOT_UNICAST),
        ("manycastclient 192.0.2.1", codes::NOT_A_GROUP),
        ("manycastserver 192.0.2.1", codes::NOT_A_GROUP),
        ("multicastclient 192.0.2.255", codes::NOT_A_GROUP),
        ("multicastclient ntp.mcast.net", codes::NOT_A_GROUP),
        (
            "multicastclient 224.0.1.1 key 2",
            codes::OPTION_WITHOUT_EFFECT,
        ),
        ("broadcast ::1", codes::NOT_A_GROUP),
        ("broadcast 127.0.0.1", codes::NOT_A_GROUP),
        ("broadcast 224.0.1.1 ttl 0", codes::OUT_OF_RANGE),
        ("broadcast 224.0.1.1 ttl 256", codes::OUT_OF_RANGE),
        ("peer a ttl 3", codes::OPTION_WITHOUT_EFFECT),
        ("ttl 0", codes::OUT_OF_RANGE),
        ("tos volleywait 86401", codes::OUT_OF_RANGE),
    ] {
        assert_eq!(codes_of(text), [code.id], "{text}");
    }
    for fine in ["broadcast 255.255.255.255", "broadcast ff02::101"] {
        assert!(codes_of(fine).is_empty(), "{fine}");
    }
}

#[test]
fn broadcast_multicast_and_manycast_clients() {
    let b = settings(
        "broadcastclient novolley\nbroadcastdelay 0.0008\nmulticastclient\n\
         multicastclient 224.0.1.9 ff05::101\nmanycastserver 239.1.1.1\nttl 16 32 64",
    )
    .broadcasting;
    assert!(b.client && b.novolley);
    assert_eq!(b.delay_s, Some(0.0008));
    let groups: Vec<_> = b
        .multicast_groups
        .iter()
        .map(|g| g.value.to_string())
        .collect();
    assert_eq!(groups, ["224.0.1.1", "ff05::101", "224.0.1.9"]);
    assert_eq!(b.manycast_groups.len(), 1);
    assert_eq!(b.ttls, [16, 32, 64]);
    assert!(parse("c", b"ttl 1 2 3 4 5 6 7 8 9", &NoFiles).has_errors());
    assert!(parse("c", b"ttl", &NoFiles).has_errors());
}

#[test]
fn autokey() {
    let a = settings(
        "crypto pw secret ident GR1 digest SHA1 insecure revoke 17 threads 2 \
         cores 3 5 host H\ncrypto cert c gqpar g iffpar i \
         mvpar m sign s leap l\nkeysdir /etc/ntp/\nident G\nautomax 12\nrevoke 16\n\
         ntpsigndsocket /run/samba",
    )
    .autokey;
    assert_eq!(a.enabled.as_ref().unwrap().span.line, 1);
    assert_eq!(a.password.as_ref().unwrap().expose(), "secret");
    assert_eq!(
        (a.host.as_deref(), &a.idents[..]),
        (Some("H"), &["GR1".to_owned()][..])
    );
    assert_eq!(
        (a.digest.as_deref(), a.default_ident.as_deref()),
        (Some("SHA1"), Some("G"))
    );
    assert_eq!((a.threads, &*a.cores), (Some(2), &[3, 5][..]));
    assert!(parse("c", b"crypto threads 0", &NoFiles).has_errors());
    for wrong in ["", "x", "9999", "-1", "1 x"] {
        let wrong = format!("crypto cores {wrong}");
        assert!(
            parse("c", wrong.as_bytes(), &NoFiles).has_errors(),
            "{wrong}"
        );
    }
    assert!(a.insecure && !settings("crypto pw p").autokey.insecure);
    assert_eq!((a.revoke_log2_s, a.automax_log2_s), (Some(16), Some(12)));
    assert_eq!(a.keys_dir.unwrap().value, "/etc/ntp/");
    assert_eq!(a.sign_socket.unwrap().value, "/run/samba");
    let files: Vec<_> = a
        .legacy_files
        .iter()
        .map(|(which, file)| (*which, &*file.value))
        .collect();
    assert_eq!(files[0], (LegacyFile::Certificate, "c"));
    assert_eq!(files[5], (LegacyFile::LeapSeconds, "l"));
    assert!(settings("crypto").autokey.enabled.is_some());
    assert!(Settings::default().autokey.enabled.is_none());
    assert_eq!(
        codes_of("randfile /dev/urandom"),
        [codes::RANDFILE_UNUSED.id]
    );
    assert!(parse("c", b"crypto pw", &NoFiles).has_open_guards());
}

#[test]
fn this_host() {
    let m = settings(
        "dscp 0\nmdnstries 5\nleapsmearinterval 86400\ntick 0.01\nrlimit memlock -1 stacksize 50\n\
         rlimit filenum 16\nphone atdt1 \"atdt 2\"\nreset io allpeers io\nreset auth ctl mem sys timer\n\
         trap 192.0.2.1\ntrap h port 1 interface 192.0.2.2\nhwtimestamp *\n\
         hwtimestamp eth0 rxfilter ptp\nhwtimestamp eth0 rxfilter ntp rxcomp 1e-7 txcomp -2e-7",
    )
    .machine;
    let [all, one] = m.hardware_stamping.as_slice() else {
        panic!(
            "the last line for an interface counts: {:?}",
            m.hardware_stamping
        );
    };
    assert_eq!(all.interface, None);
    assert_eq!(one.interface.as_deref(), Some("eth0"));
    assert_eq!(one.filter, StampFilter::Ntp);
    assert_eq!(
        (one.receive_correction_s, one.transmit_correction_s),
        (1e-7, -2e-7)
    );
    assert_eq!(
        (m.dscp, m.mdns_tries, m.leap_smear_interval_s),
        (Some(0), Some(5), 86400)
    );
    assert_eq!(m.tick_s, Some(0.01));
    let limits = (m.limits.memlock_mib, m.limits.stack_pages, m.limits.files);
    assert_eq!(limits, (Some(-1), Some(50), Some(16)));
    assert_eq!(m.phone, ["atdt1", "atdt 2"]);
    assert_eq!(m.resets.len(), 7);
    assert_eq!(m.resets[..2], [CounterSet::Io, CounterSet::AllPeers]);
    assert_eq!((m.traps[0].port, m.traps[1].port), (18447, 1));
    assert_eq!(m.traps[1].interface, Some(Host::Address(ip("192.0.2.2"))));
    assert_eq!(
        settings("nonvolatile 0.5").files.wander_threshold_ppm,
        Some(0.5)
    );
    assert_eq!(
        settings("driftfile /d 2").files.wander_threshold_ppm,
        Some(2.0)
    );
    assert_eq!(
        settings("saveconfigdir /s")
            .files
            .save_config
            .unwrap()
            .value,
        "/s"
    );
}

#[test]
fn how_requests_come_in() {
    let engine = settings("engine uring threads 3 core 5 core 2\nengine linger 0 spin")
        .machine
        .engine;
    let wanted = Engine {
        name: Some(EngineName::Uring),
        threads: Some(3),
        cores: vec![5, 2],
        linger_us: Some(0),
        spin: true,
    };
    assert_eq!(engine, wanted);
    assert_eq!(
        settings("engine core 1\nengine core 7 core 7")
            .machine
            .engine
            .cores,
        [7, 7]
    );
    for (text, code) in [
        ("engine steam", codes::UNKNOWN_OPTION),
        ("engine linger 10001", codes::OUT_OF_RANGE),
        ("engine threads 257", codes::OUT_OF_RANGE),
        ("engine core -1", codes::OUT_OF_RANGE),
    ] {
        assert_eq!(codes_of(text), [code.id], "{text}");
    }
}

#[test]
fn poll_skews() {
    let list = settings("pollskewlist 3 1|2 default 3 | 4 3 0|3")
        .machine
        .poll_skew
        .unwrap();
    let seen: Vec<_> = list
        .iter()
        .map(|s| (s.poll_log2_s, s.early_s, s.late_s))
        .collect();
    assert_eq!(seen, [(None, 3, 4), (Some(3), 0, 3)]);
    assert_eq!(settings("pollskewlist").machine.poll_skew, Some(Vec::new()));
    for bad in [
        "pollskewlist 2 1|1",
        "pollskewlist 3 4|1",
        "pollskewlist 3 1",
        "pollskewlist 3 1 1",
    ] {
        assert!(parse("c", bad.as_bytes(), &NoFiles).has_errors(), "{bad}");
    }
}

#[test]
fn rarer_words_of_tos_tinker_and_fudge() {
    let s = settings(
        "tos beacon 60 orphan 6 orphanwait 30 bcpollbstep 2 volleywait 7 basedate 2024-02-29\n\
         tinker huffpuff 7200 tick 0.01\nserver 127.127.1.0\n\
         fudge 127.127.1.0 abbrev MINE minjitter 0.1\ndevice 127.127.1.0 timedata /t ppsdata /p",
    );
    let tos = &s.tos;
    assert_eq!(
        (tos.beacon_s, tos.orphan_stratum, tos.orphan_wait_s),
        (60, 6, 30)
    );
    assert_eq!((tos.broadcast_backstep_polls, tos.volley_wait_s), (2, 7));
    let leap_day = BaseDate::Civil {
        year: 2024,
        month: 2,
        day: 29,
    };
    assert_eq!(tos.base_date, Some(leap_day));
    assert_eq!(
        settings("tos basedate @45000").tos.base_date,
        Some(BaseDate::NtpDay(45000))
    );
    assert_eq!(
        (s.tinker.huffpuff_s, s.tinker.tick_s),
        (Some(7200.0), Some(0.01))
    );
    let clock = &s.refclocks[0];
    assert_eq!(clock.fudge.abbrev.as_deref(), Some("MINE"));
    assert_eq!(clock.fudge.min_jitter_s, Some(0.1));
    assert_eq!(clock.device.time.as_deref(), Some("/t"));
    assert_eq!(clock.device.pps.as_deref(), Some("/p"));
    for bad in ["1969-01-01", "2024-13-01", "2024-01-32", "2024-01", "soon"] {
        assert_eq!(
            codes_of(&format!("tos basedate {bad}")).first(),
            Some(&codes::BAD_DATE.id)
        );
    }
}

#[test]
fn polls_are_brought_into_range() {
    let polls = |words: &str| {
        let s = settings(&format!("server a {words}"));
        let options = &s.associations[0].options;
        (options.minpoll_log2_s, options.maxpoll_log2_s)
    };
    assert_eq!(polls("minpoll 18"), (17, 17));
    assert_eq!(polls("minpoll -1"), (3, 10));
    assert_eq!(polls("maxpoll 18"), (6, 17));
    assert_eq!(polls("maxpoll -1"), (6, 17));
    assert_eq!(polls("maxpoll 300"), (6, 17));
}

#[test]
fn lines_that_take_back() {
    let s = clean("server a\nserver b\nserver 127.127.1.0\nunpeer a\nunconfig 127.127.1.0");
    assert_eq!((s.associations.len(), s.refclocks.len()), (1, 0));
    let s = clean(
        "restrict 10.0.0.0 mask 255.0.0.0 ignore\nrestrict 10.0.0.0/8 ntpport ignore\n\
         delrestrict 10.0.0.0 mask 255.0.0.0",
    );
    assert_eq!(s.restrictions.len(), 1, "the one for port 123 is another");
    for nothing in [
        "unpeer a",
        "unpeer 12345",
        "delrestrict ::1",
        "delrestrict source ::1",
    ] {
        assert_eq!(
            codes_of(nothing),
            [codes::NOTHING_TO_REMOVE.id],
            "{nothing}"
        );
    }
}

#[test]
fn a_simulate_block_is_passed_over() {
    let text = "simulate {\n simulation_duration = 86400\n server = a {\n server_offset = 0\n\
                duration = 1 { freq_offset = 5 # } \n} }\n}\nserver b";
    let parsed = parse("c", text.as_bytes(), &NoFiles);
    assert_eq!(
        parsed.settings.associations.len(),
        1,
        "{}",
        parsed.render(false)
    );
    assert_eq!(codes_of(text), [codes::NOT_BUILT.id]);
    let open = parse("c", b"simulate { a {\n}\nrestrict default ignore", &NoFiles);
    assert!(open.has_open_guards());
}

#[test]
fn words_of_ntpsec() {
    let s = settings(
        "refclock local unit 3 stratum 10 refid LOCL prefer mode 2 minpoll 4 time1 0.5 flag2 1 \
         path /t ppspath /p baud 9600 subtype 2\nserver a bias 0.001",
    );
    let clock = &s.refclocks[0];
    assert_eq!(
        (clock.driver, clock.unit, clock.mode, clock.minpoll_log2_s),
        (1, 3, 2, 4)
    );
    assert_eq!(
        (clock.fudge.stratum, clock.fudge.time1_s),
        (Some(10), Some(0.5))
    );
    assert_eq!(
        (clock.device.baud, clock.device.subtype),
        (Some(9600), Some(2))
    );
    assert!(clock.prefer);
    assert_eq!(s.associations[0].options.bias_s, Some(0.001));
    assert_eq!(
        codes_of("refclock nmea unit 0 baud 9600"),
        [codes::DRIVER_NOT_BUILT.id]
    );
    assert_eq!(codes_of("refclock GPSD_JSON"), [codes::DRIVER_NOT_BUILT.id]);
    for text in [
        "server a nts",
        "server a nts ask b ca /c aead AES_SIV_CMAC_256",
        "pool a nts noval",
    ] {
        assert_eq!(codes_of(text), [codes::LEFT_OUT.id], "{text}");
        assert!(settings(text).associations.is_empty());
    }
    settings("nts enable cert /c key /k mintls TLS1.3\nextra port 8123\ncalldelay 4");
    settings("unrestrict default noquery");
}

#[test]
fn what_is_not_built_is_said_once_with_its_lines() {
    let text = "statsdir /s\nserver a bias 0.1\ntrap b port 1\ntrap c\ntick 9e-3\nserver d bias 0";
    let parsed = parse("c", text.as_bytes(), &NoFiles);
    let unbuilt: Vec<_> = parsed
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::NotBuilt)
        .collect();
    let [one] = unbuilt.as_slice() else {
        panic!("{unbuilt:?}")
    };
    let wanted = "`server bias` (lines 2, 6), `trap` (lines 3, 4), `tick` (line 5)";
    assert!(one.message.ends_with(wanted), "{}", one.message);
}
