//! Messages that are not what they should be.
use super::*;

fn failure(heard: Result<Option<Task>, Trouble>) -> Option<Failure> {
    heard.err().map(|it| it.failure)
}

#[test]
fn names() {
    for name in ["", "a b", "a\"b", "a\nb", "a\u{0}", "\u{e9}"] {
        let mut stage = Stage::new(Manner::Client, None);
        let refused = stage.meet(name, 0x0008_0003).expect_err("no name");
        assert_eq!(refused.failure, Failure::Length, "{name:?}");
        assert_eq!(stage.dance.status().word(), 0);
    }
    let mut stage = Stage::new(Manner::Client, None);
    let unknown = stage
        .meet("alice", 0x1234_0003)
        .expect_err("unknown digest");
    assert_eq!(unknown.failure, Failure::Digest);
}

#[test]
fn groups() {
    for (own, ident, name, expected) in [
        ("bob", None, "alice@other", true),
        ("bob@grp", None, "alice", false),
        ("bob@grp", None, "alice@grp", true),
        ("bob@grp", None, "alice@other", false),
        ("bob@grp", Some("other"), "alice@other", true),
    ] {
        let mut stage = Stage::new(Manner::Client, ident);
        stage.host.facts.name = own.to_owned();
        let met = stage.meet(name, 0x0008_0003);
        assert_eq!(met.is_ok(), expected, "{own} {name} {ident:?}");
    }
}

#[test]
fn stamps() {
    let mut stage = Stage::met("alice");
    assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
    for (timestamp, filestamp) in [(0, 0), (MADE - 1, MADE)] {
        let said = AutokeyBody {
            timestamp,
            filestamp,
            ..body(b"der")
        };
        let heard = stage.hear_of(77, AutokeyCode::Certificate, Some(said));
        assert_eq!(failure(heard), Some(Failure::Timestamp));
    }
    let empty = stage.hear(AutokeyCode::Certificate, b"");
    assert_eq!(failure(empty), Some(Failure::Length));
}

#[test]
fn an_old_cookie_does_not_take_the_place_of_a_new_one() {
    let mut stage = Stage::met("alice");
    stage.certified("alice", "alice", true);
    stage.agree();
    stage.dance.status.flags = stage.dance.status.flags.without(Flags::COOK);
    for (timestamp, filestamp, expected) in [
        (NOW - 1, MADE, Failure::Timestamp),
        (NOW, MADE - 1, Failure::Filestamp),
    ] {
        assert_eq!(stage.asks(), Some(AutokeyCode::Cookie));
        let said = AutokeyBody {
            timestamp,
            filestamp,
            ..body(&[1; 64])
        };
        let heard = stage.hear_of(77, AutokeyCode::Cookie, Some(said));
        assert_eq!(failure(heard), Some(expected));
    }
}

#[test]
fn what_was_not_asked_for_is_passed_over() {
    let mut stage = Stage::met("alice");
    assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
    for code in [
        AutokeyCode::Cookie,
        AutokeyCode::Autokey,
        AutokeyCode::Sign,
        AutokeyCode::LeapSeconds,
        AutokeyCode::Iff,
        AutokeyCode::NoOperation,
        AutokeyCode::Other(0x3f),
    ] {
        assert_eq!(stage.hear(code, &[0; 12]), Ok(None), "{code:?}");
    }
    let nothing = stage.hear_of(77, AutokeyCode::Certificate, None);
    assert_eq!(nothing, Ok(None), "nothing to give yet");
}

#[test]
fn other_associations_and_errors_begin_anew() {
    let mut stage = Stage::met("alice");
    assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
    let other = stage.hear_of(78, AutokeyCode::Certificate, Some(body(b"der")));
    assert_eq!(failure(other), Some(Failure::Protocol));
    let message = AutokeyMessage {
        is_response: true,
        is_error: true,
        code: AutokeyCode::Certificate,
        association: 77,
        body: None,
    };
    let of = WordOfMessage {
        word: 0xc202_0008,
        association: 77,
    };
    let refused = stage.dance.hear(&message, of, &stage.host.own());
    let refused = refused.expect_err("an error");
    assert_eq!(refused.to_string(), "c2020008 77 10f protocol_error");
    stage.dance.restart(0);
    assert_eq!(stage.asks(), Some(AutokeyCode::Association));
}

#[test]
fn a_certificate_of_ours_comes_back_from_the_server_alone() {
    let mut stage = Stage::met("alice");
    stage.certified("alice", "alice", true);
    stage.agree();
    stage.host.is_synchronized = true;
    for (subject, issuer) in [("mallory", "alice"), ("bob", "mallory")] {
        while stage.asks() != Some(AutokeyCode::Sign) {}
        stage.hear(AutokeyCode::Sign, b"der").expect("sound");
        stage.done(Done::Verified).expect("sound");
        let refused = stage.done(Done::Certificate(certificate(subject, issuer, false)));
        assert_eq!(failure(refused), Some(Failure::Certificate));
    }
    assert!(!stage.dance.has(Flags::SIGN));
}

/// Nothing proves where a broadcast comes from.
#[test]
fn what_is_said_to_all_can_end_nothing() {
    let said = |association, code, is_error| Message {
        is_response: true,
        is_error,
        code,
        association,
        body: None,
    };
    let mut stage = Stage::new(Manner::Listener, None);
    let introduces = said(4242, AutokeyCode::Association, false);
    assert!(stage.dance.hears_unasked(&introduces));
    let name = AutokeyBody {
        filestamp: 0x0008_0003,
        ..body(b"alice")
    };
    let heard = stage.hear_of(4242, AutokeyCode::Association, Some(name));
    assert_eq!(heard, Ok(None));
    let list = |number, is_error| said(number, AutokeyCode::Autokey, is_error);
    assert!(stage.dance.hears_unasked(&list(4242, false)));
    for other in [
        introduces,
        said(4243, AutokeyCode::Association, false),
        list(4242, true),
        list(4243, false),
        said(4242, AutokeyCode::Cookie, false),
    ] {
        assert!(!stage.dance.hears_unasked(&other), "{other:?}");
    }
    stage.dance.pretend(0);
    assert!(!stage.dance.admits(0x1234_5678, |_| None));
    assert!(
        stage.dance.has(Flags::AUTO),
        "a key that is none costs nothing"
    );
}

/// Keys of packets that were sent are no secret; their list's end can be played back.
#[test]
fn a_list_that_is_told_again_does_not_bring_back_its_keys() {
    let end = [0x69, 0x60, 0xbb, 0x90, 0, 0, 0, 2];
    for manner in [Manner::Symmetric, Manner::Listener] {
        let mut stage = Stage::new(manner, None);
        let introduces = AutokeyBody {
            filestamp: 0x0008_0003,
            ..body(b"alice")
        };
        let met = stage.hear_of(4242, AutokeyCode::Association, Some(introduces));
        assert_eq!(met, Ok(None));
        stage.certified("alice", "alice", true);
        let told = stage.hear(AutokeyCode::Autokey, &end);
        assert!(matches!(told, Ok(Some(Task::Verify { .. }))));
        stage.done(Done::Verified).expect("sound");
        // Its keys lead to the end, by one.
        let next = |key_id: u32| {
            let mut digest = [0; 16];
            digest[..4].copy_from_slice(&(key_id - 1).to_be_bytes());
            crate::authentication::SessionKey::new(&digest)
        };
        assert!(stage.dance.admits(0x6960_bb91, next));
        assert_eq!(stage.hear(AutokeyCode::Autokey, &end), Ok(None), "no news");
        assert!(!stage.dance.admits(0x6960_bb91, next), "it was used");
        stage.dance.status.flags = stage.dance.status.flags.without(Flags::AUTO);
        let asked = stage.hear(AutokeyCode::Autokey, &end);
        assert!(matches!(asked, Ok(Some(Task::Verify { .. }))));
        stage.done(Done::Verified).expect("sound");
        assert!(!stage.dance.admits(0x6960_bb91, next), "it was used still");
        assert!(stage.dance.admits(0x6960_bb92, next));
        let other = [0x12, 0x34, 0x56, 0x78, 0, 0, 0, 2];
        let heard = stage.hear(AutokeyCode::Autokey, &other);
        assert_eq!(
            failure(heard).is_some(),
            manner == Manner::Listener,
            "of the same second"
        );
    }
}

/// Whoever asks us is given our certificate and a sealed cookie, and can pass them on to us.
#[test]
fn nobody_is_proven_to_be_ourselves() {
    let mut stage = Stage::met("bob");
    let own = certificate("bob", "carol", false);
    assert_eq!(
        stage.certify(&own).expect_err("ours").failure,
        Failure::Certificate
    );
    let mut stage = Stage::met("mallory");
    let mut renamed = (*certificate("mallory", "mallory", true)).clone();
    renamed.public_key = Arc::clone(&stage.host.facts.certificates[0].public_key);
    let refused = stage.certify(&Arc::new(renamed)).expect_err("our key");
    assert_eq!(refused.failure, Failure::Certificate);
}
