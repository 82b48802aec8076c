//! What makes a host of key files, and what is said of those that are not as they should be.
use crate::autokey::test_hosts::{ALICE, BOB, MADE, MADE_UNIX_S, PASSWORD, Recipe, private, text};
use crate::autokey::{Material, MaterialDraft, MaterialError, Remark};
use crate::certificate::{Draft, Scheme as CertificateScheme, Standing};
use crate::identity::{GqKey, IffKey};
use crate::keyfile::{KeyCipher, KeyFileError, KeyText};
use crate::{KeyKind, PrivateKey};
use truechimer_proto::autokey::facts::Generation;
use truechimer_proto::autokey::status::Scheme;

macro_rules! fixture {
    ($name:literal) => {
        KeyText::parse(include_bytes!(concat!("../../fixtures/autokey/", $name))).expect($name)
    };
}

fn built(draft: MaterialDraft) -> Result<Material, MaterialError> {
    draft.build(Generation(7))
}

#[test]
fn a_sound_host_is_not_remarked_on() {
    let recipe = Recipe {
        bits: 2048,
        ..ALICE
    };
    let material = built(recipe.draft(None)).expect("it fits");
    assert_eq!(material.remarks(), []);
    let facts = material.facts();
    assert_eq!((facts.generation, &*facts.name), (Generation(7), "alice"));
    assert_eq!((facts.signature_len, facts.group()), (256, None));
    assert!(facts.certificates[0].trusted);
    let weak = built(BOB.draft(None)).expect("it fits");
    let expected = [
        Remark::WeakDigest("RSA-MD5".to_owned()),
        Remark::WeakKey(512),
    ];
    assert_eq!(weak.remarks(), expected);
    assert_eq!(weak.facts().group(), Some("grp"));
}

/// A certificate bought of an authority: it serves, and what it lacks is said.
#[test]
fn certificates_of_another_authority() {
    let key = fixture!("outside-key");
    let mut draft = MaterialDraft::of_host(&key, None).expect("a key");
    draft
        .certificate(&fixture!("outside-cert"))
        .expect("a certificate");
    let material = built(draft).expect("it fits");
    let expected = [
        Remark::NoFilestamp("certificate"),
        Remark::ForeignIssuer("Example Root".to_owned()),
        Remark::NoExtensions,
        Remark::NoFilestamp("host key"),
    ];
    assert_eq!(material.remarks(), expected);
    let facts = material.facts();
    let own = &facts.certificates[0];
    assert_eq!(facts.name, "time.example.net");
    assert_eq!(i64::from(own.filestamp), own.not_before_s);
    assert_eq!(facts.key_filestamp, own.filestamp);
    assert!(!own.trusted && !own.private && !own.is_self_issued());
    let of_ec = fixture!("outside-cert-of-ec");
    let mut draft = MaterialDraft::of_host(&key, None).expect("a key");
    draft.certificate(&of_ec).expect("a certificate");
    let refused = built(draft).expect_err("ECDSA");
    assert_eq!(refused, MaterialError::UnknownSignature);
    let mut beside = ALICE.draft(None);
    beside.certificate(&of_ec).expect("a certificate");
    let material = built(beside).expect("the own one fits");
    assert_eq!(material.facts().certificates.len(), 1);
    let left_out = Remark::LeftOut("time.example.net".to_owned(), refused);
    assert!(material.remarks().contains(&left_out));
}

#[test]
fn files_that_do_not_fit_one_another() {
    let key = fixture!("outside-key");
    let without = MaterialDraft::of_host(&key, None).expect("a key");
    assert_eq!(built(without).err(), Some(MaterialError::NoCertificate));
    let mut other = MaterialDraft::of_host(&key, None).expect("a key");
    let certificate = fixture!("cert-iff");
    other.certificate(&certificate).expect("a certificate");
    let of_other = Some(MaterialError::CertificateOfOtherKey);
    assert_eq!(built(other).err(), of_other);
    let dsa = PrivateKey::generate(KeyKind::Dsa, 1024).expect("a key");
    let dsa = text("DSAsign", "a", &private(&dsa));
    let draft = MaterialDraft::of_host(&dsa, Some(PASSWORD)).expect("a key");
    assert_eq!(built(draft).err(), Some(MaterialError::HostKeyNotRsa));
    let mut unused = ALICE.draft(None);
    unused.sign_key(&dsa, Some(PASSWORD)).expect("a key");
    let material = built(unused).expect("it fits");
    assert!(material.remarks().contains(&Remark::UnusedSignKey));
    let late = "# ntpkey_RSA-MD5cert_alice.4004285999\n";
    let late = format!("{late}\n{}", fixture!("cert-iff").clean());
    let host = fixture!("host-pkcs8-3des");
    let mut retroactive = MaterialDraft::of_host(&host, Some(b"srvpw")).expect("a key");
    let late = KeyText::parse(late.as_bytes()).expect("PEM");
    retroactive.certificate(&late).expect("a certificate");
    assert_eq!(built(retroactive).err(), Some(MaterialError::InvalidTimes));
}

/// The length of a longer one takes more octets of DER than the reference skips.
#[test]
fn gq_values_of_any_length_are_read_from_certificates() {
    let key = PrivateKey::generate(KeyKind::Rsa, 1024).expect("a key");
    for len in [64, 127, 128, 256] {
        let value = vec![0x81; len];
        let certificate = Draft {
            name: "alice",
            from_unix_s: MADE_UNIX_S,
            lifetime_days: 1,
            standing: Standing::Trusted,
            gq_public: Some(&value),
        };
        let certificate = certificate.sign(&key, CertificateScheme::usual(KeyKind::Rsa));
        let facts = certificate.expect("a certificate").facts(MADE);
        let facts = facts.expect("sound");
        assert_eq!(facts.gq_public.as_deref(), Some(&value[..]), "{len}");
    }
}

#[test]
fn keys_of_the_schemes() {
    let mut draft = Recipe {
        standing: Standing::Plain,
        ..ALICE
    }
    .draft(Some(&GqKey::generate(512).expect("a key")));
    let lossy = fixture!("iffkey-pkcs8-3des");
    draft
        .scheme_key(Scheme::Iff, &lossy, Some(b"srvpw"))
        .expect("b is right");
    let other = GqKey::generate(512).expect("a key");
    let other = other.to_pem(KeyCipher::Aes256, PASSWORD).expect("written");
    draft
        .scheme_key(Scheme::Gq, &text("GQkey", "grp", &other), Some(PASSWORD))
        .expect("a key");
    let bare = KeyText::parse(other.as_bytes()).expect("PEM");
    let unnamed = draft.scheme_key(Scheme::Gq, &bare, Some(PASSWORD));
    assert_eq!(unnamed, Err(KeyFileError::Unnamed));
    let lost = draft.parameters("grp", Scheme::Iff, &fixture!("iffpar-pkcs8-lost"));
    assert_eq!(lost, Err(KeyFileError::LostPublicValue));
    let secret = IffKey::generate(512).expect("a key");
    let secret = secret.to_pem(KeyCipher::Aes256, PASSWORD).expect("written");
    let locked = draft.parameters("grp", Scheme::Iff, &text("iffpar", "grp", &secret));
    assert_eq!(locked, Err(KeyFileError::NeedsPassword));
    let wrong = draft.scheme_key(Scheme::Iff, &lossy, Some(b"wrong"));
    assert_eq!(wrong, Err(KeyFileError::WrongPassword));
    let remarks = built(draft).expect("it fits").remarks().to_vec();
    let mended = |it: &&Remark| matches!(it, Remark::MendedIffKey(_));
    assert_eq!(remarks.iter().filter(mended).count(), 1, "{remarks:?}");
    assert!(remarks.contains(&Remark::OtherGqValue("grp".to_owned())));
    for said in remarks {
        assert!(said.to_string().contains("ntp-keygen"), "{said}");
    }
}
