//! Our ntpq and the reference's, side by side against the same daemon, line by line.

use std::process::Command;
use truechimer_tests::support::command::{Finished, finish};
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{
    Daemon, Host, Tree, Truechimer, Upstream, World, truechimer, upstreams,
};

/// A password is text to the reference's ntpq; ours reads long ones as hexadecimal digits, as every
/// keys file does.
const KEYS: &str = "1 MD5 secretone\n2 SHA1 00112233445566778899aabbccddeeff01234567\n";
/// Tries to catch the same second, and the same packet, twice.
const TRIES: u32 = 8;
const QUERYABLE: &str = "restrict default\nrestrict 127.0.0.1\nrestrict ::1\n";
/// Commands whose output must be the same to the letter.
const STEADY: &[&str] = &[
    "as",
    "las",
    "pe",
    "lpe",
    "apeers",
    "opeers",
    "lopeers",
    "peers -4",
    "peers -6",
    "rv &1",
    "rv &2",
    "rv &3",
    "rv &4",
    "rv &5",
    "rv 0 leap,stratum,refid",
    "rv &1 srcadr,offset,filtoffset",
    "mrv &1 &2 srcadr,stratum",
    "sysinfo",
    "monstats",
    "kerninfo",
    "cv &4",
    "rv 99999",
    "rv 1",
    "rv 0 nosuchvariable",
    "foo",
    "p",
    "pe 4",
    "pstats",
    "passociations",
    "showvars",
    "host",
    "timeout",
    "keytype",
    "ntpversion",
    "hostnames",
    "help",
];
/// Commands whose numbers change with every question: shapes are compared.
const BUSY: &[&str] = &[
    "rv",
    "sysstats",
    "iostats",
    "timerstats",
    "authinfo",
    "pstats &1",
];

fn theirs(host: Host<'_>, arguments: &[&str]) -> Finished {
    let mut command = host.peer(Tree::Ntp4, "/usr/bin/ntpq");
    command.args(arguments);
    finish(command)
}

fn ours(host: Host<'_>, program: &str, arguments: &[&str]) -> Finished {
    let mut command: Command = host.native(&truechimer::binary());
    command.arg(program).args(arguments);
    finish(command)
}

/// Time stamps and runs of digits as marks, for what no two moments have in common.
fn shape(text: &str) -> String {
    let is_stamp = |word: &str| {
        word.len() == 17
            && word
                .bytes()
                .all(|octet| octet == b'.' || octet.is_ascii_hexdigit())
    };
    let pieces = text.split_inclusive(['=', ' ', ',', '\n']).map(|piece| {
        let bare = piece.trim_end_matches(['=', ' ', ',', '\n']);
        if is_stamp(bare) {
            piece.replace(bare, "STAMP")
        } else {
            piece.to_owned()
        }
    });
    let mut shape = String::new();
    for c in pieces.collect::<String>().chars() {
        let mark = if c.is_ascii_digit() { '#' } else { c };
        if mark != '#' || !shape.ends_with('#') {
            shape.push(mark);
        }
    }
    shape
}

/// Asserts that both programs say the same, and end the same way.
fn compare(host: Host<'_>, arguments: &[&str], form: fn(&str) -> String) {
    let mut last = (String::new(), String::new());
    for _ in 0..TRIES {
        let their = theirs(host, arguments);
        let our = ours(host, "ntpq", arguments);
        assert_eq!(their.code, our.code, "{arguments:?}");
        last = (form(&their.text), form(&our.text));
        if last.0 == last.1 {
            assert!(!last.0.is_empty(), "{arguments:?} says nothing");
            return;
        }
    }
    assert_eq!(last.0, last.1, "{arguments:?}");
}

/// A daemon with servers that answer and one that does not, a clock of its own, and more.
fn daemon(host: Host<'_>, tree: Tree, servers: &[String], more: &str) -> Daemon {
    host.write("ntp.keys", KEYS);
    let [first, second, ..] = servers else {
        panic!("two servers at least");
    };
    let silent = host.v4().replace("10.77.0.", "10.77.0.1");
    let config = format!(
        "server {first} iburst minpoll 4\nserver {second} iburst minpoll 4\n\
         server {silent} minpoll 4\nserver 127.127.1.0\nfudge 127.127.1.0 stratum 12\n\
         keys /lab/ntp.keys\ntrustedkey 1 2\n{QUERYABLE}{more}"
    );
    upstreams::ntpd(host, tree, &config)
}

fn wait_synchronised(host: Host<'_>) {
    until_true("the daemon to follow a server", seconds(60), || {
        ours(host, "ntpq", &["-n", "-c", "rv 0 stratum"]).stdout == "stratum=4\n"
    });
}

fn side_by_side(tree: Tree, more: &str) {
    let world = World::new(3);
    let _upstreams = [
        Upstream::Ntp4.start(world.host(1)),
        Upstream::Chrony.start(world.host(2)),
    ];
    let servers = [world.host(1).v4(), world.host(2).v6()];
    let host = world.host(3);
    let _daemon = daemon(host, tree, &servers, more);
    wait_synchronised(host);
    for command in STEADY {
        compare(host, &["-n", "-c", command], str::to_owned);
    }
    for command in BUSY {
        compare(host, &["-n", "-c", command], shape);
    }
    compare(host, &["-n", "-c", "mrulist sort=addr"], shape);
    compare(host, &["-np"], str::to_owned);
    compare(host, &["-n", "-w", "-c", "pe", "-c", "as"], str::to_owned);
    compare(host, &["-n", "-c", "raw", "-c", "rv &1"], str::to_owned);
    if tree == Tree::Ntp4 {
        compare(
            host,
            &["-n", "-c", "pe", "127.0.0.1", "10.77.0.3"],
            str::to_owned,
        );
        let unlock = [
            "-n",
            "-c",
            "keyid 1",
            "-c",
            "keytype SHA1",
            "-c",
            "passwd wrong",
        ];
        compare(
            host,
            &[&unlock[..], &["-c", "ifstats"]].concat(),
            str::to_owned,
        );
    }
}

#[test]
fn line_by_line_against_ntpd() {
    side_by_side(Tree::Ntp4, "controlkey 1\nbroadcast 10.77.0.255\n");
}

#[test]
fn line_by_line_against_ntpsec() {
    side_by_side(Tree::Ntpsec, "controlkey 1\n");
}

/// What a key opens: lists, configuration, a saved file.
#[test]
fn with_a_key() {
    let world = World::new(1);
    let host = world.host(1);
    let servers = ["10.77.0.8".to_owned(), "10.77.0.9".to_owned()];
    let _daemon = daemon(
        host,
        Tree::Ntp4,
        &servers,
        "saveconfigdir /lab\ncontrolkey 1\n",
    );
    until_true("ntpd to answer", seconds(20), || {
        ours(host, "ntpq", &["-n", "-c", "rv 0 leap"]).stdout == "leap=11\n"
    });
    let unlock = ["-n", "-c", "keyid 1", "-c", "passwd secretone"];
    for command in ["ifstats", "reslist", ":config fruit banana"] {
        compare(host, &[&unlock[..], &["-c", command]].concat(), shape);
    }
    let line = ":config server 10.77.0.7 minpoll 5";
    let said = ours(host, "ntpq", &[&unlock[..], &["-c", line]].concat());
    assert!(said.stdout.contains("Config Succeeded"), "{}", said.text);
    let peers = ours(host, "ntpq", &["-np"]);
    assert!(peers.stdout.contains(" 10.77.0.7 "), "{}", peers.text);
    let said = ours(
        host,
        "ntpq",
        &[&unlock[..], &["-c", "saveconfig saved.conf"]].concat(),
    );
    assert!(
        said.stdout.contains("saved to 'saved.conf'"),
        "{}",
        said.text
    );
    let saved = std::fs::read_to_string(host.folder().join("saved.conf"));
    assert!(saved.is_ok_and(|text| text.contains("server 10.77.0.7")));
}

/// A key of another kind, whose secret is written as the keys file has it.
#[test]
fn with_a_key_of_hexadecimal_digits() {
    let world = World::new(1);
    let host = world.host(1);
    let servers = ["10.77.0.8".to_owned(), "10.77.0.9".to_owned()];
    let _daemon = daemon(host, Tree::Ntp4, &servers, "controlkey 2\n");
    let secret = "passwd 00112233445566778899aabbccddeeff01234567";
    let unlock = ["-n", "-c", "keyid 2", "-c", "keytype SHA1", "-c", secret];
    until_true("the key to open", seconds(20), || {
        let said = ours(
            host,
            "ntpq",
            &[&unlock[..], &["-c", ":config tos mindist 0.002"]].concat(),
        );
        said.stdout.contains("Config Succeeded")
    });
}

/// Time, address family and silence, by their exit codes and words.
#[test]
fn nobody_there() {
    let world = World::new(1);
    let host = world.host(1);
    compare(host, &["-n", "-c", "as", "127.0.0.1"], |text| {
        // The reference puts the path it was called by before its complaint.
        text.replace("/usr/bin/ntpq: ", "ntpq: ")
    });
    let links = host.folder().join("links");
    assert!(std::fs::create_dir_all(&links).is_ok());
    let made = ours(host, "install-links", &[&links.display().to_string()]);
    assert_eq!(made.code, Some(0), "{}", made.text);
    let mut command = host.native(&links.join("ntpq"));
    command.arg("--version");
    assert!(finish(command).stdout.starts_with("ntpq truechimer "));
}

/// Telegraf's reading of the table: mark, ten fields, reach in octal, suffixed intervals.
fn telegraf(table: &str) -> Vec<(String, u64, f64)> {
    let rows = table
        .lines()
        .skip_while(|line| !line.starts_with('='))
        .skip(1);
    rows.map(|line| {
        let bare = line.trim_start_matches(['*', '#', 'o', '+', 'x', '.', '-', ' ']);
        let fields: Vec<&str> = bare.split_whitespace().collect();
        let [remote, _, _, _, when, poll, reach, delay, offset, jitter] = fields[..] else {
            panic!("{line:?} has {} fields", fields.len());
        };
        for interval in [when, poll] {
            let number = interval.trim_end_matches(['m', 'h', 'd', 'y']);
            assert!(interval == "-" || number.parse::<u64>().is_ok(), "{line:?}");
        }
        let reach = u64::from_str_radix(reach, 8);
        let numbers = [delay, offset, jitter].map(|number| number.parse::<f64>());
        let [Ok(_), Ok(offset), Ok(_)] = numbers else {
            panic!("{line:?} has no numbers");
        };
        (remote.to_owned(), reach.unwrap_or(u64::MAX), offset)
    })
    .collect()
}

/// Our ntpq asks our own daemon; telegraf's rules read the table.
#[test]
fn our_daemon_is_read_by_telegrafs_rules() {
    let world = World::new(3);
    let _upstreams = [
        Upstream::Ntp4.start(world.host(1)),
        Upstream::Chrony.start(world.host(2)),
    ];
    let host = world.host(3);
    let config = format!(
        "server {} iburst minpoll 3\nserver {} iburst minpoll 3\n",
        world.host(1).v4(),
        world.host(2).v4()
    );
    let _daemon = Truechimer::start(host, &config);
    until_true("both servers in the table", seconds(60), || {
        let said = ours(host, "ntpq", &["-pn"]);
        let rows = telegraf(&said.stdout);
        rows.len() == 2
            && said.stdout.lines().any(|line| line.starts_with('*'))
            && rows
                .iter()
                .all(|(_, reach, offset)| *reach > 0 && offset.abs() < 50.0)
    });
    let their = theirs(host, &["-pn"]);
    assert_eq!(telegraf(&their.stdout).len(), 2, "{}", their.text);
}
