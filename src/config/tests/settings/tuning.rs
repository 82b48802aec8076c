//! `tos`, `tinker`, `enable`.

use truechimer_config::settings::{SystemFlags, Tinker, Tos};
use truechimer_config::{NoFiles, codes, parse};

use crate::{clean, codes_of, settings};

#[test]
fn each_tos_option_alone() {
    type Change = fn(&mut Tos);
    let changes: [(&str, Change); 10] = [
        ("minclock 4.9", |t| t.minclock = 4),
        ("maxclock 20", |t| t.maxclock = 20),
        ("minsane 2", |t| t.minsane = 2),
        ("floor 2", |t| t.floor = 2),
        ("ceiling 9", |t| t.ceiling = 9),
        ("ceiling 16", |t| t.ceiling = 15),
        ("cohort 1", |t| t.cohort = true),
        ("mindist .01", |t| t.mindist_s = 0.01),
        ("maxdist 16", |t| t.maxdist_s = 16.0),
        ("mindist 1 maxdist 2", |t| {
            (t.mindist_s, t.maxdist_s) = (1.0, 2.0)
        }),
    ];
    for (words, change) in changes {
        let mut expected = Tos::default();
        change(&mut expected);
        assert_eq!(settings(&format!("tos {words}")).tos, expected, "{words}");
    }
}

#[test]
fn each_tinker_option_alone() {
    type Change = fn(&mut Tinker);
    let changes: [(&str, Change); 12] = [
        ("step 0.4", |t| {
            (t.stepback_s, t.stepfwd_s) = (Some(0.4), Some(0.4))
        }),
        ("step 0", |t| (t.stepback_s, t.stepfwd_s) = (None, None)),
        ("stepback 0.4", |t| t.stepback_s = Some(0.4)),
        ("stepfwd 0.4", |t| t.stepfwd_s = Some(0.4)),
        ("stepout 900", |t| t.stepout_s = 900.0),
        ("stepout 0", |t| t.stepout_s = 300.0),
        ("panic 0", |t| t.panic_s = None),
        ("panic 60", |t| t.panic_s = Some(60.0)),
        ("dispersion 10", |t| t.dispersion_ppm = 10.0),
        ("allan 10", |t| t.allan_s = 1024.0),
        ("allan 1500", |t| t.allan_s = 1500.0),
        ("freq -12.5", |t| t.freq_ppm = Some(-12.5)),
    ];
    for (words, change) in changes {
        let mut expected = Tinker::default();
        change(&mut expected);
        assert_eq!(
            settings(&format!("tinker {words}")).tinker,
            expected,
            "{words}"
        );
    }
}

#[test]
fn unbuilt_options_are_passed_over_with_their_values() {
    let text = "tos basedate 2020-01-01 minsane 2";
    assert_eq!(codes_of(text), [codes::NOT_BUILT.id]);
    assert_eq!(settings(text).tos.minsane, 2, "the words after it");
    for unbuilt in ["huffpuff 7200", "tick 0.01"] {
        let text = format!("tinker {unbuilt} panic 0");
        assert_eq!(codes_of(&text), [codes::NOT_BUILT.id], "{unbuilt}");
        assert_eq!(
            settings(&text).tinker.panic_s,
            None,
            "the words after {unbuilt}"
        );
    }
    for unbuilt in ["abbrev X", "minjitter 0.1"] {
        let text = format!("server 127.127.1.0\nfudge 127.127.1.0 {unbuilt} stratum 3");
        assert_eq!(codes_of(&text), [codes::NOT_BUILT.id], "{unbuilt}");
        assert_eq!(settings(&text).refclocks[0].fudge.stratum, Some(3));
    }
    let text = "server a bias 0.1 iburst";
    assert_eq!(codes_of(text), [codes::NOT_BUILT.id]);
    assert!(settings(text).associations[0].options.iburst);
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
    for (word, told) in [
        ("calibrate", Some(codes::NOT_BUILT.id)),
        (
            "peer_clear_digest_early",
            Some(codes::DIGEST_ENDS_NOTHING.id),
        ),
        ("unpeer_digest_early", Some(codes::DIGEST_ENDS_NOTHING.id)),
        ("unpeer_crypto_early", None),
        ("unpeer_crypto_nak_early", None),
    ] {
        let said = codes_of(&format!("enable {word}"));
        assert_eq!(said.first().copied(), told, "{word}");
        clean(&format!("disable {word}"));
    }
    let flags = clean("disable unpeer_crypto_early").flags;
    assert!(!flags.unpeer_crypto_early && flags.unpeer_crypto_nak_early);
}

#[test]
fn crossed_clock_limits_leave_the_usual_ones() {
    for text in [
        "tos minclock 12 maxclock 11",
        "tos minclock 12\ntos maxclock 11",
        "tos minclock 11",
    ] {
        let parsed = parse("c", text.as_bytes(), &NoFiles);
        assert_eq!(parsed.diagnostics[0].code, codes::CLOCKS_CROSSED.id);
        assert_eq!(parsed.settings.tos, Tos::default(), "{text}");
    }
}
