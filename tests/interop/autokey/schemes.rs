//! One server, one client: the identity schemes, and what else two can agree on.

use super::{DANCE, GQ, IFF, MV, PC, Part, STRATUM, certified, dances, grouped, pair, plays};
use std::fs;
use truechimer_tests::support::keygen::{carry, folder, made};
use truechimer_tests::support::wait::seconds;
use truechimer_tests::support::{Node, Side, World};

/// Trusted certificate alone; how keys are made and what both sides' `crypto` says besides.
fn trusted(server: Side, client: Side, make: &str, crypto: &str) -> (u32, u32) {
    let world = World::new(2);
    let (alice, bob) = pair(&world, server, client);
    alice.makes(&format!("-T -p srvpw {make}"));
    bob.makes(&format!("-H -p clipw {make}"));
    let _source = alice.serves(&format!("crypto pw srvpw {crypto}\n"));
    let address = alice.host.v4();
    let mut client = bob.asks(&address, &format!("pw clipw {crypto}"), "");
    dances(&mut client, &address, 0);
    for part in ["assoc ", "cert host1 host1 ", "cook ", "sign host2 host1 "] {
        client.wait_crypto(part, seconds(10));
    }
    let flags = client.flags("&1");
    assert_eq!(flags & (PC | IFF | GQ | MV), 0, "{flags:#x}");
    (flags >> 16, client.rows()[0].stratum.into())
}

fn tc(server: Side, client: Side) {
    let (signature, stratum) = trusted(server, client, "", "");
    // What each generator signs with when it is not told: sha256WithRSA, md5WithRSA.
    let by_default = if server == Side::Ours { 668 } else { 8 };
    assert_eq!((signature, stratum), (by_default, STRATUM.into()));
}

/// The largest that hosts of today agree on.
fn tc_sha256(server: Side, client: Side) {
    let (signature, _) = trusted(server, client, "-m 2048 -c RSA-SHA256", "");
    assert_eq!(signature, 668);
}

/// The MACs, cookies and session keys are made with another digest.
fn tc_digest(server: Side, client: Side) {
    trusted(server, client, "-m 512 -c RSA-MD5", "digest SHA1");
}

/// Ours sign by DSA; whose certificates are so has 803, dsa_with_SHA256, in its flags.
#[test]
fn tc_dsa_sign_keys() {
    let (signature, _) = trusted(Side::Ours, Side::Ours, "-S DSA", "");
    assert_eq!(signature, 803);
}

/// The reference asks a server that signs by DSA, and nothing comes of it.
#[test]
fn a_dsa_sign_key_for_the_references_client() {
    let world = World::new(2);
    let (alice, bob) = pair(&world, Side::Ours, Side::Ntp4);
    alice.makes("-T -p srvpw -S DSA -m 1024 -c DSA-SHA1");
    bob.makes("-H -p clipw");
    let _source = alice.serves("crypto pw srvpw\n");
    let client = bob.asks(&alice.host.v4(), "pw clipw", "");
    std::thread::sleep(seconds(60));
    eprintln!("{}", client.cryptostats());
    super::refused::stays_out(&client);
}

fn tc_ipv6(server: Side, client: Side) {
    let world = World::new(2);
    let (alice, bob) = certified(&world, server, client);
    let _source = alice.serves("crypto pw srvpw\n");
    let address = alice.host.v6();
    let mut client = bob.asks(&address, "pw clipw", "");
    dances(&mut client, &address, 0);
}

/// One certificate and one host key for all.
fn pc(server: Side, client: Side) {
    let world = World::new(2);
    let (alice, bob) = pair(&world, server, client);
    alice.makes("-p grouppw -P");
    for link in ["ntpkey_host_host1", "ntpkey_cert_host1"] {
        let text = fs::read_to_string(folder(alice.host).join(link)).expect("made");
        carry(&text, bob.host, "--for host2 -p grouppw");
    }
    let _source = alice.serves("crypto pw grouppw\n");
    let address = alice.host.v4();
    let mut client = bob.asks(&address, "pw grouppw", "");
    dances(&mut client, &address, PC);
}

/// Parameters for each association, named by the server's host.
fn iff(server: Side, client: Side) {
    let world = World::new(2);
    let (alice, bob) = pair(&world, server, client);
    alice.makes_scheme("-T -I -p srvpw -m 512 -c RSA-MD5", "srvpw");
    let export = alice.exports("-e -p srvpw");
    bob.makes("-H -p clipw");
    carry(&export, bob.host, "-p clipw");
    let _source = alice.serves("crypto pw srvpw\n");
    let address = alice.host.v4();
    let mut client = bob.asks(&address, "pw clipw", "ident host1");
    dances(&mut client, &address, IFF);
    // The bit alone is what the server said; this is the proof.
    client.wait_crypto("iff host1 fs ", seconds(10));
}

/// One of GR1 serves, the other asks it to prove that it is.
fn dances_in_group<'a>(
    (alice, bob): (Part<'a>, Part<'a>),
    scheme: u32,
    name: &str,
) -> (Node<'a>, Node<'a>) {
    let source = alice.serves("crypto pw srvpw ident GR1\n");
    let address = alice.host.v4();
    let mut client = bob.asks(&address, "pw clipw", "ident GR1");
    dances(&mut client, &address, scheme);
    client.wait_crypto(&format!("{name} host1@GR1 fs "), seconds(10));
    (source, client)
}

/// A group, its name in certificates, keys and both configurations.
fn group(server: Side, client: Side) {
    let world = World::new(2);
    let parts = grouped(&world, server, client, "-I");
    let (_source, client) = dances_in_group(parts, IFF, "iff");
    let said = client.variables("&1");
    assert_eq!(
        said.get("ident").map(String::as_str),
        Some("GR1"),
        "{said:?}"
    );
    assert_eq!(
        said.get("host").map(String::as_str),
        Some("host1@GR1"),
        "{said:?}"
    );
    // The client's own list names its server's certificate, as it names its own.
    let said = client.ntpq(&["-n", "-c", "rv 0"]);
    for certificate in [
        "cert=\"host1@GR1 host1@GR1 0x",
        "cert=\"host2@GR1 host2@GR1 0x",
    ] {
        assert!(said.contains(certificate), "no {certificate} in {said}");
    }
}

fn gq(server: Side, client: Side) {
    let world = World::new(2);
    let parts = grouped(&world, server, client, "-G -b 512");
    dances_in_group(parts, GQ, "gq");
}

/// Exported by the reference's own generator: of GQ, unlike IFF and MV, all of it survives that.
#[test]
fn gq_exported_by_the_reference() {
    let world = World::new(2);
    let (alice, bob) = pair(&world, Side::Mended, Side::Ours);
    alice.makes_scheme("-p srvpw -T -G -b 512 -i GR1", "srvpw");
    let export = made(Side::Mended, alice.host, "-e -p srvpw -i GR1").stdout;
    bob.makes("-H -p clipw -i GR1");
    carry(&export, bob.host, "-p clipw");
    dances_in_group((alice, bob), GQ, "gq");
}

/// Two clients with a key each; one key is revoked after it was handed out. The keys are ours: the
/// reference's have a modulus of no whole octets, with which few of its exchanges succeed.
fn mv(server: Side, client: Side) {
    let world = World::new(3);
    let alice = Part::new(server, world.host(1));
    let keys = Part::new(Side::Ours, alice.host);
    keys.makes("-p srvpw -T -V 4 -s host1@GR1");
    let exports = [1, 2].map(|key| keys.exports(&format!("-e --client {key} -p srvpw")));
    keys.makes("-p srvpw -v 2");
    let [bob, carol] = [2, 3].map(|number| Part::new(client, world.host(number)));
    for (part, export) in [bob, carol].into_iter().zip(&exports) {
        part.makes("-H -p clipw -i GR1");
        carry(export, part.host, "-p clipw");
    }
    let _source = alice.serves("crypto pw srvpw ident GR1\n");
    let address = alice.host.v4();
    let mut good = bob.asks(&address, "pw clipw", "ident GR1");
    let mut revoked = carol.asks(&address, "pw clipw", "ident GR1");
    dances(&mut good, &address, MV);
    good.wait_crypto("mv host1@GR1 fs ", seconds(10));
    revoked.wait_crypto(" 10e bad_or_missing_group key", DANCE);
    super::refused::stays_out(&revoked);
}

/// A server that could prove its group is not asked to: bits of the flags say that it could, and what is
/// shown beside them that it did not. With `ident` the same bits stand for a proof.
fn skipped(server: Side) {
    let world = World::new(2);
    let (alice, bob) = pair(&world, server, Side::Ours);
    alice.makes_scheme("-T -I -p srvpw", "srvpw");
    bob.makes("-H -p clipw");
    let _source = alice.serves("crypto pw srvpw\n");
    let address = alice.host.v4();
    for (options, proof) in [("", "TC, identity unproven"), ("ident host1", "IDENT iff")] {
        if !options.is_empty() {
            carry(&alice.exports("-e -p srvpw"), bob.host, "-p clipw");
        }
        let mut client = bob.asks(&address, "pw clipw", options);
        dances(&mut client, &address, IFF);
        let shown = client.ntpq(&["-n", "-c", "rv &1 cryptotype"]);
        assert!(
            shown.contains(&format!("cryptotype=\"{proof}\"")),
            "{shown}"
        );
        let is_proven = client.cryptostats().contains(" iff host1 fs ");
        assert_eq!(is_proven, !options.is_empty());
        client.stop();
    }
}

#[test]
fn an_identity_that_is_skipped_is_shown_as_unproven() {
    skipped(Side::Ours);
}

#[test]
fn an_identity_of_the_references_that_is_skipped_is_shown_as_unproven() {
    skipped(Side::Ntp4);
}

plays!(tc, Ntp4);
plays!(tc_sha256, Ntp4);
plays!(tc_digest, Ntp4);
plays!(tc_ipv6, Ntp4);
plays!(pc, Ntp4);
plays!(iff, Ntp4);
plays!(group, Ntp4);
plays!(gq, Mended);
plays!(mv, Ntp4);
