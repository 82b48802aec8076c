//! Which certificates are kept, and which are handed on.
use super::*;

fn facts(subject: &str, issuer: &str, not_before_s: i64) -> Arc<CertificateFacts> {
    let der = format!("{subject} {issuer} {not_before_s}");
    Arc::new(CertificateFacts {
        der: der.into_bytes().into(),
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        serial: 1,
        not_before_s,
        not_after_s: not_before_s + 1000,
        trusted: false,
        private: false,
        signature_nid: 668,
        public_key: Arc::new([]),
        signature_len: 256,
        gq_public: None,
        filestamp: 7,
    })
}

/// By this key.
fn by(key: &str) -> Option<Arc<[u8]>> {
    Some(key.as_bytes().into())
}

#[test]
fn a_trusted_host_gives_its_own_and_others_what_was_signed_for_them() {
    let mut known = Certificates::default();
    known.install(facts("bob", "bob", 1), CertificateFlags::VALID, None);
    assert!(known.given_for("bob").is_none(), "nobody vouches for it");
    known.install(facts("bob", "alice", 2), CertificateFlags::VALID, by(""));
    let given = known.given_for("bob").map(|it| it.facts.issuer.as_str());
    assert_eq!(given, Some("alice"));
    let trusted = CertificateFlags::VALID | CertificateFlags::TRUST;
    known.install(facts("alice", "alice", 1), trusted, by(""));
    known.install(facts("alice", "carol", 1), trusted, by(""));
    let given = known.given_for("alice").map(|it| it.facts.issuer.as_str());
    assert_eq!(given, Some("alice"));
    known.install(
        facts("dave", "dave", 1),
        trusted | CertificateFlags::PRIVATE,
        None,
    );
    assert!(known.given_for("dave").is_none());
}

#[test]
fn a_newer_one_takes_the_place_of_an_older_one_and_not_the_other_way_round() {
    let mut known = Certificates::default();
    let none = CertificateFlags::default();
    assert!(known.install(facts("bob", "alice", 5), none, by("")));
    assert!(
        !known.install(facts("bob", "alice", 5), none, by("")),
        "known"
    );
    assert!(
        !known.install(facts("bob", "alice", 4), none, by("")),
        "older"
    );
    assert!(known.install(facts("bob", "alice", 6), none, by("")));
    assert_eq!(known.iter().count(), 1);
    assert!(known.install(facts("eve", "eve", 1), none, None));
    assert!(!known.install(facts("eve", "eve", 9), none, by("")), "ours");
}

#[test]
fn another_key_under_a_known_name_is_noticed() {
    let mut known = Certificates::default();
    known.install(
        facts("bob", "alice", 1),
        CertificateFlags::default(),
        by(""),
    );
    let mut other = (*facts("bob", "alice", 2)).clone();
    assert!(!known.knows_by_another_key(&other), "a new certificate");
    other.public_key = Arc::new([1]);
    assert!(known.knows_by_another_key(&other));
    other.issuer = "carol".to_owned();
    assert!(!known.knows_by_another_key(&other));
}

/// A certificate for this key, signed by that one.
fn install(
    known: &mut Certificates,
    [subject, issuer]: [&str; 2],
    [key, signer]: [&str; 2],
    at: i64,
) {
    let mut facts = (*facts(subject, issuer, at)).clone();
    facts.der = format!("{subject} {issuer} {key} {signer} {at}")
        .into_bytes()
        .into();
    facts.public_key = key.as_bytes().into();
    let mut flags = CertificateFlags::VALID;
    if subject == issuer {
        flags |= CertificateFlags::TRUST;
    }
    known.install(Arc::new(facts), flags, by(signer));
}

/// Whose key is given for a subject, and by whom.
fn given(known: &Certificates, subject: &str) -> Option<(String, String)> {
    let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    let given = known.given();
    let it = given.get(subject)?;
    let signer = it.by.as_ref().map(|by| text(by));
    Some((text(&it.facts.public_key), signer.unwrap_or_default()))
}

/// The second could not be told from the first by its name, and ours is of one of them.
#[test]
fn two_servers_of_one_name_are_two() {
    let mut known = Certificates::default();
    known.install(facts("bob", "bob", 1), CertificateFlags::VALID, None);
    let pair = |key: &str, signer: &str| Some((key.to_owned(), signer.to_owned()));
    install(&mut known, ["alice", "alice"], ["one", "one"], 5);
    install(&mut known, ["bob", "alice"], ["", "one"], 6);
    for at in 7..20 {
        install(&mut known, ["alice", "alice"], ["two", "two"], at);
        assert_eq!(
            given(&known, "alice"),
            pair("one", "one"),
            "who signed ours"
        );
        install(&mut known, ["bob", "alice"], ["", "two"], at);
        assert_eq!(
            given(&known, "bob"),
            pair("", "one"),
            "nobody takes its place"
        );
        assert_eq!(given(&known, "alice"), pair("one", "one"));
    }
    assert_eq!(known.iter().count(), 5);
    let news = facts("bob", "alice", 9);
    known.forget_signed_by(&news, &Arc::from(&b"two"[..]));
    assert_eq!(given(&known, "bob"), pair("", "two"), "it has new keys");
    assert_eq!(given(&known, "alice"), pair("two", "two"));
}

#[test]
fn the_trail_that_askers_follow_is_whole_and_stays() {
    let mut known = Certificates::default();
    known.install(facts("bob", "bob", 1), CertificateFlags::VALID, None);
    install(&mut known, ["bob", "mallory"], ["", "lost"], 2);
    install(&mut known, ["bob", "dave"], ["", "d"], 2);
    install(&mut known, ["dave", "bob"], ["d", ""], 2);
    install(&mut known, ["bob", "carol"], ["", "c"], 3);
    install(&mut known, ["carol", "alice"], ["c", "a"], 3);
    install(&mut known, ["alice", "alice"], ["a", "a"], 3);
    let signer = |known: &Certificates, of: &str| given(known, of).map(|it| it.1);
    for number in 0..200 {
        let name = format!("host{number}");
        install(&mut known, ["alice", "alice"], [&name, &name], 9);
        install(&mut known, ["carol", "alice"], [&name, &name], 9);
        install(&mut known, ["bob", "carol"], ["", &name], 9);
        assert_eq!(signer(&known, "bob").as_deref(), Some("c"), "{number}");
        assert_eq!(signer(&known, "carol").as_deref(), Some("a"), "{number}");
        assert_eq!(signer(&known, "alice").as_deref(), Some("a"), "{number}");
    }
    assert_eq!(known.iter().count(), AT_MOST);
}

#[test]
fn strangers_certificates_do_not_fill_the_memory() {
    let mut known = Certificates::default();
    let none = CertificateFlags::default();
    known.install(facts("bob", "bob", 1), none, None);
    known.install(facts("bob", "alice", 1), none, by(""));
    for number in 0..200 {
        known.install(facts(&format!("host{number}"), "alice", 1), none, by(""));
    }
    assert_eq!(known.iter().count(), AT_MOST);
    assert!(known.iter().any(|it| it.is_own));
    assert!(known.iter().any(|it| it.facts.subject == "host199"));
    let given = known.given_for("bob").map(|it| it.facts.issuer.as_str());
    assert_eq!(given, Some("alice"), "what was signed for us stays");
    for number in 0..200 {
        known.install(facts("bob", &format!("host{number}"), 1), none, by(""));
    }
    assert_eq!(known.iter().count(), AT_MOST);
    assert!(known.iter().any(|it| it.is_own));
}
