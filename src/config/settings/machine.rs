//! What concerns this host: its sockets, its limits, whom it tells what.

use std::net::IpAddr;

use super::{Host, Located};

/// Broadcast, multicast and manycast, seen from the client, and the hops of what is sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Broadcasting {
    /// `broadcastclient`: listen to broadcast servers.
    pub client: bool,
    /// `broadcastclient novolley`: do not ask a broadcast server for the delay.
    pub novolley: bool,
    /// `broadcastdelay`: delay where it is not measured, seconds.
    pub delay_s: Option<f64>,
    /// `multicastclient`: groups to listen to.
    pub multicast_groups: Vec<Located<IpAddr>>,
    /// `manycastserver`: groups in which clients look for servers.
    pub manycast_groups: Vec<Located<IpAddr>>,
    /// `ttl`: hops a manycast client tries, one after the other, 1..=255 each.
    pub ttls: Vec<u8>,
}

/// Limits, sockets and other matters of this host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Machine {
    /// `dscp`: class of what is sent (RFC 2474), 0..=63; 46 where absent.
    pub dscp: Option<u8>,
    /// `mdnstries`: attempts to announce the service by multicast DNS.
    pub mdns_tries: Option<u32>,
    /// `leapsmearinterval`: how long a leap second is smeared over, seconds; 0 is not at all.
    pub leap_smear_interval_s: u32,
    /// `tick`: length of a tick, seconds.
    pub tick_s: Option<f64>,
    /// `rlimit`.
    pub limits: ResourceLimits,
    /// `hwtimestamp` lines, one an interface.
    pub hardware_stamping: Vec<HardwareStamping>,
    /// `engine`. Our own.
    pub engine: Engine,
    /// `phone`: numbers that a modem clock dials.
    pub phone: Vec<String>,
    /// `pollskewlist`; without one, polls are not skewed.
    pub poll_skew: Option<Vec<PollSkew>>,
    /// `trap` lines.
    pub traps: Vec<Trap>,
    /// `reset`: counters set to zero, which at a start they are.
    pub resets: Vec<CounterSet>,
}

/// `hwtimestamp`: stamps that interfaces take.
#[derive(Debug, Clone, PartialEq)]
pub struct HardwareStamping {
    /// Name of the interface; `None` is `*`, all that can.
    pub interface: Option<String>,
    /// `rxfilter`: which received packets are stamped.
    pub filter: StampFilter,
    /// `rxcomp`: added to receive stamps, seconds.
    pub receive_correction_s: f64,
    /// `txcomp`: added to transmit stamps, seconds.
    pub transmit_correction_s: f64,
}

/// Which received packets an interface is to stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampFilter {
    /// `all`.
    All,
    /// `ntp`.
    Ntp,
    /// `ptp`: NTP's then come with the kernel's stamp.
    Ptp,
    /// `none`.
    None,
}

/// `rlimit`: what is absent was not said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResourceLimits {
    /// `memlock`: memory locked, MiB; -1 locks none.
    pub memlock_mib: Option<i32>,
    /// `stacksize`: pages of 4 KiB.
    pub stack_pages: Option<u32>,
    /// `filenum`: open files.
    pub files: Option<u32>,
}

/// `engine`: how requests come in; what is absent was not said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Engine {
    /// By what means.
    pub name: Option<EngineName>,
    /// `threads`: server threads; 0 is one thread for all.
    pub threads: Option<u32>,
    /// `core`: where they run, in their order, then the one with the clock.
    pub cores: Vec<u32>,
    /// `linger`: longest wait for more requests than the first, microseconds; 0 is none.
    pub linger_us: Option<u32>,
    /// `spin`: server threads do not sleep.
    pub spin: bool,
}

/// What `engine` may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineName {
    /// `auto`.
    Auto,
    /// `uring`.
    Uring,
    /// `poll`.
    Poll,
}

/// By how much polls may stray from their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollSkew {
    /// The poll interval it is about, log2 seconds; `None` is about those not named.
    pub poll_log2_s: Option<u8>,
    /// Greatest advance, seconds.
    pub early_s: u32,
    /// Greatest delay, seconds.
    pub late_s: u32,
}

/// `trap`: who is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    /// Whom to tell.
    pub host: Located<Host>,
    /// Where.
    pub port: u16,
    /// The local address to tell from.
    pub interface: Option<Host>,
}

/// Counters that `reset` sets to zero together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterSet {
    /// `allpeers`.
    AllPeers,
    /// `auth`.
    Authentication,
    /// `ctl`.
    Control,
    /// `io`.
    Io,
    /// `mem`.
    Memory,
    /// `sys`.
    System,
    /// `timer`.
    Timer,
}
