//! Rates, statistics, the log, variables.

use truechimer_config::settings::{
    Discard, FilePeriod, LogClass, LogEvent, Mru, MruSize, StatsKind,
};
use truechimer_config::{NoFiles, Settings, codes, parse};

use crate::{codes_of, settings};

#[test]
fn discard_and_mru() {
    let s = settings("discard average 4 minimum 1\ndiscard monitor 100");
    let discard = Discard {
        average_log2_s: 4,
        minimum_s: 1,
        monitor_s: 100,
    };
    assert_eq!(s.discard, discard);
    let s = settings("mru initalloc 1 incalloc 2 maxdepth 3 mindepth 4 maxage 5");
    let mru = Mru {
        initial: MruSize::Entries(1),
        increment: MruSize::Entries(2),
        most: MruSize::Entries(3),
        mindepth: 4,
        maxage_s: 5,
    };
    assert_eq!(s.mru, mru);
    let s = settings("mru initmem 1 incmem 2 maxmem -1").mru;
    assert_eq!(s.initial, MruSize::Kilobytes(1));
    assert_eq!(s.increment, MruSize::Kilobytes(2));
    assert_eq!(s.most, MruSize::Unlimited);
}

#[test]
fn statistics_and_their_files() {
    let s = settings(
        "statsdir /var/log/ntpstats/\nstatistics loopstats peerstats\n\
         filegen peerstats file p type week nolink disable\nfilegen rawstats link enable\n\
         filegen rawstats type none",
    );
    let m = &s.monitoring;
    assert_eq!(m.stats_dir.as_ref().unwrap().value, "/var/log/ntpstats/");
    assert!(m.statistics.iter().eq(&[StatsKind::Loop, StatsKind::Peer]));
    let of = |kind| {
        let all = m.file_gen(kind);
        (
            all.file.unwrap(),
            all.period.unwrap(),
            all.link.unwrap(),
            all.enabled.unwrap(),
        )
    };
    assert_eq!(
        of(StatsKind::Loop),
        ("loopstats".into(), FilePeriod::Day, true, true)
    );
    assert_eq!(
        of(StatsKind::Peer),
        ("p".into(), FilePeriod::Week, false, false)
    );
    assert_eq!(
        of(StatsKind::Raw),
        ("rawstats".into(), FilePeriod::None, true, true)
    );
    assert_eq!(
        of(StatsKind::Sys),
        ("sysstats".into(), FilePeriod::Day, true, false)
    );
}

#[test]
fn log_masks() {
    let mask = |text: &str| settings(text).monitoring.log_mask;
    let set = mask("logconfig =syncstatus +sysevents");
    assert!(set.contains(LogClass::Sync, LogEvent::Status));
    assert!(set.contains(LogClass::System, LogEvent::Events));
    assert!(!set.contains(LogClass::System, LogEvent::Info));
    let all = Settings::default().monitoring.log_mask;
    assert_eq!(mask("logconfig =all"), all);
    assert_eq!(mask("logconfig allall"), all);
    assert_eq!(mask("logconfig =syncall +peerall +clockall +sysall"), all);
    assert_eq!(
        mask("logconfig =allinfo +allevents +allstatistics +allstatus"),
        all
    );
    assert_eq!(mask("logconfig =allsync"), mask("logconfig =syncall"));
    let less = mask("logconfig -clockinfo");
    assert!(!less.contains(LogClass::Clock, LogEvent::Info));
    assert!(less.contains(LogClass::Clock, LogEvent::Status));
    assert!(codes_of("logconfig =sync").contains(&codes::UNKNOWN_OPTION.id));
}

#[test]
fn variables() {
    let s = settings("setvar a=1\nsetvar b = \"two words\" default\nsetvar a=3");
    let seen: Vec<_> = s
        .monitoring
        .variables
        .iter()
        .map(|v| (v.name.as_str(), v.value.as_str(), v.default))
        .collect();
    assert_eq!(seen, [("b", "two words", true), ("a", "3", false)]);
    for bad in [
        "setvar a",
        "setvar a 1",
        "setvar =1",
        "setvar a=",
        "setvar a=1 x",
        "setvar a,b=1",
    ] {
        assert!(parse("c", bad.as_bytes(), &NoFiles).has_errors(), "{bad}");
    }
}
