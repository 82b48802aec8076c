//! Pictures and verdicts of daemons that are made up.
use super::picture::{Picture, Source};
use super::{verdict, words};
use crate::control_client::{Answer, Ask, Failure, Request};
use truechimer_wire::Opcode;

/// A daemon: its status word and variables, then each association's.
struct Daemon {
    system: (u16, String),
    /// Variables that are told only to who names them.
    hidden: String,
    sources: Vec<(u16, String)>,
}

impl Ask for Daemon {
    fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
        let (status, data) = match (request.opcode, usize::from(request.association)) {
            (Opcode::ReadVariables, 0) if !request.data.is_empty() => {
                if self.hidden.is_empty() {
                    return Err(Failure::Refused(5));
                }
                (self.system.0, self.hidden.clone().into_bytes())
            }
            (Opcode::ReadVariables, 0) => (self.system.0, self.system.1.clone().into_bytes()),
            (Opcode::ReadVariables, id) => match self.sources.get(id - 1) {
                Some((status, text)) => (*status, text.clone().into_bytes()),
                None => return Err(Failure::Refused(4)),
            },
            (Opcode::ReadStatus, _) => {
                let pairs = (1_u16..).zip(&self.sources);
                let octets = pairs.flat_map(|(id, (status, _))| {
                    let ([a, b], [c, d]) = (id.to_be_bytes(), status.to_be_bytes());
                    [a, b, c, d]
                });
                (self.system.0, octets.collect())
            }
            _ => return Err(Failure::Timeout),
        };
        Ok(Answer { status, data })
    }
}

/// A server heard ten seconds ago.
fn server(place: usize, offset_ms: f64, more: &str) -> String {
    format!(
        "srcadr=10.0.0.{place}, hmode=3, pmode=4, stratum=2, refid=192.0.2.7, leap=0, reach=0xff, \
         hpoll=6, ppoll=6, rec=0xeeb0538a.00000000, offset={offset_ms:.3}, delay=1.000, \
         dispersion=0.500, jitter=0.100, rootdelay=2.000, rootdisp=1.000, flash=0x0{more}"
    )
}

const REJECT: u16 = 0x9014;
const FALSETICK: u16 = 0x9114;
const OUTLIER: u16 = 0x9314;
const CANDIDATE: u16 = 0x9414;
const LEADER: u16 = 0x961A;

fn picture(system: (u16, &str), sources: &[(u16, String)]) -> Picture {
    picture_with(system, "", sources)
}

fn picture_with(system: (u16, &str), hidden: &str, sources: &[(u16, String)]) -> Picture {
    let mut daemon = Daemon {
        system: (system.0, format!("clock=0xeeb05394.00000000, {}", system.1)),
        hidden: hidden.to_owned(),
        sources: sources.to_vec(),
    };
    Picture::read(&mut daemon, "here", None).expect("a picture")
}

fn four() -> Picture {
    picture(
        (
            0x0615,
            "version=\"ntpd x\", leap=0, stratum=3, rootdelay=3.000, rootdisp=2.000, peer=1, \
             offset=0.100, frequency=-1.500, sys_jitter=0.2, reftime=0xeeb0538a.00000000",
        ),
        &[
            (LEADER, server(1, 0.0, "")),
            (CANDIDATE, server(2, 0.4, "")),
            (FALSETICK, server(3, 300.0, "")),
            (OUTLIER, server(4, -2.0, "")),
        ],
    )
}

fn explained(picture: &Picture, word: &str) -> String {
    let found = picture.find(word);
    let [source] = found[..] else {
        panic!("{word} means {} sources", found.len());
    };
    words::verdict(&verdict::of(source, picture))
}

#[test]
fn distances_are_those_of_the_rfc() {
    let picture = four();
    let distance = |source: &Source| source.root_distance_ms.expect("known");
    // Half of 2 + 1 ms of delays, 1 + 0.5 ms of dispersions, 0.1 ms of jitter, 10 s at 15 ppm.
    assert!((distance(&picture.sources[0]) - 3.25).abs() < 1e-9);
    assert_eq!(picture.system.root_distance_ms, Some(3.5));
    assert_eq!(picture.system.last_update_age_s, Some(10.0));
    assert!(picture.system.is_synchronised);
}

#[test]
fn a_falseticker_is_told_by_how_much() {
    let picture = four();
    let verdict = verdict::of(&picture.sources[2], &picture);
    // The three agree on -3.25+0.4 ... 3.25-2: its interval begins at 296.75.
    let (low, high) = verdict.numbers.agreement_ms.expect("a majority");
    assert!(
        (low - -2.85).abs() < 1e-9 && (high - 1.25).abs() < 1e-9,
        "{low} {high}"
    );
    assert!((verdict.numbers.beyond_ms.expect("beyond") - 295.5).abs() < 1e-9);
    assert!(!verdict.is_used);
    let text = explained(&picture, "10.0.0.3");
    assert!(
        text.contains("a falseticker, beyond the others by 295.500 ms"),
        "{text}"
    );
}

#[test]
fn weights_of_those_in_use_add_up() {
    let picture = four();
    let weight = |place: usize| {
        let verdict = verdict::of(&picture.sources[place], &picture);
        verdict.numbers.weight_percent
    };
    assert!((weight(0).expect("used") + weight(1).expect("used") - 100.0).abs() < 1e-9);
    assert_eq!((weight(2), weight(3)), (None, None));
    assert!(explained(&picture, "10.0.0.1").contains("it leads"));
    assert!(explained(&picture, "2").contains("combined with that of 10.0.0.1"));
    let outlier = explained(&picture, "&4");
    assert!(
        outlier.contains("scatters more") && outlier.contains("2.209 ms"),
        "{outlier}"
    );
}

#[test]
fn who_answers_in_vain_is_not_called_silent() {
    let silent = server(1, 0.0, "").replace("reach=0xff", "reach=0x0");
    let refused = silent.replace("flash=0x0", "flash=0x20");
    for (source, answers) in [(silent, false), (refused, true)] {
        assert!(source.contains("reach=0x0,"), "{source}");
        let picture = picture((0xC016, "leap=3, stratum=16"), &[(REJECT, source)]);
        let text = explained(&picture, "1");
        assert_eq!(text.contains("no usable reply"), answers, "{text}");
        assert_eq!(text.contains("a firewall may drop"), !answers, "{text}");
        assert_eq!(words::sources(&picture).contains("silent"), !answers);
    }
}

#[test]
fn who_follows_itself_is_not_called_right() {
    let own = server(1, 0.0, "").replace("10.0.0.1", "127.127.1.0");
    let alone = picture((0x0515, "leap=0, stratum=11, peer=1"), &[(LEADER, own)]);
    let text = words::status(&alone);
    assert!(text.contains("follows only itself"), "{text}");
    assert!(text.contains("greatest error   unknown"), "{text}");
    assert!(words::status(&four()).contains("is synchronised"));
}

#[test]
fn orphans_are_called_so() {
    let parent = server(1, 0.0, "").replace("192.0.2.7", "127.0.0.1");
    let sibling = server(2, 0.0, "").replace("stratum=2", "stratum=7");
    let child = picture(
        (0x0615, "leap=0, stratum=3, refid=10.0.0.1, peer=1"),
        &[(LEADER, parent.clone()), (REJECT, sibling.clone())],
    );
    let text = words::status(&child);
    for wanted in [
        "an island without a source",
        "follows          10.0.0.1, an orphan parent, at stratum 3",
        "greatest error   unknown",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(explained(&child, "1").contains("used: an orphan parent"));
    assert!(explained(&child, "2").contains("may follow an orphan parent"));

    let own = picture(
        (0x0015, "leap=0, stratum=6, refid=127.0.0.1, peer=0"),
        &[(REJECT, parent.clone()), (REJECT, sibling.clone())],
    );
    let text = words::status(&own);
    for wanted in [
        "follows only itself",
        "nobody: an orphan parent",
        "at stratum 6",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(explained(&own, "1").contains("not used: an orphan parent"));
    assert!(explained(&own, "2").contains("may follow an orphan parent"));
    assert!(!words::status(&four()).contains("orphan"));

    // Where others are used beside it, it is a server like them.
    let beside = picture(
        (0x0615, "leap=0, stratum=3, refid=10.0.0.1, peer=1"),
        &[(LEADER, parent), (CANDIDATE, server(2, 0.0, ""))],
    );
    assert!(explained(&beside, "1").contains("it leads"));
    assert!(!words::status(&beside).contains("island"));
}

#[test]
fn a_clock_that_is_not_steered_is_not_called_synchronised() {
    for (steered, wanted) in [(0, "is NOT steered"), (1, "is synchronised")] {
        let ours = (
            0x0615,
            "version=\"truechimer x\", leap=0, stratum=3, peer=1",
        );
        let hidden = format!("steered={steered}");
        let one = picture_with(ours, &hidden, &[(LEADER, server(1, 0.0, ""))]);
        assert!(words::status(&one).contains(wanted));
    }
}

#[test]
fn how_requests_come_in_is_told() {
    let ours = (0x0615, "version=\"truechimer x\", leap=0, stratum=3");
    let picture = picture_with(
        ours,
        "engine=\"uring\", engine_reason=\"io_uring can be had\", ring_starved=2, ring_cutshort=0, \
         ring_failed=1, ring_cancelled=0",
        &[],
    );
    let json = serde_json::to_value(picture.summary()).expect("JSON");
    let wanted = serde_json::json!({
        "name": "uring", "reason": "io_uring can be had",
        "starved": 2, "cut_short": 0, "failed": 1, "cancelled": 0
    });
    assert_eq!(json["system"]["engine"], wanted);
    let text = words::status(&picture);
    assert!(text.contains("uring: io_uring can be had; began to receive again 3 times"));
    // Other daemons say nothing of it.
    let picture = picture_with(ours, "", &[]);
    assert!(!words::status(&picture).contains("serves by"));
}

#[test]
fn packets_nobody_asked_for_are_told_by_reason() {
    let ours = (0x0615, "version=\"truechimer x\", leap=0, stratum=3");
    let told = |hidden| {
        let picture = picture_with(ours, hidden, &[]);
        let json = serde_json::to_value(picture.summary()).expect("JSON");
        (
            json["system"]["unsolicited"].clone(),
            words::status(&picture),
        )
    };
    let (counts, text) = told("unsolicited=\"3 no_mac, 1 replayed\"");
    assert_eq!(counts, serde_json::json!({"no_mac": 3, "replayed": 1}));
    assert!(text.contains("3 no_mac, 1 replayed"), "{text}");
    let (counts, text) = told("unsolicited=\"none\"");
    assert_eq!(counts, serde_json::json!({}));
    assert!(!text.contains("refused"), "{text}");
    // A daemon that does not count them is not said to have refused none.
    assert!(told("").0.is_null());
}

#[test]
fn a_leader_is_called_the_best_only_if_it_is() {
    let text = explained(&four(), "1");
    assert!(text.contains("of the lowest stratum"), "{text}");
    let better = server(2, 0.1, "").replace("stratum=2", "stratum=1");
    let kept = picture(
        (0x0615, "leap=0, stratum=3, peer=1"),
        &[(LEADER, server(1, 0.0, "")), (CANDIDATE, better)],
    );
    let text = explained(&kept, "1");
    assert!(
        text.contains("10.0.0.2 would lead now") && text.contains("anti-clockhop"),
        "{text}"
    );
}

#[test]
fn failed_tests_are_told_in_words_with_a_remedy() {
    for (bits, wanted) in [
        ("0x400", "root distance is above the limit"),
        ("0x800", "it follows us"),
        ("0x10", "trustedkey"),
        ("0x200", "tos ceiling"),
        ("0x2", "does not answer our request"),
    ] {
        let source = server(1, 0.0, "").replace("flash=0x0", &format!("flash={bits}"));
        let picture = picture((0xC016, "leap=3, stratum=16"), &[(REJECT, source)]);
        let text = explained(&picture, "1");
        assert!(
            text.contains(wanted) && text.contains("what to do"),
            "{bits}: {text}"
        );
        assert!(words::status(&picture).contains("NOT synchronised"));
    }
}

#[test]
fn silence_denial_and_pools() {
    let silent = server(1, 0.0, "")
        .replace("reach=0xff", "reach=0x0")
        .replace("rec=0xeeb0538a.00000000", "rec=0x00000000.00000000");
    let pool = "srcadr=0.0.0.0, srchost=\"pool.example\", hmode=3, flash=0x1600".to_owned();
    let picture = picture(
        (0xC016, "leap=3, stratum=16"),
        &[(0x8011, silent.clone()), (0x8018, silent), (0x8811, pool)],
    );
    let text = explained(&picture, "&1");
    assert!(
        text.contains("no time came from it yet") && text.contains("`truechimer query 10.0.0.1`"),
        "{text}"
    );
    assert!(explained(&picture, "&2").contains("DENY or RSTR"));
    assert!(explained(&picture, "pool.example").contains("servers are drawn from"));
    let table = words::sources(&picture);
    assert_eq!(table.lines().count(), 4);
    assert!(
        table.contains("silent") && table.contains("pool.example"),
        "{table}"
    );
}

#[test]
fn all_at_once() {
    let mut daemon = Daemon {
        system: (0x0615, "leap=0, stratum=3".to_owned()),
        hidden: String::new(),
        sources: vec![
            (LEADER, server(1, 0.0, "")),
            (FALSETICK, server(2, 9.0, "")),
        ],
    };
    let text = super::describe(&mut daemon).expect("a picture");
    for wanted in [
        "the clock is synchronised",
        "leads     10.0.0.1",
        "a falseticker",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(super::describe(&mut Silent).is_err());
}

struct Silent;

impl Ask for Silent {
    fn ask(&mut self, _: &Request<'_>) -> Result<Answer, Failure> {
        Err(Failure::Timeout)
    }
}

#[test]
fn autokey_flags_are_named() {
    let source = server(
        1,
        0.0,
        ", flags=0x87f23, signature=\"md5WithRSAEncryption\"",
    );
    let picture = picture((0x0615, "leap=0, stratum=3"), &[(LEADER, source)]);
    let text = explained(&picture, "1");
    assert!(text.contains("Autokey: ENAB TAI IFF VALID"), "{text}");
    let source = server(
        1,
        0.0,
        ", flags=0x87f23, signature=\"md5WithRSAEncryption\", \
         cryptotype=\"TC, identity unproven\"",
    );
    let picture = super::tests::picture((0x0615, "leap=0, stratum=3"), &[(LEADER, source)]);
    let text = explained(&picture, "1");
    assert!(text.contains("; proof: TC, identity unproven"), "{text}");
}

#[test]
fn a_daemon_that_says_little_is_still_told() {
    // As a router's: few variables, old names.
    let source = "srcadr=10.0.0.9, reach=255, stratum=1, offset=nan, delay=1e999".to_owned();
    let picture = picture(
        (0x0644, "stratum=2, phase=0.5, stability=0.02"),
        &[(LEADER, source)],
    );
    assert_eq!(picture.system.offset_ms, Some(0.5));
    assert_eq!(picture.sources[0].offset_ms, None);
    assert!(words::status(&picture).contains("follows          10.0.0.9"));
    assert!(words::sources(&picture).contains("unknown"));
    assert!(explained(&picture, "10.0.0.9").contains("it leads"));
}
