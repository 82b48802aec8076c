//! The one-thread engine on loopback: a client follows a server, both the real protocol.
mod support;

use core::time::Duration;
use support::{Running, always_right, free, stratum_one, unsteered};
use truechimer_engine::Why;
use truechimer_proto::config::{AssociationConfig, Remote};
use truechimer_proto::packet::StampClass;

#[test]
fn a_client_follows_a_server_by_kernel_stamps() {
    let address = free("127.0.0.1").unwrap();
    let server = Running::start(vec![address], 0, stratum_one(), always_right());
    server.wait_for(Duration::from_secs(60), |report| report.system.stratum == 1);

    let mut config = unsteered();
    let mut association = AssociationConfig::server(Remote::Address(address.ip()));
    association.port = address.port();
    association.iburst = true;
    association.minpoll = 0;
    association.maxpoll = 0;
    config.associations.push(association);
    let client = Running::start(Vec::new(), 0, config, Vec::new());
    let report = client.wait_for(Duration::from_secs(60), |report| {
        report.system.system_peer.is_some() && report.system.stratum == 2
    });

    let peer = &report.system.associations[0];
    assert_eq!(peer.stamps, Some((StampClass::Kernel, StampClass::Kernel)));
    assert!(peer.offset_s.abs() < 1e-3, "{}", peer.offset_s);
    assert!((0.0..5e-3).contains(&peer.delay_s), "{}", peer.delay_s);
    assert_eq!(report.client_sockets, 1);
    assert_eq!(peer.refused, [0; 13]);
    let served = server.report().servers[0].protocol.replied;
    assert!(
        served >= u64::from(peer.received),
        "{served} {}",
        peer.received
    );
    assert_eq!(client.stop().why, Why::Stopped);
    assert_eq!(server.stop().why, Why::Stopped);
}

/// A refusal is told, and the association goes on asking.
#[test]
fn nobody_there() {
    let address = free("127.0.0.1").unwrap();
    let mut config = unsteered();
    let mut association = AssociationConfig::server(Remote::Address(address.ip()));
    association.port = address.port();
    association.iburst = true;
    association.minpoll = 0;
    config.associations.push(association);
    let client = Running::start(Vec::new(), 0, config, Vec::new());
    let report = client.wait_for(Duration::from_secs(60), |report| {
        report.system.associations[0].sent >= 2
    });
    assert_eq!(report.system.stratum, 16);
    assert_eq!(report.system.associations[0].received, 0);
    client.stop();
}
