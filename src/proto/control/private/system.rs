//! The system as items.
use super::super::statistics::counted;
use super::super::system_variables::{SystemView, keys};
use super::super::{ClockView, ControlCounts, InterfaceFacts, KernelFacts};
use super::{few, fixed, low, mask};
use core::net::IpAddr;
use truechimer_time::{NtpDuration, NtpShort};
use truechimer_wire::Mode;
use truechimer_wire::private::{
    AuthenticationItem, ClockItem, ControlItem, InterfaceItem, IoItem, KernelItem, LoopItem,
    MemoryItem, Native32, SystemItem, SystemStatsItem, TimerItem,
};

/// `broadcastdelay` that is not measured, seconds; the reference writes it as a negative number.
const BROADCAST_DELAY_S: f64 = -0.05;
/// The kernel counts in nanoseconds.
const STA_NANO: u32 = 0x2000;
/// Flag bits of a service address in the reference.
const UP: u32 = 0x1;
const LOOPBACK: u32 = 0x4;
/// A service address that is simply there.
const IS_THERE: u8 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// State of the clock; `flags` are what the operator switched.
pub(crate) fn system(view: &SystemView<'_>, flags: u8) -> SystemItem {
    let status = &view.status;
    let mut item = SystemItem {
        leap: status.leap.to_bits(),
        stratum: status.stratum,
        precision: status.precision,
        root_delay: fixed(status.root_delay.to_seconds()),
        root_dispersion: status.root_dispersion,
        reference_id: status.reference_id.octets(),
        reference_time: status.reference_time,
        poll: Native32(u32::try_from(status.time_constant).unwrap_or(0)),
        flags,
        broadcast_delay: fixed(BROADCAST_DELAY_S),
        jitter: fixed(status.system_jitter_s),
        wander: NtpShort::from_seconds(status.wander_ppm),
        ..SystemItem::default()
    };
    if let Some(peer) = view.peer_address {
        item.peer_mode = Mode::Client.to_bits();
        item.set_peer(peer.ip().to_canonical());
    }
    item
}

/// Counters of packets.
pub(crate) fn packets(view: &SystemView<'_>) -> SystemStatsItem {
    let of = |name| low(counted(view, name).unwrap_or(0));
    SystemStatsItem {
        up_s: low(view.up_s),
        reset_s: low(view.up_s),
        denied: of("ss_restricted"),
        old_version: of("ss_oldver"),
        this_version: of("ss_thisver"),
        declined: of("ss_declined"),
        bad_format: of("ss_badformat"),
        processed: low(view.status.answers().1),
        bad_authentication: of("ss_badauth"),
        received: of("ss_received"),
        limited: of("ss_limited"),
        lamport: of("ss_lamport"),
        rounded: 0,
    }
}

/// Associations that are there and that were. They need no room before they are made, and nobody
/// has to search for them, so the rest is zero.
pub(crate) fn memory(view: &SystemView<'_>, made: u32) -> MemoryItem {
    let there = view.status.associations.len() as u64;
    MemoryItem {
        reset_s: low(view.up_s),
        room: few(there),
        made,
        gone: made.saturating_sub(low(there)),
        ..MemoryItem::default()
    }
}

/// Datagrams and buffers.
pub(crate) fn io(view: &SystemView<'_>) -> IoItem {
    let io = view.facts.io();
    IoItem {
        reset_s: low(view.up_s),
        buffers: few(io.buffers),
        free: few(io.buffers.saturating_sub(io.buffers_used)),
        full: few(io.buffers_used),
        refills: 0,
        dropped: low(io.dropped),
        ignored: low(io.ignored),
        received: low(io.received),
        sent: low(io.sent),
        not_sent: low(io.send_failed),
        wakeups: low(io.wakeups),
        useful_wakeups: low(io.useful_wakeups),
    }
}

/// The timer, which the reference has once a second.
pub(crate) fn timer(view: &SystemView<'_>) -> TimerItem {
    TimerItem {
        reset_s: low(view.up_s),
        alarms: low(view.up_s),
        overruns: low(view.facts.io().overruns),
        sent: low(view.polls),
    }
}

/// State of the discipline; the clock was last set so many seconds ago.
pub(crate) fn discipline(view: &SystemView<'_>, since_s: u64) -> LoopItem {
    LoopItem {
        offset: NtpDuration::from_seconds(view.status.offset_s),
        frequency: NtpDuration::from_seconds(view.status.frequency_ppm),
        time_constant: view.status.time_constant.into(),
        since_s: low(since_s),
    }
}

/// Keys and their use.
pub(crate) fn authentication(view: &SystemView<'_>) -> AuthenticationItem {
    let keys = keys(view);
    AuthenticationItem {
        reset_s: low(view.up_s),
        keys: low(keys.keys),
        lookups: low(keys.lookups),
        not_found: low(keys.not_found),
        sealed: low(keys.sealed),
        checked: low(keys.checked),
        ..AuthenticationItem::default()
    }
}

/// Control and private messages.
pub(crate) fn control(view: &SystemView<'_>, counts: &ControlCounts) -> ControlItem {
    ControlItem {
        reset_s: low(view.up_s),
        requests: low(counts.requests),
        bad: low(counts.ignored),
        responses: low(counts.answered),
        fragments: low(counts.datagrams),
        errors: low(counts.refused),
        ..ControlItem::default()
    }
}

/// The kernel's clock.
pub(crate) fn kernel(facts: &KernelFacts) -> KernelItem {
    let steps_per_ms = if facts.status & STA_NANO == 0 {
        1e3
    } else {
        1e6
    };
    let micros = |ms: f64| whole(ms * 1e3);
    let count = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
    let [_, _, high, low] = facts.status.to_be_bytes();
    KernelItem {
        offset: whole(facts.offset_ms * steps_per_ms),
        frequency: fixed(facts.freq_ppm),
        max_error: micros(facts.max_error_ms),
        estimated_error: micros(facts.estimated_error_ms),
        status: u16::from_be_bytes([high, low]),
        shift: few(facts.pps_shift.into()),
        time_constant: i32::try_from(facts.time_constant).unwrap_or(i32::MAX),
        precision: micros(facts.precision_ms),
        tolerance: fixed(facts.tolerance_ppm),
        pps_frequency: fixed(facts.pps_freq_ppm),
        pps_jitter: whole(facts.pps_jitter_ms * steps_per_ms),
        pps_stability: fixed(facts.pps_stability_ppm),
        jitter_exceeded: count(facts.pps_jitter_exceeded),
        calibrations: count(facts.pps_calibrations),
        errors: count(facts.pps_errors),
        stability_exceeded: count(facts.pps_stability_exceeded),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
fn whole(number: f64) -> i32 {
    number.round() as i32
}

/// A reference clock.
pub(crate) fn clock(address: [u8; 4], view: &ClockView, up_s: u64) -> ClockItem {
    ClockItem {
        address,
        driver: view.driver,
        polls: view.polls,
        up_s: low(up_s),
        stratum: view.stratum.into(),
        reference_id: view.reference_id.octets(),
        ..ClockItem::default()
    }
}

/// The service addresses; `peers` tells how many associations send from one. What network they are
/// in is the kernel's business: a mask of ones says nothing else.
pub(crate) fn interfaces(
    all: &[InterfaceFacts],
    peers: impl Fn(IpAddr) -> usize,
) -> Vec<InterfaceItem> {
    let items = (0_u32..).zip(all).map(|(number, it)| {
        let ip = it.address.ip();
        let loopback = if ip.is_loopback() { LOOPBACK } else { 0 };
        let mut name = [0; 32];
        // The last octet stays zero, which ends the name.
        for (place, octet) in name.iter_mut().take(31).zip(it.name.bytes()) {
            *place = octet;
        }
        let mut item = InterfaceItem {
            name,
            flags: UP | loopback,
            received: low(it.received),
            sent: low(it.sent),
            not_sent: low(it.send_failed),
            up_s: low(it.up_s),
            number,
            peers: low(peers(ip) as u64),
            family: if ip.is_ipv4() { AF_INET } else { AF_INET6 },
            is_dropping: u8::from(it.is_dropping),
            action: IS_THERE,
            ..InterfaceItem::default()
        };
        item.set_network(ip, mask(ip, if ip.is_ipv4() { 32 } else { 128 }));
        item
    });
    items.collect()
}
