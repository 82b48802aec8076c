//! Defaults, files, bounds, and how lines are read.

use truechimer_config::settings::{Files, SystemFlags};
use truechimer_config::{NoFiles, Settings, Severity, codes, parse};

use crate::{clean, codes_of, settings};

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
            ntp: true,
            monitor: true,
            stats: true,
            bclient: false,
            calibrate: false,
            mode7: false,
            ..SystemFlags::default()
        }
    );
}

#[test]
fn bounds_of_numbers() {
    for (good, bad) in [
        ("server a version 1", "server a version 0"),
        ("server a version 4", "server a version 5"),
        ("server a key 1", "server a key 0"),
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
