//! The picture in plain words.
use super::island::Orphan;
use super::mode::Mode;
use super::picture::{Picture, Source};
use super::verdict::Verdict;
use core::fmt::Write;

fn number(value: Option<f64>, unit: &str, digits: usize, signed: bool) -> String {
    match value {
        None => "unknown".to_owned(),
        Some(value) if signed => format!("{value:+.digits$} {unit}"),
        Some(value) => format!("{value:.digits$} {unit}"),
    }
}

/// Milliseconds, as seconds where they are many.
fn milliseconds(value: Option<f64>, signed: bool) -> String {
    match value {
        Some(large) if large.abs() >= 10_000.0 => number(Some(large / 1e3), "s", 1, signed),
        other => number(other, "ms", 3, signed),
    }
}

fn age(seconds: Option<f64>) -> String {
    match seconds {
        None => "never".to_owned(),
        Some(seconds) if seconds < 120.0 => format!("{seconds:.0} s ago"),
        Some(seconds) if seconds < 7200.0 => format!("{:.0} min ago", seconds / 60.0),
        Some(seconds) => format!("{:.0} h ago", seconds / 3600.0),
    }
}

/// `truechimer status`.
pub(super) fn status(picture: &Picture) -> String {
    let system = &picture.system;
    let mut text = String::new();
    // A string takes any write, here and below.
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<16} {value}");
    };
    line("follows", follows(picture));
    line("offset", milliseconds(system.offset_ms, true));
    let error = if follows_itself(picture) {
        "unknown: nothing outside this machine is followed".to_owned()
    } else if system.orphan.is_some() {
        "unknown: nothing outside this island is followed".to_owned()
    } else {
        milliseconds(system.root_distance_ms, false)
    };
    line("greatest error", error);
    line("frequency", number(system.frequency_ppm, "ppm", 3, true));
    line("jitter", milliseconds(system.system_jitter_ms, false));
    line("last update", age(system.last_update_age_s));
    line(
        "leap second",
        match system.leap {
            0 => "none announced",
            1 => "one will be inserted at the end of the month's last day",
            2 => "one will be left out at the end of the month's last day",
            _ => "unknown: not synchronised",
        }
        .to_owned(),
    );
    let time_givers = || picture.sources.iter().filter(|source| source.gives_time());
    line(
        "sources",
        format!(
            "{} ({} answering, {} used)",
            time_givers().count(),
            time_givers().filter(|source| source.reach != 0).count(),
            picture
                .sources
                .iter()
                .filter(|source| source.is_used())
                .count()
        ),
    );
    let refused = system.unsolicited.as_ref().filter(|it| !it.is_empty());
    if let Some(refused) = refused {
        line("refused unasked", refused.to_string());
    }
    if let Some(engine) = &system.engine {
        line("serves by", engine.to_string());
    }
    line("status word", system.status.clone());
    line("daemon", system.version.clone());
    head(picture) + &text
}

/// Whom.
fn follows(picture: &Picture) -> String {
    let system = &picture.system;
    let stratum = system
        .stratum
        .map_or_else(|| "unknown".to_owned(), |it| it.to_string());
    match (picture.leader(), system.orphan) {
        (Some(leader), None) => format!("{}, at stratum {stratum}", leader.name),
        (Some(leader), Some(_)) => {
            format!("{}, an orphan parent, at stratum {stratum}", leader.name)
        }
        (None, Some(_)) => {
            format!("nobody: an orphan parent, which serves its own clock at stratum {stratum}")
        }
        (None, None) if system.is_synchronised => {
            format!("{}, at stratum {stratum}", system.reference_id)
        }
        (None, None) => "nobody".to_owned(),
    }
}

/// Whether there is nothing outside this machine that it gets its time from.
fn follows_itself(picture: &Picture) -> bool {
    let own_clock = picture.leader().is_some_and(Source::is_own_clock);
    own_clock || picture.system.orphan == Some(Orphan::Parent)
}

/// How the clock is, in a sentence.
fn head(picture: &Picture) -> String {
    let system = &picture.system;
    let how = if follows_itself(picture) {
        "the clock follows only itself and may be wrong"
    } else if system.orphan.is_some() {
        "the clock follows an island without a source and may be wrong"
    } else if !system.is_synchronised {
        "the clock is NOT synchronised"
    } else if system.is_steered == Some(false) {
        "the time is known, but the clock is NOT steered (`disable ntp`, or no right to set it)"
    } else {
        "the clock is synchronised"
    };
    format!("{}: {how}\n", picture.host)
}

fn verdict_word(source: &Source) -> &'static str {
    match source.selection {
        _ if source.mode == Mode::Pool => "pool",
        _ if !source.gives_time() => "sends",
        "sys.peer" | "pps.peer" => "leads",
        "candidate" => "used",
        "falsetick" => "false",
        "outlier" => "outlier",
        "backup" | "excess" => "reserve",
        _ if source.reach == 0 && source.refusals().next().is_none() => "silent",
        _ => "rejected",
    }
}

/// `truechimer sources`.
pub(super) fn sources(picture: &Picture) -> String {
    if picture.sources.is_empty() {
        return format!("{}: no sources\n", picture.host);
    }
    let mut text = format!(
        "{:<9} {:<28} {:>7} {:>5} {:>12} {:>12} {:>14} {:<12}\n",
        "", "source", "stratum", "reach", "offset", "delay", "distance", "heard"
    );
    for source in &picture.sources {
        let shown = |value: Option<f64>, signed| {
            if source.reach == 0 {
                "-".to_owned()
            } else {
                milliseconds(value, signed)
            }
        };
        let stratum = source.stratum.filter(|stratum| *stratum < 16);
        let _ = writeln!(
            text,
            "{:<9} {:<28} {:>7} {:>5} {:>12} {:>12} {:>14} {:<12}",
            verdict_word(source),
            source.name,
            stratum.map_or_else(|| "-".to_owned(), |stratum| stratum.to_string()),
            format!("{}/8", source.reach.count_ones()),
            shown(source.offset_ms, true),
            shown(source.delay_ms, false),
            shown(source.root_distance_ms, false),
            age(source.last_reply_age_s) + source.xleave_ms.map_or("", |_| "  interleaved")
        );
    }
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// `truechimer explain SOURCE`.
pub(super) fn verdict(verdict: &Verdict) -> String {
    let mut text = if verdict.source == verdict.address {
        format!("{}\n", verdict.source)
    } else {
        format!("{} ({})\n", verdict.source, verdict.address)
    };
    let _ = writeln!(text, "  {}", verdict.headline);
    for reason in &verdict.reasons {
        let _ = writeln!(text, "  - {reason}");
    }
    let numbers = &verdict.numbers;
    if let (
        Some((low, high)),
        "sys.peer" | "pps.peer" | "candidate" | "falsetick" | "outlier" | "backup" | "excess",
    ) = (numbers.interval_ms, verdict.selection)
    {
        let _ = writeln!(
            text,
            "  - offset {}, root distance {}: the right time lies between {low:+.3} and \
             {high:+.3} ms by it",
            milliseconds(numbers.offset_ms, true),
            milliseconds(numbers.root_distance_ms, false)
        );
    }
    for remedy in &verdict.remedies {
        let _ = writeln!(text, "  what to do: {remedy}");
    }
    text
}
