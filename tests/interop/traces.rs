//! The debug output of `-D`: packets, polls and rules as they are, right and wrong keys told apart.

use super::client::FAST;
use super::keyed::loaded;
use super::server::LOCAL;
use truechimer_tests::support::keys::{KEYS, ntp_keys, wrong_keys};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Client, ClientKind, Truechimer, Upstream, World};

#[test]
fn a_client_tells_what_it_asks_and_what_the_answers_prove() {
    let world = World::new(3);
    let (server, own, wrong) = (world.host(1), world.host(2), world.host(3));
    let _upstream = Upstream::Ntp4.start_keyed(server);
    let key = KEYS[0].id;
    let asked = format!("server {} key {key} {FAST}\n", server.v4());
    let config = loaded(own, &ntp_keys()) + &asked;
    let mut client = Truechimer::start_with(own, "client", &config, &["-D", "3"]);
    client.wait_full_reach(seconds(60));
    let address = server.v4();
    for part in [
        "create_sockets(123)".to_owned(),
        "interface <lo> OK".to_owned(),
        format!("port 123, addr {}, flags=1", own.v4()),
        format!("transmit: at 0 *->{address} mode 3 keyid {key:08x} len 68"),
        format!("*<-{address} restrict "),
        format!("*<-{address} mode 4 code 1 keyid {key:08x} len 48 mac 20 auth 1"),
        format!(" {address} poll 1 burst 0 retry 0 head "),
    ] {
        assert!(client.daemon.line_with(&[&part]).is_some(), "{part}");
    }
    let config = loaded(wrong, &wrong_keys()) + &asked;
    let mut client = Truechimer::start_with(wrong, "client", &config, &["-D", "1"]);
    // The server's answer to a MAC it cannot verify.
    let nak = format!("*<-{address} mode 4 code 1 keyid 00000000 len 48 mac 4 auth 3");
    client.daemon.wait_log(&[&nak], seconds(20));
    assert_eq!(
        client.daemon.line_with(&["poll_update", " restrict "]),
        None
    );
}

#[test]
fn a_server_tells_what_it_answers() {
    let world = World::new(3);
    let own = world.host(1);
    let config = loaded(own, &ntp_keys()) + LOCAL;
    let mut server = Truechimer::start_with(own, "server", &config, &["-D", "1"]);
    let (address, key) = (own.v4(), KEYS[0].id);
    let start = |host, keys: &str| Client::start_keyed(ClientKind::Ntp4, host, &[&address], keys);
    let _right = start(world.host(2), &ntp_keys());
    let _wrong = start(world.host(3), &wrong_keys());
    let (right, wrong) = (world.host(2).v4(), world.host(3).v4());
    for part in [
        format!("{address}<-{right} mode 3 code 3 keyid {key:08x} len 48 mac 20 auth 1"),
        format!("{address}->{right} mode 4 keyid {key:08x} len 68"),
        format!("{address}<-{wrong} mode 3 code 3 keyid {key:08x} len 48 mac 20 auth 2"),
        format!("{address}->{wrong} mode 4 keyid 00000000 len 52"),
    ] {
        server.daemon.wait_log(&[&part], seconds(40));
    }
}
