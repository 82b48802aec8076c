//! Items of requests that change something.
use super::field::{self, Rest, item};
use super::{Native32, PrivateItem, Unused};
use core::net::IpAddr;
use truechimer_time::NtpDuration;

item! {
    /// An association to be added.
    PeerChange, 144, 168,
    /// Its address, if it is IPv4.
    v4: [u8; 4],
    /// Our mode: 1 `peer`, 3 `server`, 5 `broadcast`.
    mode: u8,
    /// Version of requests.
    version: u8,
    /// Least poll exponent.
    minpoll: u8,
    /// Greatest poll exponent.
    maxpoll: u8,
    /// [`PeerChange::KEYED`] and so on.
    flags: u8,
    /// Time to live, or the mode of a reference clock.
    ttl: u8,
    /// Fills up.
    unused1: Unused<2>,
    /// Its key.
    key: Native32,
    /// Name of a file of Autokey, which nobody sends.
    file: Unused<128>,
    /// Whether the address is IPv6.
    is_v6: Native32,
    /// Fills up.
    unused2: Unused<4>,
    /// Its address, if it is IPv6.
    v6: [u8; 16],
}

impl PeerChange {
    /// It has a key.
    pub const KEYED: u8 = 0x1;
    /// `prefer`.
    pub const PREFER: u8 = 0x2;
    /// `burst`.
    pub const BURST: u8 = 0x4;
    /// `iburst`.
    pub const IBURST: u8 = 0x8;
    /// `noselect`.
    pub const NOSELECT: u8 = 0x10;
    /// `autokey`.
    pub const AUTOKEY: u8 = 0x20;
    /// Octets before Autokey's file was thought of.
    pub const OLDEST_LEN: usize = 16;

    /// Sets the address.
    pub fn set_remote(&mut self, remote: IpAddr) {
        (self.is_v6, self.v4, self.v6) = field::places(remote);
    }

    /// The address.
    pub fn remote(&self) -> IpAddr {
        field::address(self.is_v6, self.v4, self.v6)
    }
}

item! {
    /// An association's address.
    AddressItem, 4, 24,
    /// If it is IPv4.
    v4: [u8; 4],
    /// Whether it is IPv6.
    is_v6: Native32,
    /// If it is IPv6.
    v6: [u8; 16],
}

impl AddressItem {
    /// Of this address.
    pub fn new(address: IpAddr) -> Self {
        let (is_v6, v4, v6) = field::places(address);
        Self { v4, is_v6, v6 }
    }

    /// The address.
    pub fn address(&self) -> IpAddr {
        field::address(self.is_v6, self.v4, self.v6)
    }
}

item! {
    /// Flags of the system, or of what is to be reset.
    SystemFlags, 4, 4,
    /// `SystemFlags::AUTH` and so on, or `SystemFlags::RESETS`.
    bits: u32,
}

impl SystemFlags {
    /// What `enable` and `disable` know, by their words.
    pub const WORDS: [(&'static str, u32); 8] = [
        ("bclient", 0x1),
        ("pps", 0x2),
        ("ntp", 0x4),
        ("kernel", 0x8),
        ("monitor", 0x10),
        ("stats", 0x20),
        ("auth", 0x40),
        ("calibrate", 0x80),
    ];
    /// What `reset` knows, by its words.
    pub const RESETS: [(&'static str, u32); 7] = [
        ("allpeers", 0x1),
        ("io", 0x2),
        ("sys", 0x4),
        ("mem", 0x8),
        ("timer", 0x10),
        ("auth", 0x20),
        ("ctl", 0x40),
    ];
}

item! {
    /// A change to an access rule, as 4.2.8p15 sends it.
    RestrictChange, 24, 60,
    /// Network, if it is IPv4.
    v4: [u8; 4],
    /// Its mask.
    mask_v4: [u8; 4],
    /// `ippeerlimit` and more, which ntpdc leaves to chance.
    unused1: Unused<8>,
    /// The reference's RES_* bits.
    flags: u16,
    /// The reference's RESM_* bits.
    match_flags: u16,
    /// Fills up; ntpdc leaves it to chance.
    unused2: Unused<4>,
    /// Whether the network is IPv6.
    is_v6: Native32,
    /// Network, if it is IPv6.
    v6: [u8; 16],
    /// Its mask; stock ntpdc leaves it to chance.
    mask_v6: [u8; 16],
}

impl RestrictChange {
    /// Octets of an item up to 4.2.8p10, without and with IPv6: no `ippeerlimit`.
    pub const OLD_LENS: [usize; 2] = [12, 48];
    /// Octets of an item from 4.2.8p11 on, without and with IPv6: `ippeerlimit` and no more.
    pub const MIDDLE_LENS: [usize; 2] = [16, 52];

    /// From an item of any release: how long it is tells which one made it.
    pub fn of_any_release(octets: &[u8]) -> Self {
        let len = octets.len();
        let (skipped, after) = match len {
            _ if Self::OLD_LENS.contains(&len) => (0, 0),
            _ if Self::MIDDLE_LENS.contains(&len) => (2, 2),
            _ => return Self::take(octets),
        };
        let mut rest = Rest(octets);
        let (v4, mask_v4) = (rest.array(), rest.array());
        rest.0 = rest.0.get(skipped..).unwrap_or_default();
        let flags = u16::from_be_bytes(rest.array());
        let match_flags = u16::from_be_bytes(rest.array());
        rest.0 = rest.0.get(after..).unwrap_or_default();
        Self {
            v4,
            mask_v4,
            flags,
            match_flags,
            is_v6: Native32(u32::from_ne_bytes(rest.array())),
            v6: rest.array(),
            mask_v6: rest.array(),
            ..Self::default()
        }
    }

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

/// The number of a key to be trusted, or to be used: four octets in the order of the network, or a
/// `long` of the sender's in the order of its host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyNumber(pub u32);

impl PrivateItem for KeyNumber {
    const LEN: usize = 8;
    const OLD_LEN: usize = 8;

    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&u64::from(self.0).to_ne_bytes());
    }

    /// Zero, which no key has, where it is out of range.
    fn take(octets: &[u8]) -> Self {
        let mut words = octets.chunks_exact(4).map(|word| {
            let mut rest = Rest(word);
            u32::from_ne_bytes(rest.array())
        });
        // The other half of a long is zero, whichever comes first.
        let word = words.find(|word| *word != 0).unwrap_or(0);
        Self(Native32(word).key().unwrap_or(0))
    }
}

item! {
    /// A key to be used from now on, as the reference's daemon wants it and its ntpdc does not send it.
    KeyChoice, 8, 8,
    /// The key's number.
    number: u32,
    /// The other half of a `long`.
    unused: Unused<4>,
}

item! {
    /// The pseudo address of a reference clock.
    ClockAddress, 4, 4,
    /// 127.127.t.u.
    octets: [u8; 4],
}

item! {
    /// A fudge factor.
    Fudge, 20, 20,
    /// The clock's pseudo address.
    address: [u8; 4],
    /// [`Fudge::TIME1`] and so on.
    which: u32,
    /// Of the times.
    time: NtpDuration,
    /// Of the others.
    value: u32,
}

impl Fudge {
    /// `time1`.
    pub const TIME1: u32 = 1;
    /// `time2`.
    pub const TIME2: u32 = 2;
    /// The stratum.
    pub const VALUE1: u32 = 3;
    /// The reference identifier.
    pub const VALUE2: u32 = 4;
    /// The four flags.
    pub const FLAGS: u32 = 5;
}

item! {
    /// A trap to be set or cleared.
    TrapChange, 12, 48,
    /// Our address, if it is IPv4.
    local_v4: [u8; 4],
    /// Its address, if it is IPv4.
    remote_v4: [u8; 4],
    /// Its UDP port.
    port: u16,
    /// Fills up.
    unused: Unused<2>,
    /// Whether the addresses are IPv6.
    is_v6: Native32,
    /// Our address, if it is IPv6.
    local_v6: [u8; 16],
    /// Its address, if it is IPv6.
    remote_v6: [u8; 16],
}

impl TrapChange {
    /// Sets the addresses, which are of one family.
    pub fn set_addresses(&mut self, local: Option<IpAddr>, remote: IpAddr) {
        (self.is_v6, self.remote_v4, self.remote_v6) = field::places(remote);
        if let Some(local) = local {
            (_, self.local_v4, self.local_v6) = field::places(local);
        }
    }
}
