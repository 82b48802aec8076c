//! Items about peers.
use super::field::{self, item};
use super::{Native16, Native32, Unused};
use crate::ReferenceId;
use core::net::IpAddr;
use truechimer_time::{NtpDuration, NtpShort, NtpTimestamp};

/// Bits of the flags of a peer.
pub mod peer_flags {
    /// Made by the configuration.
    pub const CONFIGURED: u16 = 0x1;
    /// Leads the system.
    pub const SYSTEM_PEER: u16 = 0x2;
    /// `burst`.
    pub const BURST: u16 = 0x4;
    /// A reference clock.
    pub const REFCLOCK: u16 = 0x8;
    /// `prefer`.
    pub const PREFER: u16 = 0x10;
    /// It has a key.
    pub const KEYED: u16 = 0x20;
    /// Survived the selection.
    pub const CANDIDATE: u16 = 0x40;
    /// Leads, or is a backup.
    pub const SHORTLIST: u16 = 0x80;
    /// `iburst`.
    pub const IBURST: u16 = 0x100;
}

item! {
    /// A peer's address; also names a peer in requests.
    PeerListItem, 8, 32,
    /// Address, if it is IPv4.
    v4: [u8; 4],
    /// UDP port.
    port: u16,
    /// Our mode towards it.
    mode: u8,
    /// The low eight [`peer_flags`].
    flags: u8,
    /// Whether the address is IPv6.
    is_v6: Native32,
    /// Fills up.
    unused: Unused<4>,
    /// Address, if it is IPv6.
    v6: [u8; 16],
}

item! {
    /// A line about a peer.
    PeerSummaryItem, 32, 72,
    /// Our address, if it is IPv4.
    local_v4: [u8; 4],
    /// Its address, if it is IPv4.
    remote_v4: [u8; 4],
    /// Its UDP port.
    port: u16,
    /// Its stratum.
    stratum: u8,
    /// Our poll exponent.
    host_poll: i8,
    /// Its poll exponent.
    peer_poll: i8,
    /// Last eight polls.
    reach: u8,
    /// The low eight [`peer_flags`].
    flags: u8,
    /// Our mode towards it.
    mode: u8,
    /// Delay, 2^-16 s.
    delay: i32,
    /// Offset.
    offset: NtpDuration,
    /// Dispersion.
    dispersion: NtpShort,
    /// Whether the addresses are IPv6.
    is_v6: Native32,
    /// Fills up.
    unused: Unused<4>,
    /// Our address, if it is IPv6.
    local_v6: [u8; 16],
    /// Its address, if it is IPv6.
    remote_v6: [u8; 16],
}

item! {
    /// All about a peer.
    PeerItem, 240, 280,
    /// Our address, if it is IPv4.
    local_v4: [u8; 4],
    /// Its address, if it is IPv4.
    remote_v4: [u8; 4],
    /// Its UDP port.
    port: u16,
    /// The low eight [`peer_flags`].
    flags: u8,
    /// Its leap bits.
    leap: u8,
    /// Our mode towards it.
    mode: u8,
    /// Its mode towards us.
    peer_mode: u8,
    /// Its stratum.
    stratum: u8,
    /// Its poll exponent.
    peer_poll: i8,
    /// Our poll exponent.
    host_poll: i8,
    /// Its precision, log2 s.
    precision: i8,
    /// Version of our requests.
    version: u8,
    /// Fills up.
    unused1: Unused<1>,
    /// Last eight polls.
    reach: u8,
    /// Polls since the last reply.
    unreach: u8,
    /// The low half of `flash`.
    old_flash: u8,
    /// Time to live, or the mode of a reference clock.
    ttl: u8,
    /// Tests that failed.
    flash: Native16,
    /// Its association.
    association: u16,
    /// Its key.
    key: Native32,
    /// Fills up.
    unused2: Unused<4>,
    /// Its reference identifier.
    reference_id: [u8; 4],
    /// Seconds; the reference leaves it zero.
    timer: u32,
    /// Its root delay, 2^-16 s.
    root_delay: i32,
    /// Its root dispersion.
    root_dispersion: NtpShort,
    /// Its reference time.
    reference_time: NtpTimestamp,
    /// Its last transmit stamp.
    origin: NtpTimestamp,
    /// When its last reply arrived.
    arrived: NtpTimestamp,
    /// When our last request left; a nonce here, and so never shown.
    transmit: NtpTimestamp,
    /// Delays of the filter's stages, 2^-16 s.
    filter_delay: [i32; 8],
    /// Offsets of the filter's stages.
    filter_offset: [NtpDuration; 8],
    /// Order of the filter's stages.
    filter_order: [u8; 8],
    /// Delay, 2^-16 s.
    delay: i32,
    /// Dispersion.
    dispersion: NtpShort,
    /// Offset.
    offset: NtpDuration,
    /// Jitter.
    jitter: NtpShort,
    /// Fills up.
    unused3: Unused<28>,
    /// Offset of a broadcast server's packets, 2^-16 s.
    broadcast_offset: i32,
    /// Whether the addresses are IPv6.
    is_v6: Native32,
    /// Fills up.
    unused4: Unused<4>,
    /// Our address, if it is IPv6.
    local_v6: [u8; 16],
    /// Its address, if it is IPv6.
    remote_v6: [u8; 16],
}

item! {
    /// Counters of a peer.
    PeerStatsItem, 80, 120,
    /// Our address, if it is IPv4.
    local_v4: [u8; 4],
    /// Its address, if it is IPv4.
    remote_v4: [u8; 4],
    /// Its UDP port.
    port: u16,
    /// [`peer_flags`].
    flags: u16,
    /// Since its counters were reset, s.
    reset_s: u32,
    /// Since it was heard, s.
    heard_s: u32,
    /// Until it is asked, s.
    next_s: u32,
    /// Since its reachability changed, s.
    reachable_s: u32,
    /// Packets sent.
    sent: u32,
    /// Fills up.
    unused1: Unused<4>,
    /// Packets received.
    received: u32,
    /// Fills up.
    unused2: Unused<4>,
    /// Packets that were not authentic.
    bad_authentication: u32,
    /// Packets that answered none of ours.
    bogus: u32,
    /// Packets that came twice.
    duplicate: u32,
    /// Fills up.
    unused3: Unused<8>,
    /// Packets with too much dispersion.
    bad_dispersion: u32,
    /// Packets that made no sense.
    bad_reference: u32,
    /// Fills up.
    unused4: Unused<4>,
    /// What the selection made of it.
    selection: u8,
    /// Fills up.
    unused5: Unused<3>,
    /// Whether the addresses are IPv6.
    is_v6: Native32,
    /// Fills up.
    unused6: Unused<4>,
    /// Our address, if it is IPv6.
    local_v6: [u8; 16],
    /// Its address, if it is IPv6.
    remote_v6: [u8; 16],
}

impl PeerListItem {
    /// Names a peer in a request.
    pub fn named(peer: IpAddr, port: u16) -> Self {
        let mut item = Self {
            port,
            ..Self::default()
        };
        (item.is_v6, item.v4, item.v6) = field::places(peer);
        item
    }

    /// The peer's address.
    pub fn remote(&self) -> IpAddr {
        field::address(self.is_v6, self.v4, self.v6)
    }
}

/// The addresses of items that have two.
macro_rules! two_addresses {
    ($($name:ident),*) => {$(
        impl $name {
            /// Sets our address and the peer's. They are of one family: where ours is not known it
            /// is unspecified.
            pub fn set_addresses(&mut self, local: Option<IpAddr>, remote: IpAddr) {
                (self.is_v6, self.remote_v4, self.remote_v6) = field::places(remote);
                let local = local.filter(|it| it.is_ipv4() == remote.is_ipv4());
                if let Some(local) = local {
                    (_, self.local_v4, self.local_v6) = field::places(local);
                }
            }

            /// Our address.
            pub fn local(&self) -> IpAddr {
                field::address(self.is_v6, self.local_v4, self.local_v6)
            }

            /// The peer's address.
            pub fn remote(&self) -> IpAddr {
                field::address(self.is_v6, self.remote_v4, self.remote_v6)
            }
        }
    )*};
}

two_addresses!(PeerSummaryItem, PeerItem, PeerStatsItem);

impl PeerItem {
    /// Its reference identifier.
    pub const fn reference(&self) -> ReferenceId {
        ReferenceId::from_octets(self.reference_id)
    }
}
