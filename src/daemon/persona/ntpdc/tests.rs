//! Commands against recorded answers of ntpd 4.2.8p15, and what its own ntpdc made of them.
use super::rehearse;
use crate::control_client::{
    AskPrivately, PrivateAssembly, PrivateFailure, PrivateItems, PrivateProgress,
};
use truechimer_wire::private::{
    Implementation, PrivateCode, PrivateError, PrivateHeader, PrivateMessage, PrivateRequest,
};

/// For each command its request and the datagrams of its answer, in hexadecimal digits.
const RECORDING: &str = include_str!("fixtures/recording.txt");
/// What ntpdc printed.
const PRINTED: &str = include_str!("fixtures/printed.txt");
const HELP: &str = include_str!("fixtures/help.txt");

fn octets(hex: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("digits");
    (0..hex.len()).step_by(2).map(pair).collect()
}

/// The sections of a file, each under the command in its first line.
fn sections(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = text
        .split("\n> ")
        .map(|it| it.strip_prefix("> ").unwrap_or(it));
    sections.map(|it| it.split_once('\n').unwrap_or((it, "")))
}

/// The daemon as it was recorded.
struct Recording {
    request: Vec<u8>,
    answer: Vec<Vec<u8>>,
}

impl AskPrivately for Recording {
    fn ask(
        &mut self,
        request: &PrivateRequest,
        sealed: bool,
    ) -> Result<PrivateItems, PrivateFailure> {
        let recorded = PrivateMessage::new_checked(&self.request).expect("well formed");
        let theirs = recorded.header();
        assert_eq!(sealed, theirs.is_authenticated);
        let ours = request.to_octets();
        let ours = PrivateMessage::new_checked(&ours).expect("well formed");
        let plain = PrivateHeader {
            is_authenticated: false,
            ..*theirs
        };
        assert_eq!(*ours.header(), plain);
        // What the reference leaves to chance is not compared.
        let by_chance = matches!(
            theirs.code,
            PrivateCode::AddRestriction
                | PrivateCode::RemoveRestriction
                | PrivateCode::DeleteRule
                | PrivateCode::PeerInfo
                | PrivateCode::AddTrap
        );
        if !by_chance {
            assert!(ours.items().eq(recorded.items()), "{:?}", theirs.code);
        }
        let mut assembly = PrivateAssembly::new(request);
        for datagram in &self.answer {
            match assembly.take(datagram) {
                PrivateProgress::Complete(items) => return Ok(items),
                PrivateProgress::Refused(error) => return Err(PrivateFailure::Refused(error)),
                PrivateProgress::Ignored => panic!("ignored"),
                PrivateProgress::Partial => {}
            }
        }
        Err(PrivateFailure::Incomplete)
    }
}

#[test]
fn as_the_references_ntpdc_asks_and_prints() {
    let mut count = 0;
    for ((command, recorded), (again, printed)) in sections(RECORDING).zip(sections(PRINTED)) {
        assert_eq!(command, again);
        let mut lines = recorded.lines().map(octets);
        let recording = Recording {
            request: lines.next().expect("a request"),
            answer: lines.collect(),
        };
        // We also show what the reference's program has no words for.
        let said = rehearse(recording, command).replace(", noepeer, mssntp, nomrulist", "");
        assert_eq!(
            said.trim_end_matches('\n'),
            printed.trim_end_matches('\n'),
            "{command}"
        );
        count += 1;
    }
    assert_eq!(count, 41);
}

/// Says the same whatever it is asked.
struct Refusing(PrivateError, Vec<Implementation>);

impl AskPrivately for Refusing {
    fn ask(&mut self, request: &PrivateRequest, _: bool) -> Result<PrivateItems, PrivateFailure> {
        self.1.push(request.implementation());
        assert!(self.1.len() <= 2, "it asks in the older form once");
        Err(PrivateFailure::Refused(self.0))
    }
}

struct Silent;

impl AskPrivately for Silent {
    fn ask(&mut self, _: &PrivateRequest, _: bool) -> Result<PrivateItems, PrivateFailure> {
        Err(PrivateFailure::Timeout)
    }
}

#[test]
fn refusals_in_the_references_words() {
    for (error, words) in [
        (
            PrivateError::Implementation,
            "***Server implementation incompatible with our own\n",
        ),
        (
            PrivateError::Request,
            "***Server doesn't implement this request\n",
        ),
        (PrivateError::NoData, "***Server reports data not found\n"),
        (PrivateError::Permission, "***Permission denied\n"),
        (
            PrivateError::Other(9),
            "***Server returns unknown error code 9\n",
        ),
    ] {
        assert_eq!(rehearse(Refusing(error, Vec::new()), "peers"), words);
    }
}

#[test]
fn the_silent_and_monlist_have_a_hint() {
    let said = rehearse(Silent, "sysinfo");
    assert!(
        said.starts_with("host: timed out, nothing received\n***Request timed out\n"),
        "{said}"
    );
    assert!(
        said.contains("`enable mode7`") && said.contains("ntpq"),
        "{said}"
    );
    let said = rehearse(Refusing(PrivateError::Request, Vec::new()), "monlist");
    assert!(said.contains("ntpq -c mrulist"), "{said}");
}

#[test]
fn what_is_too_long_to_be_done_whole_is_not_done() {
    let mut line = "restrict 10.3.0.0 255.255.0.0".to_owned();
    let words = [
        "ntpport", "ignore", "noserve", "notrust", "noquery", "nomodify", "nopeer", "notrap",
        "lptrap", "limited", "version", "kod",
    ];
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
    let timed_out = rehearse(Silent, &line);
    assert!(timed_out.contains("timed out"), "{timed_out}");
    assert_eq!(
        rehearse(Silent, &(line + " noepeer")),
        "***Too many words, from `noepeer' on\n"
    );
}

#[test]
fn words_are_complained_about_as_the_reference_does() {
    let said = |command: &str| rehearse(Silent, command);
    for (command, wanted) in [
        ("reset foo", "Flag foo unknown\nNot done due to errors\n"),
        ("enable foo", "Unknown flag foo\n"),
        (
            "restrict 10.3.0.2 255.0.255.0 nomodify",
            "Invalid mask 255.0.255.0\n",
        ),
        ("restrict 10.3.0.2 255.255.255.0 foo", "Unknown flag foo\n"),
        ("addserver 10.9.9.9 foo", "*** 'foo' not understood\n"),
        ("addserver 10.9.9.9 7 3 5", "*** '5' not understood\n"),
        ("addserver 10.9.9.9 1 9", "***invalid version number: 9\n"),
        (
            "addserver 10.9.9.9 minpoll 33",
            "***min/max-poll must be within 3..17\n",
        ),
        (
            "addrefclock 127.127.28.0 2 4 prefer",
            "*** '4' not understood\n",
        ),
        ("loopinfo x", "How many lines?\n"),
        ("timeout x", "***Illegal unsigned value x\n"),
        ("trustedkey -1", "***Illegal unsigned value -1\n"),
        ("peers -7", "***Version must be either 4 or 6\n"),
        ("foo", "***Command `foo' unknown\n"),
        ("keytype", "keytype is MD5 with 16 octet digests\n"),
        (
            "keytype foo",
            "keytype must be 'md5' or a digest type provided by OpenSSL\n",
        ),
        ("timeout", "primary timeout 5000 ms\n"),
        ("delay", "delay 20 ms\n"),
        ("keyid", "keyid is 1\n"),
        ("hostnames", "hostnames not being shown\n"),
        ("fudge 127.127.1.0 time3 1", "What fudge is time3?\n"),
        (
            "delrestrict 10.0.0.0 255.0.0.0 ignore",
            "Flag ignore inappropriate\n",
        ),
        ("host", "current host is host\n"),
    ] {
        assert_eq!(said(command), wanted, "{command}");
    }
    assert_eq!(said("help"), HELP);
    let usage = said("addserver");
    assert!(
        usage.starts_with("usage: addserver [ -4|-6 ] addr [ keyid ] [ version ]"),
        "{usage}"
    );
}
