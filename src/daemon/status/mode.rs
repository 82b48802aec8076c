//! Kinds of sources.
use crate::control_client::NetAddress;
use serde::Serialize;

/// How it is asked, or listened to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    Server,
    Peer,
    Broadcast,
    BroadcastClient,
    Pool,
    Manycast,
    ReferenceClock,
    #[default]
    Unknown,
}

impl Mode {
    /// By its variables.
    pub(super) fn of(host_mode: Option<u8>, address: &NetAddress) -> Self {
        match host_mode {
            _ if address.clock_name().is_some() => Self::ReferenceClock,
            Some(1 | 2) => Self::Peer,
            Some(3) if address.is_unspecified() => Self::Pool,
            Some(3) if address.ip.is_multicast() => Self::Manycast,
            Some(3) => Self::Server,
            Some(5) => Self::Broadcast,
            Some(6 | 8) => Self::BroadcastClient,
            _ => Self::Unknown,
        }
    }
}
