//! Items of lists: access rules, service addresses, reference clocks, traps.
use super::field::{self, item};
use super::{Native32, Unused};
use core::net::IpAddr;
use truechimer_time::NtpDuration;

item! {
    /// An access rule.
    RestrictItem, 16, 56,
    /// Network, if it is IPv4.
    v4: [u8; 4],
    /// Its mask.
    mask_v4: [u8; 4],
    /// Packets it was about.
    count: u32,
    /// What is not allowed: the reference's RES_* bits.
    flags: u16,
    /// Which packets it is about: the reference's RESM_* bits.
    match_flags: u16,
    /// Whether the network is IPv6.
    is_v6: Native32,
    /// Fills up.
    unused: Unused<4>,
    /// Network, if it is IPv6.
    v6: [u8; 16],
    /// Its mask.
    mask_v6: [u8; 16],
}

impl RestrictItem {
    /// Sets network and mask, which are of one family.
    pub fn set_network(&mut self, address: IpAddr, mask: IpAddr) {
        (self.is_v6, self.v4, self.v6) = field::places(address);
        (_, self.mask_v4, self.mask_v6) = field::places(mask);
    }

    /// The network's address.
    pub fn address(&self) -> IpAddr {
        field::address(self.is_v6, self.v4, self.v6)
    }

    /// Its mask.
    pub fn mask(&self) -> IpAddr {
        field::address(self.is_v6, self.mask_v4, self.mask_v6)
    }
}

item! {
    /// A service address. IPv4 addresses are the first four octets of their places.
    InterfaceItem, 136, 136,
    /// The address.
    address_octets: [u8; 16],
    /// Its broadcast address.
    broadcast_octets: [u8; 16],
    /// Its mask.
    mask_octets: [u8; 16],
    /// Whether they are IPv6.
    is_v6: u32,
    /// Name of the interface, ended by a zero.
    name: [u8; 32],
    /// The reference's INT_* bits.
    flags: u32,
    /// Last time to live that was set.
    ttl: u32,
    /// Multicast groups joined.
    groups: u32,
    /// Packets received.
    received: u32,
    /// Packets sent.
    sent: u32,
    /// Packets that could not be sent.
    not_sent: u32,
    /// How long it has been open, s.
    up_s: u32,
    /// Scope of link-local addresses.
    scope: u32,
    /// The kernel's number of the interface.
    index: u32,
    /// Place in the list.
    number: u32,
    /// Peers asked from it.
    peers: u32,
    /// AF_INET or AF_INET6.
    family: u16,
    /// Whether what comes is dropped.
    is_dropping: u8,
    /// 1 is there, 2 is new, 3 went.
    action: u8,
    /// Fills up.
    unused: Unused<4>,
}

impl InterfaceItem {
    /// Sets address and mask, which are of one family.
    pub fn set_network(&mut self, address: IpAddr, mask: IpAddr) {
        let place = |address: IpAddr| match address {
            IpAddr::V4(v4) => {
                let mut octets = [0; 16];
                octets[..4].copy_from_slice(&v4.octets());
                octets
            }
            IpAddr::V6(v6) => v6.octets(),
        };
        self.is_v6 = u32::from(address.is_ipv6());
        self.address_octets = place(address);
        self.mask_octets = place(mask);
    }

    /// The address.
    pub fn address(&self) -> IpAddr {
        self.of(self.address_octets)
    }

    /// Its mask.
    pub fn mask(&self) -> IpAddr {
        self.of(self.mask_octets)
    }

    /// Its broadcast address.
    pub fn broadcast(&self) -> IpAddr {
        self.of(self.broadcast_octets)
    }

    fn of(&self, octets: [u8; 16]) -> IpAddr {
        let [a, b, c, d, ..] = octets;
        if self.is_v6 == 0 {
            [a, b, c, d].into()
        } else {
            octets.into()
        }
    }
}

item! {
    /// A reference clock.
    ClockItem, 52, 52,
    /// Its pseudo address.
    address: [u8; 4],
    /// Driver.
    driver: u8,
    /// Its fudge flags, four bits.
    flags: u8,
    /// Last event.
    event: u8,
    /// Status.
    status: u8,
    /// Polls.
    polls: u32,
    /// Of these, not answered.
    no_response: u32,
    /// Answers that could not be read.
    bad_format: u32,
    /// Answers that made no sense.
    bad_data: u32,
    /// How long it has been running, s.
    up_s: u32,
    /// `time1`.
    time1: NtpDuration,
    /// `time2`.
    time2: NtpDuration,
    /// Stratum.
    stratum: u32,
    /// Reference identifier.
    reference_id: [u8; 4],
}

item! {
    /// What a driver keeps for its authors.
    ClockBug, 332, 332,
    /// Its pseudo address.
    address: [u8; 4],
    /// Values there are.
    values: u8,
    /// Times there are.
    times: u8,
    /// Which values have a sign.
    signed_values: u16,
    /// Which times are spans.
    signed_times: u32,
    /// The values.
    value: [u32; 16],
    /// The times.
    time: [NtpDuration; 32],
}

item! {
    /// A trap.
    TrapItem, 28, 64,
    /// Our address, if it is IPv4.
    local_v4: [u8; 4],
    /// Its address, if it is IPv4.
    remote_v4: [u8; 4],
    /// Its UDP port.
    port: u16,
    /// Messages sent.
    sequence: u16,
    /// Since it was renewed, s.
    renewed_s: u32,
    /// Since it was set, s.
    set_s: u32,
    /// Times it was reset.
    resets: u32,
    /// The reference's TRAP_* bits.
    flags: u32,
    /// Whether the addresses are IPv6.
    is_v6: Native32,
    /// Our address, if it is IPv6.
    local_v6: [u8; 16],
    /// Its address, if it is IPv6.
    remote_v6: [u8; 16],
}

impl TrapItem {
    /// Our address.
    pub fn local(&self) -> IpAddr {
        field::address(self.is_v6, self.local_v4, self.local_v6)
    }

    /// Its address.
    pub fn remote(&self) -> IpAddr {
        field::address(self.is_v6, self.remote_v4, self.remote_v6)
    }
}
