//! What is written is read again as the same.

use proptest::prelude::*;
use std::sync::Arc;
use truechimer_config::settings::{Located, Settings};
use truechimer_config::{NoFiles, Span, parse, write};

/// The same settings, said nowhere.
fn placeless(mut settings: Settings) -> Settings {
    let nowhere = || Span {
        file: Arc::from(""),
        line: 0,
        column: 0,
        bytes: 0..0,
    };
    let groups = &mut settings.broadcasting;
    let groups = groups
        .multicast_groups
        .iter_mut()
        .chain(&mut groups.manycast_groups);
    let spans = (settings.associations.iter_mut().map(|it| &mut it.span))
        .chain(
            settings
                .machine
                .traps
                .iter_mut()
                .map(|it| &mut it.host.span),
        )
        .chain(
            settings
                .autokey
                .legacy_files
                .iter_mut()
                .map(|it| &mut it.1.span),
        )
        .chain(groups.map(|it| &mut it.span))
        .chain(settings.refclocks.iter_mut().map(|it| &mut it.span))
        .chain(settings.restrictions.iter_mut().map(|it| &mut it.span))
        .chain(settings.listen_rules.iter_mut().map(|it| &mut it.span));
    spans.for_each(|span| *span = nowhere());
    settings.places.clear();
    fn blank<T>(located: &mut Option<Located<T>>, nowhere: &dyn Fn() -> Span) {
        if let Some(located) = located {
            located.span = nowhere();
        }
    }
    let (files, keys) = (&mut settings.files, &mut settings.authentication);
    let autokey = &mut settings.autokey;
    for file in [
        &mut files.drift,
        &mut files.leap,
        &mut files.log,
        &mut files.pid,
        &mut keys.keys_file,
        &mut files.save_config,
        &mut settings.monitoring.stats_dir,
        &mut autokey.keys_dir,
        &mut autokey.sign_socket,
    ] {
        blank(file, &nowhere);
    }
    blank(&mut autokey.enabled, &nowhere);
    blank(&mut keys.control_key, &nowhere);
    blank(&mut keys.request_key, &nowhere);
    settings
}

/// Reads, writes, reads again; gives what was written.
fn come_back(text: &str) -> String {
    let first = parse("first", text.as_bytes(), &NoFiles).settings;
    let written = write(&first);
    let again = parse("written", written.as_bytes(), &NoFiles);
    assert!(
        !again.has_errors(),
        "{text}\n---\n{written}\n---\n{}",
        again.render(false)
    );
    assert_eq!(
        placeless(again.settings),
        placeless(first),
        "{text}\n---\n{written}"
    );
    written
}

#[test]
fn the_fixtures_come_back() {
    let mut count = 0;
    for folder in ["fixtures", "fixtures/seeds", "fixtures/stock"] {
        let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        let paths = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        for path in paths.filter(|path| path.is_file()) {
            let bytes = std::fs::read(path).unwrap();
            come_back(&String::from_utf8_lossy(&bytes));
            count += 1;
        }
    }
    assert!(count >= 30);
}

#[test]
fn nothing_said_is_nothing_written() {
    assert_eq!(write(&Settings::default()), "");
}

#[test]
fn it_reads_like_a_configuration() {
    let text = "\
restrict 192.0.2.77 mask 255.255.255.0 nomodify serverresponse fuzz
restrict -6 default ignore
restrict ::1
restrict source nopeer ippeerlimit 3
server ntp.example.org iburst minpoll 4 key 9
pool -4 pool.example.org version 3
peer 192.0.2.9 key 9 xleave
server 127.127.1.0 prefer
fudge 127.127.1.0 stratum 10 refid \"a#b\" flag2 1 time1 -0.5
keys \"/etc/my keys\"
trustedkey 9 (3 ... 5) 4 6
controlkey 6
tos minclock 4 maxdist 2.5
tinker step 0 panic 0 allan 12
disable kernel
driftfile /var/lib/ntp/drift
leapfile /usr/share/zoneinfo/leap-seconds.list ignorehash
interface ignore all
interface listen 10.0.0.0/8
interface listen \"all\"
";
    let expected = "\
driftfile \"/var/lib/ntp/drift\"
leapfile \"/usr/share/zoneinfo/leap-seconds.list\" ignorehash
keys \"/etc/my keys\"
trustedkey (3 ... 6) 9
controlkey 6
disable kernel
tos maxdist 2.5 minclock 4
tinker allan 12 panic 0 stepback 0 stepfwd 0
server ntp.example.org iburst key 9 minpoll 4 maxpoll 10
pool -4 pool.example.org version 3
peer 192.0.2.9 xleave key 9
server 127.127.1.0 prefer
fudge 127.127.1.0 time1 -0.5 stratum 10 refid \"a#b\" flag2 1
restrict 192.0.2.0 mask 255.255.255.0 nomodify serverresponse fuzz
restrict -6 default ignore
restrict ::1
restrict source ippeerlimit 3 nopeer
interface ignore all
interface listen 10.0.0.0/8
interface listen \"all\"
";
    assert_eq!(come_back(text), expected);
}

#[test]
fn many_keys_are_many_lines() {
    let keys: String = (1..3000)
        .map(|n| format!("trustedkey {}\n", n * 2))
        .collect();
    let written = come_back(&keys);
    assert!(written.lines().all(|line| line.len() < 1000));
    assert!(written.lines().count() > 40);
}

/// A line that has a good chance to be read, from words that fit and words that may not.
fn line() -> impl Strategy<Value = String> {
    let option = prop::sample::select(
        "iburst|burst|prefer|true|noselect|preempt|minpoll 3|minpoll 12|maxpoll 9|key 7|version 2\
         |mode 17"
            .split('|')
            .collect::<Vec<_>>(),
    );
    let host = prop::sample::select(vec![
        "192.0.2.1",
        "ntp.example.org",
        "-6 a.example",
        "fe80::1%\"e #0\"",
        "[2001:db8::1]",
        "127.127.1.2",
    ]);
    let flag = prop::sample::select(
        "ignore|kod|limited|noquery|nomodify|ntpport|noepeer|serverresponse fuzz|ippeerlimit 2\
         |mask 255.255.0.0|mask ffff:ff00::"
            .split('|')
            .collect::<Vec<_>>(),
    );
    let target = prop::sample::select(vec![
        "default",
        "-4 default",
        "-6 default",
        "source",
        "10.9.8.7",
        "::ffff:10.0.0.0/104",
        "2001:db8::/31",
        "0.0.0.0/0",
    ]);
    let setting = prop::sample::select(
        "tos minclock 2 maxclock 7|tos floor 2 ceiling 9 cohort 1|tinker step 0.4|tinker stepfwd 0\
         |tinker allan 13|tinker allan 5000|tinker freq -3.25e1|tinker dispersion 7.5\
         |disable auth ntp|enable kernel|trustedkey (5 ... 9) 12|controlkey 4|requestkey 65535\
         |driftfile \"a b\"|leapfile /l ignorehash|logfile /x|interface drop eth0|nic listen ::/64\
         |interface ignore wildcard|fudge 127.127.1.2 refid \"X=\" stratum 3 flag4 0|keys \"k#\""
            .split('|')
            .collect::<Vec<_>>(),
    );
    let further = prop::sample::select(
        "crypto ident a ident b;peer a key 4 xleave;peer b autokey ident G;broadcast 224.0.1.1 ttl 300;broadcast 224.0.1.1 ttl 3 key 2;manycastclient -6 ff05::101\
         ;broadcastclient novolley;broadcastdelay 0.004;multicastclient;multicastclient ff05::101 224.0.1.9\
         ;manycastserver 239.1.1.1;ttl 1 2 3;crypto pw p host h digest SHA1 leap l cert c;crypto insecure threads 3 cores 0 7\
         ;keysdir /k;ident G;revoke 5;automax 9;ntpsigndsocket /s;dscp 0;mdnstries 3;tick 0.01;hwtimestamp *;hwtimestamp e0 rxfilter ntp rxcomp 0.00002\
         ;leapsmearinterval 9;rlimit memlock -1 filenum 7;rlimit stacksize 2;engine uring threads 0 core 3 core 1;engine poll linger 50 spin;phone a \"b c\"\
         ;pollskewlist;pollskewlist 3 1|2 default 0|0;trap 192.0.2.1 interface 192.0.2.2;trap h port 1\
         ;discard average 5 monitor 3;mru maxdepth -1 initmem 3 incalloc 2;mru maxmem 9 maxage 4\
         ;statsdir /s;statistics loopstats rawstats;filegen peerstats file \"p q\" type age nolink\
         ;filegen sysstats disable;logconfig =syncall -allinfo;logconfig +clockinfo;setvar a=1 default\
         ;setvar b = \"x y\";saveconfigdir /c;nonvolatile 0.5;tos beacon 9 orphan 5 orphanwait 8\
         ;tos basedate 2020-02-03 bcpollbstep 3 volleywait 0;tos basedate @5;tinker huffpuff 7200 tick 1e-3\
         ;fudge 127.127.1.2 abbrev \"A B\" minjitter 0.2;device 127.127.1.2 timedata /d ppsdata /p\
         ;enable bclient calibrate;disable monitor stats unpeer_digest_early"
            .split(';')
            .collect::<Vec<_>>(),
    );
    prop_oneof![
        further.prop_map(|text| format!("{text}\n")),
        (host, prop::collection::vec(option, 0..5))
            .prop_map(|(host, options)| format!("server {host} {}\n", options.join(" "))),
        (target, prop::collection::vec(flag, 0..5))
            .prop_map(|(target, flags)| format!("restrict {target} {}\n", flags.join(" "))),
        setting.prop_map(|text| format!("{text}\n")),
    ]
}

proptest! {
    // A saved failure would make a folder beside the crates, where only crates may be.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn whatever_is_read_comes_back(lines in prop::collection::vec(line(), 0..30)) {
        come_back(&lines.concat());
    }

    #[test]
    fn numbers_come_back(step in 0.001..1e6_f64, freq in -500.0..500.0_f64, time in -1e4..1e4_f64,
                         dist in 0.0..16.0_f64, allan in 17.1..1e6_f64) {
        come_back(&format!(
            "tinker step {step} freq {freq:e} allan {allan}\ntos maxdist {dist}\n\
             server 127.127.1.0\nfudge 127.127.1.0 time1 {time}"
        ));
    }
}
