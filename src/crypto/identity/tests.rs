use super::*;
use crate::keyfile::{KeyCipher, KeyFileError, KeyText};

const CIPHER: KeyCipher = KeyCipher::Aes256;

fn text(pem: &str) -> KeyText {
    KeyText::parse(pem.as_bytes()).expect("PEM")
}

#[test]
fn iff_from_generation_to_the_exchange() {
    let key = IffKey::generate(512).expect("a key");
    assert_eq!(key.confirm().expect("arithmetic"), [true, true]);
    assert_eq!(key.parameters().bits(), 512);
    let stored = key.to_pem(CIPHER, b"private").expect("written");
    let again = IffKey::read(&text(&stored), Some(b"private")).expect("read");
    assert!(!again.was_mended());
    let exported = key.parameters().to_pem().expect("written");
    let client = IffParameters::read(&text(&exported)).expect("read");
    let challenge = client.challenge().expect("random");
    let answer = again.answer(&challenge).expect("an answer");
    assert!(client.verify(&challenge, &answer).expect("arithmetic"));
    let other = client.challenge().expect("random");
    assert!(!client.verify(&other, &answer).expect("arithmetic"));
}

#[test]
fn an_exported_iff_file_cannot_answer() {
    let key = IffKey::generate(512).expect("a key");
    let exported = key.parameters().to_pem().expect("written");
    let refused = IffKey::read(&text(&exported), None).expect_err("no secret in it");
    assert!(matches!(refused, KeyFileError::WrongKind(_)));
    let b = key.b_hex();
    let shown: String = text(&exported).one(None).expect("numbers").hex();
    assert!(!shown.contains(&b), "the export holds b");
}

#[test]
fn gq_from_generation_to_the_exchange() {
    let key = GqKey::generate(520).expect("a key");
    assert_eq!(key.confirm().expect("arithmetic"), [true, true]);
    assert_eq!(key.parameters().bits(), 520);
    let stored = key.to_pem(CIPHER, b"private").expect("written");
    let again = GqKey::read(&text(&stored), Some(b"private")).expect("read");
    assert_eq!(again.public_value(), key.public_value());
    let renewed = again.renew().expect("a key");
    assert_ne!(renewed.public_value(), key.public_value());
    assert_eq!(renewed.confirm().expect("arithmetic"), [true, true]);
    let exported = key.parameters().to_pem().expect("written");
    assert!(GqParameters::read(&text(&exported)).is_ok());
    assert!(GqKey::read(&text(&exported), None).is_err());
    assert!(GqParameters::read(&text(&key.to_pem(CIPHER, b"x").expect("written"))).is_err());
    assert_eq!(
        GqKey::generate(4096).expect("a key").parameters().bits(),
        GqKey::BITS_MAX
    );
}

#[test]
fn mv_revokes_one_client_and_leaves_the_others() {
    let authority = MvAuthority::generate(4, 512).expect("an authority");
    assert_eq!(authority.server().bits(), 512);
    assert_eq!(
        authority.standing().expect("arithmetic"),
        [true, true, true, false]
    );
    let stored = authority.to_pem(CIPHER, b"ta").expect("written");
    let mut again = MvAuthority::read(&text(&stored), Some(b"ta")).expect("read");
    let clients: Vec<MvParameters> = again
        .clients()
        .iter()
        .map(|client| MvParameters::read(&text(&client.to_pem().expect("written"))).expect("read"))
        .collect();
    let of_client = text(&clients[0].to_pem().expect("written"));
    for held in [
        MvKey::read(&of_client, None).map(drop),
        MvAuthority::read(&of_client, None).map(drop),
    ] {
        let why = held.expect_err("a client answers nobody");
        assert!(matches!(why, KeyFileError::WrongKind(_)), "{why}");
    }
    again.revoke(2).expect("revoked");
    assert_eq!(
        again.standing().expect("arithmetic"),
        [true, false, true, false]
    );
    let server = again.server().to_pem(CIPHER, b"srv").expect("written");
    assert!(MvParameters::read(&text(&server)).is_err());
    let server = MvKey::read(&text(&server), Some(b"srv")).expect("read");
    for (client, admitted) in clients.iter().zip([true, false, true, false]) {
        assert_eq!(server.admits(client).expect("arithmetic"), admitted);
    }
    again.revoke(1).expect("revoked");
    assert_eq!(
        again.standing().expect("arithmetic"),
        [false, false, true, false]
    );
    assert!(again.revoke(3).is_err(), "the last one stays");
    assert!(again.revoke(0).is_err() && again.revoke(5).is_err());
    let stored = again.to_pem(CIPHER, b"ta").expect("written");
    let read = MvAuthority::read(&text(&stored), Some(b"ta")).expect("read");
    assert_eq!(
        read.standing().expect("arithmetic"),
        [false, false, true, false]
    );
}

#[test]
fn mv_moduli_are_whole_octets_and_long_enough() {
    assert_eq!(MvAuthority::modulus_bits(4, 256), 256);
    assert_eq!(MvAuthority::modulus_bits(4, 1000), 1000);
    assert_eq!(MvAuthority::modulus_bits(30, 1024), 1920);
    assert_eq!(
        MvAuthority::generate(3, 509).expect("made").server().bits(),
        512
    );
    assert!(MvAuthority::generate(1, 512).is_err());
    assert!(MvAuthority::generate(31, 512).is_err());
}
