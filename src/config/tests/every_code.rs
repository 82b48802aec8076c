//! Every code of the registry is made by some configuration, with its severity and a place.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use truechimer_config::{
    Code, Diagnostic, LoadError, Loader, Severity, Span, codes, limits, lint, parse,
};

/// Includes by name: `loop` includes itself, `deepN` includes deeper, `secret` is denied.
struct Files;

impl Loader for Files {
    fn load(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        match path {
            "loop" => Ok(b"includefile loop\n".to_vec()),
            "good" => Ok(b"server 192.0.2.9\n".to_vec()),
            "secret" => Err(LoadError::Denied),
            deep => match deep
                .strip_prefix("deep")
                .and_then(|n| n.parse::<u32>().ok())
            {
                Some(n) => Ok(format!("includefile deep{}\n", n + 1).into_bytes()),
                None => Err(LoadError::NotFound),
            },
        }
    }
}

fn complaints(text: &[u8]) -> Vec<Diagnostic> {
    let parsed = parse("c", text, &Files);
    let mut all = parsed.diagnostics;
    all.extend(lint(&parsed.settings));
    all
}

/// A text and the line and column at which its complaint must be; column 0 has no place.
fn example(code: Code) -> (Vec<u8>, u32, u32) {
    let short: (&str, u32, u32) = match code {
        codes::UNKNOWN_DIRECTIVE => ("\nserveur a", 2, 1),
        codes::UNKNOWN_OPTION => ("server a mod 17", 1, 10),
        codes::MISSING_VALUE => ("server a minpoll", 1, 17),
        codes::BAD_NUMBER => ("tinker step x", 1, 13),
        codes::OUT_OF_RANGE => ("server a version 5", 1, 18),
        codes::POLL_CLAMPED => ("server a minpoll 18", 1, 10),
        codes::NOTHING_TO_REMOVE => ("unpeer a", 1, 8),
        codes::RANDFILE_UNUSED => ("crypto randfile /dev/urandom", 1, 8),
        codes::OPEN_BLOCK => ("simulate {\nrestrict ::1", 1, 1),
        codes::BAD_DATE => ("tos basedate yesterday", 1, 14),
        codes::BAD_ASSIGNMENT => ("setvar a", 1, 8),
        codes::CLIMBING_PATH => ("filegen peerstats file ../x", 1, 24),
        codes::TRAILING_WORDS => ("keys /k /l", 1, 9),
        codes::OPEN_QUOTE => ("keys \"/k", 1, 6),
        codes::CONTROL_CHARACTER => ("keys /\u{1}k", 1, 7),
        codes::ODD_BLANK => ("server\u{a0}a", 1, 7),
        codes::BAD_HOST => ("server ntp://a", 1, 8),
        codes::NOT_UNICAST => ("server 224.0.1.1", 1, 8),
        codes::FAMILY_MISMATCH => ("server -4 ::1", 1, 11),
        codes::POLLS_CROSSED => ("server a minpoll 5 maxpoll 4", 1, 10),
        codes::MAXPOLL_RAISED => ("server a minpoll 11", 1, 10),
        codes::DUPLICATE_SERVER => ("server 192.0.2.1\nserver 192.0.2.1 iburst", 2, 8),
        codes::SERVERS_ALIAS => ("servers a", 1, 1),
        codes::OPTION_WITHOUT_EFFECT => ("server a mode 1", 1, 10),
        codes::LEFT_OUT => ("server a nts", 1, 10),
        codes::BAD_RESTRICT_TARGET => ("restrict defualt ignore", 1, 10),
        codes::BAD_MASK => ("restrict 10.0.0.0 mask 255.0.255.0", 1, 24),
        codes::HOST_BITS => ("restrict 10.0.0.1 mask 255.0.0.0", 1, 10),
        codes::KOD_WITHOUT_LIMITED => ("restrict default kod", 1, 10),
        codes::FLAGS_CONTRADICT => ("restrict default epeer noepeer", 1, 24),
        codes::UNSPECIFIED_TARGET => ("restrict ::1\nrestrict 0.0.0.0 ignore", 2, 10),
        codes::UNKNOWN_FLAG => ("restrict default noqyery", 1, 18),
        codes::BAD_INTERFACE_RULE => ("interface eth0 listen", 1, 11),
        codes::BAD_INTERFACE_TARGET => ("interface listen 10.0.0.300", 1, 18),
        codes::BAD_KEY_ID => ("controlkey 65536", 1, 12),
        codes::BAD_KEY_RANGE => ("trustedkey (3 ... 1)", 1, 12),
        codes::TRUSTED_KEYS_ADD_UP => ("trustedkey 1\ntrustedkey 2\ntrustedkey 3", 2, 1),
        codes::UNKNOWN_DRIVER => ("server 127.127.99.0", 1, 8),
        codes::DRIVER_NOT_BUILT => ("server 127.127.20.0", 1, 8),
        codes::NOT_A_REFCLOCK => ("fudge 192.0.2.1 stratum 3", 1, 7),
        codes::ORPHAN_FUDGE => ("fudge 127.127.1.0 stratum 3", 1, 7),
        codes::REFID_TRUNCATED => ("server 127.127.1.0\nfudge 127.127.1.0 refid Port2", 2, 25),
        codes::BAD_REFID => ("fudge 127.127.1.0 refid \u{e9}", 1, 25),
        codes::REFCLOCK_POOL => ("pool 127.127.1.0", 1, 6),
        codes::CLOCKS_CROSSED => ("tos minclock 5\ntos maxclock 4", 2, 5),
        codes::CEILING_LOWERED => ("tos ceiling 16", 1, 5),
        codes::STEPOUT_RAISED => ("tinker stepout 60", 1, 8),
        codes::CANNOT_INCLUDE => ("includefile secret", 1, 13),
        codes::INCLUDE_TOO_DEEP => ("includefile deep1", 1, 13),
        codes::INCLUDE_LOOP => ("includefile loop", 1, 13),
        codes::EMPTY_PATH => ("keys \"\"", 1, 6),
        codes::NOT_BUILT => ("phone 1", 1, 1),
        codes::CONTROL_KEY_SHARED => ("server a key 3\ncontrolkey 3", 2, 12),
        codes::FEW_SOURCES => ("server a", 1, 8),
        codes::ONE_DOMAIN => ("server a.x.org\nserver b.x.org", 2, 8),
        codes::KEY_NOT_TRUSTED => ("server a key 3", 1, 8),
        codes::NO_KEYS_FILE => ("server a key 3\ntrustedkey 3", 1, 8),
        codes::FAST_POLL => ("server a.org minpoll 3", 1, 8),
        codes::OPEN_DEFAULT => ("restrict default", 1, 10),
        codes::ONE_NETWORK => ("server 192.0.2.1\nserver 192.0.2.9", 2, 8),
        codes::NEVER_MET => ("server a\ntos minsane 2", 2, 5),
        codes::LOCAL_AS_GOOD => ("fudge 127.127.1.0 stratum 2\nserver 127.127.1.0", 2, 8),
        codes::MANYCAST_FOR_BROADCAST => ("manycastserver 224.0.1.1", 1, 16),
        codes::PANIC_OFF => ("tinker step 1 panic 0", 1, 15),
        other => return crowd_example(other),
    };
    (short.0.as_bytes().to_vec(), short.1, short.2)
}

/// Of lines about those who send to many, about peers and about Autokey.
fn crowd_example(code: Code) -> (Vec<u8>, u32, u32) {
    let short: (&str, u32, u32) = match code {
        codes::AUTOKEY_OFF => ("server a autokey", 1, 8),
        codes::IDENT_ALONE => ("crypto\nserver a ident G", 2, 10),
        codes::AUTOKEY_WEAK => ("\ncrypto pw x", 2, 1),
        codes::IDENTITY_UNPROVEN => ("server a autokey\ncrypto", 1, 8),
        codes::NOT_A_GROUP => ("multicastclient 192.0.2.1", 1, 17),
        codes::MANY_UNKEYED => ("broadcast 224.0.1.1", 1, 11),
        codes::PEER_UNKEYED => ("peer a", 1, 6),
        codes::NO_TRUSTED_KEY => ("\nbroadcastclient", 2, 1),
        codes::PEER_OF_ITSELF => ("peer 127.0.0.1 key 3", 1, 6),
        codes::NOBODY_HEARD => ("broadcastclient\nrestrict default ignore", 2, 10),
        codes::DIGEST_ENDS_NOTHING => ("enable unpeer_digest_early", 1, 8),
        codes::AUTH_OFF => ("broadcastclient\ndisable ntp auth", 2, 13),
        codes::PRIVATE_REQUESTS => ("enable ntp mode7", 1, 12),
        other => return long_example(other),
    };
    (short.0.as_bytes().to_vec(), short.1, short.2)
}

fn long_example(code: Code) -> (Vec<u8>, u32, u32) {
    let many = |count: usize, line: &dyn Fn(usize) -> String| -> Vec<u8> {
        (0..count).map(line).collect::<String>().into_bytes()
    };
    let line_after = |count: usize| u32::try_from(count).unwrap() + 1;
    match code {
        codes::NOT_UTF8 => (b"server caf\xe9".to_vec(), 1, 11),
        codes::NOT_UTF8_COMMENT => (b"server a # caf\xe9".to_vec(), 1, 15),
        codes::FILE_TOO_LARGE => (vec![b' '; limits::FILE_BYTES + 1], 1, 1),
        codes::LINE_TOO_LONG => (vec![b'x'; limits::LINE_BYTES + 1], 1, 1),
        codes::TOO_MANY_COMPLAINTS => (many(limits::DIAGNOSTICS + 1, &|_| "x\n".into()), 0, 0),
        codes::TOO_MANY_ASSOCIATIONS => {
            let count = limits::ASSOCIATIONS;
            (
                many(count + 1, &|n| format!("server s{n}.org\n")),
                line_after(count),
                8,
            )
        }
        codes::TOO_MANY_GROUPS => (many(65, &|n| format!("crypto ident G{n}\n")), 65, 8),
        codes::TOO_MANY_VARIABLES => {
            let count = limits::VARIABLES;
            (
                many(count + 1, &|n| format!("setvar v{n}=1\n")),
                line_after(count),
                8,
            )
        }
        codes::TOO_MANY_RULES => {
            let count = limits::RULES;
            (
                many(count + 1, &|_| "restrict ::1\n".into()),
                line_after(count),
                10,
            )
        }
        codes::TOO_MANY_INCLUDES => {
            let count = limits::INCLUDES;
            (
                many(count + 1, &|_| "includefile good\n".into()),
                line_after(count),
                13,
            )
        }
        other => panic!("{} has no example", other.id),
    }
}

#[test]
fn every_code_has_an_example_that_points_at_the_right_place() {
    for code in codes::ALL {
        let (text, line, column) = example(*code);
        let all = complaints(&text);
        let found: Vec<_> = all
            .iter()
            .filter(|complaint| complaint.code == code.id)
            .collect();
        assert!(
            !found.is_empty(),
            "{} is not made by its example: {all:#?}",
            code.id
        );
        assert_eq!(found[0].severity, code.severity, "{}", code.id);
        let place = found[0]
            .span
            .as_ref()
            .map_or((0, 0), |span| (span.line, span.column));
        if code.id != codes::INCLUDE_TOO_DEEP.id {
            assert_eq!(place, (line, column), "{}: {:#?}", code.id, found[0]);
        }
    }
}

#[test]
fn bytes_of_a_span_are_the_word() {
    let text = "# \u{e9}\u{e9}\n\u{e9} \n  server caf\u{e9} \u{e9}";
    let word = |span: &Span| text[span.bytes.clone()].to_owned();
    let words: Vec<_> = complaints(text.as_bytes())
        .iter()
        .filter(|complaint| complaint.severity == Severity::Error)
        .filter_map(|complaint| complaint.span.as_ref().map(word))
        .collect();
    assert_eq!(words, ["\u{e9}", "caf\u{e9}", "\u{e9}"]);
}

#[test]
fn remarks_on_habits_are_made_once() {
    let count = |text: &str, code: Code| {
        complaints(text.as_bytes())
            .iter()
            .filter(|complaint| complaint.code == code.id)
            .count()
    };
    assert_eq!(
        count(
            "trustedkey 1\ntrustedkey 2\ntrustedkey 3",
            codes::TRUSTED_KEYS_ADD_UP
        ),
        1
    );
    assert_eq!(count("trustedkey 1 2", codes::TRUSTED_KEYS_ADD_UP), 0);
    assert_eq!(
        count("restrict 10.0.0.1/8\nrestrict 11.0.0.1/8", codes::HOST_BITS),
        1
    );
    assert_eq!(
        count("restrict 10.0.0.0/8\nrestrict 11.0.0.0/8", codes::HOST_BITS),
        0
    );
}

#[test]
fn a_line_with_one_error_is_searched_for_more() {
    let errors = complaints(b"restrict 10.0.0.0 mak 255.0.0.0 noqyery nmodify")
        .iter()
        .filter(|complaint| complaint.code == codes::UNKNOWN_FLAG.id)
        .map(|complaint| complaint.label.clone())
        .collect::<Vec<_>>();
    assert!(
        errors.contains(&"did you mean `mask`?".to_owned()),
        "{errors:?}"
    );
    assert!(
        errors.contains(&"did you mean `noquery`?".to_owned()),
        "{errors:?}"
    );
    assert!(
        errors.contains(&"did you mean `nomodify`?".to_owned()),
        "{errors:?}"
    );
}

#[test]
fn every_directive_that_guards_something_says_so() {
    for (text, consequence) in [
        ("restrict default x", "the default access would stay OPEN"),
        (
            "restrict source x",
            "the servers we use would have the default access",
        ),
        (
            "restrict 10.0.0.0/8 x",
            "10.0.0.0/8 would have the access of a wider rule",
        ),
        ("restrict", "access may stay OPEN"),
        ("restirct default ignore", "access may stay OPEN"),
        ("interface x", "sockets may be open"),
        ("nic x", "sockets may be open"),
        ("enable x", "may stay off"),
        ("disable x", "may stay on"),
        ("keys", "no server could prove"),
        ("delrestrict x", "not be what you decided"),
        ("cryto pw x", "Autokey would not protect"),
        ("trustedkey x", "could not prove who they are"),
        ("controlkey x", "remote control"),
        ("requestkey x", "remote control"),
    ] {
        let all = complaints(text.as_bytes());
        let said = all.iter().any(|c| {
            c.message.contains("; not starting, for without this line ")
                && c.message.contains(consequence)
        });
        assert!(said, "{text}: {all:#?}");
    }
    assert!(!complaints(b"server")[0].message.contains("not starting"));
}

#[test]
fn no_number_of_complaints_hides_a_broken_guard() {
    let noise = "x\n".repeat(limits::DIAGNOSTICS);
    let open = |text: &str| parse("c", text.as_bytes(), &Files).has_open_guards();
    assert!(!open(&noise));
    assert!(open(&format!("{noise}restrict default noqyery\n")));
    assert!(open(&format!("{noise}restirct default ignore\n")));
    let long = "x ".repeat(limits::LINE_BYTES);
    assert!(open(&format!("restrict default {long}\n")));
    assert!(!open(&format!("server {long}\n")));
}
