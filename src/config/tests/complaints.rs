//! More than sixty mistakes that people make, and what they are told, word by word.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use truechimer_config::{LoadError, Loader, codes, parse};

struct Files;

impl Loader for Files {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match path {
            "/etc/loop.conf" => Ok(b"includefile /etc/loop.conf\n".to_vec()),
            "/etc/keys.conf" => Ok(b"trustedkey 1\ntrustedkey seven\n".to_vec()),
            "/etc/secret.conf" => Err(LoadError::Denied),
            _ => Err(LoadError::NotFound),
        }
    }

    fn list(&self, path: &str) -> Result<Option<Vec<String>>, LoadError> {
        match path {
            "/etc/closed" => Err(LoadError::Denied),
            _ => Ok(None),
        }
    }
}

const WORDS: &[&str] = &[
    "serveur 192.168.1.11",
    "SERVER 192.168.1.11",
    "\"server\" ntp.example.org",
    "manycast 224.0.1.1 key 2",
    "multicast 224.0.1.1",
    "include /etc/more.conf",
    "makestep 1.0 3",
    "keyssdir /etc/ntp",
    "drift /var/lib/ntp/drift",
    "driftfile \"/var/lib/ntp/drift",
    "statsdir",
    "driftfile /var/lib/ntp/drift often",
    "keys /etc/ntp.keys /etc/more.keys",
    "logfile \"\"",
    "server\u{a0}ntp.example.org",
    "server ntp.exa\u{7}mple.org",
];

const ASSOCIATIONS: &[&str] = &[
    "server",
    "server ntp://ntp.example.org",
    "server 192.168.1.300",
    "server caf\u{e9}.example",
    "server 224.0.1.1",
    "server -6 192.0.2.1",
    "server ntp.example.org ibrust",
    "server ntp.example.org minpoll",
    "server ntp.example.org minpoll fast",
    "server ntp.example.org minpoll 18",
    "server ntp.example.org minpoll 8 maxpoll 6",
    "server ntp.example.org minpoll 12",
    "server ntp.example.org version 5",
    "server ntp.example.org key 0",
    "server ntp.example.org key 100000",
    "server ntp.example.org mode 17",
    "server ntp.example.org autokey",
    "server ntp.example.org nts",
    "server 192.0.2.1\nserver 192.0.2.1 iburst",
    "servers fr.pool.ntp.org",
    "unpeer ntp.example.org",
    "broadcast 224.0.1.1 ttl 300",
    "manycastserver",
];

const ACCESS: &[&str] = &[
    "restrict",
    "restrict default nomodify noqyery",
    "restrct default ignore",
    "restrict defualt ignore",
    "restrict ntp.example.org nomodify",
    "restrict 192.168.1.0 netmask 255.255.255.0 nomodify",
    "restrict 192.168.1.0 mask 255.0.255.0 nomodify",
    "restrict 192.168.1.0 mask ffff:: nomodify",
    "restrict 10.0.0.0/8 mask 255.0.0.0",
    "restrict default mask 255.0.0.0",
    "restrict 192.168.1.11 mask 255.255.255.0 nomodify",
    "restrict 0.0.0.0 ignore",
    "restrict default kod nomodify",
    "restrict default serverresponse slow",
    "restrict ::1 epeer noepeer",
    "restrict ::1 ippeerlimit 101",
    "deny 10.0.0.0/8",
    "listen on *",
    "interface eth0 listen",
    "interface listen 10.0.0.300",
    "hwtimestamp",
    "hwtimestamp eth0/1",
    "hwtimestamp eth0 rxfilter some",
    "hwtimestamp eth0 rxcomp 1",
    "hwtimestamp * minpoll 3",
    "disable mointor",
    "discard average 300",
    "mru mindepth -1",
    "delrestrict ::1",
];

const KEYS: &[&str] = &[
    "keys",
    "trustedkey",
    "trustedkey 1 (9 ... 3)",
    "trustedkey 1-9",
    "trustedkey (1 .. 9)",
    "trustedkey 1\ntrustedkey 2\ntrustedkey 7",
    "controlkey 1 2",
    "requestkey one",
    "crypto pw",
    "crypto pw s3cret idnet GR1",
    "crypto randfile /dev/urandom",
    "crypto revoke 60",
];

const CLOCKS_AND_TUNING: &[&str] = &[
    "server 127.127.99.0",
    "server 127.127.20.0 mode 17",
    "refclock nmaea unit 0",
    "pool 127.127.1.0",
    "fudge 127.127.1.0 stratum 10",
    "fudge 192.0.2.1 stratum 10",
    "server 127.127.1.0\nfudge 127.127.1.0 refid Port2",
    "server 127.127.1.0\nfudge 127.127.1.0 stratum 17",
    "server 127.127.1.0\nfudge 127.127.1.0 flag5 1",
    "server 127.127.1.0\nfudge 127.127.1.0 flag1 2",
    "tos minclok 3",
    "tos minclock 5 maxclock 4",
    "tos ceiling 16",
    "tos basedate yesterday",
    "tinker step -1",
    "tinker stepout 60",
    "tinker panic off",
    "statistics loopstat",
    "filegen peerstats type weekly",
    "filegen peerstats file ../../etc/passwd",
    "logconfig =synstatus",
    "setvar answer",
    "pollskewlist 3 9 | 1",
    "reset everything",
    "rlimit memlok 32",
    "simulate { beep_delay = 3600",
];

const FILES: &[&str] = &[
    "includefile /etc/none.conf",
    "includefile /etc/secret.conf",
    "includefile /etc/closed",
    "includefile /etc/loop.conf",
    "includefile /etc/keys.conf",
    "includefile",
    "leapfile /l nohash",
];

const GROUPS: [(&str, &[&str]); 6] = [
    ("words", WORDS),
    ("associations", ASSOCIATIONS),
    ("access", ACCESS),
    ("keys", KEYS),
    ("clocks-and-tuning", CLOCKS_AND_TUNING),
    ("files", FILES),
];

#[test]
fn what_people_are_told() {
    for (group, texts) in GROUPS {
        let mut all = String::new();
        for text in texts {
            let parsed = parse("/etc/ntp.conf", text.as_bytes(), &Files);
            assert!(!parsed.diagnostics.is_empty(), "{text}");
            // What is not built changes from week to week and has a snapshot of its own.
            let all_told = parsed
                .diagnostics
                .iter()
                .filter(|d| d.code != codes::NOT_BUILT.id);
            let all_told: Vec<_> = all_told.cloned().collect();
            let shown = parsed.sources.render_all(&all_told, false);
            let guards = if parsed.has_open_guards() {
                " (never started with)"
            } else {
                ""
            };
            writeln!(all, "==== {}{guards}\n{shown}", text.escape_debug()).unwrap();
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("told-about-{group}"), all));
    }
}

#[test]
fn there_are_more_than_sixty_different_ones() {
    let texts = GROUPS.iter().flat_map(|(_, texts)| *texts);
    let told: BTreeSet<String> = texts
        .flat_map(|text| parse("/etc/ntp.conf", text.as_bytes(), &Files).diagnostics)
        .filter(|complaint| complaint.code != codes::NOT_BUILT.id)
        .map(|complaint| complaint.message)
        .collect();
    assert!(told.len() >= 90, "{}", told.len());
}
