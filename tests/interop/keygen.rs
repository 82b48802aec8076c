//! ntp-keygen beside the reference's: keys made here in ntpd 4.2.8p15, its keys read here.

use std::path::Path;
use std::process::Command;
use truechimer_tests::support::command::{Finished, finish, words};
use truechimer_tests::support::keygen::{self, folder, keys_command};
use truechimer_tests::support::{Host, Side, World};

/// Our ntp-keygen, which must succeed.
fn made(host: Host<'_>, line: &str) -> Finished {
    keygen::made(Side::Ours, host, line)
}

/// The reference's in the same folder.
fn theirs(host: Host<'_>, line: &str) -> Finished {
    keygen::run(Side::Ntp4, host, line)
}

fn openssl(folder: &Path, line: &str) -> Finished {
    let mut command: Command = words(&format!("openssl {line}"));
    command.current_dir(folder);
    finish(command)
}

#[test]
fn openssl_parses_what_we_write() {
    let world = World::new(1);
    let host = world.host(1);
    made(host, "-p private -T -I -G -V 3 -i GR1 -b 512 -S RSA");
    let keys = folder(host);
    let dates = openssl(
        &keys,
        "x509 -noout -startdate -enddate -in ntpkey_cert_host1",
    );
    assert!(dates.text.contains("notAfter="), "{}", dates.text);
    let shown = openssl(&keys, "x509 -noout -text -in ntpkey_cert_host1");
    for part in [
        "Version: 3 (0x2)",
        "CN = host1@GR1",
        "CA:TRUE",
        "Digital Signature, Certificate Sign",
        "Trust Root",
        "X509v3 Subject Key Identifier",
        "sha256WithRSAEncryption",
    ] {
        assert!(shown.text.contains(part), "{part}: {}", shown.text);
    }
    for link in ["host_host1", "sign_host1"] {
        let parsed = openssl(
            &keys,
            &format!("rsa -in ntpkey_{link} -passin pass:private -noout -check"),
        );
        assert_eq!(parsed.code, Some(0), "{link}: {}", parsed.text);
    }
    for link in ["iffkey_GR1", "mvkey_GR1"] {
        let parsed = openssl(
            &keys,
            &format!("dsa -in ntpkey_{link} -passin pass:private -noout -text"),
        );
        assert!(parsed.text.contains("pub:"), "{link}: {}", parsed.text);
    }
}

#[test]
fn the_reference_generator_works_on_with_our_keys() {
    let world = World::new(1);
    let host = world.host(1);
    made(host, "-p private -T -I -i GR1 -m 1024");
    made(host, "-p private -G");
    let exported = theirs(host, "-p private -e");
    assert_eq!(exported.code, Some(0), "{}", exported.text);
    for line in [
        "Using host key ntpkey_RSAhost_host1.",
        "Using IFF keys ntpkey_IFFkey_GR1.",
        "Using GQ parameters ntpkey_GQkey_GR1.",
        "Writing IFF parameters",
        // Scheme, group and trust are taken from our certificate.
        "Generating new certificate host1@GR1 RSA-SHA256",
        "trustRoot",
    ] {
        assert!(exported.text.contains(line), "{line}: {}", exported.text);
    }
}

#[test]
fn keys_of_the_reference_are_used_on_and_doctored() {
    let world = World::new(1);
    let host = world.host(1);
    let made_there = theirs(host, "-p private -T -I -i GR1");
    assert_eq!(made_there.code, Some(0), "{}", made_there.text);
    let renewed = made(host, "-p private");
    assert!(
        renewed.text.contains("new certificate host1@GR1 RSA-MD5"),
        "{}",
        renewed.text
    );
    assert!(renewed.text.contains("trustRoot"), "{}", renewed.text);

    let ill = keys_command(host, "doctor . -p private");
    assert_eq!(ill.code, Some(1), "{}", ill.text);
    for what in [
        "ntpkey_iffkey_GR1: missing",
        "public value was lost",
        "mode 0640",
    ] {
        assert!(ill.text.contains(what), "{what}: {}", ill.text);
    }
    let mended = keys_command(host, "doctor . -p private --repair");
    assert_eq!(mended.code, Some(0), "{}", mended.text);
    let well = keys_command(host, "doctor . -p private");
    assert!(well.text.contains("all is well"), "{}", well.text);
    let exported = made(host, "-e -p private -i GR1");
    assert!(
        exported.stdout.starts_with("# ntpkey_iffpar_GR1."),
        "{}",
        exported.stdout
    );
    let wrong = keys_command(host, "doctor . -p wrong");
    assert!(
        wrong.text.contains("the password does not open it"),
        "{}",
        wrong.text
    );
}
