//! Files, `enable` and `disable`, `tos`, `tinker`.

use crate::settings::{BaseDate, Settings, SystemFlags, Tinker, Tos};

use super::{Lines, changed, quoted};

pub(super) fn files(settings: &Settings, lines: &mut Lines) {
    let files = &settings.files;
    for (directive, file) in [
        ("driftfile", &files.drift),
        ("logfile", &files.log),
        ("pidfile", &files.pid),
        ("saveconfigdir", &files.save_config),
    ] {
        if let Some(file) = file {
            lines.push([directive, &quoted(&file.value)]);
        }
    }
    if let Some(ppm) = files.wander_threshold_ppm {
        lines.push(["nonvolatile", &ppm.to_string()]);
    }
    if let Some(file) = &files.leap {
        let check = if files.check_leap_hash {
            "checkhash"
        } else {
            "ignorehash"
        };
        lines.push(["leapfile", &quoted(&file.value), check]);
    }
}

pub(super) fn flags(said: &SystemFlags, lines: &mut Lines) {
    let default = SystemFlags::default();
    let all = [
        ("auth", said.auth, default.auth),
        ("kernel", said.kernel, default.kernel),
        ("ntp", said.ntp, default.ntp),
        ("bclient", said.bclient, default.bclient),
        ("calibrate", said.calibrate, default.calibrate),
        ("mode7", said.mode7, default.mode7),
        ("monitor", said.monitor, default.monitor),
        ("stats", said.stats, default.stats),
        (
            "peer_clear_digest_early",
            said.peer_clear_digest_early,
            default.peer_clear_digest_early,
        ),
        (
            "unpeer_crypto_early",
            said.unpeer_crypto_early,
            default.unpeer_crypto_early,
        ),
        (
            "unpeer_crypto_nak_early",
            said.unpeer_crypto_nak_early,
            default.unpeer_crypto_nak_early,
        ),
        (
            "unpeer_digest_early",
            said.unpeer_digest_early,
            default.unpeer_digest_early,
        ),
    ];
    for (directive, on) in [("enable", true), ("disable", false)] {
        let other = all.iter().filter(|(_, is, usual)| is != usual && *is == on);
        let words = other.map(|(name, ..)| (*name).to_owned()).collect();
        lines.push_any(directive, words);
    }
}

pub(super) fn tos(said: &Tos, lines: &mut Lines) {
    let usual = Tos::default();
    let all = [
        changed("ceiling", &said.ceiling, &usual.ceiling),
        changed("cohort", &u8::from(said.cohort), &u8::from(usual.cohort)),
        changed("floor", &said.floor, &usual.floor),
        changed("maxclock", &said.maxclock, &usual.maxclock),
        changed("maxdist", &said.maxdist_s, &usual.maxdist_s),
        changed("minclock", &said.minclock, &usual.minclock),
        changed("mindist", &said.mindist_s, &usual.mindist_s),
        changed("minsane", &said.minsane, &usual.minsane),
        changed("beacon", &said.beacon_s, &usual.beacon_s),
        changed("orphan", &said.orphan_stratum, &usual.orphan_stratum),
        changed("orphanwait", &said.orphan_wait_s, &usual.orphan_wait_s),
        changed(
            "bcpollbstep",
            &said.broadcast_backstep_polls,
            &usual.broadcast_backstep_polls,
        ),
        changed("volleywait", &said.volley_wait_s, &usual.volley_wait_s),
        said.base_date.map(|date| match date {
            BaseDate::Civil { year, month, day } => {
                format!("basedate {year:04}-{month:02}-{day:02}")
            }
            BaseDate::NtpDay(days) => format!("basedate @{days}"),
        }),
    ];
    lines.push_any("tos", all.into_iter().flatten().collect());
}

pub(super) fn tinker(said: &Tinker, lines: &mut Lines) {
    let usual = Tinker::default();
    // A threshold of 0 is none.
    let threshold = |name: &str, value: Option<f64>, usual: Option<f64>| {
        changed(name, &value.unwrap_or(0.0), &usual.unwrap_or(0.0))
    };
    let all = [
        changed("allan", &allan(said.allan_s), &allan(usual.allan_s)),
        changed("dispersion", &said.dispersion_ppm, &usual.dispersion_ppm),
        said.freq_ppm.map(|ppm| format!("freq {ppm}")),
        threshold("panic", said.panic_s, usual.panic_s),
        threshold("stepback", said.stepback_s, usual.stepback_s),
        threshold("stepfwd", said.stepfwd_s, usual.stepfwd_s),
        changed("stepout", &said.stepout_s, &usual.stepout_s),
        threshold("huffpuff", said.huffpuff_s, usual.huffpuff_s),
        threshold("tick", said.tick_s, usual.tick_s),
    ];
    lines.push_any("tinker", all.into_iter().flatten().collect());
}

/// Powers of two as the reference wants them, others in seconds if they are read as such.
fn allan(allan_s: f64) -> f64 {
    let log2_s = allan_s.log2();
    let is_power = log2_s.fract() == 0.0 && log2_s <= 17.0;
    if is_power || allan_s <= 17.0 {
        log2_s
    } else {
        allan_s
    }
}
