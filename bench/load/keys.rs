//! The keys that load and servers share, in each side's spelling.
use truechimer_crypto::{KeyTable, keys};
use truechimer_proto::authentication::KeyId;

/// Identifiers of the keys.
pub(crate) const MD5: u16 = 1;
pub(crate) const SHA1: u16 = 2;
pub(crate) const CMAC: u16 = 3;

/// Twenty octets are hexadecimal digits to every implementation, fewer are to some the word itself.
const SECRET: &str = "5472756563686900112233445566778899aabbcc";
const SECRET_128: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// A keys file as ntpd, NTPsec and truechimer read it.
pub(crate) fn ntp_keys() -> String {
    format!("{MD5} MD5 {SECRET}\n{SHA1} SHA1 {SECRET}\n{CMAC} AES128CMAC {SECRET_128}\n")
}

/// The same as chronyd reads it.
pub(crate) fn chrony_keys() -> String {
    format!("{MD5} MD5 HEX:{SECRET}\n{SHA1} SHA1 HEX:{SECRET}\n{CMAC} AES128 HEX:{SECRET_128}\n")
}

/// The same as the load has it.
pub(crate) fn table() -> KeyTable {
    let (file, complaints) = keys::parse(ntp_keys().as_bytes());
    debug_assert!(complaints.is_empty(), "{complaints:?}");
    let trusted = [MD5, SHA1, CMAC].map(u32::from);
    KeyTable::new(file, trusted.into_iter().filter_map(KeyId::symmetric))
}
