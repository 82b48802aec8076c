//! Access rules, listening, keys.

use truechimer_config::settings::{
    FLAG_NAMES, Families, ListenAction, ListenTarget, RestrictFlags, RestrictTarget,
};
use truechimer_config::{NoFiles, Severity, lint, parse};

use crate::{clean, codes_of, ip, settings};

#[test]
fn each_restrict_flag_alone() {
    for (name, flag) in FLAG_NAMES {
        let fuzz = if *name == "serverresponse" {
            " fuzz"
        } else {
            ""
        };
        let s = settings(&format!("restrict ::1 {name}{fuzz}"));
        assert_eq!(s.restrictions[0].flags, *flag, "{name}");
    }
    assert!(parse("c", b"restrict ::1 serverresponse", &NoFiles).has_errors());
    assert!(clean("restrict ::1").restrictions[0].flags.is_empty());
    assert_eq!(FLAG_NAMES.len(), 17);
    let both = settings("restrict ::1 noepeer epeer").restrictions[0].flags;
    assert!(both.is_empty());
}

#[test]
fn restrict_targets() {
    let target = |words: &str| settings(&format!("restrict {words}")).restrictions[0].target;
    let net = |text, prefix_bits| RestrictTarget::Net {
        address: ip(text),
        prefix_bits,
    };
    assert_eq!(target("default"), RestrictTarget::Default(Families::Both));
    assert_eq!(
        target("-4 default ignore"),
        RestrictTarget::Default(Families::Ipv4)
    );
    assert_eq!(
        target("-6 default ignore"),
        RestrictTarget::Default(Families::Ipv6)
    );
    assert_eq!(target("source nomodify"), RestrictTarget::Source);
    assert_eq!(target("192.0.2.1"), net("192.0.2.1", 32));
    assert_eq!(target("::ffff:192.0.2.1"), net("192.0.2.1", 32));
    assert_eq!(target("::ffff:192.0.2.9/120"), net("192.0.2.0", 24));
    assert_eq!(target("2001:db8::/32 notrust"), net("2001:db8::", 32));
    assert_eq!(
        target("192.168.1.11 mask 255.255.255.0 nomodify"),
        net("192.168.1.0", 24)
    );
    assert_eq!(
        target("2001:db8:b19:3bb0:: mask ffff:ffff:ffff:ffff:: notrust"),
        net("2001:db8:b19:3bb0::", 64)
    );
    for bad in [
        "-4 source",
        "-4 ::1",
        "localhost",
        "default mask 255.0.0.0",
        "::1 mask 255.0.0.0",
        "10.0.0.0/8 mask 255.0.0.0",
        "10.0.0.0 mask",
        "10.0.0.0 mask 8",
    ] {
        assert!(
            parse("c", format!("restrict {bad}").as_bytes(), &NoFiles).has_errors(),
            "{bad}"
        );
    }
}

#[test]
fn restrict_rules_keep_order_limits_and_flags() {
    let s = settings("restrict default limited kod\nrestrict ::1 ippeerlimit 3 noquery nopeer");
    assert_eq!(s.restrictions.len(), 2);
    assert_eq!(
        s.restrictions[0].flags,
        RestrictFlags::LIMITED.with(RestrictFlags::KOD)
    );
    assert_eq!(s.restrictions[0].ip_peer_limit, None);
    assert_eq!(s.restrictions[1].ip_peer_limit, Some(3));
    assert!(
        s.restrictions[1]
            .flags
            .contains(RestrictFlags::NOQUERY.with(RestrictFlags::NOPEER))
    );
    assert_eq!(
        settings("restrict ::1 ippeerlimit -1").restrictions[0].ip_peer_limit,
        None
    );
}

#[test]
fn what_is_not_enforced_is_said_once() {
    let text = "restrict default mssntp noquery\nrestrict ::1 mssntp";
    let parsed = parse("c", text.as_bytes(), &NoFiles);
    let [said] = parsed.diagnostics.as_slice() else {
        panic!("{:?}", parsed.diagnostics);
    };
    assert_eq!((said.code, said.severity), ("TC0901", Severity::NotBuilt));
    let part = "`restrict mssntp` (lines 1, 2)";
    assert!(said.message.contains(part), "{}", said.message);
    assert_eq!(
        parsed.settings.restrictions.len(),
        2,
        "the line still counts"
    );
    clean("restrict default ignore noserve notrust version nopeer noepeer noquery nomodify notrap");
    clean("restrict default limited kod flake serverresponse fuzz ippeerlimit 2 nomrulist");
    clean("restrict source limited kod\ndiscard average 4 minimum 1\nmru maxmem 2048");
}

#[test]
fn nobodys_address_is_remarked_on() {
    for (text, nobody) in [
        ("restrict 0.0.0.0 ignore", true),
        ("restrict :: ignore", true),
        ("restrict ::ffff:0.0.0.0 ignore", true),
        ("restrict 0.0.0.0 mask 0.0.0.0 ignore", false),
        ("restrict ::/0 ignore", false),
    ] {
        assert_eq!(codes_of(text).contains(&"TC0307"), nobody, "{text}");
    }
}

#[test]
fn an_open_default_is_remarked_on() {
    for (text, messages) in [
        ("", vec![]),
        ("restrict ::1", vec![]),
        ("restrict default noquery", vec![]),
        ("restrict default ignore", vec![]),
        (
            "restrict default nomodify\nrestrict -4 default noquery\nrestrict ::/0 noquery",
            vec![],
        ),
        ("restrict default", vec![", with a key, change"]),
        (
            "restrict default nomodify",
            vec!["everybody may query the daemon"],
        ),
        (
            "restrict 0.0.0.0 mask 0.0.0.0\nrestrict -6 default nomodify",
            vec![", with a key, change", "everybody may query the daemon"],
        ),
        ("restrict default ntpport noquery", vec![]),
        (
            "restrict default ntpport noquery\nrestrict default notrap",
            vec![", with a key, change"],
        ),
        (
            "restrict -4 default noquery\nrestrict default nomodify",
            vec!["everybody may query the daemon"],
        ),
    ] {
        let found: Vec<_> = lint(&settings(text))
            .into_iter()
            .filter(|complaint| complaint.code == "TC1007")
            .collect();
        assert_eq!(found.len(), messages.len(), "{text}: {found:?}");
        for (complaint, message) in found.iter().zip(messages) {
            assert!(complaint.message.contains(message), "{text}: {found:?}");
        }
    }
}

#[test]
fn listen_rules() {
    let s = clean(
        "interface ignore wildcard\nnic listen ipv4\ninterface drop ipv6\nnic listen all\n\
         interface listen eth0\ninterface listen 192.168.1.7/24\ninterface listen ::1",
    );
    let net = |text, prefix_bits| ListenTarget::Net {
        address: ip(text),
        prefix_bits,
    };
    let seen: Vec<_> = s
        .listen_rules
        .iter()
        .map(|r| (r.action, r.target.clone()))
        .collect();
    assert_eq!(
        seen,
        [
            (ListenAction::Ignore, ListenTarget::Wildcard),
            (ListenAction::Listen, ListenTarget::Ipv4),
            (ListenAction::Drop, ListenTarget::Ipv6),
            (ListenAction::Listen, ListenTarget::All),
            (ListenAction::Listen, ListenTarget::Name("eth0".into())),
            (ListenAction::Listen, net("192.168.1.0", 24)),
            (ListenAction::Listen, net("::1", 128)),
        ]
    );
}

#[test]
fn keys() {
    let s = settings(
        "keys \"/etc/ntp keys\"\ntrustedkey 1 (5 ... 7)\ntrustedkey (9...10) 12\n\
         controlkey 3\nrequestkey 4",
    );
    let keys = &s.authentication;
    assert_eq!(keys.keys_file.as_ref().unwrap().value, "/etc/ntp keys");
    let ranges: Vec<_> = keys.trusted_keys.ranges().collect();
    assert_eq!(ranges, [1..=1, 5..=7, 9..=10, 12..=12]);
    assert_eq!(keys.control_key.as_ref().unwrap().value, 3);
    assert_eq!(keys.request_key.as_ref().unwrap().value, 4);
    assert_eq!(keys.request_key.as_ref().unwrap().span.column, 12);
}
