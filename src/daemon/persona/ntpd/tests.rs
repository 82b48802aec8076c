use super::options::OPTIONS;
use super::*;

fn asked(words: &str) -> Result<Asked, UsageError> {
    parse(words.split_whitespace().map(OsString::from))
}

fn run(words: &str) -> Launch {
    match asked(words) {
        Ok(Asked::Run(launch)) => *launch,
        other => panic!("{words}: {other:?}"),
    }
}

fn refused(words: &str) -> String {
    asked(words).expect_err(words).to_string()
}

#[test]
fn nothing_asked_is_the_plain_daemon() {
    assert_eq!(run(""), Launch::ntpd());
    assert!(!Launch::ntpd().foreground);
}

#[test]
fn bundled_and_attached_and_long() {
    let launch = run("-gnq4 -c/etc/other.conf -f /d -x");
    assert!(launch.panic_gate && launch.foreground && launch.one_shot);
    assert_eq!(launch.families, Families::V4);
    assert_eq!(launch.config, Some(PathBuf::from("/etc/other.conf")));
    assert_eq!(launch.drift_file, Some(PathBuf::from("/d")));
    assert_eq!(launch.step_threshold_s, Some(600.0));
    assert_eq!(run("-gN"), run("--panicgate --nice"));
    assert_eq!(run("--configfile=/x"), run("-c /x"));
    assert_eq!(run("-ddd"), run("-D 3"));
    assert_eq!(run("-D5"), run("--set-debug-level=5"));
    assert!(run("-d").foreground && run("-D 1").foreground);
    assert_eq!(run("-D 99999999999999999999").debug_steps, u8::MAX);
    assert_eq!(
        run("-ngu ntp:ntp -p /run/ntpd.pid").user.as_deref(),
        Some("ntp:ntp")
    );
    assert_eq!(
        run("-nl /var/log/ntp.log").log_file,
        Some(PathBuf::from("/var/log/ntp.log"))
    );
}

/// Every option, in every spelling, is the same option.
#[test]
fn letter_name_and_beginning_are_one() {
    for option in OPTIONS {
        let value = match option.word {
            Word::ConfigFile => "/etc/x",
            Word::Var | Word::DVar => "a=b",
            Word::User | Word::Interface => "lo",
            Word::PropagationDelay => "0.004",
            _ if option.value.is_empty() => "",
            _ => "5",
        };
        if option.word == Word::JailDir {
            continue;
        }
        let spelled = |before: &str, between: &str| asked(&format!("{before}{between}{value}"));
        let long = format!("--{}", option.long);
        let expected = spelled(&long, " ").unwrap_or_else(|error| panic!("{long}: {error}"));
        let mut others = vec![spelled(
            &long.to_uppercase().replace('-', "_").replace("__", "--"),
            " ",
        )];
        if !value.is_empty() {
            others.push(spelled(&long, "="));
        }
        if let Some(letter) = option.short {
            others.push(spelled(&format!("-{letter}"), " "));
            others.push(spelled(&format!("-{letter}"), ""));
        }
        for other in others {
            assert_eq!(other.ok().as_ref(), Some(&expected), "{long}");
        }
    }
}

#[test]
fn long_names_may_be_cut_short_while_they_are_unique() {
    assert_eq!(run("--conf /x"), run("-c /x"));
    assert_eq!(run("--Force_Step"), run("-G"));
    assert_eq!(run("--prop=1"), run("-r 1"));
    for (word, names) in [("--p", "--panicgate or --pidfile"), ("--n", "--nofork")] {
        assert!(refused(word).contains(names), "{}", refused(word));
    }
}

#[test]
fn what_is_a_setting_becomes_a_line() {
    for (words, lines) in [
        ("-a", "enable auth"),
        ("-A", "disable auth"),
        ("-b", "enable bclient"),
        ("-k/etc/ntp.keys", "keys \"/etc/ntp.keys\""),
        ("-s /var/log/", "statsdir \"/var/log/\""),
        ("-t 5 -t7", "trustedkey 5|trustedkey 7"),
        ("-r0.008", "broadcastdelay 0.008"),
        (
            "-v a=b --dvar c=d=e",
            "setvar a = \"b\"|setvar c = \"d=e\" default",
        ),
        (
            "-g 192.0.2.1 -- ntp.example",
            "server 192.0.2.1 iburst|server ntp.example iburst",
        ),
        (
            "-I eth0 -I 192.0.2.7",
            "interface ignore all|interface listen 127.0.0.1|interface listen ::1|\
             interface listen \"eth0\"|interface listen \"192.0.2.7\"",
        ),
    ] {
        assert_eq!(run(words).lines.join("|"), lines, "{words}");
    }
}

#[test]
fn the_old_u_is_the_new_u_where_it_names_somebody() {
    let launch = run("-U ntp");
    assert_eq!(launch.user.as_deref(), Some("ntp"));
    assert!(launch.remarks[0].contains("-u ntp"), "{:?}", launch.remarks);
    assert_eq!(launch.rescan, Rescan::Usual);
    let every = |seconds| Rescan::Every(Duration::from_secs(seconds));
    for (words, rescan) in [
        ("-U 300", every(300)),
        ("-U5", every(60)),
        ("-U 0", Rescan::Never),
    ] {
        let launch = run(words);
        assert_eq!((launch.rescan, launch.user), (rescan, None), "{words}");
    }
}

#[test]
fn what_has_no_effect_is_said() {
    assert_eq!(run("-m -M").remarks.len(), 2);
    assert!(run("-gGLNx4 -P 50").remarks.is_empty());
    assert_eq!(run("-N -P 50").real_time, Some(RealTime::At(50)));
    assert_eq!(run("-P 50 -N").real_time, Some(RealTime::At(50)));
    assert!(refused("-i /var/lib/ntp").contains("landlock"));
}

#[test]
fn waiting_and_saving() {
    assert_eq!(run("-w 30").wait_sync, Some(Duration::from_secs(30)));
    assert_eq!(run("-w0").wait_sync, None);
    let saved = run("--saveconfigquit /x").save_config;
    assert_eq!(saved, Some(PathBuf::from("/x")));
    assert!(!run("--no-drop-caps").drop_caps);
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    for (words, part) in [
        ("-Z", "-Z"),
        ("-gZ", "-Z"),
        ("-d5", "-5"),
        ("--frobnicate", "--frobnicate"),
        ("--nofork=1", "nofork"),
        ("-c", "FILE"),
        ("-D many", "many"),
        ("-D -1", "-1"),
        ("-w soon", "soon"),
        ("-P high", "high"),
        ("-t 0", "`0`"),
        ("-t 65536", "`65536`"),
        ("-v name", "NAME=VALUE"),
        ("13", "-t 13"),
        ("ntp://x", "ntp://x"),
        ("-4 -6", "--ipv4 and --ipv6"),
        ("-aA", "--authreq and --authnoreq"),
        ("-n -w 5", "--wait-sync and --nofork"),
        ("-q -w 5", "--wait-sync and --quit"),
        ("-q --saveconfigquit /x", "--quit and --saveconfigquit"),
    ] {
        let error = refused(words);
        assert!(error.contains(part), "{words}: {error}");
    }
    parse([OsString::from("-k"), OsString::from("a\"b")]).expect_err("a quote");
}

#[test]
fn help_and_version() {
    for word in ["-h", "-?", "-!", "--help", "--more-help"] {
        assert_eq!(asked(word).expect("understood"), Asked::Help);
    }
    assert_eq!(asked("--version").expect("understood"), Asked::Version);
    for option in OPTIONS {
        assert!(help().contains(option.long) && help().contains(option.help));
    }
}

/// The page is the table: whoever changes one changes the other.
#[test]
fn the_page_of_options_tells_of_each() {
    let page = include_str!("../../../../docs/OPTIONS.md");
    for option in OPTIONS {
        let short = option
            .short
            .map(|letter| format!("`-{letter}` "))
            .unwrap_or_default();
        let value = match option.value {
            "" => String::new(),
            value => format!(" {}", value.replace('|', "\\|")),
        };
        let row = format!("| {short}`--{}{value}` | {} |", option.long, option.help);
        assert!(page.contains(&row), "not in docs/OPTIONS.md: {row}");
    }
}
