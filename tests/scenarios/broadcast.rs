//! Broadcast and multicast: a source, and clients that hear it.
mod accuracy;
mod crowd;
mod hostile;
mod life;

use crate::build::{client_of, primaries};
use core::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use truechimer_crypto::{KeyTable, keys};
use truechimer_proto::authentication::KeyId;
use truechimer_proto::config::{
    AssociationConfig, AssociationKind, Listening, Remote, SystemConfig,
};
use truechimer_sim::{ClockConfig, NodeConfig, NodeId, Path, World};

/// NTP's group.
pub(crate) const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 1, 1));

/// The key that everybody on the campus has.
pub(crate) fn campus_keys() -> Arc<KeyTable> {
    table(b"7 AES128CMAC 2b7e151628aed2a6abf7158809cf4f3c\n")
}

pub(crate) fn table(text: &[u8]) -> Arc<KeyTable> {
    let (file, complaints) = keys::parse(text);
    assert_eq!(complaints, []);
    Arc::new(KeyTable::new(file, KeyId::symmetric(7)))
}

/// `broadcast ADDRESS key 7 minpoll 6`.
pub(crate) fn broadcast_line(to: IpAddr) -> AssociationConfig {
    AssociationConfig {
        kind: AssociationKind::Broadcast,
        key: KeyId::symmetric(7),
        ..AssociationConfig::server(Remote::Address(to))
    }
}

/// A source that follows a primary server next to it, and tells the group the time.
pub(crate) fn source(world: &mut World, name: &str, lines: &[AssociationConfig]) -> NodeId {
    source_wrong_by(world, name, 0.0, lines)
}

pub(crate) fn source_wrong_by(
    world: &mut World,
    name: &str,
    offset_s: f64,
    lines: &[AssociationConfig],
) -> NodeId {
    let primary = primaries(world, &[offset_s]);
    let mut config = client_of(world, &primary);
    config.associations.extend_from_slice(lines);
    let source = world.add(NodeConfig {
        keys: Some(campus_keys()),
        ..NodeConfig::machine(name, ClockConfig::wrong_by(0.0, 0.0), config)
    });
    let cable = Path::new(0.000_01, 0.000_001);
    world.path(primary[0], source, cable);
    world.path(source, primary[0], cable);
    source
}

/// `multicastclient 224.0.1.1` and `broadcastclient`.
pub(crate) fn listening() -> SystemConfig {
    SystemConfig {
        listening: Listening {
            broadcast: true,
            groups: vec![GROUP],
            ..Listening::default()
        },
        ..SystemConfig::default()
    }
}

pub(crate) fn listener(
    world: &mut World,
    name: &str,
    clock: ClockConfig,
    config: SystemConfig,
) -> NodeId {
    world.add(NodeConfig {
        keys: Some(campus_keys()),
        ..NodeConfig::machine(name, clock, config)
    })
}
