//! The identity schemes between two hosts.
use crate::autokey::MaterialDraft;
use crate::autokey::identity::SchemeParameters;
use crate::autokey::test_hosts::{ALICE, BOB, Host, MADE, NOW, PASSWORD, text};
use crate::identity::{GqKey, GqParameters, IffKey, MvAuthority, MvParameters};
use crate::keyfile::der::integers;
use crate::keyfile::{FileName, KeyCipher, KeyFileError, KeyText, heading};
use openssl::bn::{BigNum, BigNumRef};
use truechimer_proto::autokey::facts::Generation;
use truechimer_proto::autokey::job::{Done, Failure, SignedValue, Task};
use truechimer_proto::autokey::status::Scheme;

fn iff_and_mv_and_gq() -> (Host, Host) {
    let (iff, other) = (IffKey::generate(512), IffKey::generate(512));
    let (iff, other) = (iff.expect("a key"), other.expect("a key"));
    let gq = GqKey::generate(512).expect("a key");
    let mv = MvAuthority::generate(3, 512).expect("an authority");
    let stored =
        |kind: &str, pem: Result<String, KeyFileError>| text(kind, "grp", &pem.expect("written"));
    let mut alice = ALICE.draft(Some(&gq));
    let cipher = KeyCipher::Aes256;
    for (scheme, kind, pem) in [
        (Scheme::Iff, "IFFkey", iff.to_pem(cipher, PASSWORD)),
        (Scheme::Gq, "GQkey", gq.to_pem(cipher, PASSWORD)),
        (Scheme::Mv, "MVkey", mv.server().to_pem(cipher, PASSWORD)),
    ] {
        alice
            .scheme_key(scheme, &stored(kind, pem), Some(PASSWORD))
            .expect("a key");
    }
    let mut bob = BOB.draft(None);
    for (ident, scheme, pem) in [
        ("grp", Scheme::Iff, iff.parameters().to_pem()),
        ("others", Scheme::Iff, other.parameters().to_pem()),
        ("grp", Scheme::Gq, gq.parameters().to_pem()),
        ("grp", Scheme::Mv, mv.clients()[0].to_pem()),
        ("revoked", Scheme::Mv, mv.clients()[2].to_pem()),
    ] {
        bob.parameters(ident, scheme, &stored("par", pem))
            .expect("parameters");
    }
    let built = |draft: MaterialDraft| Host::new(draft.build(Generation(1)).expect("it fits"));
    (built(alice), built(bob))
}

fn challenged(bob: &Host, scheme: Scheme, ident: &str) -> Vec<u8> {
    let asked = bob.perform(Task::Challenge {
        scheme,
        ident: ident.to_owned(),
    });
    match asked {
        Done::Challenge {
            challenge,
            filestamp: MADE,
        } => challenge,
        other => panic!("{other:?}"),
    }
}

fn stored_at(filestamp: u32, kind: &str, pem: &str) -> KeyText {
    let name = FileName::new(kind, "grp", filestamp);
    KeyText::parse(format!("{}{pem}", heading(&name, "today")).as_bytes()).expect("PEM")
}

#[test]
fn the_parameters_stamp_tells_which_groups_key_answers() {
    let groups = [MADE, MADE + 7].map(|stamp| (stamp, IffKey::generate(512).expect("a key")));
    let (mut alice, mut bob) = (ALICE.draft(None), BOB.draft(None));
    for (number, (stamp, key)) in groups.iter().enumerate() {
        let pem = key.to_pem(KeyCipher::Aes256, PASSWORD).expect("written");
        let key_file = stored_at(*stamp, "IFFkey", &pem);
        let taken = alice.scheme_key(Scheme::Iff, &key_file, Some(PASSWORD));
        assert_eq!(taken, Ok(()));
        let pem = key.parameters().to_pem().expect("written");
        let file = stored_at(*stamp, "iffpar", &pem);
        let taken = bob.parameters(["one", "two"][number], Scheme::Iff, &file);
        assert_eq!(taken, Ok(()));
    }
    let [alice, bob] = [alice, bob].map(|it| Host::new(it.build(Generation(1)).expect("it fits")));
    for (ident, (stamp, _)) in ["one", "two"].into_iter().zip(&groups) {
        let asked = bob.perform(Task::Challenge {
            scheme: Scheme::Iff,
            ident: ident.to_owned(),
        });
        let Done::Challenge {
            challenge,
            filestamp,
        } = asked
        else {
            panic!("{asked:?}");
        };
        assert_eq!(filestamp, *stamp);
        let Done::Value(value) = answer(&alice, Scheme::Iff, filestamp, &challenge) else {
            panic!("{ident}");
        };
        assert_eq!(value.filestamp, *stamp);
        let check = |ident| check([&alice, &bob], (Scheme::Iff, ident), &challenge, &value);
        let outcomes = ["one", "two"].map(|it| (it == ident, check(it)));
        for (is_same, outcome) in outcomes {
            let wrong = Done::Failed(Failure::Filestamp);
            assert_eq!(outcome, if is_same { Done::Verified } else { wrong });
        }
    }
    // Of no group here: the first one's answers, and its stamp says so.
    let Done::Value(value) = answer(&alice, Scheme::Iff, 7, &[1; 20]) else {
        panic!("no answer");
    };
    assert_eq!(value.filestamp, MADE);
}

/// Clients get new parameters one by one; until then the key that was replaced answers them.
#[test]
fn a_key_that_was_replaced_answers_those_who_have_its_parameters() {
    let keys = [MADE, MADE + 7].map(|stamp| (stamp, IffKey::generate(512).expect("a key")));
    let holder = |number: usize, reading| {
        let mut draft = ALICE.draft(None);
        let (stamp, key) = &keys[number];
        let pem = key.to_pem(KeyCipher::Aes256, PASSWORD).expect("written");
        let file = stored_at(*stamp, "IFFkey", &pem);
        let taken = draft.scheme_key(Scheme::Iff, &file, Some(PASSWORD));
        assert_eq!(taken, Ok(()));
        draft.build(Generation(reading)).expect("it fits")
    };
    let mut alice = Host::new(holder(0, 0));
    let anew = holder(1, 1);
    alice.own = anew.facts().certificates[0].clone();
    alice.worker.install(anew);
    let bob = |number: usize| {
        let mut draft = BOB.draft(None);
        let (stamp, key) = &keys[number];
        let file = stored_at(
            *stamp,
            "iffpar",
            &key.parameters().to_pem().expect("written"),
        );
        assert_eq!(draft.parameters("grp", Scheme::Iff, &file), Ok(()));
        Host::new(draft.build(Generation(1)).expect("it fits"))
    };
    let asked_by = |bob: &Host| {
        let asked = bob.perform(Task::Challenge {
            scheme: Scheme::Iff,
            ident: "grp".to_owned(),
        });
        let Done::Challenge {
            challenge,
            filestamp,
        } = asked
        else {
            panic!("{asked:?}");
        };
        let Done::Value(value) = answer(&alice, Scheme::Iff, filestamp, &challenge) else {
            panic!("no answer");
        };
        check([&alice, bob], (Scheme::Iff, "grp"), &challenge, &value)
    };
    let both = [bob(0), bob(1)];
    assert_eq!(
        both.each_ref().map(asked_by),
        [Done::Verified, Done::Verified]
    );
    // As many readings later nobody has the former key any more.
    for reading in [2, 3] {
        alice.worker.install(holder(1, reading));
    }
    let late = Done::Failed(Failure::Filestamp);
    assert_eq!(both.each_ref().map(asked_by), [late, Done::Verified]);
}

fn answer(alice: &Host, scheme: Scheme, filestamp: u32, challenge: &[u8]) -> Done {
    alice.perform(Task::AnswerChallenge {
        timestamp: Some(NOW),
        scheme,
        filestamp,
        challenge: challenge.to_vec(),
    })
}

fn check(
    [alice, bob]: [&Host; 2],
    (scheme, ident): (Scheme, &str),
    challenge: &[u8],
    value: &SignedValue,
) -> Done {
    bob.perform(Task::CheckAnswer {
        scheme,
        ident: ident.to_owned(),
        challenge: challenge.to_vec(),
        value: value.clone(),
        by: alice.verifier(),
        gq_public: alice.own.gq_public.clone(),
    })
}

const WRONG: Done = Done::Failed(Failure::GroupKey);

#[test]
fn those_of_the_group_are_known_and_no_others() {
    let (alice, bob) = iff_and_mv_and_gq();
    let hosts = [&alice, &bob];
    for (scheme, ident, outcome) in [
        (Scheme::Iff, "grp", Done::Verified),
        (Scheme::Gq, "grp", Done::Verified),
        (Scheme::Mv, "grp", Done::Verified),
        (Scheme::Iff, "others", WRONG),
        (Scheme::Mv, "revoked", WRONG),
    ] {
        let challenge = challenged(&bob, scheme, ident);
        let Done::Value(value) = answer(&alice, scheme, MADE, &challenge) else {
            panic!("{scheme:?}");
        };
        assert_eq!(check(hosts, (scheme, ident), &challenge, &value), outcome);
        assert_eq!(check(hosts, (scheme, ident), b"another", &value), WRONG);
        assert_eq!(check(hosts, (scheme, "nobody"), &challenge, &value), WRONG);
    }
    assert_eq!(
        answer(&bob, Scheme::Iff, MADE, &[1; 20]),
        WRONG,
        "he has no key"
    );
}

#[test]
fn challenges_and_answers_that_are_none() {
    let (alice, bob) = iff_and_mv_and_gq();
    for scheme in Scheme::ALL {
        let mut challenge = challenged(&bob, scheme, "grp");
        // Signed as they should be.
        let forged = |value, filestamp| alice.signed_of(filestamp, value);
        let check = |value| check([&alice, &bob], (scheme, "grp"), &challenge, &value);
        for value in [&b""[..], b"\x30\x00", b"\x30\x06\x02\x01\x00\x02\x01\x00"] {
            assert_eq!(check(forged(value, MADE)), WRONG);
        }
        let old = check(forged(b"", MADE - 9));
        assert_eq!(old, Done::Failed(Failure::Filestamp));
        let length = Done::Failed(Failure::Length);
        assert_eq!(answer(&alice, scheme, MADE, b""), length);
        challenge.push(7);
        assert_eq!(answer(&alice, scheme, MADE, &challenge), length);
    }
}

/// MD5 of nothing and of 1, as numbers, in hexadecimal digits.
const MD5_OF_0: &str = "d41d8cd98f00b204e9800998ecf8427e";
const MD5_OF_1: &str = "55a54008ad1ba589aa210d2629c1df41";

fn sequence(numbers: &[&BigNum]) -> Vec<u8> {
    let numbers: Vec<&BigNumRef> = numbers.iter().map(|number| &***number).collect();
    integers(&numbers)
}

/// What somebody without the group's secrets can make come out right, if nobody looks.
#[test]
fn cheap_answers_prove_nothing() {
    let number = |value| BigNum::from_u32(value).expect("a number");
    let hex = |digits| BigNum::from_hex_str(digits).expect("hex");
    let gq = GqKey::generate(512).expect("a key");
    let parameters = SchemeParameters::Gq(
        GqParameters::read(&text(
            "gqpar",
            "grp",
            &gq.parameters().to_pem().expect("written"),
        ))
        .expect("parameters"),
    );
    let challenge = parameters.challenge().expect("random");
    for (v, y, x_md5) in [(0, 5, MD5_OF_0), (5, 0, MD5_OF_0), (1, 1, MD5_OF_1)] {
        let answer = sequence(&[&number(y), &hex(x_md5)]);
        let refused = parameters.verify(&challenge, &answer, Some(&number(v).to_vec()));
        assert_eq!(refused, Err(Failure::GroupKey), "v {v} y {y}");
    }
    let mv = MvAuthority::generate(3, 512).expect("an authority");
    let client = text("mvpar", "grp", &mv.clients()[0].to_pem().expect("written"));
    let dsa = client.one(None).expect("numbers").dsa().expect("DSA");
    let parameters = SchemeParameters::Mv(MvParameters::read(&client).expect("parameters"));
    let challenge = parameters.challenge().expect("random");
    let r = BigNum::from_slice(&challenge).expect("a number");
    // p - 1 has order 2: its powers are 1 or itself, whatever the client's secret.
    let (mut minus_one, mut minus_r) = (number(0), number(0));
    minus_one.checked_sub(&dsa.p, &number(1)).expect("room");
    minus_r.checked_sub(&dsa.p, &r).expect("room");
    for (first, second) in [(&number(1), &number(1)), (&minus_one, &number(1))] {
        for y in [&r, &minus_r] {
            let answer = sequence(&[y, first, second]);
            let refused = parameters.verify(&challenge, &answer, None);
            assert_eq!(refused, Err(Failure::GroupKey));
        }
    }
}
