//! `statistics`, `filegen` and `statsdir` into what is recorded and what is written where.
use crate::statistics::{Kind, Plan, Set};
use std::collections::BTreeMap;
use truechimer_config::Settings;
use truechimer_config::settings::{FilePeriod, StatsKind};
use truechimer_proto::statistics::Recording;

/// Where statistics go when nothing is said.
const FOLDER: &str = "/var/log/ntpstats/";
/// The kinds that have lines. The others have a driver or a debug build to write them in
/// the reference.
const WRITTEN: [(StatsKind, Kind); 6] = [
    (StatsKind::Loop, Kind::Loop),
    (StatsKind::Peer, Kind::Peer),
    (StatsKind::Proto, Kind::Proto),
    (StatsKind::Raw, Kind::Raw),
    (StatsKind::Sys, Kind::Sys),
    (StatsKind::Crypto, Kind::Crypto),
];

/// What is written where; nothing under `disable stats`.
pub fn plan(settings: &Settings) -> Plan {
    let monitoring = &settings.monitoring;
    if !settings.flags.stats {
        return Plan::default();
    }
    let mut sets = BTreeMap::new();
    for (said, kind) in WRITTEN {
        let file_gen = monitoring.file_gen(said);
        if file_gen.enabled == Some(true) {
            let set = Set {
                file: file_gen.file.unwrap_or_else(|| said.word().to_owned()),
                period: file_gen.period.unwrap_or(FilePeriod::Day),
                link: file_gen.link.unwrap_or(true),
            };
            sets.insert(kind, set);
        }
    }
    let said = monitoring.stats_dir.as_ref();
    let mut prefix = said.map_or_else(|| FOLDER.to_owned(), |said| said.value.clone());
    if !prefix.ends_with('/') {
        prefix.push('/');
    }
    Plan { prefix, sets }
}

/// What the protocol has to record for that.
pub fn recording(settings: &Settings) -> Recording {
    let plan = plan(settings);
    Recording {
        loops: plan.has(Kind::Loop),
        peers: plan.has(Kind::Peer),
        raw: plan.has(Kind::Raw),
        crypto: plan.has(Kind::Crypto),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use truechimer_config::{NoFiles, parse};

    fn settings(text: &str) -> Settings {
        let parsed = parse("ntp.conf", text.as_bytes(), &NoFiles);
        assert!(!parsed.has_errors(), "{}", parsed.render(false));
        parsed.settings
    }

    #[test]
    fn a_folder_alone_writes_nothing() {
        let quiet = settings("statsdir /var/log/ntpstats\n");
        assert!(plan(&quiet).sets.is_empty());
        assert_eq!(recording(&quiet), Recording::default());
        let off = settings("statistics loopstats\ndisable stats\n");
        assert!(plan(&off).sets.is_empty());
    }

    #[test]
    fn lines_of_the_usual_kind() {
        let said = settings(
            "statsdir /var/log/stats\nstatistics loopstats peerstats clockstats cryptostats\n\
             filegen peerstats file peers type week nolink\nfilegen loopstats disable\n\
             filegen sysstats type none enable\n",
        );
        let plan = plan(&said);
        assert_eq!(plan.prefix, "/var/log/stats/");
        let kinds: Vec<Kind> = plan.sets.keys().copied().collect();
        assert_eq!(kinds, [Kind::Peer, Kind::Sys, Kind::Crypto]);
        let peers = Set {
            file: "peers".to_owned(),
            period: FilePeriod::Week,
            link: false,
        };
        assert_eq!(plan.sets[&Kind::Peer], peers);
        let recording = recording(&said);
        assert!(recording.peers && !recording.loops && !recording.raw && recording.crypto);
    }
}
