use super::*;
use crate::keys::parse;

const TEXT: &[u8] = b"1 M LA-REPONSE-EST-42\n\
    2 SHA1 0123456789abcdef0123456789ABCDEF01234567\n\
    3 SHA256 BONNE-ANNEE\n\
    4 SHA384 BONNE-ANNEE\n\
    5 SHA512 BONNE-ANNEE\n\
    6 AES128CMAC 2b7e151628aed2a6abf7158809cf4f3c\n\
    7 AES CLE-DE-DOUZE\n\
    8 RIPEMD160 BONNE-ANNEE\n\
    9 M DE-PERSONNE\n";

const FROM: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(192, 0, 2, 77));

fn id(number: u32) -> KeyId {
    KeyId::symmetric(number).expect("in range")
}

fn keyring() -> Keyring {
    let (file, complaints) = parse(TEXT);
    assert_eq!(complaints, []);
    Keyring::new(Arc::new(KeyTable::new(file, (1..=8).map(id))))
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

/// Computed with Python's hashlib and the openssl command.
const VECTORS: [(u32, &str); 8] = [
    (1, "42495284fd0e1385c127ecfcd3c7edc0"),
    (2, "1003e0fff2dbe72a252fbbe53c1c1bf91a5d9fa3"),
    (3, "650b0e7db030bdf35fa157022fc2cb8d3202c8ee"),
    (4, "b6cd4232c4f9a61e0c0bd9b02f6310184d43cfe3"),
    (5, "df7c4d9c5effa6b3d66a1cfbb31974cb22acd49b"),
    (6, "b46dd8856c4fee713a9243e917f1fdb7"),
    (7, "e72a867838733038ae7061f8e01df092"),
    (8, "77924079253f875d8275b6c59077a44afd1c574c"),
];

#[test]
fn seals_as_others_compute_and_checks_what_it_sealed() {
    let message: Vec<u8> = (0..48).collect();
    let mut keyring = keyring();
    // Twice and mixed: contexts are reused and must not remember.
    for (number, expected) in VECTORS.into_iter().chain(VECTORS.into_iter().rev()) {
        let mut out = [0; 24];
        let len = keyring
            .seal(id(number), &message, &mut out)
            .expect("trusted");
        assert_eq!(out[..len], hex(expected), "key {number}");
        assert_eq!(
            keyring.check(id(number), FROM, &message, &out[..len]),
            Verification::Verified
        );
        for flipped in 0..len {
            let mut wrong = out;
            wrong[flipped] ^= 1;
            assert_eq!(
                keyring.check(id(number), FROM, &message, &wrong[..len]),
                Verification::WrongDigest
            );
        }
    }
}

/// As chrony asks in version 3.
#[test]
fn whole_digests_where_there_is_room_for_exactly_them() {
    let message: Vec<u8> = (0..48).collect();
    let mut keyring = keyring();
    for (number, raw_len) in [(3, 32), (4, 48), (5, 64)] {
        let mut cut = [0; 24];
        assert_eq!(keyring.seal(id(number), &message, &mut cut), Some(20));
        let mut whole = vec![0; raw_len];
        let len = keyring.seal(id(number), &message, &mut whole);
        assert_eq!(len, Some(raw_len));
        assert_eq!(whole[..20], cut[..20]);
        let mut check = |digest: &[u8]| keyring.check(id(number), FROM, &message, digest);
        assert_eq!(check(&whole), Verification::Verified);
        assert_eq!(check(&whole[..raw_len - 4]), Verification::WrongLength);
        whole[raw_len - 1] ^= 1;
        assert_eq!(check(&whole), Verification::WrongDigest);
    }
}

#[test]
fn cmac_vectors_of_rfc_4493() {
    let text = hex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
         30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    );
    let mut keyring = keyring();
    for (len, expected) in [
        (0, "bb1d6929e95937287fa37d129b756746"),
        (16, "070a16b46b4d4144f79bdd9dd04a287c"),
        (40, "dfa66747de9ae63030ca32611497c827"),
        (64, "51f0bebf7e3b9d92fc49741779363cfe"),
    ] {
        let mut out = [0; 16];
        assert_eq!(keyring.seal(id(6), &text[..len], &mut out), Some(16));
        assert_eq!(out[..], hex(expected));
    }
}

#[test]
fn refusals() {
    let mut keyring = keyring();
    let digest = hex(VECTORS[0].1);
    let message: Vec<u8> = (0..48).collect();
    assert_eq!(
        keyring.check(id(77), FROM, &message, &digest),
        Verification::UnknownKey
    );
    assert_eq!(
        keyring.check(id(9), FROM, &message, &digest),
        Verification::UntrustedKey
    );
    for len in [0, 1, 15] {
        assert_eq!(
            keyring.check(id(1), FROM, &message, &digest[..len]),
            Verification::WrongLength
        );
    }
    let long = [&digest[..], &[0; 4]].concat();
    assert_eq!(
        keyring.check(id(1), FROM, &message, &long),
        Verification::WrongLength
    );
    assert_eq!(keyring.seal(id(1), &message, &mut [0; 15]), None);
    assert_eq!(keyring.seal(id(9), &message, &mut [0; 20]), None);
    assert_eq!(keyring.seal(id(77), &message, &mut [0; 20]), None);
}

#[test]
fn a_right_mac_from_an_address_that_is_not_listed() {
    let (file, _) = parse(b"1 M shut 192.0.2.0/24,2001:db8::1 # lab\n");
    let mut keyring = Keyring::new(Arc::new(KeyTable::new(file, [id(1)])));
    let mut mac = [0; 16];
    assert_eq!(keyring.seal(id(1), b"message", &mut mac), Some(16));
    for (from, outcome) in [
        ("192.0.2.77", Verification::Verified),
        ("::ffff:192.0.2.77", Verification::Verified),
        ("2001:db8::1", Verification::Verified),
        ("192.0.3.1", Verification::WrongAddress),
        ("2001:db8::2", Verification::WrongAddress),
    ] {
        let from: IpAddr = from.parse().expect("an address");
        assert_eq!(keyring.check(id(1), from, b"message", &mac), outcome);
    }
}

#[test]
fn reference_identifier_of_an_ipv6_address() {
    let address = "2001:db8::123".parse().expect("an address");
    assert_eq!(
        keyring().reference_id_of(address),
        Some([0xC9, 0x75, 0xCE, 0xCC])
    );
}

/// Sessions of p15 in the captures of the reference with itself; SHA512's computed with Python.
#[test]
fn session_keys_and_cookies_of_the_reference() {
    let [server, client]: [IpAddr; 2] =
        ["10.77.0.1", "10.77.0.2"].map(|address| address.parse().expect("an address"));
    let mut none = keyring();
    assert!(none.session_key(client, server, 0x1234_5678, 0).is_none());
    for (name, wire_len, cookie) in [("MD5", 16, 0x9498_BC2A), ("sha512", 20, 0x66F1_AB47)] {
        let digest = AutokeyDigest::from_name(name).expect(name);
        let mut ring = keyring().with_autokey_digest(digest);
        let key = ring.session_key(client, server, 0, 0).expect("a digest");
        assert_eq!(key.first_word(), cookie, "{name}");
        let mapped: IpAddr = "::ffff:10.77.0.1".parse().expect("an address");
        assert_eq!(ring.session_key(client, mapped, 0, 0).as_ref(), Some(&key));
        let back = ring.session_key(server, client, 0, 0).expect("a digest");
        assert_ne!(back, key, "direction matters");
        let message: Vec<u8> = (0..100).collect();
        let mut mac = [0; 24];
        let len = ring.seal_session(&key, &message, &mut mac);
        assert_eq!(len, Some(wire_len));
        assert!(ring.check_session(&key, &message, &mac[..wire_len]));
        assert!(!ring.check_session(&back, &message, &mac[..wire_len]));
        assert!(!ring.check_session(&key, &message[1..], &mac[..wire_len]));
        for len in [0, 15, 17, 24] {
            assert!(!ring.check_session(&key, &message, &mac[..len]), "{len}");
        }
        assert!(!none.check_session(&key, &message, &mac[..wire_len]));
        assert_eq!(ring.seal_session(&key, &message, &mut mac[..12]), None);
    }
}

#[test]
fn digests_that_autokey_cannot_use() {
    use crate::autokey::UnusableDigest;
    let why = |name| AutokeyDigest::from_name(name).err();
    assert_eq!(why("ROT13"), Some(UnusableDigest::Unavailable));
    assert_eq!(why("a\0b"), Some(UnusableDigest::Unavailable));
    let sha1 = AutokeyDigest::from_name("Sha1").expect("everywhere");
    assert_eq!(sha1.name(), "sha1");
}
