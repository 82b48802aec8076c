//! Any text is an Autokey key file or has its fault named; what is read can be used and written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use truechimer_crypto::PrivateKey;
use truechimer_crypto::autokey::MaterialDraft;
use truechimer_crypto::certificate::Certificate;
use truechimer_crypto::identity::{
    GqKey, GqParameters, IffKey, IffParameters, MvAuthority, MvKey, MvParameters,
};
use truechimer_crypto::keyfile::{FileName, KeyText};
use truechimer_proto::autokey::facts::Generation;
use truechimer_proto::autokey::status::Scheme;

/// A host of whatever fits together.
fn material(text: &KeyText, password: Option<&[u8]>) {
    let host = include_bytes!("../../src/crypto/fixtures/autokey/host-pkcs8-3des");
    let host = KeyText::parse(host).expect("PEM");
    let mut draft = MaterialDraft::of_host(text, password)
        .or_else(|_| MaterialDraft::of_host(&host, password))
        .expect("a key");
    let _ = draft.sign_key(text, password);
    for scheme in Scheme::ALL {
        let _ = draft.scheme_key(scheme, text, password);
        let _ = draft.parameters("grp", scheme, text);
    }
    let _ = draft.certificate(text);
    if let Ok(material) = draft.build(Generation(1)) {
        assert!(!material.facts().name.contains(char::is_control));
        assert!(
            material
                .remarks()
                .iter()
                .all(|it| !it.to_string().is_empty())
        );
    }
}

fuzz_target!(|text: &[u8]| {
    if let Some(name) = core::str::from_utf8(text).ok().and_then(FileName::parse) {
        assert_eq!(FileName::parse(&name.to_string()), Some(name));
    }
    let text = match KeyText::parse(text) {
        Ok(text) => text,
        Err(error) => {
            assert!(!error.remedy("f").is_empty());
            return;
        }
    };
    let again = KeyText::parse(text.clean().as_bytes()).expect("what is written is read");
    assert_eq!(again.clean(), text.clean());
    let password = Some(&b"srvpw"[..]);
    let _ = text.role(password);
    let _ = PrivateKey::read(&text, password);
    let _ = GqKey::read(&text, password);
    let _ = GqParameters::read(&text);
    let _ = MvAuthority::read(&text, password);
    let _ = MvKey::read(&text, password);
    let _ = MvParameters::read(&text);
    if let Ok(key) = IffKey::read(&text, password) {
        assert_eq!(key.confirm().expect("arithmetic"), [true, true]);
    }
    if let Ok(parameters) = IffParameters::read(&text) {
        let exported = parameters.to_pem().expect("written");
        let exported = KeyText::parse(exported.as_bytes()).expect("PEM");
        assert!(IffParameters::read(&exported).is_ok());
        assert!(IffKey::read(&exported, None).is_err());
    }
    material(&text, password);
    if let Ok(certificate) = Certificate::read(&text) {
        let _ = (
            certificate.name(),
            certificate.standing(),
            certificate.gq_public(),
        );
        let _ = (
            certificate.scheme(),
            certificate.validity_unix_s(),
            certificate.is_self_signed(),
        );
    }
});
