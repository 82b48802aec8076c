//! A server and its clients, all of them ntpd 4.2.8p15, with keys made here.

use super::{carry, keys, keys_command, made, theirs};
use std::fs;
use truechimer_tests::support::wait::{seconds, until};
use truechimer_tests::support::{Daemon, Host, Tree, World};

const STATISTICS: &str = "keysdir /lab/keys\nstatsdir /lab/\nstatistics cryptostats\n\
    filegen cryptostats file cryptostats type none enable\nrestrict default\n";

fn start(host: Host<'_>, config: &str) -> Daemon {
    host.write("ntp.conf", &format!("{STATISTICS}{config}"));
    let options = ["-n", "-g", "-c", "/lab/ntp.conf", "-l", "/lab/ntpd.log"];
    let daemon = Daemon::peer(host, "ntpd", Tree::Ntp4, "/usr/sbin/ntpd", &options);
    // Its crypto is up: it has its keys, and lost its rights before.
    wait_stats(host, " setup ", 15);
    daemon.assert_clock_safe();
    daemon
}

fn server(host: Host<'_>, crypto: &str) -> Daemon {
    start(
        host,
        &format!("tos orphan 3 orphanwait 1\ncrypto {crypto}\n"),
    )
}

/// Follows host 1.
fn client(host: Host<'_>, crypto: &str, options: &str) -> Daemon {
    start(
        host,
        &format!(
            "crypto {crypto}\nserver 10.77.0.1 autokey iburst minpoll 3 maxpoll 3 {options}\n"
        ),
    )
}

fn cryptostats(host: Host<'_>) -> String {
    fs::read_to_string(host.folder().join("cryptostats")).unwrap_or_default()
}

/// Waits for a line of a host's cryptostats.
fn wait_stats(host: Host<'_>, part: &str, limit_s: u64) -> String {
    until(
        &format!("{part:?} in cryptostats"),
        seconds(limit_s),
        || {
            cryptostats(host)
                .lines()
                .find(|line| line.contains(part))
                .map(str::to_owned)
        },
    )
}

/// All that a client does, but for the scheme: bits 8 to 14 of the flags.
const WHOLE_DANCE: u32 = 0x7f00;
const PC: u32 = 0x10;
const IFF: u32 = 0x20;
const MV: u32 = 0x80;

/// The flags of the client's only association, without the signature's number.
fn flags(client: &Daemon) -> u32 {
    let said = client
        .ask("/usr/bin/ntpq", &["-n", "-c", "rv &1 flags"])
        .text;
    let digits = said
        .split("flags=0x")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    digits
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .map_or(0, |flags| flags & 0xffff)
}

/// Waits until that association has gone through the whole dance.
fn wait_flags(client: &Daemon, scheme: u32, limit_s: u64) {
    until(
        &format!("the whole dance with scheme {scheme:#x}"),
        seconds(limit_s),
        || (flags(client) & (WHOLE_DANCE | scheme) == WHOLE_DANCE | scheme).then_some(()),
    );
}

#[test]
fn iff_with_a_group() {
    let world = World::new(2);
    let (alice, bob) = (world.host(1), world.host(2));
    made(alice, "-p srvpw -T -I -i GR1");
    let export = made(alice, "-e -p srvpw");
    made(bob, "-H -p clipw -i GR1");
    carry(&export, bob);
    let _server = server(alice, "pw srvpw ident GR1");
    for part in [
        "ntpkey_RSAhost_host1",
        "ntpkey_RSA-SHA256cert_host1",
        "ntpkey_IFFkey_GR1",
    ] {
        wait_stats(alice, part, 10);
    }
    let client = client(bob, "pw clipw", "ident GR1");
    wait_stats(bob, "iff host1@GR1 fs", 60);
    wait_flags(&client, IFF, 60);
}

#[test]
fn mv_and_one_key_revoked() {
    let world = World::new(3);
    let (alice, bob, carol) = (world.host(1), world.host(2), world.host(3));
    made(alice, "-p srvpw -T -V 4 -s host1@grp");
    let exports = [1, 2].map(|key| made(alice, &format!("-e --client {key} -p srvpw")));
    // Carol's key was good when it was handed out.
    made(alice, "-p srvpw -v 2");
    for (host, export) in [bob, carol].into_iter().zip(&exports) {
        made(host, "-H -p clipw -i grp");
        carry(export, host);
    }
    let _server = server(alice, "pw srvpw ident grp");
    let good = client(bob, "pw clipw", "ident grp");
    let revoked = client(carol, "pw clipw", "ident grp");
    wait_stats(bob, "mv host1@grp fs", 60);
    wait_flags(&good, MV, 60);
    wait_stats(carol, "bad_or_missing_group key", 60);
    assert_eq!(
        flags(&revoked) & 0x200,
        0,
        "a revoked key proved the server"
    );
}

#[test]
fn pc_with_one_certificate_for_all() {
    let world = World::new(2);
    let (alice, bob) = (world.host(1), world.host(2));
    made(alice, "-p grouppw -P");
    for link in ["ntpkey_host_host1", "ntpkey_cert_host1"] {
        let text = fs::read_to_string(keys(alice).join(link)).expect("made");
        bob.write("copied", &text);
        let taken = keys_command(bob, "import ../copied --for host2 -p grouppw");
        assert_eq!(taken.code, Some(0), "{}", taken.text);
    }
    let _server = server(alice, "pw grouppw");
    let client = client(bob, "pw grouppw", "");
    wait_flags(&client, PC, 60);
}

#[test]
fn parameters_of_a_reference_server_key_that_lost_its_public_value() {
    let world = World::new(2);
    let (alice, bob) = (world.host(1), world.host(2));
    let made_there = theirs(alice, "-p srvpw -T -I -i GR1");
    assert_eq!(made_there.code, Some(0), "{}", made_there.text);
    let mended = keys_command(alice, "doctor . -p srvpw --repair");
    assert_eq!(mended.code, Some(0), "{}", mended.text);
    let export = made(alice, "-e -p srvpw -i GR1");
    made(bob, "-H -p clipw -i GR1 -m 512 -c RSA-MD5");
    carry(&export, bob);
    let _server = server(alice, "pw srvpw ident GR1");
    let client = client(bob, "pw clipw", "ident GR1");
    wait_stats(bob, "iff host1@GR1 fs", 60);
    wait_flags(&client, IFF, 60);
}
