//! The guide to Autokey with groups, and the page on configuring Autokey.

use truechimer_config::settings::{
    Families, FilePeriod, Host, RestrictFlags, RestrictTarget, StatsKind,
};
use truechimer_config::{Code, codes};

use crate::{address, errors, flags, hosts, loaded, net, read, rules};

#[test]
fn slips_of_the_server_are_caught() {
    let start = read("seeds/000-group-server-start.conf");
    assert_eq!(errors(&start), ["1: did you mean `server`?"]);
    assert!(!start.has_open_guards(), "the rest may apply");
    assert_eq!(
        start.settings.files.drift.unwrap().value,
        "/etc/ntp/ntp.drift"
    );

    let server = read("seeds/000-group-server.conf");
    assert_eq!(errors(&server), ["2: did you mean `keysdir`?"]);
    let s = &server.settings;
    assert_eq!(s.autokey.password.as_ref().unwrap().expose(), "private");
    assert_eq!(s.autokey.idents, ["GR1"]);
    assert!(s.autokey.enabled.is_some());
    assert_eq!(
        rules(s),
        [(net("192.168.1.0", 24), RestrictFlags::NOMODIFY)]
    );
    assert!(
        server
            .diagnostics
            .iter()
            .any(|d| d.code == codes::HOST_BITS.id)
    );
}

#[test]
fn the_client_is_not_left_unauthenticated() {
    let client = read("seeds/000-group-client.conf");
    assert_eq!(errors(&client), ["5: did you mean `keysdir`?"]);
    let s = &client.settings;
    assert_eq!(hosts(s), ["192.168.1.203", "192.168.1.203"], "two modes");
    assert!(s.associations.iter().all(|it| it.options.autokey));
    assert_eq!(rules(s), [(net("192.168.1.0", 24), RestrictFlags::NOTRUST)]);
}

#[test]
fn statistics_by_the_week() {
    let m = loaded("seeds/000-statistics.conf", &[]).monitoring;
    assert_eq!(m.stats_dir.as_ref().unwrap().value, "/var/log/ntpstats/");
    for kind in [
        StatsKind::Loop,
        StatsKind::Peer,
        StatsKind::Sys,
        StatsKind::Crypto,
    ] {
        let of_kind = m.file_gen(kind);
        assert_eq!(of_kind.file.as_deref(), Some(kind.word()));
        assert_eq!(
            (of_kind.period, of_kind.enabled),
            (Some(FilePeriod::Week), Some(true))
        );
    }
    assert_eq!(m.file_gen(StatsKind::Raw).enabled, Some(false));
}

#[test]
fn the_whole_file_of_the_server() {
    let parsed = read("seeds/000-whole-server.conf");
    assert_eq!(errors(&parsed), ["30: did you mean `nomodify`?"]);
    assert!(parsed.has_open_guards());
    let s = &parsed.settings;
    assert_eq!(
        hosts(s),
        ["193.55.167.1", "81.19.16.225", "80.74.64.1", "192.168.1.11"]
    );
    let clock = &s.refclocks[0];
    assert_eq!(
        (clock.driver, clock.unit, clock.fudge.stratum),
        (1, 0, Some(2))
    );
    assert_eq!(clock.fudge.refid, Some(*b"Port"));
    assert_eq!(s.autokey.keys_dir.as_ref().unwrap().value, "/etc/ntp/");
    assert_eq!(s.files.log.as_ref().unwrap().value, "/var/log/ntpd.log");

    use RestrictFlags as F;
    let rules = rules(s);
    assert_eq!(rules.len(), 15);
    let first = flags(&[
        F::LIMITED,
        F::NOSERVE,
        F::KOD,
        F::NOPEER,
        F::NOMODIFY,
        F::NOTRAP,
    ]);
    assert_eq!(rules[0], (RestrictTarget::Default(Families::Both), first));
    assert_eq!(
        rules[1],
        (net("80.74.64.1", 32), flags(&[F::NOQUERY, F::NOMODIFY]))
    );
    assert_eq!(rules[8], (net("127.0.0.0", 8), flags(&[])), "all rights");
    assert_eq!(rules[9], (net("192.168.1.0", 24), F::NOMODIFY));
    assert_eq!(rules[11], (net("10.0.2.0", 24), flags(&[])));
    let of_net = flags(&[
        F::NOMODIFY,
        F::NOPEER,
        F::KOD,
        F::VERSION,
        F::LIMITED,
        F::NOTRAP,
    ]);
    assert_eq!(rules[12], (net("192.168.1.0", 24), of_net));
    let of_group = flags(&[F::NOMODIFY, F::NOPEER, F::KOD]);
    assert_eq!(rules[13], (net("239.1.1.1", 32), of_group));
    assert_eq!(rules[14], (net("10.0.2.0", 32), of_group));
}

#[test]
fn what_the_guide_has_switched_off() {
    let parsed = read("seeds/000-switched-off.conf");
    assert!(!parsed.has_errors(), "{}", parsed.render(false));
    let told = |code: Code| {
        let all = parsed.diagnostics.iter().filter(|it| it.code == code.id);
        let lines = all.map(|it| it.span.as_ref().unwrap().line);
        lines.collect::<Vec<_>>()
    };
    // The options of manycastclient are on the manycastserver line, which has none.
    assert_eq!(told(codes::OPTION_WITHOUT_EFFECT), [9, 9, 9]);
    assert_eq!(told(codes::AUTOKEY_OFF), [3, 5, 10], "no crypto line");
    let s = &parsed.settings;
    assert!(s.associations[0].options.prefer && s.associations[1].options.iburst);
    assert_eq!(hosts(s), ["krishna.via.ecp.fr", "195.83.66.158"]);
    assert_eq!(s.broadcasting.delay_s, Some(0.0008));
    assert!(s.broadcasting.client && s.flags.bclient && s.flags.auth);
    let groups = &s.broadcasting;
    let group = groups.multicast_groups[0].value;
    assert_eq!(Host::Address(group), address("224.0.1.1"));
    let group = groups.manycast_groups[0].value;
    assert_eq!(Host::Address(group), address("239.1.1.1"));
    assert!(
        parsed
            .diagnostics
            .iter()
            .any(|d| d.code == codes::RANDFILE_UNUSED.id)
    );
}

#[test]
fn the_page_on_configuring_autokey() {
    let a = loaded("seeds/002-server.conf", &[codes::RANDFILE_UNUSED.id]).autokey;
    assert_eq!(a.password.unwrap().expose(), "serverpassword");
    assert_eq!(a.keys_dir.unwrap().value, "/etc/ntp");
    let parsed = read("seeds/002-broadcast.conf");
    assert!(!parsed.has_errors(), "{}", parsed.render(false));
    assert!(parsed.settings.associations.is_empty());
    let mut all = parsed.diagnostics.iter();
    assert!(all.any(|it| it.code == codes::AUTOKEY_OFF.id));
    let client = loaded("seeds/002-client.conf", &[]);
    assert!(client.associations[0].options.autokey);
}
