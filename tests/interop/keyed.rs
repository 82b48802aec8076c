//! Symmetric keys, both ways: MD5, SHA1, AES-128-CMAC and SHA256 with ntpd 4.2.8p15, chrony and
//! NTPsec, one association with each key.

use super::client::FAST;
use super::server::{LOCAL, serve};
use truechimer_tests::support::keys::{KEYS, TRUSTED, chrony_keys, ntp_keys, wrong_keys};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Client, ClientKind, Host, Truechimer, Upstream, World};

/// Loads a key file on a host.
pub(crate) fn loaded(host: Host<'_>, keys: &str) -> String {
    let path = host.write("ntp.keys", keys);
    format!("keys {}\n{TRUSTED}", path.display())
}

/// One association with each key, each with another address of the host.
pub(crate) fn one_of_each_key(server: Host<'_>) -> String {
    server
        .addresses()
        .iter()
        .zip(KEYS)
        .map(|(address, key)| format!("server {address} key {} {FAST}\n", key.id))
        .collect()
}

#[test]
fn follows_keyed_ntpd_chrony_and_ntpsec() {
    let world = World::new(4);
    let kinds = [Upstream::Ntp4, Upstream::Chrony, Upstream::Ntpsec];
    let hosts = [world.host(1), world.host(2), world.host(3)];
    let own = world.host(4);
    let mut config = loaded(own, &ntp_keys());
    let mut upstreams = Vec::new();
    for (kind, host) in kinds.into_iter().zip(hosts) {
        upstreams.push(kind.start_keyed(host));
        config += &one_of_each_key(host);
    }
    let mut truechimer = Truechimer::start(own, &config);
    let rows = truechimer.wait_full_reach(seconds(60));
    assert_eq!(rows.len(), 12, "{rows:?}");
    assert_eq!(truechimer.daemon.line_with(&["bad_auth"]), None);
}

#[test]
fn keyed_ntpd_chrony_and_ntpsec_follow() {
    let world = World::new(4);
    let own = world.host(1);
    let mut server = serve(own, &(loaded(own, &ntp_keys()) + LOCAL));
    let addresses = own.addresses();
    let addresses: Vec<&str> = addresses
        .iter()
        .take(KEYS.len())
        .map(String::as_str)
        .collect();
    let start = |kind, host, keys: &str| Client::start_keyed(kind, host, &addresses, keys);
    let mut clients = [
        start(ClientKind::Ntp4, world.host(2), &ntp_keys()),
        start(ClientKind::Chrony, world.host(3), &chrony_keys()),
        start(ClientKind::Ntpsec, world.host(4), &ntp_keys()),
    ];
    for client in &mut clients {
        client.wait_synchronised(seconds(60));
    }
    server.peers();
    server
        .daemon
        .wait_log(&["replies, 0 crypto-NAKs"], seconds(1));
}

#[test]
fn a_wrong_key_is_complained_of_by_its_number() {
    let world = World::new(2);
    let _upstream = Upstream::Ntp4.start_keyed(world.host(1));
    let own = world.host(2);
    let config = loaded(own, &wrong_keys()) + &one_of_each_key(world.host(1));
    let mut truechimer = Truechimer::start(own, &config);
    for key in KEYS {
        let complaint = format!("bad_auth key {}", key.id);
        truechimer.daemon.wait_log(&[&complaint], seconds(20));
    }
    let rows = truechimer.peers();
    assert!(rows.iter().all(|row| row.reach == 0), "{rows:?}");
}

#[test]
fn a_client_with_a_wrong_key_gets_no_time() {
    let world = World::new(2);
    let own = world.host(1);
    let mut server = serve(own, &(loaded(own, &ntp_keys()) + LOCAL));
    let addresses = own.addresses();
    let addresses: Vec<&str> = addresses
        .iter()
        .take(KEYS.len())
        .map(String::as_str)
        .collect();
    let client = Client::start_keyed(ClientKind::Ntp4, world.host(2), &addresses, &wrong_keys());
    // A client with the right keys follows within six seconds.
    std::thread::sleep(seconds(15));
    let rows = client.rows();
    assert_eq!(rows.len(), KEYS.len(), "{rows:?}");
    assert!(rows.iter().all(|row| row.reach == 0), "{rows:?}");
    server.peers();
    server
        .daemon
        .wait_log(&["not authentic for wrong_digest"], seconds(1));
}
