//! Packets that are not authentic: dropped or refused in both roles, each counted under what is
//! wrong with it; and keys that change while the daemon runs.

use super::client::FAST;
use super::keyed::loaded;
use super::server::{LOCAL, serve};
use truechimer_tests::support::command::finish;
use truechimer_tests::support::truechimer::query;
use truechimer_tests::support::wait::{seconds, until_true};
use truechimer_tests::support::{Host, Responder, Tree, Truechimer, Upstream, World, keys};

/// Sends a request with so many octets behind its header, the first four a key number; prints how
/// long the reply is, 0 if there is none.
const ASK: &str = "import socket, sys
address, key, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
header = b'\\x23' + bytes(39) + b'nonce123'
s.sendto(header + (key.to_bytes(4, 'big') + bytes(range(1, 60)))[:length], (address, 123))
try: print(len(s.recv(200)))
except TimeoutError: print(0)";

fn reply_len(from: Host<'_>, to: Host<'_>, key: u32, mac_len: usize) -> usize {
    let mut command = from.peer(Tree::Ntplib, "/usr/bin/python3");
    command.args(["-c", ASK, &to.v4(), &key.to_string(), &mac_len.to_string()]);
    let said = finish(command);
    match said.stdout.trim().parse() {
        Ok(len) => len,
        Err(_) => panic!("the asker said {}", said.text),
    }
}

#[test]
fn requests_that_are_not_authentic_get_no_time_and_are_counted_by_reason() {
    const CRYPTO_NAK: usize = 52;
    let world = World::new(2);
    let (own, other) = (world.host(1), world.host(2));
    let shut = "restrict 10.77.0.0 mask 255.255.255.0 notrust\n";
    let config = loaded(own, &(keys::ntp_keys() + "9 M untrusted\n")) + LOCAL + shut;
    let mut server = Truechimer::start(own, &config);
    // Key 1 is MD5, whose MAC has 20 octets with its number.
    for (key, mac_len, reply) in [
        (1, 0, 0),
        (1, 8, 0),
        (1, 16, 0),
        (1, 20, CRYPTO_NAK),
        (1, 24, CRYPTO_NAK),
        (7, 20, CRYPTO_NAK),
        (9, 20, CRYPTO_NAK),
    ] {
        let got = reply_len(other, own, key, mac_len);
        assert_eq!(got, reply, "key {key}, {mac_len} octets");
    }
    server.peers();
    for count in [
        "1 dropped for notrust",
        "2 dropped for mac_length",
        "4 crypto-NAKs",
        "1 not authentic for wrong_digest",
        "1 not authentic for wrong_mac_length",
        "1 not authentic for unknown_key",
        "1 not authentic for untrusted_key",
    ] {
        server.daemon.wait_log(&[count], seconds(1));
    }
}

#[test]
fn replies_that_are_not_authentic_are_refused_and_counted_by_reason() {
    let world = World::new(2);
    let lies = "before=mac-cut,mac-long,mac-other,mac-wrong,crypto-nak";
    let _liar = Responder::start(world.host(1), &[lies]);
    let own = world.host(2);
    let server = format!("server {} key 1 {FAST}\n", world.host(1).v4());
    let mut truechimer = Truechimer::start(own, &(loaded(own, &keys::ntp_keys()) + &server));
    truechimer.daemon.wait_log(&["bad_auth key 1"], seconds(20));
    let rows = truechimer.peers();
    assert_eq!(rows[0].reach, 0, "{rows:?}");
    let line = truechimer
        .daemon
        .wait_log(&["refused: pkt_auth"], seconds(1));
    for reason in [
        "no_mac",
        "other_key",
        "wrong_mac_length",
        "wrong_digest",
        "crypto_nak",
    ] {
        assert!(line.contains(reason), "{reason} is not in {line}");
    }
}

/// Asks with a key from a file of this one line; whether the time came authenticated.
fn authenticates(from: Host<'_>, to: Host<'_>, line: &str) -> bool {
    let path = from.write("query.keys", line);
    let path = path.display().to_string();
    let id = line.split(' ').next().unwrap_or_default();
    let arguments = ["--json", "--timeout", "1", "--key", id, "--keys", &path];
    let said = query(from, &[&arguments[..], &[&to.v4()]].concat());
    said.stdout.contains("\"authenticated\":true")
        || said.stdout.contains("\"authenticated\": true")
}

#[test]
fn a_changed_key_file_counts_from_sighup_on_and_no_association_begins_anew() {
    let world = World::new(3);
    let _upstream = Upstream::Ntp4.start_keyed(world.host(1));
    let (own, other) = (world.host(2), world.host(3));
    let server = format!("server {} key 2 {FAST}\n", world.host(1).v4());
    let file = |line: &str| keys::ntp_keys() + line;
    let config = loaded(own, &file("50 SHA1 the-old-one\n"));
    let config = config + "trustedkey 50\n" + &server + LOCAL;
    let mut truechimer = serve(own, &config);
    truechimer.wait_peers("the keyed server", seconds(30), |rows| {
        rows.iter()
            .any(|row| row.remote == world.host(1).v4() && row.reach > 7)
    });
    assert!(authenticates(other, own, "50 SHA1 the-old-one"));
    assert!(!authenticates(other, own, "50 SHA256 the-new-one"));

    own.write("ntp.keys", &file("50 SHA256 the-new-one\n51 rubbish\n"));
    truechimer.daemon.signal("HUP");
    until_true("the new key to count", seconds(5), || {
        authenticates(other, own, "50 SHA256 the-new-one")
    });
    // Each server thread looks at its board twice a second.
    std::thread::sleep(seconds(1));
    assert!(!authenticates(other, own, "50 SHA1 the-old-one"));
    assert!(authenticates(other, own, "50 SHA256 the-new-one"));
    truechimer
        .daemon
        .wait_log(&["ntp.keys: line 6, column"], seconds(1));
    let rows = truechimer.peers();
    let keyed = rows.iter().find(|row| row.remote == world.host(1).v4());
    assert!(keyed.is_some_and(|row| row.reach > 7), "{rows:?}");
    let again = truechimer.daemon.count_lines(&[" mobilize"]);
    assert_eq!(again, 2, "the server and the local clock");
}
