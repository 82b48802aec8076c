use super::*;
use crate::ears::tests::everywhere;
use core::net::{Ipv6Addr, SocketAddrV6};
use truechimer_sys::own_network::{cable, in_own_network, ip};

fn free_port() -> SocketAddr {
    let socket = Socket::open(AddressFamily::V4).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.local_address().unwrap()
}

#[test]
fn a_taken_port_is_told_once_and_tried_again() {
    let address = free_port();
    let mut first = Listeners::new(Listen::Addresses(vec![address]), 2, 16);
    let mut notices = Vec::new();
    assert!(first.rescan(&mut notices).sockets);
    assert!(matches!(notices[..], [Notice::Listening(at, _)] if at == address));

    let mut second = Listeners::new(Listen::Addresses(vec![address]), 2, 16);
    notices.clear();
    assert!(!second.rescan(&mut notices).sockets);
    assert!(matches!(&notices[..], [Notice::CannotListen(failure)]
        if failure.address == address && failure.to_string().contains("another NTP daemon")));
    notices.clear();
    second.rescan(&mut notices);
    assert!(notices.is_empty());

    drop(first);
    assert!(second.rescan(&mut notices).sockets);
    assert!(matches!(notices[..], [Notice::Listening(..)]));
    assert_eq!(second.open()[0].sockets.len(), 2);
    assert!(second.at(address).is_some());
}

#[test]
fn rescanning_changes_nothing_that_is_right() {
    let mut listeners = Listeners::new(Listen::Addresses(vec![free_port()]), 1, 16);
    let mut notices = Vec::new();
    let first = listeners.rescan(&mut notices);
    assert!(first.sockets && first.own_addresses);
    assert!(
        listeners
            .own_addresses()
            .contains(&IpAddr::from([127, 0, 0, 1]))
    );
    assert_eq!(listeners.rescan(&mut notices), Changes::default());
    listeners.listen = Listen::Nowhere;
    notices.clear();
    assert!(listeners.rescan(&mut notices).sockets);
    assert!(matches!(notices[..], [Notice::Unlistening(_)]));
}

/// Two interfaces may have the same link-local address.
#[test]
fn a_link_local_address_is_told_by_its_scope() {
    let mut listeners = Listeners::new(Listen::Nowhere, 1, 16);
    let scoped = |scope| SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 123, 0, scope));
    for scope in [1, 2] {
        listeners.open.push(Listener {
            address: scoped(scope),
            unwanted: false,
            sockets: vec![Arc::new(Socket::open(AddressFamily::V4).unwrap())],
            name: String::new(),
            opened: Instant::default(),
            traffic: Arc::default(),
        });
    }
    for listener in &listeners.open {
        let found = listeners.at(listener.desk().local).unwrap();
        assert!(core::ptr::eq(found, listener));
    }
    assert!(listeners.at(scoped(3)).is_none());
}

#[test]
fn what_there_is_no_room_for_is_told_once() {
    let addresses: Vec<SocketAddr> = (0..5).map(|_| free_port()).collect();
    let mut listeners = Listeners::new(Listen::Addresses(addresses), 2, 7);
    let mut notices = Vec::new();
    listeners.rescan(&mut notices);
    assert_eq!(listeners.open().len(), 3);
    assert!(matches!(notices[3..], [Notice::LeftOut(2)]), "{notices:?}");
    notices.clear();
    assert_eq!(listeners.rescan(&mut notices), Changes::default());
    assert!(notices.is_empty());
}

/// A configuration that is read later was written with the interfaces of the start in mind.
#[test]
fn a_new_configuration_learns_of_the_interfaces_as_they_are() {
    in_own_network(|| {
        cable("v1", "v2", 0);
        let mut listeners = Listeners::new(everywhere(), 1, 64);
        listeners.rescan(&mut Vec::new());
        let mut config = SystemConfig::default();
        listeners.correct(&mut config);
        let end: IpAddr = "10.78.0.2".parse().unwrap();
        let has_end = |config: &SystemConfig| {
            let link = config.links.iter().any(|link| link.local == end);
            (link, config.own_addresses.contains(&end))
        };
        assert_eq!(has_end(&config), (true, true));
        ip("link delete v1");
        listeners.rescan(&mut Vec::new());
        listeners.correct(&mut config);
        assert_eq!(has_end(&config), (false, false));
    });
}
