mod schemes;

use super::doctor::{Patient, Repair, examine};
use super::import::{Wish, import};
use super::*;
use crate::keygen::{Options, run};
use crate::testing::Scratch;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use truechimer_crypto::identity::{IffKey, IffParameters};
use truechimer_crypto::keyfile::KeyText;

const NOW_UNIX_S: i64 = 1_795_000_000;

struct Ward {
    scratch: Scratch,
    folder: KeyFolder,
    passwords: Passwords,
    now_unix_s: i64,
}

impl Ward {
    fn new(name: &str, password: &str) -> Self {
        let scratch = Scratch::new(&format!("keys-{name}"));
        let folder = KeyFolder {
            path: scratch.path(""),
            group: None,
        };
        let passwords = Passwords::given(password.to_owned());
        Self {
            scratch,
            folder,
            passwords,
            now_unix_s: NOW_UNIX_S,
        }
    }

    fn patient(&self) -> Patient<'_> {
        Patient {
            folder: &self.folder,
            host: "alice",
            passwords: &self.passwords,
            now_unix_s: self.now_unix_s,
        }
    }

    fn complaints(&self) -> Vec<String> {
        let findings = examine(&self.patient()).expect("readable");
        findings.iter().map(ToString::to_string).collect()
    }

    fn mend(&self) {
        for finding in examine(&self.patient()).expect("readable") {
            if let Some(repair) = finding.repair {
                super::repair::apply(&self.patient(), &repair).expect("mended");
            }
        }
    }

    /// What it writes to standard output.
    fn keygen(&self, flags: &[(&str, Option<&str>)]) -> String {
        let mut options = Options::default();
        let usual = [
            ("modulus", Some("1024")),
            ("imbits", Some("512")),
            ("password", Some("srvpw")),
        ];
        for (name, value) in usual.iter().chain(flags) {
            options.set(name, *value).expect("an option");
        }
        let place = Place {
            host: "alice".to_owned(),
            now_unix_s: self.now_unix_s,
            folder: self.scratch.path(""),
            group: None,
        };
        let mut out = Vec::new();
        run(&options, &place, &mut out, &mut Vec::new()).expect("made");
        String::from_utf8(out).expect("text")
    }

    fn put(&self, name: &str, link: &str, text: &str) {
        fs::write(self.scratch.path(name), text).expect("written");
        fs::set_permissions(self.scratch.path(name), Permissions::from_mode(0o600)).expect("set");
        symlink(name, self.scratch.path(link)).expect("linked");
    }

    fn import(&self, text: &str, also_for: Option<&str>) -> Result<Vec<String>, String> {
        let source = self.scratch.path("mail");
        fs::write(&source, text).expect("written");
        let wish = Wish {
            folder: &self.folder,
            source: &source,
            host: "alice",
            also_for,
            passwords: &self.passwords,
            now_unix_s: self.now_unix_s,
        };
        import(&wish).map_err(|problem| problem.to_string())
    }
}

const LOSSY_KEY: &str = include_str!("../../crypto/fixtures/autokey/iffkey-pkcs8-3des");
const PARAMETERS: &str = include_str!("../../crypto/fixtures/autokey/iffpar-traditional");
const LOST_PARAMETERS: &str = include_str!("../../crypto/fixtures/autokey/iffpar-pkcs8-lost");

#[test]
fn what_keygen_makes_is_well() {
    let ward = Ward::new("well", "srvpw");
    ward.keygen(&[
        ("trusted-cert", None),
        ("iffkey", None),
        ("gq-params", None),
        ("ident", Some("g")),
    ]);
    assert_eq!(ward.complaints(), [""; 0]);
}

#[test]
fn a_lost_public_value_and_a_missing_link_are_mended() {
    let ward = Ward::new("lost", "srvpw");
    ward.put(
        "ntpkey_IFFkey_grp.4004285679",
        "ntpkey_iffkey_alice",
        LOSSY_KEY,
    );
    let lost = LOST_PARAMETERS.replace("alpha.lab.4004532927", "grp.4004285679");
    ward.put("ntpkey_iffpar_grp.4004285679", "ntpkey_iffpar_grp", &lost);
    let ill = ward.complaints().join("\n");
    for what in [
        "error: ntpkey_iffkey_grp: missing",
        "error: ntpkey_iffkey_alice: its public value was lost",
        "error: ntpkey_iffpar_grp: its public value was lost",
        "remedy: truechimer keys doctor --repair",
    ] {
        assert!(ill.contains(what), "{what}: {ill}");
    }
    ward.mend();
    assert_eq!(ward.complaints(), [""; 0]);
    let read = |name: &str| KeyText::parse(&fs::read(ward.scratch.path(name)).expect(name));
    let key = read("ntpkey_iffkey_grp").expect("PEM");
    assert_eq!(key.filestamp(), Some(4_004_285_679), "clients compare it");
    let key = IffKey::read(&key, Some(b"srvpw")).expect("read");
    let client = IffParameters::read(&read("ntpkey_iffpar_grp").expect("PEM")).expect("mended");
    assert_eq!(client.show(), key.parameters().show());
    let good = KeyText::parse(PARAMETERS.as_bytes()).expect("PEM");
    let good = IffParameters::read(&good).expect("the laboratory's");
    assert_eq!(client.show(), good.show());
    let kept = ward.scratch.path(&format!(
        "ntpkey_IFFkey_grp.4004285679.before-{}",
        crate::keygen::ntp_seconds(NOW_UNIX_S)
    ));
    assert_eq!(fs::read_to_string(kept).expect("kept"), LOSSY_KEY);
}

#[test]
fn modes_and_links_that_lead_nowhere() {
    let ward = Ward::new("modes", "srvpw");
    ward.keygen(&[("iffkey", None)]);
    let file = fs::read_link(ward.scratch.path("ntpkey_iffkey_alice")).expect("a link");
    let file = file.display().to_string();
    fs::set_permissions(ward.scratch.path(&file), Permissions::from_mode(0o644)).expect("set");
    fs::remove_file(ward.scratch.path("ntpkey_iffkey_alice")).expect("removed");
    symlink(
        "ntpkey_IFFkey_alice.1",
        ward.scratch.path("ntpkey_iffkey_alice"),
    )
    .expect("linked");
    let findings = examine(&ward.patient()).expect("readable");
    let repairs: Vec<Repair> = findings
        .into_iter()
        .filter_map(|finding| finding.repair)
        .collect();
    assert!(
        repairs.contains(&Repair::Permit(file.clone())),
        "{repairs:?}"
    );
    let link = Repair::Link {
        link: "ntpkey_iffkey_alice".to_owned(),
        file,
    };
    assert!(repairs.contains(&link), "{repairs:?}");
    ward.mend();
    assert_eq!(ward.complaints(), [""; 0]);
}

#[test]
fn passwords_dates_stamps_groups_and_foreign_keys() {
    let mut ward = Ward::new("many", "srvpw");
    ward.keygen(&[("iffkey", None)]);
    ward.import(PARAMETERS, None).expect("taken");
    let ill = ward.complaints().join("\n");
    assert!(
        ill.contains("warning: ntpkey_cert_alice: it names no group"),
        "{ill}"
    );
    assert!(ill.contains("-i grp"), "{ill}");

    ward.now_unix_s += 350 * 86_400;
    assert!(ward.complaints().join("\n").contains("in 15 days"));
    ward.now_unix_s += 30 * 86_400;
    assert!(ward.complaints().join("\n").contains("it expired at 2027-"));
    ward.now_unix_s = NOW_UNIX_S;

    // Another host key than the certificate's, as after a copy of half a folder.
    ward.now_unix_s += 60;
    let certificate = fs::read_link(ward.scratch.path("ntpkey_cert_alice")).expect("a link");
    ward.keygen(&[("host-key", None)]);
    fs::remove_file(ward.scratch.path("ntpkey_cert_alice")).expect("removed");
    symlink(certificate, ward.scratch.path("ntpkey_cert_alice")).expect("linked");
    assert!(
        ward.complaints()
            .join("\n")
            .contains("it is of another key")
    );

    let parameters = PARAMETERS
        .replace("4004285679", "4004285680")
        .replace("_grp.", "_alice.");
    ward.import(&parameters, None).expect("taken");
    let ill = ward.complaints().join("\n");
    assert!(
        ill.contains("ntpkey_iffpar_alice: it is of another server key"),
        "{ill}"
    );

    ward.passwords = Passwords::given("wrong".to_owned());
    let ill = ward.complaints().join("\n");
    assert!(
        ill.contains("ntpkey_host_alice: the password does not open it"),
        "{ill}"
    );
}

#[test]
fn secrets_under_a_harmless_name_and_broken_stamps() {
    let ward = Ward::new("secret", "srvpw");
    let secret = include_str!("../../crypto/fixtures/autokey/iffkey-traditional-plain");
    ward.put("ntpkey_iffpar_g.4004285633", "ntpkey_iffpar_g", secret);
    fs::set_permissions(
        ward.scratch.path("ntpkey_iffpar_g.4004285633"),
        Permissions::from_mode(0o644),
    )
    .expect("set");
    let ill = ward.complaints().join("\n");
    assert!(
        ill.contains("ntpkey_iffpar_g: it holds the server's secret"),
        "{ill}"
    );
    assert!(ill.contains("a secret with mode 0644"), "{ill}");
    ward.put("ntpkey_iffpar_h.7", "ntpkey_iffpar_h", PARAMETERS);
    let nameless = PARAMETERS.split_once("\n\n").expect("a heading").1;
    ward.put("ntpkey_iffpar_n.7", "ntpkey_iffpar_n", nameless);
    let ill = ward.complaints().join("\n");
    assert!(
        ill.contains("ntpkey_iffpar_h: its first line says 4004285679, its name 7"),
        "{ill}"
    );
    assert!(
        ill.contains("ntpkey_iffpar_n: its first line names no file"),
        "{ill}"
    );
}

#[test]
fn import_names_links_and_cleans() {
    let ward = Ward::new("import", "srvpw");
    let mailed: String = PARAMETERS
        .lines()
        .map(|line| format!("> {line} \r\n"))
        .collect();
    let said = ward
        .import(&format!("Hello,\r\n{mailed}-- \r\n"), None)
        .expect("taken");
    let file = "ntpkey_iffpar_grp.4004285679";
    assert_eq!(
        said,
        [file.to_owned(), format!("ntpkey_iffpar_grp->{file}")]
    );
    assert_eq!(
        fs::read_to_string(ward.scratch.path(file)).expect("made"),
        PARAMETERS
    );
    ward.import(PARAMETERS, None).expect("the same again");

    let vms = LOSSY_KEY.replace("ntpkey_IFFkey_grp", "tcpip$ntpkey_IFFpar_grp");
    let said = ward.import(&vms, None).expect("taken");
    let file = "ntpkey_IFFkey_grp.4004285679";
    let expected = [
        format!("ntpkey_iffkey_grp->{file}"),
        format!("ntpkey_iffkey_alice->{file}"),
    ];
    assert_eq!(said[1..], expected);
    let mode = fs::metadata(ward.scratch.path(file))
        .expect("made")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let certificate = include_str!("../../crypto/fixtures/autokey/cert-private");
    let said = ward.import(certificate, Some("bob")).expect("taken");
    assert!(said.contains(&"ntpkey_cert_bob->ntpkey_RSA-MD5cert_alice.4004285386".to_owned()));
}

#[test]
fn import_refuses_what_would_not_work() {
    let ward = Ward::new("refuse", "srvpw");
    let lost = ward.import(LOST_PARAMETERS, None).expect_err("useless");
    assert!(
        lost.contains("public value was lost") && lost.contains("ntp-keygen -e"),
        "{lost}"
    );
    let nameless = PARAMETERS.split_once("\n\n").expect("a heading").1;
    assert!(
        ward.import(nameless, None)
            .expect_err("no stamp")
            .contains("first line")
    );
    assert!(
        ward.import("nothing", None)
            .expect_err("no key")
            .contains("holds no such key")
    );
    assert_eq!(ward.folder.names().expect("readable"), [""; 0]);
    let locked = Ward::new("locked", "other")
        .import(LOSSY_KEY, None)
        .expect("by its name");
    assert!(
        locked[0].contains("the password does not open it"),
        "{locked:?}"
    );
}
