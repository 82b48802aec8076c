use super::*;
use crate::testing::Scratch;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn checked(scratch: &Scratch, config: &str) -> Findings {
    let path = scratch.path("ntp.conf");
    fs::write(&path, config).expect("writable");
    check(&Origin::File(path))
}

fn places(findings: &Findings, code: Code) -> Vec<u32> {
    let all = findings.all.iter().filter(|it| it.code == code.id);
    all.filter_map(|it| it.span.as_ref().map(|span| span.line))
        .collect()
}

fn fixture(name: &str) -> Findings {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/fixtures/");
    check(&Origin::File(format!("{folder}{name}").into()))
}

#[test]
fn every_file_is_looked_at() {
    let scratch = Scratch::new("check");
    let path = |name: &str| scratch.path(name);
    fs::write(path("ntp.keys"), "1 NOSUCHDIGEST onekey\n").expect("writable");
    fs::write(path("leap"), "rubbish\n").expect("writable");
    fs::write(path("drift"), "many words\n").expect("writable");
    let text = format!(
        "server 192.0.2.1\nrestrict default noqyery\nkeys {}\nleapfile {}\ndriftfile {}\n",
        path("ntp.keys").display(),
        path("leap").display(),
        path("drift").display(),
    );
    let findings = checked(&scratch, &text);
    let shown = findings.text(false);
    assert_eq!(findings.errors(), 3, "{shown}");
    for part in ["ntp.conf:2:18", "ntp.keys:1:", "leap: ", "drift: it "] {
        assert!(shown.contains(part), "{part} not in\n{shown}");
    }
}

#[test]
fn who_is_its_own_peer_is_told() {
    let text = "server 192.0.2.1\npeer 192.0.2.1 key 1\npeer 192.0.2.2 key 1\n";
    let settings =
        truechimer_config::parse("c", text.as_bytes(), &truechimer_config::NoFiles).settings;
    let own = [[192, 0, 2, 1].into()];
    let mut found = Vec::new();
    servers::check_peers(&settings, &own, &mut found);
    let lines: Vec<u32> = found
        .iter()
        .filter_map(|it| Some(it.span.as_ref()?.line))
        .collect();
    assert_eq!(lines, [2]);
    assert_eq!(found[0].code, truechimer_config::codes::PEER_OF_ITSELF.id);
}

#[test]
fn the_built_in_default_is_good() {
    let findings = check(&Origin::Embedded);
    assert_eq!(findings.text(false), "built-in default: good\n");
    assert_eq!(findings.json()["good"], true);
}

#[test]
fn a_missing_file_is_an_error() {
    let scratch = Scratch::new("check-missing");
    let findings = check(&Origin::File(scratch.path("none")));
    assert_eq!(findings.errors(), 1);
    assert_eq!(findings.json()["findings"][0]["code"], codes::UNREADABLE.id);
}

#[test]
fn keys_are_held_against_their_file() {
    let scratch = Scratch::new("check-keys");
    let keys = scratch.path("ntp.keys");
    fs::write(&keys, "1 M onekey\n2 AES128CMAC otherkey\n3 WHAT key\n").expect("writable");
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o644)).expect("ours");
    let text = format!(
        "pool ntp.example\nkeys {}\ntrustedkey 1 2 9 (100 ... 200)\nserver 192.0.2.1 key 7\n\
         controlkey 2\n",
        keys.display()
    );
    let findings = checked(&scratch, &text);
    assert_eq!(
        places(&findings, codes::KEY_MISSING),
        [4, 2],
        "{}",
        findings.text(false)
    );
    assert_eq!(places(&findings, codes::MD5_KEY), [2]);
    assert_eq!(places(&findings, codes::KEYS_FILE_OPEN), [2]);
    assert_eq!(places(&findings, codes::KEY_LINE_REFUSED), [3]);
    let shown = findings.text(false);
    for part in [
        "key 7 is used",
        "not in",
        ": key 9",
        "key 1\n",
        "AES128CMAC",
        "chmod 0640",
    ] {
        assert!(shown.contains(part), "{part} not in\n{shown}");
    }
    assert!(!shown.contains("onekey"), "secrets are shown to nobody");
    fs::remove_file(&keys).expect("there");
    let findings = checked(&scratch, &text);
    assert_eq!(places(&findings, codes::KEYS_UNREADABLE), [2]);
}

#[test]
fn rules_that_keep_own_servers_out_are_found() {
    let scratch = Scratch::new("check-servers");
    let blocked = |text: &str| {
        let findings = checked(&scratch, text);
        let lines = places(&findings, codes::OWN_SERVER_BLOCKED);
        let noserve = places(&findings, codes::OWN_SERVER_NOSERVE);
        (lines, noserve)
    };
    let none = || (vec![], vec![]);
    assert_eq!(
        blocked("server 192.0.2.1\nrestrict default ignore\n"),
        (vec![2], vec![])
    );
    assert_eq!(
        blocked("pool a.example\nrestrict default ignore\n"),
        (vec![2], vec![])
    );
    assert_eq!(
        blocked("server -6 a.example\nrestrict -4 default ignore\n"),
        none()
    );
    assert_eq!(
        blocked("peer 192.0.2.1\nrestrict 192.0.2.0/24 ignore\n"),
        (vec![2], vec![])
    );
    let opened = "server 192.0.2.1\nrestrict default ignore\nrestrict 192.0.2.1 nomodify\n";
    assert_eq!(blocked(opened), none());
    let opened = "pool a.example\nrestrict default ignore\nrestrict source nomodify\n";
    assert_eq!(blocked(opened), none());
    assert_eq!(
        blocked("server 192.0.2.1\nrestrict default notrust\n"),
        (vec![2], vec![])
    );
    assert_eq!(
        blocked("server 192.0.2.1 key 1\nrestrict default notrust\n"),
        none()
    );
    assert_eq!(
        blocked("server 192.0.2.1\nrestrict default noserve\n"),
        (vec![], vec![2])
    );
    assert_eq!(
        blocked("server 192.0.2.1\nrestrict default nomodify noquery\n"),
        none()
    );
    assert_eq!(blocked("server 192.0.2.1\n"), none());
}

/// The mistakes in the seeds' configurations are each found, at their lines.
#[test]
fn the_seeds_mistakes_are_found() {
    use truechimer_config::codes as text;
    for (name, code, lines) in [
        ("autokey-host.conf", text::UNKNOWN_DIRECTIVE, vec![2, 9]),
        ("autokey-host.conf", text::UNKNOWN_FLAG, vec![18]),
        ("autokey-host.conf", text::LOCAL_AS_GOOD, vec![12]),
        ("autokey-host.conf", text::OPEN_DEFAULT, vec![15]),
        ("multicast-server.conf", text::UNKNOWN_FLAG, vec![12]),
        ("multicast-server.conf", text::TRUSTED_KEYS_ADD_UP, vec![9]),
        ("multicast-server.conf", text::FEW_SOURCES, vec![4]),
        ("multicast-server.conf", text::ONE_DOMAIN, vec![4]),
        ("closed-server.conf", codes::OWN_SERVER_BLOCKED, vec![7, 9]),
        ("closed-server.conf", text::TRUSTED_KEYS_ADD_UP, vec![]),
        ("keyed-client.conf", text::KEY_NOT_TRUSTED, vec![3]),
        ("keyed-client.conf", text::FEW_SOURCES, vec![3]),
        ("group-member.conf", text::UNKNOWN_FLAG, vec![17]),
        ("group-member.conf", text::HOST_BITS, vec![15]),
        ("group-member.conf", text::KOD_WITHOUT_LIMITED, vec![18]),
        ("group-member.conf", text::LOCAL_AS_GOOD, vec![6]),
        ("group-member.conf", text::OPEN_DEFAULT, vec![11]),
    ] {
        let findings = fixture(name);
        let shown = findings.text(false);
        assert_eq!(
            places(&findings, code),
            lines,
            "{name} {}\n{shown}",
            code.id
        );
    }
}

#[test]
fn every_finding_has_a_remedy_and_the_json_has_all_of_it() {
    for name in [
        "closed-server.conf",
        "keyed-client.conf",
        "group-member.conf",
    ] {
        let findings = fixture(name);
        let json = findings.json();
        let list = json["findings"].as_array().expect("a list");
        assert_eq!(list.len(), findings.all.len());
        for (one, said) in list.iter().zip(&findings.all) {
            assert_eq!(one["code"], said.code);
            assert_eq!(one["message"], said.message);
            let told = said.help.is_some() || !said.label.is_empty();
            assert!(told, "{name}: no remedy: {said:?}");
            let line = said.span.as_ref().map(|span| span.line);
            assert_eq!(one["place"]["line"].as_u64(), line.map(u64::from));
        }
    }
}

#[test]
fn codes_are_unique_in_both_rooms() {
    let mut seen = BTreeSet::new();
    for code in truechimer_config::codes::ALL.iter().chain(codes::ALL) {
        assert!(seen.insert(code.id), "{}", code.id);
        assert!(
            code.id.len() == 6 && code.summary.ends_with('.'),
            "{}",
            code.id
        );
    }
}
