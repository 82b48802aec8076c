//! Items about the system as a whole; there is one in an answer.
use super::field::{self, item};
use super::{Native32, Unused};
use core::net::IpAddr;
use truechimer_time::{NtpDuration, NtpShort, NtpTimestamp};

/// Bits of the flags in [`SystemItem`].
pub mod system_flags {
    /// `enable bclient`.
    pub const BCLIENT: u8 = 0x1;
    /// `enable auth`.
    pub const AUTH: u8 = 0x2;
    /// `enable ntp`.
    pub const NTP: u8 = 0x4;
    /// `enable kernel`.
    pub const KERNEL: u8 = 0x8;
    /// `enable calibrate`.
    pub const CALIBRATE: u8 = 0x10;
    /// Pulses discipline the kernel.
    pub const PPS: u8 = 0x20;
    /// `enable monitor`.
    pub const MONITOR: u8 = 0x40;
    /// `enable stats`.
    pub const STATS: u8 = 0x80;
}

item! {
    /// State of the clock.
    SystemItem, 56, 80,
    /// The leader's address, if it is IPv4.
    peer_v4: [u8; 4],
    /// Our mode towards it.
    peer_mode: u8,
    /// Leap bits.
    leap: u8,
    /// Stratum.
    stratum: u8,
    /// Precision, log2 s.
    precision: i8,
    /// Root delay, 2^-16 s.
    root_delay: i32,
    /// Root dispersion.
    root_dispersion: NtpShort,
    /// Reference identifier.
    reference_id: [u8; 4],
    /// Reference time.
    reference_time: NtpTimestamp,
    /// Poll exponent.
    poll: Native32,
    /// [`system_flags`].
    flags: u8,
    /// Fills up.
    unused1: Unused<3>,
    /// `broadcastdelay`, 2^-16 s.
    broadcast_delay: i32,
    /// Jitter, 2^-16 s.
    jitter: i32,
    /// `authdelay`.
    auth_delay: NtpDuration,
    /// Wander of the frequency, 2^-16 ppm.
    wander: NtpShort,
    /// Whether the leader's address is IPv6.
    is_v6: Native32,
    /// Fills up.
    unused2: Unused<4>,
    /// The leader's address, if it is IPv6.
    peer_v6: [u8; 16],
}

impl SystemItem {
    /// Sets the leader's address.
    pub fn set_peer(&mut self, peer: IpAddr) {
        (self.is_v6, self.peer_v4, self.peer_v6) = field::places(peer);
    }

    /// The leader's address; unspecified where nobody leads.
    pub fn peer(&self) -> IpAddr {
        field::address(self.is_v6, self.peer_v4, self.peer_v6)
    }
}

item! {
    /// Counters of packets.
    SystemStatsItem, 52, 52,
    /// Since the start, s.
    up_s: u32,
    /// Since the counters were reset, s.
    reset_s: u32,
    /// Kept away by access rules.
    denied: u32,
    /// Of an older version.
    old_version: u32,
    /// Of the current version.
    this_version: u32,
    /// Declined.
    declined: u32,
    /// Malformed.
    bad_format: u32,
    /// Replies of servers that were of use.
    processed: u32,
    /// Not authentic.
    bad_authentication: u32,
    /// All.
    received: u32,
    /// Over a rate limit.
    limited: u32,
    /// Left before they arrived.
    lamport: u32,
    /// Stamps off by rounding.
    rounded: u32,
}

item! {
    /// Peers' memory.
    MemoryItem, 148, 148,
    /// Since the counters were reset, s.
    reset_s: u32,
    /// Peers there is room for.
    room: u16,
    /// Of these, free.
    free: u16,
    /// Searches.
    searches: u32,
    /// Peers made.
    made: u32,
    /// Peers that went.
    gone: u32,
    /// Peers in each of the 128 places of a hash table, four to a word.
    places: [u32; 32],
}

item! {
    /// Sockets and buffers.
    IoItem, 40, 40,
    /// Since the counters were reset, s.
    reset_s: u32,
    /// Buffers to receive into.
    buffers: u16,
    /// Of these, free.
    free: u16,
    /// Of these, full.
    full: u16,
    /// Times buffers were added.
    refills: u16,
    /// Packets dropped.
    dropped: u32,
    /// Packets ignored.
    ignored: u32,
    /// Packets received.
    received: u32,
    /// Packets sent.
    sent: u32,
    /// Packets that could not be sent.
    not_sent: u32,
    /// Times a thread woke.
    wakeups: u32,
    /// Of these, for a packet.
    useful_wakeups: u32,
}

item! {
    /// The timer.
    TimerItem, 16, 16,
    /// Since the counters were reset, s.
    reset_s: u32,
    /// Seconds seen.
    alarms: u32,
    /// Seconds missed.
    overruns: u32,
    /// Requests sent.
    sent: u32,
}

item! {
    /// State of the discipline.
    LoopItem, 24, 24,
    /// Last offset.
    offset: NtpDuration,
    /// Frequency; a second stands for one ppm.
    frequency: NtpDuration,
    /// Time constant.
    time_constant: i32,
    /// Since the clock was last set, s.
    since_s: u32,
}

item! {
    /// Keys and their use.
    AuthenticationItem, 36, 36,
    /// Since the counters were reset, s.
    reset_s: u32,
    /// Keys there are.
    keys: u32,
    /// Keys there is room for.
    free: u32,
    /// Times a key was looked for.
    lookups: u32,
    /// Of these, in vain.
    not_found: u32,
    /// MACs made.
    sealed: u32,
    /// MACs checked.
    checked: u32,
    /// Keys that ended.
    expired: u32,
    /// Keys that had to be looked for anew.
    uncached: u32,
}

item! {
    /// Control messages.
    ControlItem, 60, 60,
    /// Since the counters were reset, s.
    reset_s: u32,
    /// Requests.
    requests: u32,
    /// Bad ones.
    bad: u32,
    /// Answers.
    responses: u32,
    /// Datagrams of answers.
    fragments: u32,
    /// Errors told.
    errors: u32,
    /// Too short.
    too_short: u32,
    /// Answers that came in.
    responses_in: u32,
    /// Fragments that came in.
    fragments_in: u32,
    /// Errors that came in.
    errors_in: u32,
    /// With an offset.
    bad_offset: u32,
    /// Of an unknown version.
    bad_version: u32,
    /// Data shorter than counted.
    data_short: u32,
    /// Unknown operations.
    bad_opcode: u32,
    /// Trap messages sent.
    traps: u32,
}

item! {
    /// The kernel's clock, in the units of adjtimex(2).
    KernelItem, 60, 60,
    /// Offset, µs or ns.
    offset: i32,
    /// Frequency, 2^-16 ppm.
    frequency: i32,
    /// Bound on the error, µs.
    max_error: i32,
    /// Estimate of the error, µs.
    estimated_error: i32,
    /// STA_* bits.
    status: u16,
    /// Calibration interval, log2 s.
    shift: u16,
    /// Time constant.
    time_constant: i32,
    /// Precision, µs.
    precision: i32,
    /// Most the frequency may be off, 2^-16 ppm.
    tolerance: i32,
    /// Frequency by pulses, 2^-16 ppm.
    pps_frequency: i32,
    /// Jitter of the pulses, µs or ns.
    pps_jitter: i32,
    /// Wander by pulses, 2^-16 ppm.
    pps_stability: i32,
    /// Times the jitter was too great.
    jitter_exceeded: i32,
    /// Calibrations.
    calibrations: i32,
    /// Of these, failed.
    errors: i32,
    /// Times the wander was too great.
    stability_exceeded: i32,
}
