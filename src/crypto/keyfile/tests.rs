//! The reference's own files, of several generations.
use super::*;
use crate::certificate::{Certificate, Standing};
use crate::identity::{
    GqKey, GqParameters, IffKey, IffParameters, MvAuthority, MvKey, MvParameters,
};
use crate::{KeyForm, KeyKind, PrivateKey};

macro_rules! fixture {
    ($name:literal) => {
        KeyText::parse(include_bytes!(concat!("../fixtures/autokey/", $name))).expect($name)
    };
}

const SERVER: Option<&[u8]> = Some(b"srvpw");

#[test]
fn host_keys_of_p15() {
    let text = fixture!("host-pkcs8-3des");
    assert_eq!(text.filestamp(), Some(4_004_285_679));
    assert_eq!(text.name().and_then(FileName::role), Some(FileRole::Host));
    assert!(text.is_encrypted());
    let key = PrivateKey::read(&text, SERVER).expect("the right password");
    assert_eq!((key.kind(), key.bits()), (KeyKind::Rsa, 512));
    let wrong = PrivateKey::read(&text, Some(b"wrong")).expect_err("another password");
    assert_eq!(wrong, KeyFileError::WrongPassword);
    let none = PrivateKey::read(&text, None).expect_err("no password");
    assert_eq!(none, KeyFileError::NeedsPassword);
    let certificate = Certificate::read(&fixture!("cert-iff")).expect("a certificate");
    assert!(certificate.is_of(&key) && certificate.is_self_signed());
    assert_eq!(certificate.name().as_deref(), Some("alice@grp"));
    assert_eq!(certificate.standing(), Standing::Trusted);
    assert_eq!(
        certificate
            .scheme()
            .map(|scheme| scheme.to_string())
            .as_deref(),
        Some("RSA-MD5")
    );
    let (from, until) = certificate.validity_unix_s().expect("dates");
    assert_eq!(until - from, 365 * 86_400);
    assert_eq!(from + 2_208_988_800, 4_004_285_679);
}

/// `openssl pkcs8 -topk8 -v1 PBE-MD5-DES` writes such.
#[test]
fn pkcs8_of_before_pbes2_is_told_with_what_mends_it() {
    let text = fixture!("host-pkcs8-pbes1");
    let why = PrivateKey::read(&text, SERVER).expect_err("not read here");
    assert!(matches!(why, KeyFileError::UnknownCipher(_)), "{why}");
    let remedy = why.remedy("key");
    assert!(remedy.contains("openssl pkey -in key"), "{remedy}");
}

#[test]
fn private_certificates_of_p15() {
    let certificate = Certificate::read(&fixture!("cert-private")).expect("a certificate");
    assert_eq!(certificate.standing(), Standing::Private);
    assert_eq!(certificate.gq_public(), None);
    let host = fixture!("host-pkcs8-3des");
    assert_eq!(
        Certificate::read(&host).expect_err("a key"),
        KeyFileError::NoKey
    );
}

#[test]
fn iff_files_of_all_generations() {
    let lossy = IffKey::read(&fixture!("iffkey-pkcs8-3des"), SERVER).expect("b is right");
    assert!(lossy.was_mended());
    let parameters = IffParameters::read(&fixture!("iffpar-traditional")).expect("v is there");
    assert_eq!(lossy.parameters().show(), parameters.show());
    let challenge = parameters.challenge().expect("random");
    let answer = lossy.answer(&challenge).expect("an answer");
    assert!(parameters.verify(&challenge, &answer).expect("arithmetic"));

    let plain = IffKey::read(&fixture!("iffkey-traditional-plain"), None).expect("not encrypted");
    assert!(!plain.was_mended());
    let own = IffParameters::read(&fixture!("iffpar-g")).expect("its parameters");
    assert_eq!(plain.parameters().show(), own.show());
    let foreign = plain.answer(&challenge).expect("an answer");
    assert!(!parameters.verify(&challenge, &foreign).expect("arithmetic"));

    let lost = IffParameters::read(&fixture!("iffpar-pkcs8-lost")).expect_err("v is lost");
    assert_eq!(lost, KeyFileError::LostPublicValue);
    let secret = IffParameters::read(&fixture!("iffkey-traditional-plain")).expect_err("holds b");
    assert!(matches!(secret, KeyFileError::WrongKind(_)));
    let client = IffKey::read(&fixture!("iffpar-g"), None).expect_err("no server key");
    assert!(matches!(client, KeyFileError::WrongKind(_)));
}

#[test]
fn gq_files_of_p15() {
    let key = GqKey::read(&fixture!("gqkey-pkcs8-3des"), SERVER).expect("a key");
    let parameters = GqParameters::read(&fixture!("gqpar-pkcs8")).expect("parameters");
    assert_eq!(key.parameters().show(), parameters.show());
    let certificate = Certificate::read(&fixture!("cert-gq")).expect("a certificate");
    let public = certificate.gq_public().expect("v");
    assert_eq!(public, key.public_value());
    let challenge = parameters.challenge().expect("random");
    let answer = key.answer(&challenge).expect("an answer");
    assert!(
        parameters
            .verify(&challenge, &answer, &public)
            .expect("arithmetic")
    );
    let other = key
        .renew()
        .expect("a key")
        .answer(&challenge)
        .expect("an answer");
    assert!(
        !parameters
            .verify(&challenge, &other, &public)
            .expect("arithmetic")
    );
    let wrong = GqKey::read(&fixture!("host-pkcs8-3des"), SERVER).expect_err("a host key");
    assert!(matches!(wrong, KeyFileError::WrongKind(_)));
    let wrong = PrivateKey::read(&fixture!("gqkey-pkcs8-3des"), SERVER).expect_err("a GQ key");
    assert!(matches!(
        wrong,
        KeyFileError::WrongKind(_) | KeyFileError::OpenSsl(_)
    ));
}

#[test]
fn mv_files_as_the_p15_daemon_takes_them() {
    let server = MvKey::read(&fixture!("mvkey"), None).expect("a server's");
    let client = MvParameters::read(&fixture!("mvpar-1")).expect("a client's");
    let revoked = MvParameters::read(&fixture!("mvpar-8-revoked")).expect("a client's");
    assert!(server.admits(&client).expect("arithmetic"));
    assert!(!server.admits(&revoked).expect("arithmetic"));
    let lost =
        MvAuthority::read(&fixture!("mvta-pkcs8-lost"), SERVER).expect_err("halves are lost");
    assert_eq!(lost, KeyFileError::LostPublicValue);
}

#[test]
fn what_is_written_is_read_in_every_form_and_cipher() {
    let key = PrivateKey::generate(KeyKind::Rsa, 1024).expect("a key");
    let dsa = PrivateKey::generate(KeyKind::Dsa, 1024).expect("a key");
    for cipher in ["aes256", "aes-192-cbc", "AES-128-CBC", "des3", "des-cbc"] {
        let cipher = KeyCipher::from_name(cipher).expect(cipher);
        for form in [KeyForm::Pkcs8, KeyForm::Traditional] {
            for key in [&key, &dsa] {
                let pem = key.to_pem(form, cipher, b"secret").expect("written");
                let text = KeyText::parse(pem.as_bytes()).expect("PEM");
                assert!(text.is_encrypted());
                let again = PrivateKey::read(&text, Some(b"secret")).expect("read");
                assert!(again.0.public_eq(&key.0), "{cipher:?} {form:?}");
                assert!(PrivateKey::read(&text, Some(b"Secret")).is_err());
            }
        }
    }
}

#[test]
fn damage_of_mails_and_vms() {
    let text = include_str!("../fixtures/autokey/iffpar-traditional");
    let quoted: String = text.lines().map(|line| format!("> {line} \r\n")).collect();
    let mailed = format!("From: timelord\r\n\r\n{quoted}\r\n-- \r\nT.\r\n");
    let read = KeyText::parse(mailed.as_bytes()).expect("mended");
    assert_eq!(read.filestamp(), Some(4_004_285_679));
    assert!(IffParameters::read(&read).is_ok());
    let vms = text.replace("ntpkey_iffpar_grp", "tcpip$ntpkey_IFFpar_grp");
    let name = KeyText::parse(vms.as_bytes())
        .expect("read")
        .name()
        .cloned()
        .expect("a name");
    assert_eq!(name.role(), Some(FileRole::IffParameters));
}

#[test]
fn what_is_no_key_file_is_refused_with_its_reason() {
    let why = |text: &[u8]| KeyText::parse(text).expect_err("refused");
    assert_eq!(why(b""), KeyFileError::NoKey);
    assert_eq!(why(b"server 10.0.0.1\n"), KeyFileError::NoKey);
    assert_eq!(why(&vec![b'#'; FILE_LEN_MAX + 1]), KeyFileError::TooLong);
    let text = include_str!("../fixtures/autokey/iffpar-traditional");
    assert_eq!(
        why(&text.as_bytes()[..text.len() / 2]),
        KeyFileError::Damaged
    );
    for error in [KeyFileError::WrongPassword, KeyFileError::LostPublicValue] {
        let remedy = error.remedy("/etc/ntp/ntpkey_host_a");
        assert!(
            remedy.contains("truechimer keys") && remedy.contains("/etc/ntp"),
            "{remedy}"
        );
    }
}
