//! `discard`, `mru`, statistics, the log, variables.

use crate::settings::{
    FileGen, FilePeriod, LogClass, LogEvent, LogMask, Monitoring, MruSize, Settings, StatsKind,
};

use super::{Lines, changed, quoted};

pub(super) fn rates(settings: &Settings, lines: &mut Lines) {
    let usual = Settings::default();
    let (said, other) = (settings.discard, usual.discard);
    let discard = [
        changed("average", &said.average_log2_s, &other.average_log2_s),
        changed("minimum", &said.minimum_s, &other.minimum_s),
        changed("monitor", &said.monitor_s, &other.monitor_s),
    ];
    lines.push_any("discard", discard.into_iter().flatten().collect());
    let (said, other) = (settings.mru, usual.mru);
    let mru = [
        size("init", "alloc", said.initial, other.initial),
        size("inc", "alloc", said.increment, other.increment),
        size("max", "depth", said.most, other.most),
        changed("mindepth", &said.mindepth, &other.mindepth),
        changed("maxage", &said.maxage_s, &other.maxage_s),
    ];
    lines.push_any("mru", mru.into_iter().flatten().collect());
}

fn size(which: &str, of_entries: &str, said: MruSize, usual: MruSize) -> Option<String> {
    (said != usual).then(|| match said {
        MruSize::Entries(entries) => format!("{which}{of_entries} {entries}"),
        MruSize::Kilobytes(kilobytes) => format!("{which}mem {kilobytes}"),
        MruSize::Unlimited => format!("{which}{of_entries} -1"),
    })
}

pub(super) fn monitoring(said: &Monitoring, lines: &mut Lines) {
    if let Some(folder) = &said.stats_dir {
        lines.push(["statsdir", &quoted(&folder.value)]);
    }
    let kinds = said.statistics.iter().map(|kind| kind.word().to_owned());
    lines.push_any("statistics", kinds.collect());
    for (kind, of_kind) in &said.file_gens {
        file_gen(*kind, of_kind, lines);
    }
    if said.log_mask != LogMask::default() {
        lines.push_any("logconfig", log_words(said.log_mask));
    }
    for variable in &said.variables {
        let default = if variable.default { " default" } else { "" };
        let (name, value) = (&variable.name, quoted(&variable.value));
        lines.push([format!("setvar {name} = {value}{default}")]);
    }
}

fn file_gen(kind: StatsKind, said: &FileGen, lines: &mut Lines) {
    let mut words = vec!["filegen".to_owned(), kind.word().to_owned()];
    words.extend(
        said.file
            .as_ref()
            .map(|file| format!("file {}", quoted(file))),
    );
    words.extend(said.period.map(|period| {
        let word = match period {
            FilePeriod::None => "none",
            FilePeriod::Pid => "pid",
            FilePeriod::Day => "day",
            FilePeriod::Week => "week",
            FilePeriod::Month => "month",
            FilePeriod::Year => "year",
            FilePeriod::Age => "age",
        };
        format!("type {word}")
    }));
    let switch = |on, yes: &str, no: &str| if on { yes } else { no }.to_owned();
    words.extend(said.link.map(|on| switch(on, "link", "nolink")));
    words.extend(said.enabled.map(|on| switch(on, "enable", "disable")));
    lines.push(words);
}

/// All of it, less what is not wanted: "=" alone has no word for nothing.
fn log_words(mask: LogMask) -> Vec<String> {
    let classes = [
        ("sys", LogClass::System),
        ("peer", LogClass::Peer),
        ("clock", LogClass::Clock),
        ("sync", LogClass::Sync),
    ];
    let events = [
        ("info", LogEvent::Info),
        ("events", LogEvent::Events),
        ("statistics", LogEvent::Statistics),
        ("status", LogEvent::Status),
    ];
    let unwanted = classes.into_iter().flat_map(|(class_word, class)| {
        let other = events
            .into_iter()
            .filter(move |(_, event)| !mask.contains(class, *event));
        other.map(move |(event_word, _)| format!("-{class_word}{event_word}"))
    });
    std::iter::once("=all".to_owned()).chain(unwanted).collect()
}
