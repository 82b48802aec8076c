//! Trails of certificates.
use super::*;

fn carol_meets_bob() -> Stage {
    let mut stage = Stage::new(Manner::Client, None);
    stage.host.facts.name = "carol".to_owned();
    stage.host.facts.certificates = vec![certificate("carol", "carol", false)];
    stage.meet("bob", 0x0008_0003).expect("sound");
    stage
}

#[test]
fn of_three() {
    let mut stage = carol_meets_bob();
    stage.certified("bob", "alice", false);
    assert!(!stage.dance.has(Flags::CERT));
    stage.certified("alice", "alice", true);
    assert!(stage.dance.has(Flags::CERT | Flags::VRFY));
    let key = stage.dance.verifier.clone().expect("one").public_key;
    assert_eq!(&*key, b"bob", "who is spoken to signs, not who is trusted");
    assert_eq!(stage.installed, ["bob alice", "alice alice"]);
}

#[test]
fn a_server_that_nobody_signed_yet_is_asked_again() {
    let mut stage = carol_meets_bob();
    stage.certified("bob", "bob", false);
    stage.certified("bob", "bob", false);
    stage.certified("bob", "alice", false);
    stage.certified("alice", "alice", true);
    stage.agree();
}

#[test]
fn that_lead_nowhere() {
    let refused = |subject: &str, issuer: &str, change: fn(&mut CertificateFacts)| {
        let mut stage = Stage::met("alice");
        let mut read = (*certificate(subject, issuer, true)).clone();
        change(&mut read);
        assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
        stage.hear(AutokeyCode::Certificate, b"der").expect("sound");
        let refused = stage.done(Done::Certificate(Arc::new(read)));
        assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
        refused.expect_err("refused").failure
    };
    let same = |_: &mut CertificateFacts| {};
    let loops = refused("alice", "bob", same);
    assert_eq!(loops, Failure::Certificate, "we signed it ourselves");
    assert_eq!(refused("mallory", "mallory", same), Failure::Certificate);
    let early = |it: &mut CertificateFacts| it.not_after_s = it.not_before_s - 1;
    assert_eq!(refused("alice", "alice", early), Failure::Certificate);
    let before = |it: &mut CertificateFacts| it.not_before_s -= 1;
    assert_eq!(refused("alice", "alice", before), Failure::Certificate);
    let expired = |it: &mut CertificateFacts| it.not_after_s = i64::from(NOW) - 1;
    assert_eq!(refused("alice", "alice", expired), Failure::Expired);
}

/// Its certificate would be handed out in the place of what others signed for us.
#[test]
fn nobody_else_is_who_we_are() {
    let mut stage = Stage::met("bob");
    let mut namesake = (*certificate("bob", "mallory", false)).clone();
    namesake.public_key = b"mallory"[..].into();
    let refused = stage.certify(&Arc::new(namesake)).expect_err("our name");
    assert_eq!(refused.failure, Failure::Certificate);
    assert!(stage.installed.is_empty());
}

#[test]
fn an_issuer_that_did_not_sign_ends_it() {
    let mut stage = carol_meets_bob();
    stage.certified("bob", "alice", false);
    assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
    stage.hear(AutokeyCode::Certificate, b"der").expect("sound");
    let forged = certificate("alice", "alice", true);
    stage.done(Done::Certificate(forged)).expect("sound");
    stage.done(Done::Verified).expect("sound");
    let refused = stage.done(Done::Failed(Failure::CertificateNotVerified));
    let failure = refused.expect_err("not signed").failure;
    assert_eq!(failure, Failure::CertificateNotVerified);
    assert!(!stage.dance.has(Flags::CERT));
    stage
        .certify(&certificate("bob", "alice", false))
        .expect("from the beginning");
}

#[test]
fn of_many_hops_are_cut_off() {
    let mut stage = Stage::met("h0");
    let mut hops = 0;
    while let Ok(()) = stage.certify(&certificate(
        &format!("h{hops}"),
        &format!("h{}", hops + 1),
        false,
    )) {
        hops += 1;
    }
    assert_eq!(hops, HOPS_AT_MOST);
}
