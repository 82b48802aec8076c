//! Identity: who must prove to be of a group does, or nothing is agreed.
use super::*;

fn challenger(ident: &str, status: u32) -> Stage {
    let mut stage = Stage::new(Manner::Client, Some(ident));
    for scheme in Scheme::ALL {
        let key = ("grp".to_owned(), scheme);
        stage.host.facts.parameters.insert(key, MADE);
    }
    stage.meet("alice", status).expect("sound");
    stage.certified("alice", "alice", true);
    stage
}

#[test]
fn each_scheme() {
    for (status, code, flags) in [
        (0x0008_0023, AutokeyCode::Iff, 0x0f23),
        (0x0008_0043, AutokeyCode::Gq, 0x0f43),
        (0x0008_0083, AutokeyCode::Mv, 0x0f83),
    ] {
        let mut stage = challenger("grp", status);
        let Step::Ask(request) = stage.next() else {
            panic!("nothing is asked");
        };
        let sent = request.body.expect("a challenge");
        assert_eq!((request.code, sent.filestamp), (code, MADE));
        let task = stage.hear(code, b"answer").expect("sound");
        let Some(Task::CheckAnswer {
            challenge, ident, ..
        }) = task
        else {
            panic!("{task:?}");
        };
        assert_eq!((challenge, ident.as_str()), (sent.value, "grp"));
        assert!(stage.installed.is_empty(), "it may be anybody's trail");
        stage.done(Done::Verified).expect("sound");
        assert_eq!(stage.installed, ["alice alice"]);
        let name = stage.dance.identity().expect("proven").name();
        let line = format!("{name} alice fs {MADE}");
        assert_eq!(stage.lines.last(), Some(&line));
        stage.agree();
        assert_eq!(stage.dance.status().flags.0 & 0x0fff, flags);
    }
}

#[test]
fn a_wrong_answer_proves_nothing() {
    let mut stage = challenger("grp", 0x0008_0023);
    assert_eq!(stage.asks(), Some(AutokeyCode::Iff));
    stage.hear(AutokeyCode::Iff, b"answer").expect("sound");
    let trouble = stage
        .done(Done::Failed(Failure::GroupKey))
        .expect_err("not of the group");
    assert_eq!(
        trouble.to_string(),
        "82070000 77 10e bad_or_missing_group key"
    );
    let another = stage.next();
    assert!(
        matches!(another, Step::Prepare(Task::Challenge { .. })),
        "{another:?}"
    );
    assert!(!stage.dance.is_proventic());
}

#[test]
fn filestamps_must_match() {
    for (code, status, later) in [
        (AutokeyCode::Iff, 0x0008_0023, false),
        (AutokeyCode::Gq, 0x0008_0043, true),
        (AutokeyCode::Mv, 0x0008_0083, false),
    ] {
        for (filestamp, expected) in [(MADE + 1, later), (MADE - 1, false), (MADE, true)] {
            let mut stage = challenger("grp", status);
            assert_eq!(stage.asks(), Some(code));
            let said = AutokeyBody {
                filestamp,
                ..body(b"answer")
            };
            let heard = stage.hear_of(77, code, Some(said));
            assert_eq!(heard.is_ok(), expected, "{code:?} {filestamp}");
        }
    }
}

#[test]
fn without_parameters_nothing_is_agreed() {
    let mut stage = challenger("elsewhere", 0x0008_0023);
    assert_eq!(stage.next(), Step::Stuck(Failure::Identity));
    assert!(!stage.dance.has(Flags::VRFY));
}

#[test]
fn nobody_is_talked_out_of_a_demanded_proof() {
    // The status word is not signed: who alters it must not get round the group.
    let mut stage = challenger("grp", 0x0008_0003);
    assert_eq!(stage.next(), Step::Stuck(Failure::Identity));
    assert!(!stage.dance.has(Flags::VRFY));
}

#[test]
fn bits_that_are_ours_to_set_are_not_taken() {
    let mut stage = Stage::new(Manner::Client, None);
    stage.meet("alice", 0x0008_7f03).expect("sound");
    assert_eq!(stage.dance.status().word(), 0x0008_1003);
    assert_eq!(stage.asks(), Some(AutokeyCode::Certificate));
}

#[test]
fn of_a_private_certificate() {
    let mut stage = Stage::new(Manner::Client, None);
    let mut own = (*certificate("shared", "shared", false)).clone();
    own.private = true;
    stage.host.facts.name = "shared".to_owned();
    stage.host.facts.certificates = vec![Arc::new(own)];
    let trouble = stage.meet("alice", 0x0008_0003).expect_err("not private");
    assert_eq!(trouble.failure, Failure::Identity);
    stage.meet("alice", 0x0008_0013).expect("sound");
    stage.agree();
    stage.host.is_synchronized = true;
    assert_eq!(stage.asks(), Some(AutokeyCode::LeapSeconds));
    stage
        .hear(AutokeyCode::LeapSeconds, &[0; 12])
        .expect("sound");
    stage.done(Done::Verified).expect("sound");
    assert_eq!(stage.dance.status().word(), 0x0008_7f13);
}

/// Where no group is demanded, parameters that have the trusted host's name are used as if it were.
#[test]
fn parameters_by_the_trusted_hosts_name() {
    let met = |owner: &str, status| {
        let mut stage = Stage::new(Manner::Client, None);
        let key = (owner.to_owned(), Scheme::Iff);
        stage.host.facts.parameters.insert(key, MADE);
        stage.meet("alice", status).expect("sound");
        stage.certified("alice", "alice", true);
        stage
    };
    let mut stage = met("alice", 0x0008_0023);
    assert_eq!(
        stage.asks(),
        Some(AutokeyCode::Iff),
        "nothing is agreed before"
    );
    assert!(!stage.dance.has(Flags::VRFY));
    for (owner, status) in [("bob", 0x0008_0023), ("alice", 0x0008_0003)] {
        let mut stage = met(owner, status);
        assert_eq!(
            stage.asks(),
            Some(AutokeyCode::Cookie),
            "{owner} {status:x}"
        );
    }
}
