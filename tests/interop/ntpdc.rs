//! ntpdc and mode 7: the reference's program and ours, asking the reference's daemon and ours, and the
//! dialogue of a guide typed as it stands there.

mod changes;

use std::fs::{self, File};
use std::process::Command;
use truechimer_tests::support::command::Finished;
use truechimer_tests::support::truechimer::binary;
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{Host, Tree, Truechimer, World, upstreams};

const KEYS: &str = "1 M secret\n2 SHA1 00112233445566778899aabbccddeeff01234567\n";
/// The dialogue of the guide, with the password where it asks for it.
const GUIDE: &str = "keyid 1\npasswd\nsecret\naddserver 195.220.94.163\n\
                     restrict 192.168.231.0 255.255.255.0 nomodify notrust\nreslist\npeers\n";

/// Which ntpdc.
#[derive(Clone, Copy, Debug)]
enum Asker {
    Reference,
    Ours,
}

/// Runs it on a host without a terminal, fed with what somebody types.
fn ntpdc(host: Host<'_>, asker: Asker, arguments: &[&str], typed: &str) -> String {
    let inner = match asker {
        Asker::Reference => host.peer(Tree::Ntp4, "/usr/bin/ntpdc"),
        Asker::Ours => {
            let mut command = host.native(&binary());
            command.arg("ntpdc");
            command
        }
    };
    // Without a terminal of its own it asks for the password where it is told everything else.
    let mut command = Command::new("setsid");
    command
        .arg("-w")
        .arg(inner.get_program())
        .args(inner.get_args());
    command.args(arguments);
    let path = host.write("typed", typed);
    command.stdin(File::open(path).expect("written"));
    match command.output() {
        Ok(output) => Finished::from(output).text,
        Err(error) => panic!("cannot start {command:?}: {error}"),
    }
}

fn commands(host: Host<'_>, asker: Asker, password: &str, commands: &[&str]) -> String {
    let password = format!("passwd {password}");
    let mut arguments = vec!["-n", "-c", "keyid 1", "-c", &password];
    arguments.extend(commands.iter().flat_map(|it| ["-c", it]));
    arguments.push("127.0.0.1");
    ntpdc(host, asker, &arguments, "")
}

fn config(host: Host<'_>, keys: &str, more: &str) -> String {
    fs::write(host.folder().join("keys"), KEYS).expect("writable");
    format!(
        "server 127.127.1.0\nfudge 127.127.1.0 stratum 5\nkeys {keys}\ntrustedkey 1 2\n\
         restrict default limited kod nomodify nopeer noquery notrap\nrestrict 127.0.0.1\n{more}"
    )
}

fn ours<'a>(world: &'a World, more: &str) -> Truechimer<'a> {
    let host = world.host(1);
    let keys = host.folder().join("keys");
    Truechimer::start(host, &config(host, &keys.display().to_string(), more))
}

/// The number after a label.
fn number(text: &str, label: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(label));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no number after {label:?} in: {text}"))
}

fn the_guides_dialogue(asker: Asker) {
    let world = World::new(1);
    let host = world.host(1);
    let _ours = ours(&world, "enable mode7\nrequestkey 1\n");
    let text = match asker {
        Asker::Ours => {
            let text = ntpdc(host, asker, &["-n", "-i", "127.0.0.1"], GUIDE);
            assert!(text.contains("MD5 Password: "), "{text}");
            text
        }
        // Its editor of lines wants a terminal.
        Asker::Reference => {
            let typed: Vec<&str> = GUIDE.lines().skip(3).collect();
            commands(host, asker, "secret", &typed)
        }
    };
    assert_eq!(text.matches("done!").count(), 2, "{text}");
    let rule = text.lines().find(|line| line.contains("192.168.231.0 "));
    let rule = rule.unwrap_or_else(|| panic!("no rule: {text}"));
    assert!(
        rule.contains("255.255.255.0") && rule.ends_with("notrust, nomodify"),
        "{rule}"
    );
    // The new server is asked for in the next turn of the clock thread.
    let peers = until("the new server", seconds(10), || {
        let text = commands(host, asker, "secret", &["peers"]);
        text.contains("195.220.94.163").then_some(text)
    });
    assert!(peers.contains("=195.220.94.163"), "{peers}");
    let text = commands(host, asker, "secret", &["unconfig 195.220.94.163", "peers"]);
    assert!(text.contains("done!"), "{text}");
    let text = commands(host, asker, "secret", &["peers"]);
    assert!(!text.contains("195.220.94.163"), "{text}");
}

#[test]
fn the_guides_dialogue_with_the_references_ntpdc() {
    the_guides_dialogue(Asker::Reference);
}

#[test]
fn the_guides_dialogue_with_our_ntpdc() {
    the_guides_dialogue(Asker::Ours);
}

#[test]
fn a_wrong_password_changes_nothing_and_is_counted() {
    let world = World::new(1);
    let host = world.host(1);
    let _ours = ours(&world, "enable mode7\nrequestkey 1\n");
    for (turn, asker) in (1..).zip([Asker::Reference, Asker::Ours]) {
        let text = commands(host, asker, "wrong", &["addserver 195.220.94.163"]);
        assert!(text.contains("***Permission denied"), "{text}");
        let text = commands(host, asker, "secret", &["sysstats", "peers"]);
        assert!(!text.contains("195.220.94.163"), "{text}");
        assert_eq!(number(&text, "bad authentication:"), turn, "{text}");
    }
}

#[test]
fn not_enabled_there_is_no_answer_at_all() {
    let world = World::new(1);
    let host = world.host(1);
    let _ours = ours(&world, "requestkey 1\n");
    let quick = ["-n", "-c", "timeout 1000", "-c", "sysinfo", "127.0.0.1"];
    for asker in [Asker::Reference, Asker::Ours] {
        let text = ntpdc(host, asker, &quick, "");
        assert!(text.contains("timed out, nothing received"), "{text}");
    }
    let text = ntpdc(host, Asker::Ours, &quick, "");
    assert!(text.contains("`enable mode7`"), "{text}");
}

/// A text without what its numbers are, and how long.
fn shape(text: &str) -> String {
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let mut shape = String::new();
    for c in text.chars().map(digits) {
        // Longer numbers take the place of blanks.
        if !(matches!(c, '0' | ' ') && shape.ends_with(c)) {
            shape.push(c);
        }
    }
    shape
}

#[test]
fn both_programs_print_the_same_of_our_daemon_and_of_the_references() {
    const STEADY: &[&str] = &[
        "listpeers",
        "peers",
        "dmpeers",
        "showpeer 127.127.1.0",
        "clockstat 127.127.1.0",
        "traps",
        "kerninfo",
        "pstats 10.1.2.3",
        "help",
        "addserver 10.1.2.3 foo",
        "restrict 10.0.0.0 255.0.0.0 nomodify;unrestrict 10.0.0.0 255.0.0.0 nomodify;\
         delrestrict 10.0.0.0 255.0.0.0",
        "enable monitor",
        "trustedkey 2",
        "untrustedkey 2",
        "readkeys",
        "keytype",
        "foo",
    ];
    /// Whose numbers change with every question.
    const BUSY: &[&str] = &[
        "sysinfo",
        "sysstats",
        "iostats",
        "timerstats",
        "authinfo",
        "loopinfo",
        "reslist",
        "reslist -4",
    ];
    let world = World::new(2);
    let more = "enable mode7\nrequestkey 1\n";
    let _ours = ours(&world, more);
    let other = world.host(2);
    let theirs = config(other, "/lab/keys", more);
    let _theirs = upstreams::ntpd(other, Tree::Ntp4, &theirs);
    for host in [world.host(1), other] {
        for command in STEADY.iter().chain(BUSY) {
            let same = until(command, seconds(20), || {
                let each: Vec<&str> = command.split(';').collect();
                let ask = |asker| commands(host, asker, "secret", &each);
                let (one, two) = (ask(Asker::Reference), ask(Asker::Ours));
                // We also show flags that the reference's program has no words for.
                let two = two.replace(", noepeer", "").replace("  noepeer", "  none");
                let same = if BUSY.contains(command) {
                    shape(&one) == shape(&two)
                } else {
                    one == two
                };
                if !same {
                    eprintln!("{command}:\n{one}\n---\n{two}");
                }
                same.then_some(one)
            });
            assert!(!same.is_empty());
        }
    }
}

#[test]
fn from_another_host_only_who_is_meant_is_answered() {
    let world = World::new(2);
    let (server, asker) = (world.host(1), world.host(2));
    let own = "restrict default\nenable mode7\nrequestkey 1\n";
    let quick = ["-n", "-c", "timeout 1000", "-c", "sysinfo"];
    let ask = || {
        let to = server.v4();
        let mut arguments = quick.to_vec();
        arguments.push(&to);
        ntpdc(asker, Asker::Reference, &arguments, "")
    };
    let mut first = ours(&world, own);
    assert!(
        ask().contains("nothing received"),
        "restrict default opens nothing"
    );
    first.daemon.kill();
    let more = format!("{own}restrict {} mask 255.255.255.255\n", asker.v4());
    let _second = ours(&world, &more);
    let text = ask();
    assert!(text.contains("system peer mode:"), "{text}");
}

/// As collectd's plugin asks: requests of 48 octets, without what ntpdc fills them up with.
#[test]
fn short_requests_are_answered_whole() {
    let world = World::new(1);
    let host = world.host(1);
    let _ours = ours(&world, "enable mode7\n");
    let script = "import socket\n\
        for code, size in ((1, 72), (4, 80), (6, 40), (38, 60)):\n\
        \x20s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3)\n\
        \x20s.sendto(bytes([0x17, 0, 3, code]) + bytes(44), ('127.0.0.1', 123))\n\
        \x20a = s.recv(600); print(code, a[0], len(a) - 8, (len(a) - 8) % size)\n";
    let mut command = host.peer(Tree::Ntplib, "/usr/bin/python3");
    command.args(["-c", script]);
    let output = command.output().expect("python3");
    let text = Finished::from(output).text;
    for line in ["1 151 72 0", "4 151 80 0", "6 151 40 0", "38 151 60 0"] {
        assert!(text.contains(line), "{text}");
    }
}
