//! The article on RFC 8633.

use truechimer_config::settings::{AssociationKind, Families, RestrictFlags as F, RestrictTarget};
use truechimer_config::{codes, lint};

use crate::{errors, flags, hosts, loaded, net, read, rules};

#[test]
fn pools_and_servers() {
    for (name, zone, kind) in [
        ("004-pool", "fr.pool", AssociationKind::Pool),
        ("004-debian-pool", "debian.pool", AssociationKind::Pool),
        ("004-openwrt", "openwrt.pool", AssociationKind::Server),
    ] {
        let s = loaded(&format!("seeds/{name}.conf"), &[]);
        let expected: Vec<String> = (0..4).map(|n| format!("{n}.{zone}.ntp.org")).collect();
        assert_eq!(hosts(&s), expected);
        assert!(
            s.associations
                .iter()
                .all(|a| a.kind == kind && a.options.iburst)
        );
    }
    let s = loaded(
        "seeds/004-openntpd-servers.conf",
        &[codes::SERVERS_ALIAS.id],
    );
    assert_eq!(s.associations[0].kind, AssociationKind::Pool);
}

#[test]
fn the_access_lines() {
    let s = loaded("seeds/004-restrict.conf", &[]);
    let first = flags(&[F::NOQUERY, F::NOPEER, F::NOMODIFY, F::NOTRAP]);
    let expected = [
        (RestrictTarget::Default(Families::Both), first),
        (net("::1", 128), flags(&[])),
        (net("2001:db8:b19:3bb0::", 64), F::NOTRUST),
        (
            net("2001:db8:2fab:e9d0:d40b:5ff:fee8:a36b", 128),
            F::NOMODIFY,
        ),
    ];
    assert_eq!(rules(&s), expected);
}

#[test]
fn a_key_that_the_client_does_not_trust_is_told() {
    let s = loaded("seeds/004-server-key.conf", &[]);
    assert!(s.authentication.trusted_keys.contains(13));
    let s = loaded("seeds/004-client-key.conf", &[]);
    assert_eq!(s.associations[0].options.key, Some(13));
    let told = lint(&s);
    assert!(
        told.iter().any(|d| d.code == codes::KEY_NOT_TRUSTED.id),
        "{told:?}"
    );
}

#[test]
fn a_file_of_openntpd_is_not_taken_for_ours() {
    let parsed = read("seeds/004-openntpd.conf");
    assert_eq!(
        errors(&parsed),
        ["2: did you mean `interface`?", "4: unknown word"]
    );
    assert!(
        parsed.has_open_guards(),
        "where to listen is not understood"
    );
    assert_eq!(hosts(&parsed.settings), ["fr.pool.ntp.org"]);
}
