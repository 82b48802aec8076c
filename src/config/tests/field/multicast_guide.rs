//! The guide to authenticated multicast.

use truechimer_config::codes;
use truechimer_config::settings::{
    AssociationKind, Families, Host, RestrictFlags as F, RestrictTarget, Settings,
};

use crate::{address, errors, flags, hosts, loaded, net, read, rules};

const DEFAULT: RestrictTarget = RestrictTarget::Default(Families::Both);

fn trusted(settings: &Settings) -> Vec<u16> {
    settings
        .authentication
        .trusted_keys
        .ranges()
        .flatten()
        .collect()
}

#[test]
fn the_lost_query_flag() {
    let parsed = read("seeds/001-restrict.conf");
    assert_eq!(errors(&parsed), ["5: did you mean `noquery`?"]);
    assert!(parsed.has_open_guards(), "not even a lenient start");
    let rest = [
        (net("192.168.230.0", 24), F::NOMODIFY),
        (net("127.0.0.1", 32), flags(&[])),
    ];
    assert_eq!(rules(&parsed.settings), rest);
    assert_eq!(hosts(&parsed.settings).len(), 3);
}

#[test]
fn closed_to_all_but_one_server() {
    let s = loaded("seeds/001-restrict-closed.conf", &[]);
    let expected = [
        (DEFAULT, flags(&[F::NOMODIFY, F::NOQUERY, F::IGNORE])),
        (net("192.168.10.1", 32), flags(&[F::NOMODIFY, F::NOQUERY])),
        (net("192.168.230.0", 24), flags(&[F::NOMODIFY, F::NOTRUST])),
        (net("127.0.0.1", 32), flags(&[])),
    ];
    assert_eq!(rules(&s), expected);
}

#[test]
fn keys_add_up_and_that_is_said_once() {
    let s = loaded("seeds/001-keys.conf", &[codes::TRUSTED_KEYS_ADD_UP.id]);
    assert_eq!(trusted(&s), [1, 2, 7]);
    let keys = &s.authentication;
    assert_eq!(keys.keys_file.as_ref().unwrap().value, "/etc/ntp.keys");
    assert_eq!(keys.control_key.as_ref().unwrap().value, 1);
    assert_eq!(keys.request_key.as_ref().unwrap().value, 1);
    assert!(s.flags.auth);
}

#[test]
fn broadcast_lines() {
    for (name, ttl) in [("broadcast-ttl", Some(2)), ("broadcast", None)] {
        let s = loaded(&format!("seeds/001-{name}.conf"), &[]);
        let [one] = s.associations.as_slice() else {
            panic!("{name}")
        };
        assert_eq!(
            (one.kind, &one.host),
            (AssociationKind::Broadcast, &address("224.0.1.1"))
        );
        assert_eq!((one.options.key, one.options.ttl), (Some(2), ttl));
    }
    let slip = read("seeds/001-manycast-for-broadcast.conf");
    assert_eq!(errors(&slip), ["1: did you mean `broadcast`?"]);
    let help = slip.diagnostics[0].help.as_deref().unwrap();
    assert!(help.starts_with("`broadcast` sends the time to a group;"));
}

#[test]
fn the_whole_file_of_the_server() {
    let s = loaded(
        "seeds/001-whole-server.conf",
        &[codes::TRUSTED_KEYS_ADD_UP.id],
    );
    assert_eq!(
        hosts(&s),
        [
            "0.pool.ntp.org",
            "1.pool.ntp.org",
            "2.pool.ntp.org",
            "224.0.1.1"
        ]
    );
    assert_eq!(s.files.drift.as_ref().unwrap().value, "/var/log/ntp.drift");
    assert_eq!(trusted(&s), [1, 2, 7]);
    let expected = [
        (DEFAULT, flags(&[F::NOMODIFY, F::NOQUERY])),
        (net("192.168.230.0", 24), flags(&[F::NOMODIFY, F::NOTRUST])),
        (net("127.0.0.1", 32), flags(&[])),
    ];
    assert_eq!(rules(&s), expected);
    assert_eq!(s.associations[3].kind, AssociationKind::Broadcast);
}

#[test]
fn the_clients() {
    let s = loaded("seeds/001-iburst.conf", &[]);
    assert!(s.associations[0].options.iburst);
    let s = loaded("seeds/001-client.conf", &[]);
    let first = flags(&[F::NOQUERY, F::NOTRUST, F::NOMODIFY]);
    assert_eq!(rules(&s)[0], (DEFAULT, first));
    assert_eq!(trusted(&s), [2]);
    assert_eq!(s.files.log.as_ref().unwrap().value, "/var/log/ntp.log");
    let group = s.broadcasting.multicast_groups[0].value;
    assert_eq!(Host::Address(group), address("224.0.1.1"));
}
