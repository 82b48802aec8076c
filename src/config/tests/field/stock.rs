//! What distributions install.

use truechimer_config::settings::{Families, RestrictFlags as F, RestrictTarget, StatsKind};

use crate::{flags, hosts, loaded, net, rules};

#[test]
fn debian() {
    let s = loaded("stock/debian.conf", &[]);
    assert_eq!(hosts(&s).len(), 4);
    let strangers = flags(&[
        F::KOD,
        F::NOTRAP,
        F::NOMODIFY,
        F::NOPEER,
        F::NOQUERY,
        F::LIMITED,
    ]);
    let expected = [
        (RestrictTarget::Default(Families::Ipv4), strangers),
        (RestrictTarget::Default(Families::Ipv6), strangers),
        (net("127.0.0.1", 32), flags(&[])),
        (net("::1", 128), flags(&[])),
        (
            RestrictTarget::Source,
            flags(&[F::NOTRAP, F::NOMODIFY, F::NOQUERY]),
        ),
    ];
    assert_eq!(rules(&s), expected);
    assert_eq!(
        s.files.leap.unwrap().value,
        "/usr/share/zoneinfo/leap-seconds.list"
    );
    assert_eq!(s.monitoring.file_gen(StatsKind::Clock).enabled, Some(true));
}

#[test]
fn red_hat_7() {
    let s = loaded("stock/rhel7.conf", &[]);
    let expected: Vec<String> = (0..4).map(|n| format!("{n}.rhel.pool.ntp.org")).collect();
    assert_eq!(hosts(&s), expected);
    assert_eq!(s.authentication.keys_file.unwrap().value, "/etc/ntp/keys");
    assert!(!s.flags.monitor);
}

#[test]
fn freebsd() {
    let s = loaded("stock/freebsd.conf", &[]);
    assert_eq!((s.tos.minclock, s.tos.maxclock), (3, 6));
    assert_eq!(
        s.files.leap.as_ref().unwrap().value,
        "/var/db/ntpd.leap-seconds.list"
    );
    let source = flags(&[F::LIMITED, F::KOD, F::NOMODIFY, F::NOTRAP, F::NOQUERY]);
    assert_eq!(rules(&s)[1], (RestrictTarget::Source, source));
}

#[test]
fn ntpsec() {
    let s = loaded("stock/ntpsec.conf", &[]);
    assert_eq!((s.tos.minclock, s.tos.maxclock, s.tos.minsane), (4, 11, 3));
    let strangers = flags(&[F::KOD, F::NOMODIFY, F::NOQUERY, F::LIMITED]);
    assert_eq!(
        rules(&s)[0],
        (RestrictTarget::Default(Families::Both), strangers)
    );
    assert_eq!(hosts(&s).len(), 4);
}
