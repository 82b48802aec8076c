//! Statistics files beside those of ntpd 4.2.8p15 in the same network, and what befalls them.

use super::client::FAST;
use super::server::{LOCAL, serve};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use truechimer_tests::support::wait::{seconds, until, until_true};
use truechimer_tests::support::{Host, Truechimer, Upstream, World, upstreams};

/// What both daemons are told to write, every kind with another type.
const KINDS: &str = "statistics loopstats peerstats rawstats protostats\n\
    filegen loopstats type week\n\
    filegen peerstats file peers type day nolink\n\
    filegen rawstats type none\n\
    filegen protostats type pid\n";

/// Follows a server over both families, and starts from a known frequency so as not to measure it.
fn following(server: Host<'_>, options: &str) -> String {
    format!(
        "server {} iburst {options}\nserver {} iburst {options}\n",
        server.v4(),
        server.v6()
    )
}

/// A folder for statistics that anybody may write in.
fn stats_folder(host: Host<'_>) -> PathBuf {
    let folder = host.folder().join("stats");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Names in a folder, numbers of processes left out.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| {
            entry
                .expect("a file")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .map(|name| name.split('#').next().unwrap_or_default().to_owned())
        .collect()
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// What a field looks like: a number by its decimals, a status word by its digits.
fn look(field: &str) -> String {
    let unsigned = field.trim_start_matches(['+', '-']);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if field.matches('.').count() == 3 {
        return "address".to_owned();
    }
    if field.contains(':') {
        return "address".to_owned();
    }
    match unsigned.split_once('.') {
        Some((whole, part)) if is_number(whole) && is_number(part) => {
            format!("{} decimals", part.len())
        }
        None if is_number(field.trim_start_matches('-')) => "integer".to_owned(),
        _ => field.to_owned(),
    }
}

/// How the lines of a file look; status words are numbers of another base.
fn looks(lines: &[String], status_at: Option<usize>) -> BTreeSet<Vec<String>> {
    let of_line = |line: &String| {
        let fields = line.split(' ').enumerate();
        fields
            .map(|(place, field)| {
                if Some(place) == status_at {
                    let hex = field.len() == 4 && u16::from_str_radix(field, 16).is_ok();
                    return if hex {
                        "status".to_owned()
                    } else {
                        field.to_owned()
                    };
                }
                look(field)
            })
            .collect()
    };
    lines.iter().map(of_line).collect()
}

/// Events by their word: how their lines look up to it.
fn events(lines: &[String]) -> BTreeMap<String, BTreeSet<Vec<String>>> {
    let mut found: BTreeMap<String, BTreeSet<Vec<String>>> = BTreeMap::new();
    for line in lines {
        let fields: Vec<&str> = line.split(' ').collect();
        let (code, word) = (fields[4], fields[5]);
        let looks = looks(&[fields[..4].join(" ")], Some(3));
        let key = format!("{code} {word}");
        found.entry(key).or_default().extend(looks);
    }
    found
}

/// Only what came from servers: the reference also notes what it was asked itself.
fn replies(lines: Vec<String>) -> Vec<String> {
    let is_reply = |line: &String| line.split(' ').nth(10) == Some("4");
    lines.into_iter().filter(is_reply).collect()
}

#[test]
fn files_look_like_those_of_ntpd_4_2_8p15() {
    let world = World::new(3);
    let (server, theirs, ours) = (world.host(1), world.host(2), world.host(3));
    let _upstream = Upstream::Ntp4.start(server);

    let (their_folder, our_folder) = (stats_folder(theirs), stats_folder(ours));
    theirs.write("drift", "3.500\n");
    let config = format!(
        "{}statsdir /lab/stats\ndriftfile /lab/drift\n{KINDS}",
        following(server, "minpoll 3 maxpoll 3")
    );
    let mut reference = upstreams::ntpd(theirs, truechimer_tests::support::Tree::Ntp4, &config);
    let drift = ours.write("drift", "3.500\n");
    let config = format!(
        "{}statsdir {}\ndriftfile {}\n{KINDS}",
        following(server, "minpoll 3 maxpoll 3"),
        our_folder.display(),
        drift.display()
    );
    let mut truechimer = Truechimer::start_pretending(ours, &config, "true");
    for folder in [&their_folder, &our_folder] {
        until_true("loopstats", seconds(60), || {
            assert!(reference.lives() && truechimer.daemon.lives());
            !lines(&folder.join("loopstats")).is_empty()
        });
    }
    // The last line of an event may still be on its way.
    thread::sleep(seconds(1));
    assert_eq!(names(&our_folder), names(&their_folder));

    let both = |name: &str| [&our_folder, &their_folder].map(|folder| lines(&folder.join(name)));
    let [own, reference] = both("loopstats");
    assert_eq!(looks(&own, None), looks(&reference, None));
    let day = names(&our_folder)
        .into_iter()
        .find(|name| name.starts_with("peers.2"))
        .expect("a file of the day");
    let [own, reference] = both(&day);
    assert_eq!(looks(&own, Some(3)), looks(&reference, Some(3)));
    let [own, reference] = both("rawstats").map(replies);
    assert!(own.len() >= 4, "{own:?}");
    assert_eq!(looks(&own, None), looks(&reference, None));
    let [own, reference] = both("protostats").map(|lines| events(&lines));
    for word in [
        "81 mobilize",
        "84 reachable",
        "8a sys_peer",
        "02 freq_set",
        "05 clock_sync",
        "06 restart",
    ] {
        assert_eq!(own.get(word), reference.get(word), "{word}");
        assert!(own.contains_key(word), "{word}: {own:?}");
    }
    // The log has the same words.
    let event = lines(&our_folder.join("protostats"))
        .into_iter()
        .find(|line| line.contains(" 8a sys_peer"))
        .expect("seen above");
    let text = event.splitn(3, ' ').nth(2).unwrap().to_owned();
    assert_eq!(truechimer.daemon.count_lines(&[&text]), 1, "{text}");
}

#[test]
fn a_primary_server_is_named_as_ntpd_4_2_8p15_names_it() {
    let world = World::new(3);
    let (server, theirs, ours) = (world.host(1), world.host(2), world.host(3));
    let primary = "server 127.127.1.0 minpoll 3 maxpoll 3\nfudge 127.127.1.0 stratum 0 refid GPS\n\
        tos orphanwait 1\nrestrict default\n";
    let mut upstream = upstreams::ntpd(server, truechimer_tests::support::Tree::Ntp4, primary);
    upstreams::wait_serving(server, &mut upstream, seconds(60));
    let (their_folder, our_folder) = (stats_folder(theirs), stats_folder(ours));
    let line = format!(
        "server {} iburst minpoll 3 maxpoll 3\nstatistics rawstats\n",
        server.v4()
    );
    let config = format!("{line}statsdir /lab/stats/\n");
    let _reference = upstreams::ntpd(theirs, truechimer_tests::support::Tree::Ntp4, &config);
    let config = format!("{line}statsdir {}/\n", our_folder.display());
    let _truechimer = Truechimer::start(ours, &config);
    let [own, reference] = [&our_folder, &their_folder].map(|folder| {
        let found = until("rawstats of stratum 1", seconds(30), || {
            let all = replies(lines(&folder.join("rawstats")));
            all.into_iter()
                .find(|line| line.split(' ').nth(11) == Some("1"))
        });
        looks(&[found], None)
    });
    assert_eq!(own, reference);
}

/// A disk that takes no more costs lines, never the service; afterwards every line is whole.
#[test]
fn a_full_disk_costs_lines_and_none_is_half() {
    let world = World::new(2);
    let host = world.host(1);
    let _upstream = Upstream::Chrony.start(world.host(2));
    let disk = host.folder().join("disk");
    let prepare = format!(
        "mkdir -p {0} && mount -t tmpfs -o size=8k tmpfs {0} && \
         {{ head -c 4096 /dev/zero > {0}/ballast; true; }}",
        disk.display()
    );
    let config = format!(
        "statsdir {}\nstatistics rawstats\nfilegen rawstats type none\nserver {} {FAST}\nserver {} {FAST}\n",
        disk.display(),
        world.host(2).v4(),
        world.host(2).v6()
    );
    let mut truechimer = Truechimer::start_prepared(host, &config, &prepare);
    truechimer
        .daemon
        .wait_log(&["rawstats: No space left"], seconds(90));
    let root = format!("/proc/{}/root", truechimer.daemon.pid());
    let seen = PathBuf::from(format!("{root}{}", disk.display()));
    upstreams::wait_serving(host, &mut truechimer.daemon, seconds(5));
    fs::remove_file(seen.join("ballast")).unwrap();
    truechimer
        .daemon
        .wait_log(&["rawstats is written again"], seconds(30));
    assert_eq!(truechimer.daemon.count_lines(&["No space left"]), 1);
    for line in lines(&seen.join("rawstats")) {
        assert_eq!(line.split(' ').count(), 17, "{line}");
    }
}

#[test]
fn a_missing_folder_and_a_reload() {
    let world = World::new(1);
    let host = world.host(1);
    let folder = stats_folder(host);
    let config = |lines: &str| format!("statsdir {}\n{lines}{LOCAL}", folder.display());
    // Nothing of it is there yet but the folder all names begin with.
    let later = config("filegen peerstats file later/peers type none enable\n");
    let mut truechimer = serve(host, &later);
    truechimer
        .daemon
        .wait_log(&["later/peers: No such file"], seconds(20));
    fs::create_dir(folder.join("later")).unwrap();
    truechimer
        .daemon
        .wait_log(&["later/peers is written again"], seconds(20));
    assert!(!lines(&folder.join("later/peers")).is_empty());
    host.write(
        "truechimer.conf",
        &config("filegen loopstats file loops type none enable\n"),
    );
    truechimer.daemon.signal("HUP");
    truechimer
        .daemon
        .wait_log(&["the configuration changed"], seconds(10));
    until_true("loops", seconds(20), || {
        !lines(&folder.join("loops")).is_empty()
    });
    // Nobody is at these addresses; that they are mobilised is an event.
    let quiet = "statistics loopstats\ndisable stats\n";
    let one = format!("{quiet}logconfig =peerevents\nserver 10.77.0.98\n");
    reload(host, &truechimer, &config(&one), 2);
    let before = lines(&folder.join("loops")).len();
    truechimer
        .daemon
        .wait_log(&["10.77.0.98 8011 81 mobilize"], seconds(10));
    let two = format!("{quiet}logconfig =sysevents\nserver 10.77.0.98\nserver 10.77.0.99\n");
    reload(host, &truechimer, &config(&two), 3);
    thread::sleep(seconds(10));
    assert_eq!(lines(&folder.join("loops")).len(), before, "disable stats");
    assert_eq!(names(&folder).len(), 2, "{:?}", names(&folder));
    let masked = truechimer.daemon.count_lines(&["10.77.0.99 8011 81"]);
    assert_eq!(masked, 0, "logconfig");
}

/// Waits until the configuration has changed so many times in all.
fn reload(host: Host<'_>, truechimer: &Truechimer<'_>, config: &str, times: usize) {
    host.write("truechimer.conf", config);
    truechimer.daemon.signal("HUP");
    until_true("the reload", seconds(10), || {
        truechimer
            .daemon
            .count_lines(&["the configuration changed"])
            == times
    });
}
