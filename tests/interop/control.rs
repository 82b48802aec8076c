//! The real ntpq of 4.2.8p15 and of NTPsec, and a monitoring plugin, ask truechimer.

use std::fs;
use std::time::Duration;
use truechimer_tests::support::command::finish;
use truechimer_tests::support::keys::ntp_keys;
use truechimer_tests::support::table;
use truechimer_tests::support::truechimer::query;
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{Host, Tree, Truechimer, Upstream, World};

/// Polls of two seconds, so that eight of them take sixteen.
const FAST: &str = "iburst minpoll 1 maxpoll 1";
/// Keys that ntpq can be told on its command line: the control key, and one that is only trusted.
pub(crate) const OWN_KEYS: &str = "11 MD5 warden\n12 MD5 visitor\n";

/// Two upstreams, the daemon under test on host 3, and host 4 to ask it for the time.
fn start<'a>(world: &'a World, more: &str) -> Truechimer<'a> {
    let own = world.host(3);
    let keys = own.write("ntp.keys", &(ntp_keys() + OWN_KEYS));
    let config = format!(
        "server {} {FAST} key 2\nserver {} {FAST}\nserver 127.127.1.0\n\
         fudge 127.127.1.0 stratum 12\nrestrict 127.0.0.1\nrestrict ::1\n\
         keys {}\ntrustedkey 2 11 12\ncontrolkey 11\nsetvar site=lab default\n{more}",
        world.host(1).v4(),
        world.host(2).v4(),
        keys.display(),
    );
    Truechimer::start(own, &config)
}

fn ntpq_to(host: Host<'_>, tree: Tree, address: &str, arguments: &[&str]) -> String {
    let mut command = host.peer(tree, "/usr/bin/ntpq");
    command.args(arguments).arg(address);
    finish(command).text
}

pub(crate) fn ntpq(host: Host<'_>, tree: Tree, commands: &[&str]) -> String {
    let arguments: Vec<&str> = commands.iter().flat_map(|it| ["-c", it]).collect();
    ntpq_to(host, tree, "127.0.0.1", &arguments)
}

/// With the key that may change things.
pub(crate) fn keyed(host: Host<'_>, tree: Tree, commands: &[&str]) -> String {
    let mut arguments = match tree {
        Tree::Ntpsec => vec!["-k", "/lab/ntp.keys", "-a", "11"],
        _ => vec!["-c", "keyid 11", "-c", "passwd warden"],
    };
    arguments.extend(commands.iter().flat_map(|it| ["-c", it]));
    ntpq_to(host, tree, "127.0.0.1", &arguments)
}

/// `name=value` of a list of variables.
pub(crate) fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let items = text.split([',', '\n']);
    let mut pairs = items.filter_map(|item| item.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|pair| pair.1)
}

/// The number after `label:` in a summary.
fn counted(text: &str, label: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(label));
    let word = line.and_then(|line| line.split_whitespace().next());
    word.and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no number after {label:?} in: {text}"))
}

pub(crate) fn number_of(text: &str, address: &str) -> String {
    // lassociations show numbers only; apeers show both.
    let line = text.lines().find(|line| line.contains(address));
    let columns: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    columns
        .get(2)
        .map(|it| (*it).to_owned())
        .unwrap_or_default()
}

fn reads_everything(tree: Tree) {
    let world = World::new(4);
    let mut first = Upstream::Ntp4.start_keyed(world.host(1));
    let _second = Upstream::Chrony.start(world.host(2));
    let mut truechimer = start(&world, "restrict 10.77.0.0 mask 255.255.255.0 noquery\n");
    let own = world.host(3);
    truechimer.wait_peers("both servers heard eight times", seconds(60), |rows| {
        rows.iter().filter(|row| row.reach == 0o377).count() >= 2
    });

    let peers = ntpq_to(own, tree, "127.0.0.1", &["-n", "-p"]);
    let rows = table::last(&peers);
    assert_eq!(rows.len(), 3, "{peers}");
    assert_eq!(
        rows.iter().filter(|row| row.tally == '*').count(),
        1,
        "{peers}"
    );
    let local = rows.iter().find(|row| row.remote == "127.127.1.0");
    assert_eq!(local.map(|row| row.stratum), Some(12), "{peers}");
    for command in ["apeers", "lpeers", "opeers"] {
        let text = ntpq(own, tree, &[command]);
        assert!(
            text.contains(&world.host(1).v4()) && !text.contains("***"),
            "{text}"
        );
    }

    let id = number_of(
        &ntpq_to(own, tree, "127.0.0.1", &["-n", "-c", "apeers"]),
        &world.host(1).v4(),
    );
    let text = ntpq(own, tree, &["as"]);
    let line = text
        .lines()
        .find(|line| line.contains(&format!(" {id} ")))
        .unwrap_or_default();
    assert!(line.contains("yes   yes   ok"), "{text}");

    variables(own, tree, &id);
    summaries(own, tree, world.host(4));

    // What changes is seen to change.
    first.kill();
    let gone = until("the first server to be given up", seconds(60), || {
        std::thread::sleep(Duration::from_secs(2));
        let text = ntpq(own, tree, &[&format!("rv {id}")]);
        text.contains("reach=000").then_some(text)
    });
    assert!(
        gone.contains("unreachable") && gone.contains("sel_reject"),
        "{gone}"
    );
    assert!(!gone.contains(" reach,"), "{gone}");
    let system = ntpq(own, tree, &["rv 0 refid,peer,stratum"]);
    assert_eq!(value(&system, "refid"), Some("10.77.0.2"), "{system}");
}

/// Of the system, of the association of this number, of the reference clock.
fn variables(own: Host<'_>, tree: Tree, id: &str) {
    let system = ntpq(own, tree, &["rv"]);
    assert_eq!(value(&system, "stratum"), Some("4"), "{system}");
    assert!(
        system.contains("sync_ntp") && system.contains("version=\"truechimer "),
        "{system}"
    );
    assert!(system.contains("site="), "{system}");
    let peer = ntpq(own, tree, &[&format!("rv {id}")]);
    assert!(peer.contains("conf, authenb, auth, reach"), "{peer}");
    let local = format!("dstadr={}", own.v4());
    for wanted in [
        "srcadr=10.77.0.1",
        "reach=377",
        "keyid=2",
        "flash=00 ok",
        local.as_str(),
    ] {
        assert!(peer.contains(wanted), "{wanted} not in {peer}");
    }
    for wanted in ["filtdelay", "filtoffset", "filtdisp"] {
        assert!(peer.contains(wanted), "{peer}");
    }
    let clock = ntpq(own, tree, &["cv &1"]);
    assert!(
        clock.contains("device=\"Undisciplined local clock\""),
        "{clock}"
    );
    let unknown = ntpq(own, tree, &["rv 0 nosuch"]);
    assert!(unknown.to_lowercase().contains("unknown"), "{unknown}");
}

/// Counters before and after host 4 has asked for the time.
fn summaries(own: Host<'_>, tree: Tree, asker: Host<'_>) {
    let before = ntpq(own, tree, &["sysstats", "iostats"]);
    for _ in 0..3 {
        let reply = query(asker, &["--json", &own.v4()]);
        assert!(reply.stdout.contains("stratum"), "{}", reply.text);
    }
    let after = ntpq(own, tree, &["sysstats", "iostats"]);
    let received = "packets received:";
    let grown = counted(&after, received) - counted(&before, received);
    assert!(grown >= 3, "{grown}: {after}");
    // The answers of the servers followed, as in the reference, not the requests served.
    assert!(counted(&after, "processed for time:") >= 16, "{after}");
    for label in ["received packets:", "packets sent:", "input wakeups:"] {
        assert!(
            counted(&after, label) > counted(&before, label),
            "{label} {after}"
        );
    }
    let list = ntpq_to(own, tree, "127.0.0.1", &["-n", "-c", "mrulist"]);
    let line = list
        .lines()
        .find(|line| line.contains(&asker.v4()))
        .unwrap_or_default();
    assert!(
        line.contains(" 3 4      3 "),
        "mode, version and count: {list}"
    );
    let all = ["sysinfo", "monstats", "authinfo", "timerstats", "kerninfo"];
    let text = ntpq(own, tree, &all);
    assert!(!text.contains("***"), "{text}");
    assert!(text.contains("system peer mode:   client"), "{text}");
    assert!(counted(&text, "key lookups:") >= 16, "{text}");
    assert!(counted(&text, "calls to transmit:") >= 16, "{text}");
    let text = keyed(own, tree, &["ifstats", "reslist"]);
    assert!(text.contains(&format!("{}:123", own.v4())), "{text}");
    assert!(
        text.contains("127.0.0.1/32") && text.contains("noquery"),
        "{text}"
    );
}

fn changes_things(tree: Tree) {
    let world = World::new(4);
    let _first = Upstream::Ntp4.start_keyed(world.host(1));
    let own = world.host(3);
    let folder = own.folder();
    let _truechimer = start(&world, &format!("saveconfigdir {}\n", folder.display()));

    let text = keyed(own, tree, &[":config server 192.0.2.77 minpoll 5", "as"]);
    assert!(text.contains("Config Succeeded"), "{text}");
    assert_eq!(
        table::last(&ntpq_to(own, tree, "127.0.0.1", &["-n", "-p"])).len(),
        4
    );
    let text = keyed(own, tree, &[":config server 192.0.2.78 minpollx 3"]);
    let complaint = "server 192.0.2.78 minpollx 3\n__________________^\ncolumn 18 syntax error";
    assert!(text.replace('\r', "").contains(complaint), "{text}");

    let refused = format!(":config restrict {} ignore", world.host(4).v4());
    assert!(keyed(own, tree, &[&refused]).contains("Config Succeeded"));
    until("host 4 to be ignored", seconds(5), || {
        let reply = query(world.host(4), &["--json", "--timeout", "1", &own.v4()]);
        (!reply.stdout.contains("stratum")).then_some(())
    });

    if tree == Tree::Ntp4 {
        // NTPsec's ntpq has no saveconfig.
        let text = keyed(
            own,
            tree,
            &[
                "saveconfig ../x.conf",
                "saveconfig x.conf",
                "saveconfig x.conf",
            ],
        );
        for said in [
            "unsafe file name '../x.conf'",
            "saved to 'x.conf'",
            "File exists",
        ] {
            assert!(text.contains(said), "{said} not in {text}");
        }
        let saved = fs::read_to_string(folder.join("x.conf")).expect("saved");
        assert!(saved.contains("server 192.0.2.77 minpoll 5"), "{saved}");
        assert!(
            saved.contains(&format!("restrict {} ignore", world.host(4).v4())),
            "{saved}"
        );
    }
    assert!(keyed(own, tree, &[":config unpeer 192.0.2.77"]).contains("Config Succeeded"));
    assert_eq!(
        table::last(&ntpq_to(own, tree, "127.0.0.1", &["-n", "-p"])).len(),
        3
    );
}

#[test]
fn ntpq_of_4_2_8p15_reads_everything() {
    reads_everything(Tree::Ntp4);
}

#[test]
fn ntpq_of_ntpsec_reads_everything() {
    reads_everything(Tree::Ntpsec);
}

#[test]
fn ntpq_of_4_2_8p15_changes_things() {
    changes_things(Tree::Ntp4);
}

#[test]
fn ntpq_of_ntpsec_changes_things() {
    changes_things(Tree::Ntpsec);
}

#[test]
fn wrong_keys_and_strangers_get_nothing() {
    let world = World::new(4);
    let _truechimer = start(&world, "");
    let own = world.host(3);
    let refused = "Server disallowed request";
    for who in [["keyid 11", "passwd wrong"], ["keyid 12", "passwd visitor"]] {
        let mut commands = who.to_vec();
        commands.extend([":config server 192.0.2.77", "ifstats"]);
        let text = ntpq(own, Tree::Ntp4, &commands);
        assert_eq!(text.matches(refused).count(), 2, "{text}");
    }
    assert_eq!(
        table::last(&ntpq_to(own, Tree::Ntp4, "127.0.0.1", &["-n", "-p"])).len(),
        3
    );
    // The built-in rules let nobody else query.
    let commands = ["-c", "timeout 300", "-c", "rv"];
    let text = ntpq_to(world.host(4), Tree::Ntp4, &own.v4(), &commands);
    assert!(
        text.contains("timed out") && !text.contains("stratum"),
        "{text}"
    );
}

#[test]
fn check_ntp_peer_is_content() {
    let world = World::new(4);
    let _first = Upstream::Ntp4.start_keyed(world.host(1));
    let _second = Upstream::Chrony.start(world.host(2));
    let mut truechimer = start(&world, "");
    truechimer.wait_peers("a system peer", seconds(60), |rows| {
        rows.iter().any(|row| row.tally == '*')
    });
    let mut command = world
        .host(3)
        .peer(Tree::Plugins, "/usr/lib/nagios/plugins/check_ntp_peer");
    command.args([
        "-H",
        "127.0.0.1",
        "-w",
        "0.5",
        "-c",
        "1",
        "-W",
        "5",
        "-C",
        "6",
    ]);
    command.args(["-j", "100", "-k", "200", "-m", "1:", "-n", "1:"]);
    let finished = finish(command);
    assert_eq!(finished.code, Some(0), "{}", finished.text);
    assert!(finished.stdout.contains("stratum=3"), "{}", finished.text);
}
