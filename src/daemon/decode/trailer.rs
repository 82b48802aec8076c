//! What may follow a header: extension fields, Autokey's among them, and a MAC.
use super::packet::moment;
use super::tree::{Part, hex, plain};
use crate::control_client::crypto_flags;
use truechimer_time::NtpTimestamp;
use truechimer_wire::{
    AutokeyBody, AutokeyCode, AutokeyMalformed, AutokeyMessage, ExtensionField, Mac, Packet,
};

/// Extension fields that are not Autokey's (RFC 5905 registry).
const UNIQUE_IDENTIFIER: u16 = 0x0104;
const NTS_COOKIE: u16 = 0x0204;
const NAMES: [(u16, &str); 7] = [
    (UNIQUE_IDENTIFIER, "NTS unique identifier"),
    (NTS_COOKIE, "NTS cookie"),
    (0x0304, "NTS cookie placeholder"),
    (0x0404, "NTS authenticator and encrypted fields"),
    (0x2005, "UDP checksum complement"),
    (0xF323, "experimental: chrony's monotonic root"),
    (0xF324, "experimental: chrony's network correction"),
];
/// Keys up to this number are in key files; those above are Autokey's for one packet.
const SYMMETRIC_KEY_MAX: u32 = 65_535;

pub(super) fn put(part: &mut Part, packet: &Packet<'_>, near_unix_s: i64) {
    let is_nts = packet
        .extension_fields()
        .any(|field| field.field_type == UNIQUE_IDENTIFIER);
    for field in packet.extension_fields() {
        part.part(extension(&field, is_nts, near_unix_s));
    }
    if let Some(mac) = packet.mac() {
        put_mac(part, &mac);
    }
}

/// NTS numbers its cookies as Autokey does a request for key lists; only the company tells.
fn extension(field: &ExtensionField<'_>, is_nts: bool, near_unix_s: i64) -> Part {
    if !(is_nts && field.field_type == NTS_COOKIE) {
        match AutokeyMessage::new_checked(field) {
            Ok(message) => return autokey(field, &message, near_unix_s),
            Err(AutokeyMalformed::NotAutokey) => {}
            Err(malformed) => {
                let mut part = titled(field, "Autokey, malformed");
                part.note(match malformed {
                    AutokeyMalformed::Value => "its value is longer than the field",
                    AutokeyMalformed::Signature => "its signature is longer than the field",
                    _ => "it ends too early",
                });
                part.field("Value", hex(field.value), "value", hex(field.value));
                return part;
            }
        }
    }
    let known = NAMES.iter().find(|(number, _)| *number == field.field_type);
    let mut part = titled(field, known.map_or("of a type not known here", |it| it.1));
    part.field("Value", hex(field.value), "value", hex(field.value));
    part
}

fn titled(field: &ExtensionField<'_>, name: &str) -> Part {
    let mut part = Part::one_of_many(format!("Extension Field: {name}"), "extension_fields");
    part.value("name", name);
    let number = field.field_type;
    part.field("Field Type", format!("0x{number:04X}"), "type", number);
    let len = field.value.len() + 4;
    part.field("Length", len, "length", len);
    part
}

fn autokey(field: &ExtensionField<'_>, message: &AutokeyMessage<'_>, near_unix_s: i64) -> Part {
    let code = match message.code {
        AutokeyCode::NoOperation => "no operation".to_owned(),
        AutokeyCode::Association => "association (ASSOC)".to_owned(),
        AutokeyCode::Certificate => "certificate (CERT)".to_owned(),
        AutokeyCode::Cookie => "cookie (COOKIE)".to_owned(),
        AutokeyCode::Autokey => "autokey values (AUTO)".to_owned(),
        AutokeyCode::LeapSeconds => "leap second values (LEAP)".to_owned(),
        AutokeyCode::Sign => "sign (SIGN)".to_owned(),
        AutokeyCode::Iff => "IFF identity (IFF)".to_owned(),
        AutokeyCode::Gq => "GQ identity (GQ)".to_owned(),
        AutokeyCode::Mv => "MV identity (MV)".to_owned(),
        AutokeyCode::Other(number) => format!("message {number}"),
    };
    let kind = match (message.is_response, message.is_error) {
        (false, false) => "request",
        (true, false) => "response",
        (true, true) => "error",
        (false, true) => "request with the error bit",
    };
    let mut part = titled(field, &format!("Autokey, {code} {kind}"));
    let id = message.association;
    part.field("Association ID", id, "association", id);
    if let Some(body) = &message.body {
        put_body(&mut part, message, body, near_unix_s);
    }
    part
}

fn put_body(
    part: &mut Part,
    message: &AutokeyMessage<'_>,
    body: &AutokeyBody<'_>,
    near_unix_s: i64,
) {
    let second = |seconds: u32| match seconds {
        0 => "NULL".to_owned(),
        seconds => {
            let stamp = NtpTimestamp::from_bits(u64::from(seconds) << 32);
            format!("{seconds} ({})", moment(stamp, near_unix_s))
        }
    };
    let stamp = body.timestamp;
    part.field("Timestamp", second(stamp), "timestamp", stamp);
    let word = body.filestamp;
    if message.code == AutokeyCode::Association {
        let text = format!("0x{word:08x} ({})", crypto_flags(word));
        part.field("Status Word", text, "status_word", word);
        let digest = word >> 16;
        part.detail(format!("number of its signature algorithm: {digest}"));
    } else {
        part.field("Filestamp", second(word), "filestamp", word);
    }
    let len = body.value.len();
    part.field("Value Length", len, "value_length", len);
    if len > 0 {
        let text = value(message, body.value);
        part.field("Value", &text, "value", text.clone());
    }
    let len = body.signature.len();
    part.field("Signature Length", len, "signature_length", len);
    if len > 0 {
        let text = hex(body.signature);
        part.field("Signature", &text, "signature", text.clone());
    }
}

/// Names in letters, numbers as numbers, the rest as it is.
fn value(message: &AutokeyMessage<'_>, octets: &[u8]) -> String {
    let words: Vec<u32> = octets
        .chunks_exact(4)
        .filter_map(|word| word.first_chunk().map(|word| u32::from_be_bytes(*word)))
        .collect();
    match (message.code, message.is_response, words.as_slice()) {
        (AutokeyCode::Association, _, _) | (AutokeyCode::Certificate, false, _) => plain(octets),
        (AutokeyCode::Autokey, true, [key, sequence]) if octets.len() == 8 => {
            format!("key ID {key:08X}, sequence number {sequence}")
        }
        (AutokeyCode::LeapSeconds, true, [offset, last, expiry]) if octets.len() == 12 => {
            format!("TAI offset {offset} s, last leap second {last}, expires {expiry}")
        }
        _ => hex(octets),
    }
}

/// Key and digest. The kind shows by its length alone, so far as it does.
pub(super) fn put_mac(part: &mut Part, mac: &Mac<'_>) {
    let id = mac.key_id;
    part.field("Key ID", format!("{id:08X}"), "key_id", id);
    if mac.is_crypto_nak() {
        part.value("mac_kind", "crypto_nak");
        part.note("crypto-NAK: the sender could not verify what it answers");
        return;
    }
    let digest = hex(mac.digest);
    part.field(
        "Message Authentication Code",
        &digest,
        "mac",
        digest.clone(),
    );
    let (kind, words) = match mac.digest.len() {
        _ if id > SYMMETRIC_KEY_MAX => ("autokey", "key of one packet: Autokey"),
        16 => ("md5_or_aes128cmac", "16 octets: MD5 or AES-128-CMAC"),
        20 => ("sha1_or_cut", "20 octets: SHA1, or a longer digest cut"),
        28 => ("sha224", "28 octets: SHA224, not cut"),
        32 => ("sha256", "32 octets: SHA256, not cut"),
        48 => ("sha384", "48 octets: SHA384, not cut"),
        64 => ("sha512", "64 octets: SHA512, not cut"),
        _ => ("unknown", "of no digest known here"),
    };
    part.value("mac_kind", kind);
    // The commonest needs no word.
    if kind == "md5_or_aes128cmac" {
        part.detail(words);
    } else {
        part.note(words);
    }
}
