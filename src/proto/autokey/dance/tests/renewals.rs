//! The other side signs with a key that is not known, and proves itself anew while it is used.
use super::*;

/// A client that has all it needs of alice, and of whom it is to ask anew.
fn agreed() -> Stage {
    let mut stage = Stage::met("alice");
    assert!(!stage.dance.begin_renewal(), "nothing was proven yet");
    stage.certified("alice", "alice", true);
    stage.agree();
    assert!(stage.dance.begin_renewal());
    assert!(!stage.dance.begin_renewal(), "it is under way");
    stage
}

fn another(made: u32) -> Arc<CertificateFacts> {
    Arc::new(CertificateFacts {
        public_key: b"another key"[..].into(),
        der: b"another"[..].into(),
        not_before_s: i64::from(made),
        filestamp: made,
        ..(*certificate("alice", "alice", true)).clone()
    })
}

/// She says her name, signs with SHA-512 now, and shows this certificate.
fn shown(stage: &mut Stage, read: &Arc<CertificateFacts>) -> Result<(), Trouble> {
    stage.meet("alice", 0x029e_0003)?;
    stage.certify(read)
}

/// By whose key what she signs is verified.
fn verifier(stage: &mut Stage) -> Verifier {
    stage.host.is_synchronized = true;
    assert_eq!(stage.asks(), Some(AutokeyCode::Sign));
    let task = stage
        .hear(AutokeyCode::Sign, b"bob by alice")
        .expect("sound");
    let Some(Task::Verify { by, .. }) = task else {
        panic!("{task:?}");
    };
    by
}

#[test]
fn another_key_is_taken_and_what_is_agreed_stays() {
    let mut stage = agreed();
    shown(&mut stage, &another(MADE + 10)).expect("sound");
    assert!(stage.dance.is_agreed() && !stage.dance.is_renewing());
    assert_eq!(stage.dance.cookie(), 0x0bad_cafe);
    assert_eq!(stage.installed, ["alice alice", "alice alice"]);
    let by = verifier(&mut stage);
    assert_eq!(
        (&*by.public_key, by.signature_nid),
        (&b"another key"[..], 670)
    );
}

#[test]
fn an_older_one_is_not() {
    let mut stage = agreed();
    let refused = shown(&mut stage, &another(MADE - 10)).expect_err("it was replaced");
    assert_eq!(refused.failure, Failure::Certificate);
    assert!(stage.dance.is_agreed() && !stage.dance.is_renewing());
    let by = verifier(&mut stage);
    assert_eq!((&*by.public_key, by.signature_nid), (&b"alice"[..], 8));
}

/// Then somebody else signed what made us ask.
#[test]
fn the_same_key_changes_nothing() {
    let mut stage = agreed();
    stage.host.is_synchronized = true;
    stage.meet("alice", 0x0008_0003).expect("sound");
    stage.certified("alice", "alice", true);
    assert!(!stage.dance.is_renewing());
    assert_eq!(stage.installed, ["alice alice"]);
}

#[test]
fn who_forges_or_says_nothing_ends_no_association() {
    let mut stage = agreed();
    let error = AutokeyMessage {
        is_response: true,
        is_error: true,
        code: AutokeyCode::Certificate,
        association: 77,
        body: None,
    };
    let of = WordOfMessage::default();
    let refused = stage.dance.hear(&error, of, &stage.host.own());
    let failure = refused.map_err(|it| it.failure);
    assert_eq!(failure, Err(Failure::Certificate), "it would begin anew");
    assert!(stage.dance.begin_renewal());
    let mut asked = 0;
    for _ in 0..100 {
        asked += u32::from(matches!(stage.next(), Step::Ask(_)));
    }
    assert_eq!(
        asked, 27,
        "six, half of what is sent then, and in the end no more"
    );
    assert!(stage.dance.is_agreed() && !stage.dance.is_renewing());
}

/// The outcome of one would count for the other, and a list of keys prove a certificate.
#[test]
fn no_two_jobs_are_under_way_at_once() {
    let mut stage = Stage::met("alice");
    stage.certified("alice", "alice", true);
    stage.agree();
    stage.host.is_synchronized = true;
    assert_eq!(stage.asks(), Some(AutokeyCode::Sign));
    assert!(stage.dance.begin_renewal());
    stage.meet("alice", 0x029e_0003).expect("sound");
    assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
    let signed = stage.hear(AutokeyCode::Sign, b"bob by alice");
    let task = signed.expect("sound");
    assert!(matches!(task, Some(Task::Verify { .. })), "{task:?}");
    let shown = stage.hear(AutokeyCode::Certificate, b"another");
    assert_eq!(shown.expect("asked for again later"), None);
    stage
        .done(Done::Failed(Failure::Signature))
        .expect_err("forged");
    let shown = stage.hear(AutokeyCode::Certificate, b"another");
    let task = shown.expect("sound");
    assert!(
        matches!(task, Some(Task::ReadCertificate { .. })),
        "{task:?}"
    );
}
