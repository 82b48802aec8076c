//! Commands against recorded answers of ntpd 4.2.8p15, and what its own ntpq made of them.
use super::super::dialogue::{Common, HostWord, Screen, execute};
use super::state::{Link, Ntpq, Tuning};
use crate::control_client::{Answer, Ask, Failure, Request, associations};
use crate::testing::Scratch;
use std::fs;
use truechimer_wire::Opcode;

const STATUS: &[u8] = include_bytes!("fixtures/status.bin");
const INTERFACES: &[u8] = include_bytes!("fixtures/interfaces.bin");
const RULES: &[u8] = include_bytes!("fixtures/rules.bin");
const SYSINFO: &[u8] = include_bytes!("fixtures/variables-sysinfo.txt");
/// Variables of the system, then of each association in the list's order.
const VARIABLES: [&[u8]; 11] = [
    include_bytes!("fixtures/variables-0.txt"),
    include_bytes!("fixtures/variables-1.txt"),
    include_bytes!("fixtures/variables-2.txt"),
    include_bytes!("fixtures/variables-3.txt"),
    include_bytes!("fixtures/variables-4.txt"),
    include_bytes!("fixtures/variables-5.txt"),
    include_bytes!("fixtures/variables-6.txt"),
    include_bytes!("fixtures/variables-7.txt"),
    include_bytes!("fixtures/variables-8.txt"),
    include_bytes!("fixtures/variables-9.txt"),
    include_bytes!("fixtures/variables-10.txt"),
];
const SYSTEM_STATUS: u16 = 0x0615;

/// The daemon as it was recorded.
struct Recording;

impl Recording {
    fn variables(association: u16) -> Result<Answer, Failure> {
        let known = associations(STATUS).expect("a list");
        let found = known.iter().position(|one| one.id == association);
        let place = if association == 0 {
            Some(0)
        } else {
            found.map(|place| place + 1)
        };
        let place = place.ok_or(Failure::Refused(4))?;
        let status = match place {
            0 => SYSTEM_STATUS,
            _ => known[place - 1].status,
        };
        Ok(Answer {
            status,
            data: VARIABLES[place].to_vec(),
        })
    }
}

impl Ask for Recording {
    fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
        let data = match (request.opcode, request.data) {
            (Opcode::ReadStatus, _) => STATUS,
            (Opcode::ReadVariables, b"") => return Self::variables(request.association),
            (Opcode::ReadVariables, data) if data.starts_with(b"peeradr") => SYSINFO,
            (Opcode::ReadVariables, b"leap") => b"leap=0",
            (Opcode::ReadVariables, _) => return Err(Failure::Refused(5)),
            (Opcode::ReadOrdered, b"") if request.sealed => INTERFACES,
            (Opcode::ReadOrdered, b"addr_restrictions") if request.sealed => RULES,
            (Opcode::Configure, b"fruit banana") if request.sealed => {
                b"column 0 syntax error, unexpected T_String\r\n"
            }
            _ => return Err(Failure::Timeout),
        };
        let data = data.to_vec();
        Ok(Answer {
            status: SYSTEM_STATUS,
            data,
        })
    }
}

impl Link for Recording {
    fn tune(&mut self, _: Tuning) {}
}

/// A server without associations.
struct Lonely;

impl Ask for Lonely {
    fn ask(&mut self, _: &Request<'_>) -> Result<Answer, Failure> {
        Ok(Answer::default())
    }
}

impl Link for Lonely {
    fn tune(&mut self, _: Tuning) {}
}

fn program(link: Option<Box<dyn Link>>) -> Ntpq {
    let host = HostWord {
        name: "host".to_owned(),
        family: None,
    };
    Ntpq {
        link,
        common: Common {
            hosts: vec![host],
            ..Common::rehearsed()
        },
        ..Ntpq::default()
    }
}

/// What commands say and complain.
fn said(ntpq: &mut Ntpq, commands: &[&str]) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    for command in commands {
        let mut screen = Screen {
            out: &mut out,
            err: &mut err,
        };
        execute(ntpq, command, &mut screen);
    }
    let text = |octets| String::from_utf8(octets).expect("text");
    (text(out), text(err))
}

fn recorded(commands: &[&str]) -> String {
    let (out, err) = said(&mut program(Some(Box::new(Recording))), commands);
    assert_eq!(err, "", "{commands:?}");
    out
}

/// Dates are in the zone of whoever looks.
fn without_dates(text: &str) -> String {
    let cut = |line: &str| match line.find("  Tue, ") {
        Some(at) => format!(
            "{}{}",
            &line[..at],
            &line[at + "  Tue, Nov 24 2026 18:51:36.839".len()..]
        ),
        None => line.to_owned(),
    };
    text.lines().map(cut).collect::<Vec<_>>().join("\n")
}

#[test]
fn variables_as_the_reference_shows_them() {
    for (place, golden) in [
        (0, include_str!("fixtures/readvar-0.txt")),
        (1, include_str!("fixtures/readvar-1.txt")),
        (2, include_str!("fixtures/readvar-2.txt")),
        (8, include_str!("fixtures/readvar-8.txt")),
        (9, include_str!("fixtures/readvar-9.txt")),
    ] {
        let command = if place == 0 {
            "rv".to_owned()
        } else {
            format!("rv &{place}")
        };
        let shown = recorded(&[&command]);
        // The clock of the system went on between the two recordings.
        let no_clock = |text: &str| -> Vec<String> {
            let text = without_dates(text);
            let lines = text.lines().filter(|line| !line.starts_with("clock="));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(no_clock(&shown), no_clock(golden), "{command}");
    }
}

#[test]
fn tables_as_the_reference_shows_them() {
    assert_eq!(recorded(&["as"]), include_str!("fixtures/associations.txt"));
    assert_eq!(
        recorded(&["as > /dev/null", "passociations"]),
        include_str!("fixtures/associations.txt")
    );
    assert_eq!(
        without_dates(&recorded(&["sysinfo"])),
        without_dates(include_str!("fixtures/sysinfo.txt"))
    );
    assert_eq!(
        recorded(&["ifstats", "reslist"]),
        include_str!("fixtures/lists.txt")
    );
}

/// Without the column that counts seconds since the last packet.
fn without_ages(table: &str) -> Vec<String> {
    let lines = table.lines().enumerate();
    lines
        .map(|(number, line)| match number {
            0 | 1 => line.to_owned(),
            _ => format!("{}{}", &line[..37], &line[42..]),
        })
        .collect()
}

#[test]
fn peers_as_the_reference_shows_them() {
    for (command, golden) in [
        ("pe", include_str!("fixtures/peers.txt")),
        ("lpeers", include_str!("fixtures/peers.txt")),
        ("apeers", include_str!("fixtures/apeers.txt")),
        ("opeers", include_str!("fixtures/opeers.txt")),
    ] {
        let shown = recorded(&[command]);
        assert_eq!(without_ages(&shown), without_ages(golden), "{command}");
    }
    let hashed = recorded(&["drefid hash > /dev/null", "peers"]);
    let golden = include_str!("fixtures/apeers.txt");
    assert_eq!(without_ages(&hashed), without_ages(golden));
}

#[test]
fn some_variables_without_status_and_raw() {
    assert_eq!(recorded(&["rv 0 leap"]), "leap=00\n");
    assert_eq!(recorded(&["raw > /dev/null", "rv 0 leap"]), "leap=0");
    assert_eq!(recorded(&["mrv &1 &1 leap"]), "leap=00\n");
    let mut ntpq = program(Some(Box::new(Recording)));
    ntpq.old_rv = true;
    let (out, _) = said(&mut ntpq, &["rv 0 leap"]);
    assert_eq!(
        out,
        "associd=0 status=0615 leap_none, sync_ntp, 1 event, clock_sync,\nleap=00\n"
    );
}

#[test]
fn complaints_as_the_reference_words_them() {
    for (command, complaint) in [
        ("foo", "***Command `foo' unknown\n"),
        ("p", "***Command `p' ambiguous\n"),
        ("pas", "***Command `pas' ambiguous\n"),
        ("rv 99999", "***Invalid association ID 99999 specified\n"),
        ("rv 5", "***Association ID 5 unknown to server\n"),
        (
            "rv 0 nosuch",
            "***A request variable unknown to the server\n",
        ),
        (
            "rv &foo",
            "***Association index `&foo' invalid/undecodable\n",
        ),
        ("rv x", "***Illegal unsigned value x\n"),
        ("rv -1", "***Illegal unsigned value -1\n"),
        ("pe 4", "***Version must be either 4 or 6\n"),
        ("pstats", "usage: pstats assocID\n"),
        ("as >", "***No file for redirect\n"),
        (
            "timerstats",
            "***A request variable unknown to the server\n",
        ),
        ("rmvars x", "Variable `x' not found\n"),
        (
            "cv 0",
            "host: timed out, nothing received\n***Request timed out\n",
        ),
    ] {
        let said = said(&mut program(Some(Box::new(Recording))), &[command]);
        assert_eq!(said, (String::new(), complaint.to_owned()), "{command}");
    }
    let said_alone = said(&mut program(None), &["as", "host"]);
    let complaint = "***No host open, use `host' command\n";
    assert_eq!(
        said_alone,
        ("no current host\n".to_owned(), complaint.to_owned())
    );
}

#[test]
fn nobody_there() {
    let lonely = |commands: &[&str]| said(&mut program(Some(Box::new(Lonely))), commands);
    assert_eq!(lonely(&["as"]).0, "No association ID's returned\n");
    assert_eq!(lonely(&["pe"]).0, "No association ID's returned\n");
    assert_eq!(lonely(&["rv"]).0, "No system variables returned\n");
    assert_eq!(
        lonely(&["rv 7"]).0,
        "No information returned for association 7\n"
    );
    assert_eq!(lonely(&["cv"]).0, "No system clock variables returned\n");
    assert_eq!(
        lonely(&["passociations"]).0,
        "No association ID's in list\n"
    );
    assert_eq!(lonely(&["writevar 0 a=b"]).0, "done! (no data returned)\n");
}

#[test]
fn settings_are_told_and_kept() {
    let commands = [
        "timeout",
        "timeout 250",
        "timeout",
        "delay",
        "delay -5",
        "delay",
        "hostnames",
        "hostnames yes",
        "hostnames",
        "debug",
        "debug more",
        "keyid",
        "keyid 7",
        "keyid",
        "authenticate",
        "ntpversion",
        "ntpversion 4",
        "ntpversion",
        "keytype",
        "drefid",
        "poll",
        "showvars",
        "addvars a,b=3",
        "showvars",
        "clearvars",
        "showvars",
    ];
    assert_eq!(
        recorded(&commands),
        "primary timeout 5000 ms\nprimary timeout 250 ms\ndelay 20 ms\ndelay -5 ms\n\
         hostnames not being shown\nhostnames being shown\ndebug level is 0\n\
         debug level set to 1\nkeyid is 1\nkeyid is 7\nunauthenticated requests being sent\n\
         NTP version being claimed is 2\nNTP version being claimed is 4\n\
         keytype is MD5 with 16 octet digests\ndrefid value is ipv4\npoll not implemented yet\n\
         No variables on list\na\nb=3\nNo variables on list\n"
    );
}

#[test]
fn a_column_of_a_bad_line_is_marked() {
    assert_eq!(
        recorded(&[":config fruit banana"]),
        "fruit banana\n^\ncolumn 0 syntax error, unexpected T_String\r\n"
    );
}

/// What a hostile server says reaches a terminal only as `cat -v` would show it.
#[test]
fn escape_sequences_are_shown_and_not_obeyed() {
    struct Painter;
    impl Ask for Painter {
        fn ask(&mut self, request: &Request<'_>) -> Result<Answer, Failure> {
            let data: &[u8] = match request.opcode {
                Opcode::ReadStatus => b"\0\x07\x90\x14",
                _ => b"srchost=\"\x1b[2J\x9b\", refid=\x1b[A, name\x07=\x1bc, nonce=\x1b",
            };
            Ok(Answer {
                status: 0x9014,
                data: data.to_vec(),
            })
        }
    }
    for command in ["pe", "rv", "rv &1", "ifstats", ":config x", "saveconfig x"] {
        let said = super::rehearse(Painter, command);
        let obeyed = said
            .chars()
            .find(|c| c.is_control() && !"\n\r\t".contains(*c));
        assert_eq!(obeyed, None, "{command}: {said:?}");
    }
    assert!(super::rehearse(Painter, "rv &1").contains("^[[2JM-^["));
}

#[test]
fn output_goes_to_a_file() {
    let scratch = Scratch::new("ntpq-redirect");
    let file = scratch.path("as.txt");
    assert_eq!(recorded(&[&format!("as > {}", file.display())]), "");
    let written = fs::read_to_string(&file).expect("a file");
    assert_eq!(written, include_str!("fixtures/associations.txt"));
    assert_eq!(recorded(&[&format!("as >{}", file.display())]), "");
}
