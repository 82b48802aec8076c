//! Who may do what: the longest matching prefix counts.
use super::RestrictFlags;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The port of NTP itself, which `ntpport` asks for.
const NTP_PORT: u16 = 123;

/// Length of the prefix before an IPv4 address written as IPv6, bits (RFC 4291 §2.5.5.2).
const MAPPED_PREFIX_BITS: u8 = 96;

/// A network: an address and a prefix. Host bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// The prefix is longer than the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixTooLong;

impl fmt::Display for PrefixTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the prefix is longer than the address")
    }
}

impl core::error::Error for PrefixTooLong {}

impl Network {
    /// Every IPv4 address.
    pub const ANY_V4: Self = Self {
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        prefix_bits: 0,
    };
    /// Every IPv6 address.
    pub const ANY_V6: Self = Self {
        address: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        prefix_bits: 0,
    };

    /// One address alone.
    pub const fn host(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            prefix_bits: full_prefix(address),
        }
    }

    /// From a prefix; host bits of `address` are cleared.
    ///
    /// # Errors
    /// `PrefixTooLong` past 32 or 128 bits.
    pub fn new(address: IpAddr, prefix_bits: u8) -> Result<Self, PrefixTooLong> {
        if prefix_bits > full_prefix(address) {
            return Err(PrefixTooLong);
        }
        // Senders are looked up by their IPv4 address, so a network of mapped ones must be IPv4 too.
        let plain = address.to_canonical();
        let (address, prefix_bits) = match prefix_bits.checked_sub(MAPPED_PREFIX_BITS) {
            Some(bits) if plain.is_ipv4() && address.is_ipv6() => (plain, bits),
            _ => (address, prefix_bits),
        };
        let address = match address {
            IpAddr::V4(v4) => {
                let bits = u128::from(v4.to_bits()) << 96;
                let [a, b, c, d, ..] = (bits & mask(prefix_bits)).to_be_bytes();
                IpAddr::V4(Ipv4Addr::new(a, b, c, d))
            }
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask(prefix_bits))),
        };
        Ok(Self {
            address,
            prefix_bits,
        })
    }

    /// The address, host bits zero.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Length of the prefix in bits.
    pub const fn prefix_bits(&self) -> u8 {
        self.prefix_bits
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4()
            && key(address) & mask(self.prefix_bits) == key(self.address)
    }
}

/// One entry of an access list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// Whom it is about.
    pub network: Network,
    /// Only about packets from port 123 (`ntpport`).
    pub ntp_port_only: bool,
    /// What they may not do.
    pub flags: RestrictFlags,
    /// `ippeerlimit`: most passive associations of one address; `None` is no limit.
    pub ip_peer_limit: Option<u32>,
}

impl AccessRule {
    /// A rule without a condition on the port, and without a limit.
    pub const fn new(network: Network, flags: RestrictFlags) -> Self {
        Self {
            network,
            ntp_port_only: false,
            flags,
            ip_peer_limit: None,
        }
    }

    /// Whether it is about this sender.
    pub fn is_about(&self, sender: SocketAddr) -> bool {
        self.network.contains(sender.ip()) && (!self.ntp_port_only || sender.port() == NTP_PORT)
    }

    /// What the reference sorts by: of two rules about one sender the greater counts.
    pub(super) fn rank(&self) -> (u8, bool) {
        (self.network.prefix_bits, self.ntp_port_only)
    }
}

/// An access list. Which rule counts does not depend on their order: the longest prefix does, and
/// among equals one for port 123.
#[derive(Clone, Debug, Default)]
pub struct AccessList {
    v4: Vec<Level>,
    v6: Vec<Level>,
}

/// The rules of one prefix length, sorted by address.
#[derive(Clone, Debug)]
struct Level {
    prefix_bits: u8,
    /// Of so many bits: asked for with every datagram.
    mask: u128,
    ntp_port_only: bool,
    rules: Vec<(u128, RestrictFlags)>,
}

impl AccessList {
    /// From rules in any order; flags of rules about the same network add up, as in the reference.
    pub fn new(rules: impl IntoIterator<Item = AccessRule>) -> Self {
        let mut list = Self::default();
        for rule in rules {
            list.insert(&rule);
        }
        list
    }

    fn insert(&mut self, rule: &AccessRule) {
        let levels = match rule.network.address {
            IpAddr::V4(_) => &mut self.v4,
            IpAddr::V6(_) => &mut self.v6,
        };
        let rank = rule.rank();
        let at = levels.partition_point(|level| (level.prefix_bits, level.ntp_port_only) > rank);
        let found = levels.get(at).map(|l| (l.prefix_bits, l.ntp_port_only)) == Some(rank);
        if !found {
            let level = Level {
                prefix_bits: rank.0,
                mask: mask(rank.0),
                ntp_port_only: rank.1,
                rules: Vec::new(),
            };
            levels.insert(at, level);
        }
        let rules = &mut levels[at].rules;
        let key = key(rule.network.address);
        match rules.binary_search_by_key(&key, |(address, _)| *address) {
            Ok(index) => rules[index].1 = rules[index].1.with(rule.flags),
            Err(index) => rules.insert(index, (key, rule.flags)),
        }
    }

    /// What a sender may not do; nothing is restricted where no rule matches.
    pub fn flags_for(&self, sender: SocketAddr) -> RestrictFlags {
        self.find(sender).unwrap_or(RestrictFlags::NONE)
    }

    /// What the rule that counts says; `None` where no rule matches.
    pub(super) fn find(&self, sender: SocketAddr) -> Option<RestrictFlags> {
        let address = sender.ip().to_canonical();
        let levels = match address {
            IpAddr::V4(_) => &self.v4,
            IpAddr::V6(_) => &self.v6,
        };
        let key = key(address);
        levels
            .iter()
            .filter(|level| !level.ntp_port_only || sender.port() == NTP_PORT)
            .find_map(|level| level.find(key))
    }
}

impl Level {
    fn find(&self, key: u128) -> Option<RestrictFlags> {
        let network = key & self.mask;
        let index = self
            .rules
            .binary_search_by_key(&network, |(address, _)| *address)
            .ok()?;
        Some(self.rules[index].1)
    }
}

const fn full_prefix(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Addresses of both families, first bit first.
const fn key(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => (v4.to_bits() as u128) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn mask(prefix_bits: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix_bits))
        .unwrap_or(0)
}
