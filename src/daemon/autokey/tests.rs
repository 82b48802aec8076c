//! Folders made by `ntp-keygen`, read as a daemon reads them.
mod groups;
mod old_names;

use super::{closed_at, leap_file, read};
use crate::keygen::{self, Place};
use crate::persona::ntp_keygen::{Asked, Surroundings, parse};
use crate::service::Remark;
use crate::testing::Scratch;
use std::fs;
use std::path::Path;
use truechimer_config::{NoFiles, Settings};
use truechimer_proto::autokey::status::Scheme;

/// Runs `ntp-keygen` on the machine `host`; what it says on standard output.
pub(crate) fn ntp_keygen(folder: &Path, host: &str, line: &str) -> String {
    ntp_keygen_at(crate::calendar::now_unix_s(), folder, host, line)
}

fn ntp_keygen_at(now_unix_s: i64, folder: &Path, host: &str, line: &str) -> String {
    let words = line.split_whitespace().map(std::ffi::OsString::from);
    let Ok(Asked::Run(options)) = parse(words, &Surroundings::default()) else {
        panic!("{line}");
    };
    let place = Place {
        host: host.to_owned(),
        now_unix_s,
        folder: folder.to_owned(),
        group: None,
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    keygen::run(&options, &place, &mut out, &mut err)
        .unwrap_or_else(|failure| panic!("{line}: {failure}"));
    String::from_utf8(out).expect("text")
}

fn settings(folder: &Path, lines: &str) -> Settings {
    let text = format!("keysdir {}\n{lines}\n", folder.display());
    let parsed = truechimer_config::parse("test", text.as_bytes(), &NoFiles);
    assert!(!parsed.has_errors(), "{}", parsed.render(false));
    parsed.settings
}

/// What a reading says, and what it warns of.
pub(crate) fn attempt(
    folder: &Path,
    host: &str,
    lines: &str,
) -> (Option<super::Reading>, Vec<Remark>) {
    let mut remarks = Vec::new();
    let reading = read(&settings(folder, lines), host, &mut remarks);
    (reading, remarks)
}

fn errors(remarks: &[Remark]) -> Vec<&str> {
    let errors = remarks.iter().filter(|it| it.level == log::Level::Error);
    errors.map(|it| it.text.as_str()).collect()
}

#[test]
fn nothing_is_read_unless_asked_for() {
    let (reading, remarks) = attempt(Path::new("/nonexistent"), "alice", "");
    assert!(reading.is_none() && remarks.is_empty());
}

#[test]
fn a_trusted_host_by_its_links() {
    let scratch = Scratch::new("autokey-tc");
    let folder = scratch.path("");
    ntp_keygen(&folder, "alice", "-T -m 512 -p srvpw");
    let (reading, remarks) = attempt(&folder, "alice", "crypto pw srvpw");
    let reading = reading.unwrap_or_else(|| panic!("{remarks:?}"));
    assert_eq!(reading.facts.name, "alice");
    assert!(reading.facts.certificates[0].trusted);
    assert_eq!(reading.facts.signature_len, 64);
    let text = reading.lines.join("\n");
    let stamp = reading.facts.key_filestamp;
    assert!(
        text.starts_with(&format!("ntpkey_RSAhost_alice.{stamp} mod 512\n")),
        "{text}"
    );
    assert!(text.contains("cert_alice") && text.contains(" 0x1 len "));
    assert!(
        text.ends_with("host alice sha256WithRSAEncryption"),
        "{text}"
    );
    assert!(text.contains("setup 0x29c0001 host"), "{text}");
    let (again, _) = attempt(&folder, "alice", "crypto pw srvpw");
    let again = again.expect("still there");
    assert!(again.facts.generation > reading.facts.generation);
}

#[test]
fn what_is_missing_or_locked_is_named_with_its_remedy() {
    let scratch = Scratch::new("autokey-missing");
    let folder = scratch.path("");
    let (reading, remarks) = attempt(&folder, "alice", "crypto");
    assert!(reading.is_none());
    let told = errors(&remarks)[0];
    assert!(
        told.starts_with("Autokey is off: ") && told.contains("ntpkey_host_alice: not there"),
        "{told}"
    );
    assert!(told.contains("ntp-keygen -H --keysdir "), "{told}");

    ntp_keygen(&folder, "alice", "-T -m 512 -p srvpw");
    let (reading, remarks) = attempt(&folder, "alice", "crypto pw wrong");
    assert!(reading.is_none());
    let told = errors(&remarks)[0];
    assert!(
        told.contains("ntpkey_host_alice: the password does not open it; give the password"),
        "{told}"
    );
    assert!(told.contains("`crypto pw PASSWORD`"), "{told}");
    assert!(!told.contains("not asked"), "{told}");
    for (servers, named) in [
        (3, "10.0.0.1, 10.0.0.2, 10.0.0.3"),
        (5, "10.0.0.3 and 2 more"),
    ] {
        let lines = (1..=servers).map(|it| format!("server 10.0.0.{it} autokey\n"));
        let lines = format!(
            "crypto pw wrong\nserver 192.0.2.1\n{}",
            lines.collect::<String>()
        );
        let (_, remarks) = attempt(&folder, "alice", &lines);
        let told = errors(&remarks)[0];
        assert!(
            told.contains("; not asked without it: 10.0.0.1") && told.ends_with(named),
            "{told}"
        );
    }

    let (reading, remarks) = attempt(&folder, "alice", "crypto pw srvpw digest SHA512");
    assert!(reading.is_some(), "{remarks:?}");
    let (reading, remarks) = attempt(&folder, "alice", "crypto pw srvpw digest NOSUCH");
    assert!(reading.is_none());
    assert!(errors(&remarks)[0].contains("crypto digest NOSUCH: "));
}

#[test]
fn the_default_password_is_the_machines_name_whole_or_short() {
    let scratch = Scratch::new("autokey-password");
    let folder = scratch.path("");
    ntp_keygen(&folder, "portable", "-T -m 512");
    let (reading, remarks) = attempt(&folder, "portable.archi.amt", "crypto");
    assert!(reading.is_some(), "{remarks:?}");
    let (reading, _) = attempt(&folder, "other", "crypto host portable");
    assert!(reading.is_none(), "another machine's password");
}

#[test]
fn a_group_on_both_sides_as_the_guide_has_it() {
    let (server, client) = (Scratch::new("autokey-gr1-s"), Scratch::new("autokey-gr1-c"));
    let (at_server, at_client) = (server.path(""), client.path(""));
    ntp_keygen(&at_server, "portable", "-m 512 -p private -T -I -i GR1");
    ntp_keygen(&at_client, "fixe", "-m 512 -H -p client");
    let exported = ntp_keygen(&at_server, "portable", "-m 512 -i GR1 -p private -e");
    let (reading, remarks) = attempt(&at_server, "portable", "crypto pw private ident GR1");
    let reading = reading.unwrap_or_else(|| panic!("{remarks:?}"));
    assert_eq!(
        reading.facts.schemes.keys().collect::<Vec<_>>(),
        [&Scheme::Iff]
    );
    assert_eq!(reading.group, None, "it proves its group, and asks nobody");
    assert_eq!(errors(&remarks), [""; 0], "a server of the group has none");
    assert!(reading.lines.iter().any(|it| it.contains("IFFkey_GR1")));
    let lines = "crypto pw client ident GR1\nserver 192.0.2.1 iburst autokey";
    let (reading, remarks) = attempt(&at_client, "fixe", lines);
    let reading = reading.unwrap_or_else(|| panic!("{remarks:?}"));
    assert_eq!(
        reading.group.as_deref(),
        Some("GR1"),
        "nobody is believed before its parameters are here"
    );
    assert!(errors(&remarks)[0].contains("no parameters of the group GR1"));

    fs::write(at_client.join("ntpkey_iffpar_GR1"), exported).expect("written");
    let (reading, remarks) = attempt(&at_client, "fixe", lines);
    let reading = reading.unwrap_or_else(|| panic!("{remarks:?}"));
    assert_eq!(reading.group.as_deref(), Some("GR1"));
    let name = ("GR1".to_owned(), Scheme::Iff);
    assert!(reading.facts.parameters.contains_key(&name));
    assert!(reading.facts.schemes.is_empty(), "a client proves nothing");
}

#[test]
fn a_group_without_parameters_is_told_with_the_commands_for_both_sides() {
    let scratch = Scratch::new("autokey-noparams");
    let folder = scratch.path("");
    ntp_keygen(&folder, "bob", "-m 512");
    let lines = "crypto\nserver 192.0.2.1 autokey ident GR2";
    let (reading, remarks) = attempt(&folder, "bob", lines);
    assert!(reading.is_some());
    let told = errors(&remarks)[0];
    assert!(
        told.contains("no parameters of the group GR2")
            && told.contains("ntp-keygen -e -i GR2 >FILE"),
        "{told}"
    );
}

#[test]
fn files_that_old_words_name() {
    let scratch = Scratch::new("autokey-legacy");
    let folder = scratch.path("");
    ntp_keygen(&folder, "bob", "-m 512 -T -I -i GR1");
    let own = fs::read_link(folder.join("ntpkey_cert_bob")).expect("a link");
    fs::rename(folder.join(&own), folder.join("mine.pem")).expect("there");
    fs::remove_file(folder.join("ntpkey_cert_bob")).expect("there");
    let (reading, _) = attempt(&folder, "bob", "crypto");
    assert!(reading.is_none(), "no link");
    let (reading, remarks) = attempt(&folder, "bob", "crypto cert mine.pem");
    assert!(reading.is_some(), "{remarks:?}");
}

#[test]
fn secrets_that_others_can_read_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("autokey-readable");
    let folder = scratch.path("");
    ntp_keygen(&folder, "alice", "-m 512 -P -I -i GR1");
    let warnings = || {
        let (reading, remarks) = attempt(&folder, "alice", "crypto ident GR1");
        assert!(reading.is_some(), "{remarks:?}");
        let told = remarks.into_iter().map(|it| it.text);
        told.filter(|it| it.contains("chmod 0640")).collect()
    };
    assert_eq!(warnings(), [""; 0]);
    for link in [
        "ntpkey_host_alice",
        "ntpkey_iffkey_GR1",
        "ntpkey_cert_alice",
    ] {
        let permit = |mode| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(folder.join(link), mode).expect("ours");
        };
        permit(0o644);
        let told: Vec<String> = warnings();
        assert!(told.len() == 1 && told[0].contains(link), "{told:?}");
        permit(0o640);
    }
}

#[test]
fn leap_seconds_as_before_leapfile() {
    let scratch = Scratch::new("autokey-leap");
    let folder = scratch.path("");
    let of = |lines: &str| leap_file(&settings(&folder, lines).autokey);
    assert_eq!(of("crypto"), None);
    fs::write(folder.join("ntpkey_leap"), "").expect("written");
    assert_eq!(of("crypto"), Some(folder.join("ntpkey_leap")));
    assert_eq!(of("crypto leap other"), Some(folder.join("other")));
    assert_eq!(of(""), None, "Autokey is off");
}

#[test]
fn public_addresses_are_closed_unless_the_operator_insists() {
    let own = ["10.77.0.1", "9.9.9.9", "2a00::1"].map(|it| it.parse().expect("an address"));
    let of = |lines: &str| closed_at(&own, &settings(Path::new("/k"), lines).autokey);
    let told = of("crypto").expect("two of them");
    assert!(told.contains(" at 9.9.9.9 and 1 more, "), "{told}");
    assert_eq!(of("crypto insecure"), None);
    assert_eq!(of(""), None);
    assert_eq!(
        closed_at(&own[..1], &settings(Path::new("/k"), "crypto").autokey),
        None
    );
}

#[test]
fn parameters_that_cannot_be_read_leave_the_group_to_be_proven() {
    let scratch = Scratch::new("autokey-faulty");
    let folder = scratch.path("");
    ntp_keygen(&folder, "bob", "-m 512");
    let lines = "crypto ident GR1\nserver 192.0.2.1 autokey";
    let read = || attempt(&folder, "bob", lines);
    let (reading, remarks) = read();
    assert_eq!(reading.expect("keys").group.as_deref(), Some("GR1"));
    assert!(errors(&remarks)[0].contains("no parameters of the group GR1"));
    fs::write(folder.join("ntpkey_iffpar_GR1"), "damaged").expect("written");
    let (reading, remarks) = read();
    assert_eq!(reading.expect("keys").group.as_deref(), Some("GR1"));
    assert!(errors(&remarks)[0].contains("ntpkey_iffpar_GR1"));

    // They were there, and are gone at a reload, beside a key that proves the group to others.
    ntp_keygen(&folder, "bob", "-m 512 -I -i GR1");
    let before = read().0.expect("keys").host();
    fs::remove_file(folder.join("ntpkey_iffpar_GR1")).expect("there");
    assert_eq!(read().0.expect("keys").group, None);
    let mut after = read().0.expect("keys").host();
    let said = settings(&folder, lines).autokey;
    assert!(after.remember_group(&before, &said));
    assert_eq!(after.group.as_deref(), Some("GR1"));
    let said = settings(&folder, "crypto").autokey;
    let mut forgiven = read().0.expect("keys").host();
    assert!(!forgiven.remember_group(&before, &said), "taken out");
}

#[test]
fn a_file_that_was_mended_in_place_is_another_reading() {
    let scratch = Scratch::new("autokey-mended");
    let folder = scratch.path("");
    ntp_keygen(&folder, "alice", "-m 512 -T -I -p one");
    let host = || {
        let (reading, remarks) = attempt(&folder, "alice", "crypto pw one");
        reading.unwrap_or_else(|| panic!("{remarks:?}")).host()
    };
    let before = host();
    assert!(before.is_like(&host()), "nothing changed");
    let link = folder.join("ntpkey_iffkey_alice");
    let text = fs::read_to_string(&link).expect("a key");
    let other = Scratch::new("autokey-mended-other");
    ntp_keygen(&other.path(""), "alice", "-m 512 -T -I -p one");
    let stranger = fs::read_to_string(other.path("ntpkey_iffkey_alice")).expect("a key");
    let heading: String = text.split_inclusive('\n').take(3).collect();
    let body: String = stranger.split_inclusive('\n').skip(3).collect();
    fs::write(&link, heading + &body).expect("written");
    let after = host();
    assert_eq!(before.facts.schemes, after.facts.schemes, "the same stamp");
    assert!(!before.is_like(&after));
}

/// A private certificate goes to every host of its group, often by mail.
#[test]
fn a_private_certificate_that_a_mail_quoted() {
    let scratch = Scratch::new("autokey-pc-mail");
    let folder = scratch.path("");
    ntp_keygen(&folder, "alice", "-m 512 -P -p p");
    let read = || attempt(&folder, "alice", "crypto pw p");
    let (whole, remarks) = read();
    let whole = whole.unwrap_or_else(|| panic!("{remarks:?}")).facts;
    assert!(whole.certificates[0].private);
    let link = folder.join("ntpkey_cert_alice");
    let text = fs::read_to_string(&link).expect("a certificate");
    let quoted: String = text.lines().map(|line| format!("> {line}\r\n")).collect();
    fs::write(
        &link,
        format!("> On Sunday alice wrote:\r\n>\r\n{quoted}-- \r\nalice\r\n"),
    )
    .expect("written");
    let (damaged, remarks) = read();
    let damaged = damaged.unwrap_or_else(|| panic!("{remarks:?}")).facts;
    assert_eq!(damaged.certificates[0].der, whole.certificates[0].der);
    assert!(damaged.certificates[0].private);
    assert_eq!(
        damaged.certificates[0].filestamp,
        whole.certificates[0].filestamp
    );
}
