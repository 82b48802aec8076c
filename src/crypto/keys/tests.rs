use super::*;
use crate::Keyring;
use std::sync::Arc;
use truechimer_proto::authentication::{Authenticator, KeyId};

/// A key file of 2005 as ntp-genkeys wrote it, and one written by hand.
const GENERATED: &[u8] = include_bytes!("../fixtures/ntp.keys.3319112185");
const BY_HAND: &[u8] = b"12 M CLE-DE-DOUZE\n42 M LA-REPONSE-EST-42\n1966 M BONNE-ANNEE\n";

fn id(number: u32) -> KeyId {
    KeyId::symmetric(number).expect("in range")
}

fn table(text: &[u8]) -> KeyTable {
    let (file, complaints) = parse(text);
    assert_eq!(complaints, []);
    let ids: Vec<_> = (1..=2000).map(id).collect();
    KeyTable::new(file, ids)
}

fn secret_of(table: &KeyTable, number: u32) -> &[u8] {
    table.key(id(number)).expect("a key").secret.octets()
}

/// The one complaint about a text of one line.
fn complaint(text: &str) -> KeyComplaint {
    let (_, mut complaints) = parse(text.as_bytes());
    assert_eq!(complaints.len(), 1, "{text}: {complaints:?}");
    complaints.remove(0)
}

#[test]
fn all_generated_keys_are_read_to_the_last_character() {
    let table = table(GENERATED);
    assert_eq!(table.ids().count(), 16);
    assert_eq!(secret_of(&table, 1), br"?++6%-Z}@zI\1Kms");
    assert_eq!(secret_of(&table, 2), br"7e_q>D}z}+}l;``K");
    assert_eq!(secret_of(&table, 16), br#"6"|f7p-n`U\rI:3&"#);
    for number in 1..=16 {
        assert_eq!(secret_of(&table, number).len(), 16);
        assert_eq!(table.algorithm(id(number)), Some("MD5"));
    }
}

#[test]
fn keys_by_hand_with_carriage_returns_and_a_byte_order_mark() {
    let table_unix = table(BY_HAND);
    assert_eq!(secret_of(&table_unix, 1966), b"BONNE-ANNEE");
    let dos = String::from_utf8_lossy(BY_HAND).replace('\n', "\r\n");
    let table_dos = table(format!("\u{feff}{dos}").as_bytes());
    for number in [12, 42, 1966] {
        assert_eq!(
            secret_of(&table_unix, number),
            secret_of(&table_dos, number)
        );
    }
}

#[test]
fn twenty_characters_are_plain_and_more_are_hexadecimal() {
    let table = table(
        b"1 M 01234567890123456789\n2 SHA1 0123456789abcdef0123456789ABCDEF01234567\n\t3\tM\ta  \n",
    );
    assert_eq!(secret_of(&table, 1), b"01234567890123456789");
    assert_eq!(secret_of(&table, 2).len(), 20);
    assert_eq!(secret_of(&table, 2)[18..], [0x45, 0x67]);
    assert_eq!(secret_of(&table, 3), b"a");
}

#[test]
fn every_refusal_says_where_and_why() {
    for (text, column, what) in [
        ("x M key", 1, "begin with a key number"),
        ("-1 M key", 1, "begin with a key number"),
        ("0 M key", 1, "no key at all"),
        ("65536 M key", 1, "Autokey"),
        ("99999999999999999999 M key", 1, "Autokey"),
        ("1", 2, "no type"),
        ("1 M", 4, "type but no key"),
        ("1 M #abc", 9, "type but no key"),
        ("  1 S 0123", 5, "DES"),
        ("1 N key", 3, "DES"),
        ("1 A key", 3, "DES"),
        ("1 ROT13 key", 3, "no digest ROT13"),
        ("1 M 0123456789abcdef0123x", 25, "not hexadecimal"),
        ("1 M ke\0y", 7, "control character"),
        ("1 M k\x1By", 6, "control character"),
        ("1 M key localhost", 9, "no address"),
        ("1 M key 127.0.0.1,::/200", 19, "no address"),
    ] {
        let complaint = complaint(text);
        assert!(complaint.refused, "{text}");
        assert!(complaint.what.contains(what), "{text}: {complaint}");
        assert_eq!((complaint.line, complaint.column), (1, column), "{text}");
        assert!(parse(text.as_bytes()).0.is_empty());
    }
}

#[test]
fn warnings_keep_the_key_as_the_reference_reads_it() {
    for (text, secret, what) in [
        ("7 M abc#def", &b"abc"[..], "ends at the #"),
        ("7 M 0123456789abcdef01234", &hex_of(10), "odd number"),
        ("7 M old\n7 M new", b"new", "given before"),
        ("7 M cl\u{e9}", "cl\u{e9}".as_bytes(), "outside ASCII"),
    ] {
        assert!(!complaint(text).refused, "{text}");
        assert!(complaint(text).what.contains(what), "{text}");
        let table = KeyTable::new(parse(text.as_bytes()).0, []);
        assert_eq!(secret_of(&table, 7), secret, "{text}");
    }
    let long = format!("7 SHA1 {}", "ab".repeat(40));
    assert!(complaint(&long).what.contains("first 32 octets"));
}

fn hex_of(len: usize) -> Vec<u8> {
    [1, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 1, 0x23][..len].to_vec()
}

#[test]
fn one_bad_line_costs_one_key() {
    let (file, complaints) = parse(b"1 M good\n2 DES bad\n# note\n\n3 M fine # note\n");
    assert_eq!(file.len(), 2);
    assert_eq!(complaints.len(), 1);
    assert_eq!(complaints[0].line, 2);
}

#[test]
fn addresses_bound_a_key() {
    let table = table(b"1 M open\n2 M shut 192.0.2.0/24,2001:db8::1 # lab\n");
    let from = |number, address: &str| {
        table.allowed_from(id(number), address.parse().expect("an address"))
    };
    assert!(from(1, "203.0.113.1"));
    assert!(from(2, "192.0.2.77") && from(2, "2001:db8::1"));
    assert!(!from(2, "192.0.3.1") && !from(2, "2001:db8::2"));
    assert!(!from(3, "192.0.2.77"));
}

#[test]
fn what_is_no_key_file_is_refused_in_bounds() {
    let log = "1 this is not a key file at all\n".repeat(10_000);
    let (file, complaints) = parse(log.as_bytes());
    assert!(file.is_empty());
    assert!(complaints.len() <= 65);
    assert!(complaints[64].what.contains("9936 more"));
    let (_, complaints) = parse(&vec![b'\n'; FILE_LEN_MAX + 1]);
    assert_eq!((complaints.len(), complaints[0].line), (1, 0));
}

#[test]
fn any_octets_are_survived() {
    let mut state = 1_u64;
    for _ in 0..2000 {
        let mut text = Vec::new();
        for _ in 0..200 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let pick = usize::try_from(state >> 59).unwrap();
            text.push(b"0123456789 MSHAESabcf#,/.:\n\r\t\0\xFF1"[pick]);
        }
        let (file, complaints) = parse(&text);
        assert!(file.len() + complaints.len() <= 201);
    }
}

#[test]
fn nothing_shows_a_secret() {
    let (file, _) = parse(BY_HAND);
    assert_eq!(format!("{file:?}"), "KeyFile(3 keys)");
    let table = KeyTable::new(file, [id(42)]);
    assert_eq!(format!("{table:?}"), "KeyTable(3 keys, 1 trusted)");
    assert!(
        !complaint("1 M SECRET-SECRET-SECRET-SECRET")
            .to_string()
            .contains("SECRET-")
    );
    let mut keyring = Keyring::new(Arc::new(table));
    assert!(keyring.seal(id(42), b"x", &mut [0; 20]).is_some());
}
