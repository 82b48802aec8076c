//! Access control and listening.

use std::net::IpAddr;

use crate::diagnostic::Span;

/// One `restrict` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestrictRule {
    /// Whom it is about.
    pub target: RestrictTarget,
    /// What they may not do.
    pub flags: RestrictFlags,
    /// `ippeerlimit`: most associations from one address; absent is no limit.
    pub ip_peer_limit: Option<u32>,
    /// The target's place.
    pub span: Span,
}

/// Whom a `restrict` line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestrictTarget {
    /// `default`: everyone no other rule is about.
    Default(Families),
    /// `source`: a template for the servers we use, while we use them.
    Source,
    /// An address or a net. Host bits under the prefix are zero.
    Net {
        /// The address.
        address: IpAddr,
        /// Length of the prefix in bits, 0..=32 or 0..=128.
        prefix_bits: u8,
    },
}

/// Address families a default rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// `restrict default`.
    Both,
    /// `restrict -4 default`.
    Ipv4,
    /// `restrict -6 default`.
    Ipv6,
}

/// The flags of a `restrict` line, a set.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RestrictFlags(u32);

macro_rules! restrict_flags {
    ($($bit:literal $name:ident $word:literal $meaning:literal;)*) => {
        impl RestrictFlags {
            $(#[doc = $meaning] pub const $name: Self = Self(1 << $bit);)*
        }
        /// The word of each flag in the grammar.
        pub const FLAG_NAMES: &[(&str, RestrictFlags)] = &[$(($word, RestrictFlags::$name)),*];
    };
}

restrict_flags! {
    0 IGNORE "ignore" "Drop every packet, queries included.";
    1 KOD "kod" "Answer some packets over the rate limit with a kiss-o'-death.";
    2 LIMITED "limited" "Apply the rate limit.";
    3 LOWPRIOTRAP "lowpriotrap" "Traps of these hosts may be displaced.";
    4 MSSNTP "mssntp" "Let Samba sign replies for Windows domains.";
    5 NOMODIFY "nomodify" "No control request that changes anything.";
    6 NOMRULIST "nomrulist" "No list of recent clients.";
    7 NOEPEER "noepeer" "No new passive association, even an authenticated one.";
    8 NOPEER "nopeer" "No new association that is not authenticated.";
    9 NOQUERY "noquery" "No control request; time service is not affected.";
    10 NOSERVE "noserve" "No time service; queries are not affected.";
    11 NOTRAP "notrap" "No traps.";
    12 NOTRUST "notrust" "Drop packets that are not authenticated.";
    13 NTPPORT "ntpport" "The rule is only about packets from port 123.";
    14 FLAKE "flake" "Drop one packet in ten, for tests.";
    15 VERSION "version" "Drop packets that are not of the current version.";
    16 SERVERRESPONSE_FUZZ "serverresponse" "Blur the low bits of server replies.";
}

impl RestrictFlags {
    /// Whether all flags of `other` are in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no flag is set, which allows everything.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// This set and another.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set less another.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl std::fmt::Debug for RestrictFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = FLAG_NAMES.iter().filter(|(_, flag)| self.contains(*flag));
        f.debug_set().entries(names.map(|(name, _)| name)).finish()
    }
}

/// One `interface` or `nic` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenRule {
    /// What to do with what matches.
    pub action: ListenAction,
    /// What matches.
    pub target: ListenTarget,
    /// The target's place.
    pub span: Span,
}

/// What to do with an interface or address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenAction {
    /// Open a socket on it.
    Listen,
    /// Open none.
    Ignore,
    /// Open one and throw away what arrives.
    Drop,
}

/// Which interfaces or addresses a listen rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenTarget {
    /// `all`.
    All,
    /// `ipv4`: every IPv4 address.
    Ipv4,
    /// `ipv6`: every IPv6 address.
    Ipv6,
    /// `wildcard`: the unspecified addresses.
    Wildcard,
    /// An interface of this name.
    Name(String),
    /// An address or a net of addresses.
    Net {
        /// The address.
        address: IpAddr,
        /// Length of the prefix in bits, 0..=32 or 0..=128.
        prefix_bits: u8,
    },
}
