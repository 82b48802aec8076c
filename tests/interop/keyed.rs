//! Symmetric keys, both ways: MD5, SHA1 and AES-128-CMAC with ntpd 4.2.8p15 and chrony.

use super::client::FAST;
use super::server::{LOCAL, serve};
use truechimer_tests::support::keys::{KEYS, ntp_keys, wrong_keys};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Client, ClientKind, Host, Truechimer, Upstream, World};

/// Loads a key file on a host.
fn loaded(host: Host<'_>, keys: &str) -> String {
    let path = host.write("ntp.keys", keys);
    format!("keys {}\ntrustedkey 1 2 3\n", path.display())
}

/// One association with each key, each with another address of the host.
fn one_of_each_key(server: Host<'_>) -> String {
    server
        .addresses()
        .iter()
        .zip(KEYS)
        .map(|(address, key)| format!("server {address} key {} {FAST}\n", key.id))
        .collect()
}

#[test]
fn follows_keyed_ntpd_and_chrony() {
    let world = World::new(3);
    let _upstreams = [
        Upstream::Ntp4.start_keyed(world.host(1)),
        Upstream::Chrony.start_keyed(world.host(2)),
    ];
    let own = world.host(3);
    let config = loaded(own, &ntp_keys())
        + &one_of_each_key(world.host(1))
        + &one_of_each_key(world.host(2));
    let mut truechimer = Truechimer::start(own, &config);
    let rows = truechimer.wait_full_reach(seconds(60));
    assert_eq!(rows.len(), 6, "{rows:?}");
    assert_eq!(truechimer.daemon.line_with(&["bad_auth"]), None);
}

#[test]
fn keyed_ntpd_and_chrony_follow() {
    let world = World::new(3);
    let own = world.host(1);
    let _server = serve(own, &(loaded(own, &ntp_keys()) + LOCAL));
    let addresses = own.addresses();
    let addresses: Vec<&str> = addresses.iter().take(3).map(String::as_str).collect();
    let keys = ntp_keys();
    let chrony_keys = truechimer_tests::support::keys::chrony_keys();
    let mut clients = [
        Client::start_keyed(ClientKind::Ntp4, world.host(2), &addresses, &keys),
        Client::start_keyed(ClientKind::Chrony, world.host(3), &addresses, &chrony_keys),
    ];
    for client in &mut clients {
        client.wait_synchronised(seconds(60));
    }
}

#[test]
fn a_wrong_key_is_complained_of_by_its_number() {
    let world = World::new(3);
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
    let _server = serve(own, &(loaded(own, &ntp_keys()) + LOCAL));
    let addresses = own.addresses();
    let addresses: Vec<&str> = addresses.iter().take(3).map(String::as_str).collect();
    let client = Client::start_keyed(ClientKind::Ntp4, world.host(2), &addresses, &wrong_keys());
    // A client with the right keys follows within six seconds.
    std::thread::sleep(seconds(15));
    let rows = client.rows();
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows.iter().all(|row| row.reach == 0), "{rows:?}");
}
