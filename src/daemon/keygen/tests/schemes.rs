//! What stays, what is refused, and the other kinds of keys.
use super::*;
use truechimer_crypto::identity::{GqParameters, MvKey, MvParameters};

#[test]
fn scheme_group_and_trust_stay_until_something_else_is_said() {
    let mut bench = Bench::new("sticky", "alice");
    bench.make(&format!("-T -i grp -c RSA-SHA1 {SMALL}"));
    let renew = |bench: &mut Bench, line: &str| {
        bench.now_unix_s += 60;
        bench.make(line);
        let certificate = bench.certificate();
        let scheme = certificate.scheme().expect("known").to_string();
        (
            certificate.name().expect("a name"),
            scheme,
            certificate.standing(),
        )
    };
    let expected =
        |name: &str, scheme: &str| (name.to_owned(), scheme.to_owned(), Standing::Trusted);
    assert_eq!(renew(&mut bench, ""), expected("alice@grp", "RSA-SHA1"));
    assert_eq!(
        renew(&mut bench, "-c RSA-SHA512"),
        expected("alice@grp", "RSA-SHA512")
    );
    assert_eq!(renew(&mut bench, ""), expected("alice@grp", "RSA-SHA512"));
    assert_eq!(
        renew(&mut bench, "-S DSA -m 1024"),
        expected("alice@grp", "DSA-SHA256")
    );
    assert_eq!(
        renew(&mut bench, "-i alice"),
        expected("alice", "DSA-SHA256")
    );
    assert_eq!(
        renew(&mut bench, "-S RSA -s alice@b -m 1024"),
        expected("alice@b", "RSA-SHA256")
    );
    let mismatch = bench.attempt("-c DSA-SHA1").err().expect("an RSA sign key");
    assert!(mismatch.contains("add -S DSA"), "{mismatch}");
}

#[test]
fn the_table_of_openvms() {
    let bench = Bench::new("vms", "alice");
    let made = bench.make(&format!("-T -G -d {SMALL} -p pw -r alice -c RSA-SHA"));
    for line in [
        "Confirm u^b (u^-1)^b = 1 mod n: yes",
        "Confirm g^k = v^r y^b mod n: yes",
        "X509v3 Subject Key Identifier",
        "note: -r is not needed any more",
        "new certificate alice RSA-SHA1",
        "Signature Algorithm: sha1WithRSAEncryption",
    ] {
        assert!(made.err.contains(line), "{line}: {}", made.err);
    }
    let first = bench.certificate().gq_public().expect("a value");
    bench.make("-g -p pw");
    assert_ne!(bench.certificate().gq_public().expect("a value"), first);
    let exported = bench.make("-e -p pw");
    assert!(GqParameters::read(&KeyText::parse(exported.out.as_bytes()).expect("PEM")).is_ok());

    let swapped = Bench::new("vms-names", "ignored");
    let made = swapped.make(&format!("--vms -i bob -s alice -I -V 3 {SMALL}"));
    for told in [
        "-i names the host",
        "2048 bits, not 512",
        "not RSA-MD5",
        "not DES",
    ] {
        assert!(made.err.contains(told), "{told}: {}", made.err);
    }
    let kept = swapped.make("--vms -i bob -s alice -v 2");
    assert!(kept.err.contains("have their keys already"), "{}", kept.err);
    assert!(!kept.err.contains("Revoke key"), "{}", kept.err);
    assert!(
        swapped.names().contains(&"ntpkey_host_bob".to_owned()),
        "{:?}",
        swapped.names()
    );
    assert!(
        swapped
            .target("ntpkey_iffkey_alice")
            .starts_with("ntpkey_IFFkey_alice.")
    );
}

/// The reference takes OpenSSL's names of digests and signatures for `-c`.
#[test]
fn a_digest_alone_goes_with_the_sign_key() {
    let bench = Bench::new("digests", "alice");
    let scheme = |line: &str| {
        bench.make(&format!("--fresh -m 1024 {line}"));
        bench.certificate().scheme().expect("known").to_string()
    };
    assert_eq!(scheme("-S DSA -c SHA1"), "DSA-SHA1");
    assert_eq!(scheme("-c SHA256"), "RSA-SHA256");
    assert_eq!(scheme("-c sha512WithRSAEncryption"), "RSA-SHA512");
    let none = bench.attempt("--fresh -m 1024 -S DSA -c SHA512");
    let why = none.err().expect("DSA has none such");
    assert!(why.contains("combination DSA-SHA512"), "{why}");
}

#[test]
fn sizes_without_effect_are_told() {
    let bench = Bench::new("sizes", "alice");
    let made = bench.make("-T -I -m 1024 -b 512");
    assert!(!made.err.contains("new keys only"), "{}", made.err);
    let kept = bench.make("-m 2048 -b 1024");
    for told in [
        "the host key stays; for a new one add -H",
        "add -I, -G or -V",
    ] {
        assert!(kept.err.contains(told), "{told}: {}", kept.err);
    }
}

/// `-I -l FILE`: the group's file is linked, and nothing is made.
#[test]
fn parameters_of_openvms_are_linked() {
    let alice = Bench::new("vms-iff-alice", "alice");
    alice.make(&format!("-T -I -p pw {SMALL}"));
    let file = alice.scratch.path("tcpip$ntpkey_IFFpar_alice.1");
    fs::write(&file, alice.make("-e -p pw").out).expect("written");
    let bob = Bench::new("vms-iff-bob", "bob");
    let linked = bob.make(&format!("-I -p password -l {}", file.display()));
    assert!(linked.err.contains("as on OpenVMS"), "{}", linked.err);
    let made = format!("ntpkey_iffpar_alice.{SEED_STAMP}");
    assert_eq!(bob.names(), ["ntpkey_iffpar_alice", &made]);
    assert_eq!(bob.target("ntpkey_iffpar_alice"), made);
}

/// "Copy both files to all group hosts. On each host bob use the -l option."
#[test]
fn the_private_certificate_of_openvms_is_linked_for_its_hosts() {
    let alice = Bench::new("vms-pc-alice", "alice");
    alice.make(&format!("-P -p password {SMALL}"));
    let bob = Bench::new("vms-pc-bob", "bob");
    for (link, own) in [
        ("ntpkey_host_alice", "ntpkey_host_bob"),
        ("ntpkey_cert_alice", "ntpkey_cert_bob"),
    ] {
        let file = alice.scratch.path(&alice.target(link));
        let linked = bob.make(&format!("-P -p password -l {}", file.display()));
        assert!(linked.err.contains("as on OpenVMS"), "{}", linked.err);
        assert!(!linked.err.contains("password does not"), "{}", linked.err);
        assert_eq!(bob.target(own), alice.target(link));
    }
    assert_eq!(bob.certificate().standing(), Standing::Private);
}

#[test]
fn mv_keys_are_made_handed_out_and_revoked() {
    let bench = Bench::new("mv", "trish");
    let made = bench.make(&format!("-T -V 4 -i grp -p pw {SMALL}"));
    assert!(made.err.contains("Revoke key 4"), "{}", made.err);
    let client = |number: u32| {
        let exported = bench.make(&format!("-e --client {number} -p pw"));
        MvParameters::read(&KeyText::parse(exported.out.as_bytes()).expect("PEM")).expect("read")
    };
    let (first, second) = (client(1), client(2));
    let server = || MvKey::read(&bench.text("ntpkey_mvkey_grp"), Some(b"pw")).expect("read");
    let stamp = bench.text("ntpkey_mvkey_grp").filestamp();
    assert!(server().admits(&second).expect("arithmetic"));
    let revoked = bench.make("-v 2 -p pw");
    assert!(
        revoked.err.contains("Keys in force: 1 3"),
        "{}",
        revoked.err
    );
    assert!(server().admits(&first).expect("arithmetic"));
    assert!(!server().admits(&second).expect("arithmetic"));
    assert_eq!(
        bench.text("ntpkey_mvkey_grp").filestamp(),
        stamp,
        "clients compare it"
    );
    assert!(
        bench
            .attempt("-e --client 2 -p pw")
            .is_err_and(|why| why.contains("revoked"))
    );
    let other = bench.make("-p pw -q other");
    let text = KeyText::parse(other.out.as_bytes()).expect("PEM");
    assert!(MvKey::read(&text, Some(b"other")).is_ok());
}

#[test]
fn a_run_that_fails_writes_nothing() {
    let bench = Bench::new("fails", "alice");
    bench.make(&format!("-T -p right {SMALL}"));
    let before = bench.names();
    for (line, why) in [
        ("-I -b 512 -p wrong", "the password does not open it"),
        ("-I -b 512 -p right -T -P", "exclude each other"),
        (
            "-I -b 512 -H -m 512 -p right -c RSA-SHA512",
            "no RSA-SHA512 certificate with a key of 512",
        ),
        ("-I -b 512 -p file:/nowhere", "No such file"),
    ] {
        let failure = bench
            .attempt(line)
            .err()
            .unwrap_or_else(|| panic!("{line} succeeded"));
        assert!(failure.contains(why), "{line}: {failure}");
        assert_eq!(bench.names(), before, "{line}");
    }
}

#[test]
fn symmetric_keys_and_what_was_there_before() {
    let bench = Bench::new("symmetric", "host.lab");
    fs::write(bench.scratch.path("ntp.keys"), "1 M old\n").expect("written");
    let made = bench.make("-M --charset safe");
    let file = format!("ntpkey_MD5key_host.lab.{SEED_STAMP}");
    assert!(
        made.err.contains(&format!("ntp.keys->{file}")),
        "{}",
        made.err
    );
    assert_eq!(bench.target("ntp.keys"), file);
    let (keys, complaints) = keys::parse(&fs::read(bench.scratch.path("ntp.keys")).expect("read"));
    assert_eq!((keys.len(), complaints.len()), (30, 0));
    let old = bench.scratch.path(&format!("ntp.keys.before-{SEED_STAMP}"));
    assert_eq!(fs::read_to_string(old).expect("kept"), "1 M old\n");
}

#[test]
fn private_certificates_and_a_fresh_start() {
    let bench = Bench::new("private", "alice");
    bench.make(&format!("-P {SMALL}"));
    assert_eq!(bench.certificate().standing(), Standing::Private);
    let file = bench.scratch.path(&bench.target("ntpkey_cert_alice"));
    assert_eq!(
        fs::metadata(file).expect("made").permissions().mode() & 0o777,
        0o600
    );
    let host = bench.target("ntpkey_host_alice");
    bench.make(&format!("--fresh -T {SMALL}"));
    assert_eq!(bench.certificate().standing(), Standing::Trusted);
    assert_ne!(bench.target("ntpkey_host_alice"), host);
    let aside = bench
        .names()
        .into_iter()
        .find(|name| name.starts_with("ntpkeys-before-"));
    let aside = bench.scratch.path(&aside.expect("moved aside"));
    assert!(aside.join(host).exists());
}
