//! ntpd's command line: the same words mean the same to the real ntpd and to us.

use super::client::FAST;
use super::server::{LOCAL, serve};
use std::fs;
use truechimer_tests::support::command::{Finished, finish, must, words};
use truechimer_tests::support::truechimer::binary;
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{Host, Tree, World};

/// Runs us as ntpd to the end.
fn ours(host: Host<'_>, line: &str) -> Finished {
    let mut command = host.native(&binary());
    command.arg("ntpd").args(line.split_whitespace());
    finish(command)
}

/// Runs the real ntpd to the end.
fn theirs(host: Host<'_>, line: &str) -> Finished {
    let mut command = host.peer(Tree::Ntp4, "/usr/sbin/ntpd");
    command.args(line.split_whitespace());
    finish(command)
}

#[test]
fn usage_ends_as_in_the_real_one() {
    let world = World::new(1);
    let host = world.host(1);
    for line in [
        "-Z",
        "-gZ",
        "--frobnicate",
        "--p /x",
        "-i",
        "-c",
        "-D many",
        "-d5",
        "-w soon",
        "-P high",
        "-4 -6",
        "-a -A",
        "-n -w 3",
        "-q -w 3",
        "-q --saveconfigquit /x",
        "--nofork=1",
        "--help",
        "-?",
        "--version",
    ] {
        let (we, they) = (ours(host, line), theirs(host, line));
        assert_eq!(we.code, they.code, "{line}\n{}\n{}", we.text, they.text);
        assert!(we.code.is_some(), "{line}");
    }
}

/// What we write the real ntpd reads, and what it makes of that we read as what it was.
#[test]
fn a_saved_configuration_goes_through_the_real_one_and_back() {
    let world = World::new(1);
    let host = world.host(1);
    let text = "server 10.77.0.9 iburst key 7 minpoll 4\npool -4 pool.example prefer\n\
        server 127.127.1.0 noselect\nfudge 127.127.1.0 stratum 9 refid \"ab c\" flag1 1\n\
        restrict default kod limited nomodify noquery\nrestrict -6 ::1\n\
        restrict 10.0.0.0 mask 255.0.0.0 notrust ntpport\nrestrict source nomodify\n\
        keys \"/lab/my keys\"\ntrustedkey 3 (7 ... 9)\ncontrolkey 3\n\
        tos minclock 4 maxdist 2.5\ntinker step 0.2 panic 2000 allan 12\n\
        disable kernel\ndriftfile /lab/drift\nleapfile /lab/leap ignorehash\n\
        interface ignore all\ninterface listen 10.77.0.1\n\
        statsdir /lab/\nfilegen peerstats type week enable\nsetvar site = \"here\" default\n";
    let folder = host.folder();
    let path = host.write("ntp.conf", text);
    let saved = |from: &str, to: &str| {
        let (from, to) = (folder.join(from), folder.join(to));
        let line = format!("-c {} --saveconfigquit {}", from.display(), to.display());
        let run = ours(host, &line);
        assert_eq!(run.code, Some(0), "{}", run.text);
        match fs::read_to_string(&to) {
            Ok(text) => text,
            Err(error) => panic!("{}: {error}", to.display()),
        }
    };
    assert!(path.exists());
    let first = saved("ntp.conf", "first");
    let run = theirs(host, "-c /lab/first --saveconfigquit /lab/theirs");
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert!(!run.text.contains("syntax error"), "{first}\n{}", run.text);
    let lines = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(lines(&saved("theirs", "back")), lines(&first), "{first}");
}

#[test]
fn who_waits_for_synchronization_is_told() {
    let world = World::new(2);
    let host = world.host(1);
    let _server = serve(world.host(2), LOCAL);
    let start = |name: &str, config: &str, more: &str| {
        let path = host.write(name, config);
        let pid = host.folder().join(format!("{name}.pid"));
        let log = host.folder().join(format!("{name}.log"));
        let run = ours(
            host,
            &format!(
                "-c {} -p {} -l {} -u root {more}",
                path.display(),
                pid.display(),
                log.display()
            ),
        );
        let number = until("a process id file", seconds(5), || {
            fs::read_to_string(&pid)
                .ok()
                .filter(|text| !text.is_empty())
        });
        // The daemon goes on in either case.
        must(words(&format!("kill -0 {}", number.trim())));
        must(words(&format!("kill {}", number.trim())));
        until("its end", seconds(5), || (!pid.exists()).then_some(()));
        run.code
    };
    let server = format!("server {} {FAST}\n", world.host(2).v4());
    assert_eq!(start("served", &server, "-w 60"), Some(0));
    assert_eq!(
        start("alone", "server 10.77.0.99 iburst\n", "-w 2"),
        Some(110)
    );
    // A server of the command line is one like another.
    let own = format!("--wait-sync=60 {}", world.host(2).v4());
    assert_eq!(start("named", "restrict default\n", &own), Some(0));
}

#[test]
fn once_and_by_the_old_letter() {
    let world = World::new(2);
    let host = world.host(1);
    let _server = serve(world.host(2), LOCAL);
    let config = host.write("once.conf", "restrict default nomodify noquery\n");
    let config = config.display();
    let line = format!("ntpd -gq -c {config} {}", world.host(2).v4());
    let mut command = host.pretending(&binary());
    let run = finish({
        command.args(line.split_whitespace());
        command
    });
    assert_eq!(run.code, Some(0), "{}", run.text);
    assert!(run.stdout.starts_with("ntpd: time "), "{}", run.text);
    // Without the right to set the clock it says that, not that there is no server.
    let run = ours(
        host,
        &format!("-gqU root -c {config} {}", world.host(2).v4()),
    );
    assert_eq!(run.code, Some(1), "{}", run.text);
    for part in ["-U root is read as -u root", "no CAP_SYS_TIME"] {
        assert!(run.text.contains(part), "{part} not in\n{}", run.text);
    }
}
