//! Numbers: whose requests, which request, which error.

/// Whose requests and formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Implementation {
    /// The reference's until it learned IPv6: items end before what is about IPv6.
    Old,
    /// The reference's.
    Current,
    /// Any other number.
    Other(u8),
}

impl Implementation {
    /// From the third octet.
    pub const fn from_number(number: u8) -> Self {
        match number {
            2 => Self::Old,
            3 => Self::Current,
            other => Self::Other(other),
        }
    }

    /// To an octet.
    pub const fn number(self) -> u8 {
        match self {
            Self::Old => 2,
            Self::Current => 3,
            Self::Other(number) => number,
        }
    }
}

macro_rules! codes {
    ($($number:literal $name:ident $meaning:literal;)*) => {
        /// What is asked.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PrivateCode {
            $(#[doc = $meaning] $name,)*
            /// Any other number.
            Other(u8),
        }

        impl PrivateCode {
            /// From the fourth octet.
            pub const fn from_number(number: u8) -> Self {
                match number {
                    $($number => Self::$name,)*
                    other => Self::Other(other),
                }
            }

            /// To an octet.
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$name => $number,)*
                    Self::Other(number) => number,
                }
            }
        }
    };
}

codes! {
    0 PeerList "Addresses and modes of the peers.";
    1 PeerSummary "A line about each peer.";
    2 PeerInfo "All about some peers.";
    3 PeerStats "Counters of some peers.";
    4 SystemInfo "State of the clock.";
    5 SystemStats "Counters of packets.";
    6 IoStats "Counters of sockets and buffers.";
    7 MemoryStats "Counters of peers' memory.";
    8 LoopInfo "State of the discipline.";
    9 TimerStats "Counters of the timer.";
    10 AddPeer "Add an association.";
    11 RemovePeer "Remove associations.";
    12 SetFlags "Set system flags.";
    13 ClearFlags "Clear system flags.";
    16 RestrictList "The access rules.";
    17 AddRestriction "Add flags to a rule, which is made if there is none.";
    18 RemoveRestriction "Take flags from a rule.";
    19 DeleteRule "Remove a rule.";
    20 Monitor "Recent clients; the amplifier of CVE-2013-5211.";
    21 ResetStats "Set counters to zero.";
    22 ResetPeer "Set counters of peers to zero.";
    23 ReadKeys "Read the keys file again.";
    26 TrustKey "Trust keys.";
    27 DistrustKey "Trust keys no more.";
    28 Authentication "Counters of keys.";
    29 Traps "Traps that are set.";
    30 AddTrap "Set a trap.";
    31 ClearTrap "Remove a trap.";
    32 RequestKey "Have another key authenticate private requests.";
    33 ControlKey "Have another key authenticate control requests.";
    34 ControlStats "Counters of control messages.";
    36 ClockInfo "State of reference clocks.";
    37 SetFudge "Set a fudge factor.";
    38 Kernel "The kernel's clock.";
    39 ClockBug "What a driver keeps for its authors.";
    42 MonitorDetails "Recent clients, in another form.";
    44 InterfaceStats "The service addresses.";
    45 RescanInterfaces "Look for addresses again.";
}

/// Why a request was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrivateError {
    /// Other implementation.
    Implementation,
    /// No such request.
    Request,
    /// Size or number of items.
    Format,
    /// There is nothing of that name, or it could not be done.
    NoData,
    /// Authentication failed, or the access rules forbid it.
    Permission,
    /// Any other number, 1..=15.
    Other(u8),
}

impl PrivateError {
    /// From the four bits of an answer; zero is no error.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        match bits & 0xF {
            0 => None,
            1 => Some(Self::Implementation),
            2 => Some(Self::Request),
            3 => Some(Self::Format),
            4 => Some(Self::NoData),
            7 => Some(Self::Permission),
            other => Some(Self::Other(other)),
        }
    }

    /// To four bits.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Implementation => 1,
            Self::Request => 2,
            Self::Format => 3,
            Self::NoData => 4,
            Self::Permission => 7,
            Self::Other(bits) => bits & 0xF,
        }
    }
}
