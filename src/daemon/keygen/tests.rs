//! The recipes of the seeds, literally, in a folder of the test.
mod schemes;

use super::*;
use crate::persona::ntp_keygen::{Asked, Surroundings, parse};
use crate::testing::Scratch;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use truechimer_crypto::PrivateKey;
use truechimer_crypto::identity::{IffKey, IffParameters};
use truechimer_crypto::keyfile::KeyText;

/// 2009-11-22T17:49:00Z, the day of the seed.
const SEED_UNIX_S: i64 = 1_258_912_140;
const SEED_STAMP: &str = "3467900940";

struct Bench {
    scratch: Scratch,
    host: &'static str,
    now_unix_s: i64,
    /// The daemon's.
    group: Option<u32>,
}

struct Made {
    out: String,
    err: String,
}

impl Bench {
    fn new(name: &str, host: &'static str) -> Self {
        Self {
            scratch: Scratch::new(&format!("keygen-{name}")),
            host,
            now_unix_s: SEED_UNIX_S,
            group: None,
        }
    }

    fn attempt(&self, line: &str) -> Result<Made, String> {
        let words = line.split_whitespace().map(std::ffi::OsString::from);
        let Ok(Asked::Run(options)) = parse(words, &Surroundings::default()) else {
            panic!("{line}");
        };
        let place = Place {
            host: self.host.to_owned(),
            now_unix_s: self.now_unix_s,
            folder: self.scratch.path(""),
            group: self.group,
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let outcome = run(&options, &place, &mut out, &mut err);
        let text = |octets| String::from_utf8(octets).expect("text");
        outcome
            .map(|()| Made {
                out: text(out),
                err: text(err),
            })
            .map_err(|failure| failure.to_string())
    }

    fn make(&self, line: &str) -> Made {
        self.attempt(line)
            .unwrap_or_else(|failure| panic!("{line}: {failure}"))
    }

    fn target(&self, link: &str) -> String {
        let target = fs::read_link(self.scratch.path(link));
        target
            .unwrap_or_else(|_| panic!("no link {link}"))
            .display()
            .to_string()
    }

    fn text(&self, name: &str) -> KeyText {
        KeyText::parse(&fs::read(self.scratch.path(name)).expect(name)).expect(name)
    }

    fn certificate(&self) -> Certificate {
        Certificate::read(&self.text(&format!("ntpkey_cert_{}", self.host))).expect("read")
    }

    fn names(&self) -> Vec<String> {
        let folder = fs::read_dir(self.scratch.path("")).expect("the folder");
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<String> = folder.map(|entry| name(entry.expect("entry"))).collect();
        names.sort();
        names
    }
}

/// Small numbers: their strength is not what is tested.
const SMALL: &str = "-m 1024 -b 512";

fn lines<'a>(made: &'a Made, but: &str) -> Vec<&'a str> {
    made.err
        .lines()
        .filter(|line| !line.starts_with(but))
        .collect()
}

#[test]
fn seed_000_on_the_server_and_its_export() {
    let bench = Bench::new("seed-000", "portable.archi.amt");
    let made = bench.make("-p private -T -I -i GR1");
    let stamp = SEED_STAMP;
    assert_eq!(
        lines(&made, "Using OpenSSL version"),
        [
            "Using host portable.archi.amt group GR1",
            "Generating RSA keys (2048 bits)...",
            "Generating new host file and link",
            &format!("ntpkey_host_portable.archi.amt->ntpkey_RSAhost_portable.archi.amt.{stamp}"),
            "Using host key as sign key",
            "Generating IFF keys (2048 bits)...",
            "Confirm g^(q - b) g^b = 1 mod p: yes",
            "Confirm g^k = g^(k + b r) g^(q - b) r: yes",
            "Generating new iffkey file and link",
            &format!("ntpkey_iffkey_GR1->ntpkey_IFFkey_GR1.{stamp}"),
            &format!("ntpkey_iffkey_portable.archi.amt->ntpkey_IFFkey_GR1.{stamp}"),
            "Generating new certificate portable.archi.amt@GR1 RSA-SHA256",
            "X509v3 Basic Constraints: critical,CA:TRUE",
            "X509v3 Key Usage: digitalSignature,keyCertSign",
            "X509v3 Extended Key Usage: trustRoot",
            "Generating new cert file and link",
            &format!(
                "ntpkey_cert_portable.archi.amt->ntpkey_RSA-SHA256cert_portable.archi.amt.{stamp}"
            ),
        ]
    );
    let key = bench.text("ntpkey_iffkey_GR1");
    assert!(IffKey::read(&key, Some(b"private")).is_ok_and(|key| !key.was_mended()));
    assert!(
        PrivateKey::read(
            &bench.text("ntpkey_host_portable.archi.amt"),
            Some(b"private")
        )
        .is_ok()
    );
    assert_eq!(bench.certificate().standing(), Standing::Trusted);
    for name in [
        format!("ntpkey_IFFkey_GR1.{stamp}"),
        bench.target("ntpkey_host_portable.archi.amt"),
    ] {
        let mode = fs::metadata(bench.scratch.path(&name))
            .expect("made")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let text = fs::read_to_string(bench.scratch.path("ntpkey_iffkey_GR1")).expect("made");
    let head = format!("# ntpkey_IFFkey_GR1.{stamp}\n# Sun Nov 22 17:49:00 2009\n\n-----BEGIN DSA");
    assert!(text.starts_with(&head), "{text}");
}

#[test]
fn seed_000_exports_parameters_without_the_secret() {
    let bench = Bench::new("seed-000-export", "portable.archi.amt");
    bench.make(&format!("-p private -T -I -i GR1 {SMALL}"));
    let stamp = SEED_STAMP;
    let before = bench.names();
    let exported = bench.make("-q client -p private -e");
    assert_eq!(bench.names(), before, "an export writes nothing");
    for line in [
        "Using host portable.archi.amt group GR1",
        &format!("Using host key ntpkey_RSAhost_portable.archi.amt.{stamp}"),
        &format!("Using IFF keys ntpkey_IFFkey_GR1.{stamp}"),
        &format!("Writing IFF parameters ntpkey_iffpar_GR1.{stamp} to stdout"),
        "note: the server's IFF key is not written",
    ] {
        assert!(exported.err.contains(line), "{line}: {}", exported.err);
    }
    assert!(
        exported
            .out
            .starts_with(&format!("# ntpkey_iffpar_GR1.{stamp}\n"))
    );
    let text = KeyText::parse(exported.out.as_bytes()).expect("PEM");
    assert!(!text.is_encrypted() && IffParameters::read(&text).is_ok());
    assert!(
        IffKey::read(&text, Some(b"client")).is_err(),
        "the secret is in the export"
    );
}

#[test]
fn seed_000_on_the_client_and_a_year_later() {
    let mut bench = Bench::new("seed-000-client", "serveur.archi.amt");
    bench.make(&format!("-H -p client {SMALL}"));
    let first = bench.target("ntpkey_host_serveur.archi.amt");
    assert_eq!(
        bench.certificate().name().as_deref(),
        Some("serveur.archi.amt")
    );
    assert_eq!(bench.certificate().standing(), Standing::Plain);
    // The parameters of a group arrive: a certificate without it would not be answered.
    let parameters = include_str!("../../crypto/fixtures/autokey/iffpar-traditional");
    fs::write(bench.scratch.path("ntpkey_iffpar_GR1"), parameters).expect("written");
    bench.now_unix_s += 365 * 86_400;
    let renewed = bench.make("-p client");
    assert!(
        renewed.err.contains("run again with -i GR1"),
        "{}",
        renewed.err
    );
    assert_eq!(
        bench.target("ntpkey_host_serveur.archi.amt"),
        first,
        "the host key stays"
    );
    let forced = bench.make(&format!("-H -p client -i GR1 {SMALL}"));
    assert!(!forced.err.contains("run again"), "{}", forced.err);
    assert!(!forced.err.contains("-T is for"), "{}", forced.err);
    assert_ne!(bench.target("ntpkey_host_serveur.archi.amt"), first);
    assert!(bench.names().contains(&first), "the old key is kept");
    assert_eq!(
        bench.certificate().name().as_deref(),
        Some("serveur.archi.amt@GR1")
    );
    let trusted = bench.make("-T -p client");
    assert!(
        trusted
            .err
            .contains("note: -T is for the source of a group"),
        "{}",
        trusted.err
    );
}

#[test]
fn seed_002_server_export_update_and_client() {
    let mut bench = Bench::new("seed-002", "server");
    bench.make(&format!("-T -I -p serverpassword {SMALL}"));
    let key = bench.target("ntpkey_iffkey_server");
    let exported = bench.make("-e -p serverpassword");
    assert!(
        exported.out.starts_with("# ntpkey_iffpar_server."),
        "{}",
        exported.out
    );
    bench.now_unix_s += 30 * 86_400;
    let updated = bench.make("-T -q serverpassword");
    assert!(
        updated
            .err
            .contains("-q without -p is taken as the local password")
    );
    assert!(updated.out.is_empty(), "{}", updated.out);
    assert_eq!(bench.target("ntpkey_iffkey_server"), key);
    assert_eq!(bench.certificate().standing(), Standing::Trusted);
    let (from, until) = bench.certificate().validity_unix_s().expect("dates");
    assert_eq!(
        (from, until),
        (bench.now_unix_s, bench.now_unix_s + 365 * 86_400)
    );
    let client = Bench::new("seed-002-client", "client");
    client.make(&format!("-H -p clientpassword {SMALL}"));
    client.make("-q clientpassword");
    assert_eq!(client.certificate().standing(), Standing::Plain);
}

/// Where the daemon has a group, secrets are its to read and nobody else's.
#[test]
fn secrets_are_the_daemons_to_read() {
    use std::os::unix::fs::MetadataExt;
    let mut bench = Bench::new("group", "alice");
    // Whoever is no root may give files to groups of his own alone.
    let group = match nix::unistd::geteuid().is_root() {
        true => nix::unistd::getegid().as_raw() + 4711,
        false => nix::unistd::getegid().as_raw(),
    };
    for (given, mode) in [(None, 0o600), (Some(group), 0o640)] {
        bench.group = given;
        bench.make("-m 512 -T -H -I -i GR1 -p secret");
        for link in ["ntpkey_host_alice", "ntpkey_iffkey_GR1"] {
            let file = fs::metadata(bench.scratch.path(link)).expect(link);
            assert_eq!(file.mode() & 0o7777, mode, "{link}");
            if let Some(group) = given {
                assert_eq!(file.gid(), group, "{link}");
            }
        }
        let certificate = fs::metadata(bench.scratch.path("ntpkey_cert_alice"));
        assert_eq!(certificate.expect("there").mode() & 0o7777, 0o644);
        bench.now_unix_s += 60;
    }
}
