//! Files, `enable` and `disable`, `tos`, `tinker`.

use crate::settings::{Settings, SystemFlags, Tinker, Tos};

use super::{Lines, changed, quoted};

pub(super) fn files(settings: &Settings, lines: &mut Lines) {
    let files = &settings.files;
    for (directive, file) in [
        ("driftfile", &files.drift),
        ("logfile", &files.log),
        ("pidfile", &files.pid),
    ] {
        if let Some(file) = file {
            lines.push([directive, &quoted(&file.value)]);
        }
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
