//! A simulated day's statistics files, read by the program people plot them with.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};
use truechimer::statistics::{Entry, Kind, Plan, Set, Writer};
use truechimer_config::settings::FilePeriod;
use truechimer_proto::config::{AssociationConfig, Remote, SystemConfig};
use truechimer_proto::statistics::Recording;
use truechimer_sim::{ClockConfig, NodeConfig, NodeId, Path as Route, World as Simulation};
use truechimer_tests::support::command::finish;
use truechimer_tests::support::{Tree, World};

/// 2026-11-01 00:00 UTC.
const START_UNIX_S: i64 = 1_793_491_200;
const DAY_S: f64 = 86_400.0;
/// Servers of the simulated client.
const SERVERS: usize = 3;

/// Lives through a day with three servers and a clock that was wrong.
fn a_day() -> (Simulation, NodeId) {
    let mut simulation = Simulation::new(4, START_UNIX_S);
    simulation.default_path(Route::new(0.004, 0.000_2));
    let mut lines = Vec::new();
    for number in 0..SERVERS {
        let clock = ClockConfig::wrong_by(0.0, 0.0);
        let server = simulation.add(NodeConfig::primary(&format!("primary-{number}"), clock));
        let remote = Remote::Address(simulation.address(server));
        lines.push(AssociationConfig {
            iburst: true,
            maxpoll: 6,
            ..AssociationConfig::server(remote)
        });
    }
    let config = SystemConfig {
        associations: lines,
        recording: Recording {
            loops: true,
            peers: true,
            raw: true,
            crypto: false,
        },
        ..SystemConfig::default()
    };
    let clock = ClockConfig::wrong_by(0.3, 20.0).wandering(0.000_3);
    let client = simulation.add(NodeConfig::machine("client", clock, config));
    simulation.run_until(DAY_S - 1.0);
    (simulation, client)
}

fn write_day(simulation: &Simulation, client: NodeId, folder: &Path) {
    let kinds = [
        (Kind::Loop, "loopstats"),
        (Kind::Peer, "peerstats"),
        (Kind::Raw, "rawstats"),
        (Kind::Proto, "protostats"),
    ];
    let sets: BTreeMap<Kind, Set> = kinds
        .into_iter()
        .map(|(kind, file)| {
            let (file, period) = (file.to_owned(), FilePeriod::Day);
            (
                kind,
                Set {
                    file,
                    period,
                    link: true,
                },
            )
        })
        .collect();
    let prefix = format!("{}/", folder.display());
    let mut writer = Writer::new(Plan { prefix, sets });
    for record in simulation.records(client) {
        writer.write(&Entry::Record(record.clone()));
    }
    for (at, report) in simulation.reports(client) {
        writer.write(&Entry::Event(*at, report.clone()));
    }
    // ntpviz passes over files that were last written before the time it looks at.
    for file in fs::read_dir(folder).expect("a folder") {
        let file = fs::File::options()
            .append(true)
            .open(file.expect("a file").path());
        let evening = UNIX_EPOCH + Duration::from_secs(1_793_491_200 + 86_399);
        file.and_then(|file| file.set_modified(evening))
            .expect("a file of ours");
    }
}

#[test]
fn ntpviz_reads_a_simulated_day() {
    let world = World::new(1);
    let host = world.host(1);
    let (stats, out) = (host.folder().join("stats"), host.folder().join("out"));
    fs::create_dir_all(&stats).unwrap();
    fs::create_dir_all(&out).unwrap();
    let (simulation, client) = a_day();
    write_day(&simulation, client, &stats);

    // The parser alone: every line of the day must be an entry with all its fields.
    host.write(
        "parse.py",
        "from ntp.statfiles import NTPStats\n\
         stats = NTPStats('/lab/stats', 'truechimer', starttime=1793491200, period=86400)\n\
         peers = stats.peersplit()\n\
         print(len(stats.loopstats), len(stats.peerstats), len(peers),\n\
         \x20     min(len(rows) for rows in peers.values()),\n\
         \x20     set(len(row) for row in stats.loopstats), set(len(row) for row in stats.peerstats))\n",
    );
    let mut python = host.peer(Tree::Ntpviz, "/usr/bin/python3");
    python.arg("/lab/parse.py");
    let parsed = finish(python);
    assert_eq!(parsed.code, Some(0), "{}", parsed.text);
    let count = |name: &str| {
        fs::read_to_string(stats.join(name))
            .unwrap()
            .lines()
            .count()
    };
    let (loops, peers) = (count("loopstats"), count("peerstats"));
    assert!(loops > 100 && peers > 300, "{loops} {peers}");
    let wanted = format!("{loops} {peers} {SERVERS} ");
    assert!(
        parsed.stdout.starts_with(&wanted),
        "{} {wanted}",
        parsed.text
    );

    let mut ntpviz = host.peer(Tree::Ntpviz, "/usr/bin/ntpviz");
    ntpviz.args(["-d", "/lab/stats", "-o", "/lab/out", "-n", "truechimer"]);
    ntpviz.args(["-s", "2026-11-01T00:00:00", "-e", "2026-11-02T00:00:00"]);
    let plotted = finish(ntpviz);
    assert_eq!(plotted.code, Some(0), "{}", plotted.text);
    let mut wanted = vec!["local-offset.png".to_owned(), "peer-offsets.png".to_owned()];
    for number in 1..=SERVERS {
        wanted.push(format!("peer-offset-10.0.0.{number}.png"));
        wanted.push(format!("peer-jitter-10.0.0.{number}.png"));
    }
    for name in wanted {
        let len = fs::metadata(out.join(&name)).map(|it| it.len());
        assert!(len.is_ok_and(|len| len > 5000), "{name}: {}", plotted.text);
    }
    let summary = fs::read_to_string(out.join("summary.csv")).unwrap();
    let median = summary.lines().find_map(|line| {
        let fields = line.strip_prefix("Local Clock Frequency Offset,")?;
        fields.split(',').nth(3)?.parse::<f64>().ok()
    });
    // The oscillator gains 20 ppm, and a bit more or less by the evening.
    assert!(
        median.is_some_and(|ppm| (ppm + 20.0).abs() < 1.0),
        "{summary}"
    );
}
