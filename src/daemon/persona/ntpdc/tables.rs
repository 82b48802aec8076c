//! Tables of one item: a label and a value a line.
use super::super::dialogue::{Screen, Value};
use super::numbers::{fixed, general, long, short};
use super::peers::{fits, mode, reference};
use super::state::Ntpdc;
use crate::control_client::pretty;
use truechimer_proto::control::kernel_flags;
use truechimer_wire::private::{
    AuthenticationItem, ControlItem, IoItem, KernelItem, LoopItem, MemoryItem, PrivateCode,
    PrivateItem, SystemItem, SystemStatsItem, TimerItem, system_flags,
};

/// The kernel counts in nanoseconds.
const STA_NANO: u16 = 0x2000;

/// The one item of an answer; told where it is missing or there are more.
fn one<I: PrivateItem>(
    ntpdc: &mut Ntpdc,
    code: PrivateCode,
    screen: &mut Screen<'_>,
) -> Option<(I, usize)> {
    let items = ntpdc.ask(code, screen)?;
    let count = items.count();
    if count > 1 {
        screen.say(&format!("Expected one item in response, got {count}\n"));
        return None;
    }
    if !fits::<I>(&items, screen) {
        return None;
    }
    Some((items.read().next()?, items.item_len))
}

/// Lines with values from a column on.
fn rows(screen: &mut Screen<'_>, width: usize, rows: &[(&str, String)]) {
    for (label, value) in rows {
        screen.say(&format!("{label:<width$}{value}\n"));
    }
}

/// The same of counts.
fn counts(screen: &mut Screen<'_>, width: usize, counts: &[(&str, u32)]) {
    for (label, count) in counts {
        screen.say(&format!("{label:<width$}{count}\n"));
    }
}

pub(super) fn loopinfo(ntpdc: &mut Ntpdc, values: &[Value], screen: &mut Screen<'_>) {
    let one_line = match Value::word(values, 0) {
        "oneline" => true,
        "" | "multiline" => false,
        _ => return screen.complain("How many lines?\n"),
    };
    let Some((it, _)) = one::<LoopItem>(ntpdc, PrivateCode::LoopInfo, screen) else {
        return;
    };
    let (offset, frequency) = (long(it.offset, 6), long(it.frequency, 3));
    if one_line {
        return screen.say(&format!(
            "offset {offset}, frequency {frequency}, time_const {}, watchdog {}\n",
            it.time_constant, it.since_s
        ));
    }
    rows(
        screen,
        22,
        &[
            ("offset:", format!("{offset} s")),
            ("frequency:", format!("{frequency} ppm")),
            ("poll adjust:", it.time_constant.to_string()),
            ("watchdog timer:", format!("{} s", it.since_s)),
        ],
    );
}

pub(super) fn sysinfo(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    const FLAGS: [(u8, &str); 8] = [
        (system_flags::BCLIENT, "bclient "),
        (system_flags::AUTH, "auth "),
        (system_flags::MONITOR, "monitor "),
        (system_flags::NTP, "ntp "),
        (system_flags::KERNEL, "kernel "),
        (system_flags::STATS, "stats "),
        (system_flags::CALIBRATE, "calibrate "),
        (system_flags::PPS, "pps "),
    ];
    let Some((it, _)) = one::<SystemItem>(ntpdc, PrivateCode::SystemInfo, screen) else {
        return;
    };
    let set = FLAGS.iter().filter(|(bit, _)| it.flags & bit != 0);
    let flags: String = set.map(|(_, name)| *name).collect();
    let flags = if flags.is_empty() {
        "none".to_owned()
    } else {
        flags
    };
    let peer = ntpdc.shown(it.peer());
    let all = [
        ("system peer:", peer),
        ("system peer mode:", mode(it.peer_mode)),
        ("leap indicator:", format!("{:02b}", it.leap & 3)),
        ("stratum:", it.stratum.to_string()),
        ("precision:", it.precision.to_string()),
        ("root distance:", format!("{} s", fixed(it.root_delay, 5))),
        (
            "root dispersion:",
            format!("{} s", short(it.root_dispersion, 5)),
        ),
        (
            "reference ID:",
            format!("[{}]", reference(it.reference_id, it.stratum <= 1)),
        ),
        ("reference time:", pretty(it.reference_time)),
        ("system flags:", flags),
        ("jitter:", format!("{} s", fixed(it.jitter, 6))),
        ("stability:", format!("{} ppm", short(it.wander, 3))),
        (
            "broadcastdelay:",
            format!("{} s", fixed(it.broadcast_delay, 6)),
        ),
        ("authdelay:", format!("{} s", long(it.auth_delay, 6))),
    ];
    rows(screen, 22, &all);
}

pub(super) fn sysstats(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    // Its item grew from ten counts to eleven and thirteen; those that are missing are zero.
    let Some(items) = ntpdc.ask(PrivateCode::SystemStats, screen) else {
        return;
    };
    let lens = [40, 44, SystemStatsItem::LEN];
    let Some(it) = items.read::<SystemStatsItem>().next() else {
        return screen.say("No data returned in response to query\n");
    };
    if !lens.contains(&items.item_len) {
        fits::<SystemStatsItem>(&items, screen);
        return;
    }
    let all = [
        ("time since restart:", it.up_s),
        ("time since reset:", it.reset_s),
        ("packets received:", it.received),
        ("packets processed:", it.processed),
        ("current version:", it.this_version),
        ("previous version:", it.old_version),
        ("declined:", it.declined),
        ("access denied:", it.denied),
        ("bad length or format:", it.bad_format),
        ("bad authentication:", it.bad_authentication),
    ];
    counts(screen, 24, &all);
    if items.item_len > 40 {
        counts(screen, 24, &[("rate exceeded:", it.limited)]);
    }
}

pub(super) fn memstats(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    let Some((it, _)) = one::<MemoryItem>(ntpdc, PrivateCode::MemoryStats, screen) else {
        return;
    };
    let all = [
        ("time since reset:", it.reset_s),
        ("total peer memory:", it.room.into()),
        ("free peer memory:", it.free.into()),
        ("calls to findpeer:", it.searches),
        ("new peer allocations:", it.made),
        ("peer demobilizations:", it.gone),
    ];
    counts(screen, 22, &all);
    let places: Vec<u8> = it
        .places
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    let lines: Vec<String> = places
        .chunks(8)
        .map(|line| line.iter().map(|place| format!("{place:4}")).collect())
        .collect();
    let gap = format!("\n{:21}", "");
    screen.say(&format!("hash table counts:   {}\n", lines.join(&gap)));
}

pub(super) fn iostats(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    let Some((it, _)) = one::<IoItem>(ntpdc, PrivateCode::IoStats, screen) else {
        return;
    };
    let all = [
        ("time since reset:", it.reset_s),
        ("receive buffers:", it.buffers.into()),
        ("free receive buffers:", it.free.into()),
        ("used receive buffers:", it.full.into()),
        ("low water refills:", it.refills.into()),
        ("dropped packets:", it.dropped),
        ("ignored packets:", it.ignored),
        ("received packets:", it.received),
        ("packets sent:", it.sent),
        ("packets not sent:", it.not_sent),
        ("interrupts handled:", it.wakeups),
        ("received by int:", it.useful_wakeups),
    ];
    counts(screen, 22, &all);
}

pub(super) fn timerstats(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    let Some((it, _)) = one::<TimerItem>(ntpdc, PrivateCode::TimerStats, screen) else {
        return;
    };
    let all = [
        ("time since reset:", it.reset_s),
        ("alarms handled:", it.alarms),
        ("alarm overruns:", it.overruns),
        ("calls to transmit:", it.sent),
    ];
    counts(screen, 19, &all);
}

pub(super) fn authinfo(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    let found = one::<AuthenticationItem>(ntpdc, PrivateCode::Authentication, screen);
    let Some((it, _)) = found else {
        return;
    };
    let all = [
        ("time since reset:", it.reset_s),
        ("stored keys:", it.keys),
        ("free keys:", it.free),
        ("key lookups:", it.lookups),
        ("keys not found:", it.not_found),
        ("uncached keys:", it.uncached),
        ("encryptions:", it.sealed),
        ("decryptions:", it.checked),
        ("expired keys:", it.expired),
    ];
    counts(screen, 22, &all);
}

pub(super) fn ctlstats(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    let Some((it, _)) = one::<ControlItem>(ntpdc, PrivateCode::ControlStats, screen) else {
        return;
    };
    let all = [
        ("time since reset:", it.reset_s),
        ("requests received:", it.requests),
        ("responses sent:", it.responses),
        ("fragments sent:", it.fragments),
        ("async messages sent:", it.traps),
        ("error msgs sent:", it.errors),
        ("total bad pkts:", it.bad),
        ("packet too short:", it.too_short),
        ("response on input:", it.responses_in),
        ("fragment on input:", it.fragments_in),
        ("error set on input:", it.errors_in),
        ("bad offset on input:", it.bad_offset),
        ("bad version packets:", it.bad_version),
        ("data in pkt too short:", it.data_short),
        ("unknown op codes:", it.bad_opcode),
    ];
    counts(screen, 24, &all);
}

pub(super) fn kerninfo(ntpdc: &mut Ntpdc, _: &[Value], screen: &mut Screen<'_>) {
    let Some((it, _)) = one::<KernelItem>(ntpdc, PrivateCode::Kernel, screen) else {
        return;
    };
    let step_s = if it.status & STA_NANO == 0 {
        1e-6
    } else {
        1e-9
    };
    // The kernel counts these in microseconds whatever the flag says, which the reference forgets.
    let micros = |count: i32| format!("{} s", general(f64::from(count) * 1e-6));
    let steps = |count: i32| format!("{} s", general(f64::from(count) * step_s));
    let flags: String = kernel_flags(it.status.into())
        .map(|name| format!(" {name}"))
        .collect();
    let all = [
        ("pll offset:", steps(it.offset)),
        ("pll frequency:", format!("{} ppm", fixed(it.frequency, 3))),
        ("maximum error:", micros(it.max_error)),
        ("estimated error:", micros(it.estimated_error)),
        ("status:", format!("{:04x} {flags}", it.status)),
        ("pll time constant:", it.time_constant.to_string()),
        ("precision:", micros(it.precision)),
        (
            "frequency tolerance:",
            format!("{} ppm", fixed(it.tolerance, 0)),
        ),
    ];
    rows(screen, 22, &all);
    if it.shift == 0 {
        return;
    }
    let interval_s = 1_u64.checked_shl(it.shift.into()).unwrap_or(0);
    let pulses = [
        (
            "pps frequency:",
            format!("{} ppm", fixed(it.pps_frequency, 3)),
        ),
        (
            "pps stability:",
            format!("{} ppm", fixed(it.pps_stability, 3)),
        ),
        ("pps jitter:", steps(it.pps_jitter)),
        ("calibration interval:", format!("{interval_s} s")),
        ("calibration cycles:", it.calibrations.to_string()),
        ("jitter exceeded:", it.jitter_exceeded.to_string()),
        ("stability exceeded:", it.stability_exceeded.to_string()),
        ("calibration errors:", it.errors.to_string()),
    ];
    rows(screen, 22, &pulses);
}
