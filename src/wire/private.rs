//! Private messages: mode 7 of NTP, by which the reference's `ntpdc` talks with its daemon. No RFC
//! defines them. A message is eight octets of header, data items of one size, and, where a request
//! is authenticated, a time stamp and a MAC.
//!
//! An item is read whatever its length: what is missing is zero, what is too much is not looked at.
//! That is how old and new programs of the reference read each other's.
mod answer;
mod change;
mod code;
mod field;
mod list;
mod message;
mod peer;
mod system;

pub use answer::PrivateAnswer;
pub use change::{
    AddressItem, ClockAddress, Fudge, KeyChoice, KeyNumber, PeerChange, RestrictChange,
    SystemFlags, TrapChange,
};
pub use code::{Implementation, PrivateCode, PrivateError};
pub use field::{Native16, Native32, PrivateItem, Unused};
pub use list::{ClockBug, ClockItem, InterfaceItem, RestrictItem, TrapItem};
pub use message::{
    PRIVATE_DATA_MAX, PRIVATE_HEADER_LEN, PrivateHeader, PrivateMalformed, PrivateMessage,
    PrivateRequest, Trailer,
};
pub use peer::{PeerItem, PeerListItem, PeerStatsItem, PeerSummaryItem, peer_flags};
pub use system::{
    AuthenticationItem, ControlItem, IoItem, KernelItem, LoopItem, MemoryItem, SystemItem,
    SystemStatsItem, TimerItem, system_flags,
};

#[cfg(test)]
mod tests;
