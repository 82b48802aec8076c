//! Autokey's extension fields (RFC 5906 §10), in the order of octets that ntpd sends: version in the
//! high octet of the field type, message in the low one. What a field says, not whether it is true.
use crate::ExtensionField;

/// Version of Autokey that anybody speaks.
const VERSION: u16 = 2;
const RESPONSE: u16 = 0x8000;
const ERROR: u16 = 0x4000;
/// Octets of type, length and association.
const SHORT_LEN: usize = 8;
/// Octets of a message with an empty value and no signature.
const FULL_LEN: usize = 24;

/// Which message (RFC 5906 §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AutokeyCode {
    /// 0, nothing is asked.
    NoOperation,
    /// 1, host names and status words.
    Association,
    /// 2, a certificate by its subject.
    Certificate,
    /// 3, the cookie, sealed with the asker's public key.
    Cookie,
    /// 4, last key and sequence number of a key list.
    Autokey,
    /// 5, leap seconds.
    LeapSeconds,
    /// 6, a certificate to be signed.
    Sign,
    /// 7, challenge of the IFF scheme.
    Iff,
    /// 8, challenge of the GQ scheme.
    Gq,
    /// 9, challenge of the MV scheme.
    Mv,
    /// Any other number.
    Other(u8),
}

impl AutokeyCode {
    /// From the low octet of the field type.
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            0 => Self::NoOperation,
            1 => Self::Association,
            2 => Self::Certificate,
            3 => Self::Cookie,
            4 => Self::Autokey,
            5 => Self::LeapSeconds,
            6 => Self::Sign,
            7 => Self::Iff,
            8 => Self::Gq,
            9 => Self::Mv,
            other => Self::Other(other),
        }
    }

    /// To the low octet of the field type.
    pub const fn octet(self) -> u8 {
        match self {
            Self::NoOperation => 0,
            Self::Association => 1,
            Self::Certificate => 2,
            Self::Cookie => 3,
            Self::Autokey => 4,
            Self::LeapSeconds => 5,
            Self::Sign => 6,
            Self::Iff => 7,
            Self::Gq => 8,
            Self::Mv => 9,
            Self::Other(octet) => octet,
        }
    }
}

/// Why an extension field is no Autokey message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutokeyMalformed {
    /// Its type is of another protocol.
    NotAutokey,
    /// It ends before its association, or between its fixed words.
    Short,
    /// The value is longer than the field.
    Value,
    /// The signature is longer than what follows the value.
    Signature,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutokeyMessage<'a> {
    /// Whether this is an answer.
    pub is_response: bool,
    /// Whether what was asked failed.
    pub is_error: bool,
    /// What is asked or answered.
    pub code: AutokeyCode,
    /// The asker's number of the association; the answerer's in symmetric modes.
    pub association: u32,
    /// The rest, which some requests and all errors lack.
    pub body: Option<AutokeyBody<'a>>,
}

/// What follows the association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutokeyBody<'a> {
    /// When it was signed, NTP seconds; 0 where the signer is not synchronised.
    pub timestamp: u32,
    /// When what is in it was made, NTP seconds; a status word in association messages.
    pub filestamp: u32,
    /// Without padding.
    pub value: &'a [u8],
    /// Over timestamp, filestamp, length of the value and value; without padding, may be empty.
    pub signature: &'a [u8],
}

impl<'a> AutokeyMessage<'a> {
    /// Splits a field.
    ///
    /// # Errors
    /// The first thing that keeps it from being a message.
    pub fn new_checked(field: &ExtensionField<'a>) -> Result<Self, AutokeyMalformed> {
        if field.field_type & !(RESPONSE | ERROR) & 0xFF00 != VERSION << 8 {
            return Err(AutokeyMalformed::NotAutokey);
        }
        let [_, code] = field.field_type.to_be_bytes();
        let (association, rest) = word(field.value).ok_or(AutokeyMalformed::Short)?;
        Ok(Self {
            is_response: field.field_type & RESPONSE != 0,
            is_error: field.field_type & ERROR != 0,
            code: AutokeyCode::from_octet(code),
            association,
            body: if rest.is_empty() {
                None
            } else {
                Some(body(rest)?)
            },
        })
    }

    /// Octets of its field, type and length included.
    pub const fn field_len(&self) -> usize {
        match &self.body {
            None => SHORT_LEN,
            Some(body) => FULL_LEN + padded(body.value.len()) + padded(body.signature.len()),
        }
    }

    /// Writes its field to the start of `out`, padding with zeros, and gives its length. `None` if
    /// `out` is too short. A body without value must not be sent: the reference throws it away.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let len = self.field_len();
        let out = out.get_mut(..len)?;
        out.fill(0);
        let mut kind = VERSION << 8 | u16::from(self.code.octet());
        if self.is_response {
            kind |= RESPONSE;
        }
        if self.is_error {
            kind |= ERROR;
        }
        let rest = put(out, &kind.to_be_bytes())?;
        let rest = put(rest, &u16::try_from(len).ok()?.to_be_bytes())?;
        let rest = put(rest, &self.association.to_be_bytes())?;
        if let Some(body) = &self.body {
            let rest = put(rest, &body.timestamp.to_be_bytes())?;
            let rest = put(rest, &body.filestamp.to_be_bytes())?;
            let rest = put_counted(rest, body.value)?;
            put_counted(rest, body.signature)?;
        }
        Some(len)
    }
}

const fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

fn put<'a>(out: &'a mut [u8], octets: &[u8]) -> Option<&'a mut [u8]> {
    let (slot, rest) = out.split_at_mut_checked(octets.len())?;
    slot.copy_from_slice(octets);
    Some(rest)
}

fn put_counted<'a>(out: &'a mut [u8], octets: &[u8]) -> Option<&'a mut [u8]> {
    let rest = put(out, &u32::try_from(octets.len()).ok()?.to_be_bytes())?;
    put(rest, octets)?;
    rest.get_mut(padded(octets.len())..)
}

fn body(octets: &[u8]) -> Result<AutokeyBody<'_>, AutokeyMalformed> {
    let short = AutokeyMalformed::Short;
    let (timestamp, rest) = word(octets).ok_or(short)?;
    let (filestamp, rest) = word(rest).ok_or(short)?;
    let (value, rest) = counted(rest).ok_or(AutokeyMalformed::Value)?;
    let (signature, _) = counted(rest).ok_or(AutokeyMalformed::Signature)?;
    Ok(AutokeyBody {
        timestamp,
        filestamp,
        value,
        signature,
    })
}

fn word(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = octets.split_first_chunk()?;
    Some((u32::from_be_bytes(*word), rest))
}

/// A length, as many octets, and padding to a multiple of four.
fn counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = word(octets)?;
    let len = usize::try_from(len).ok()?;
    let counted = rest.get(..len)?;
    Some((counted, rest.get(len.checked_next_multiple_of(4)?..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(field_type: u16, value: &[u8]) -> Result<AutokeyMessage<'_>, AutokeyMalformed> {
        AutokeyMessage::new_checked(&ExtensionField { field_type, value })
    }

    #[test]
    fn a_host_introduces_itself() {
        let mut octets = vec![0, 0, 0x12, 0x34, 0xCE, 0xB8, 0x9E, 0x4E, 0, 8, 0, 0x21];
        octets.extend_from_slice(&[0, 0, 0, 5]);
        octets.extend_from_slice(b"alice\0\0\0");
        octets.extend_from_slice(&[0, 0, 0, 0]);
        let said = message(0x8201, &octets).expect("well formed");
        assert!(said.is_response && !said.is_error);
        assert_eq!(
            (said.code, said.association),
            (AutokeyCode::Association, 0x1234)
        );
        let body = said.body.expect("a body");
        assert_eq!((body.timestamp, body.filestamp), (0xCEB8_9E4E, 0x0008_0021));
        assert_eq!((body.value, body.signature), (&b"alice"[..], &[][..]));
    }

    #[test]
    fn written_as_read() {
        let bodies: [Option<(&[u8], &[u8])>; 5] = [
            None,
            Some((b"alice", b"")),
            Some((b"four", b"signature")),
            Some((&[7; 1000], &[9; 257])),
            Some((b"", b"")),
        ];
        for (code, body) in (0_u8..).zip(bodies) {
            let said = AutokeyMessage {
                is_response: code % 2 == 1,
                is_error: code == 4,
                code: AutokeyCode::from_octet(code * 3),
                association: 0xABCD,
                body: body.map(|(value, signature)| AutokeyBody {
                    timestamp: 0xCEB8_9E4E,
                    filestamp: 7,
                    value,
                    signature,
                }),
            };
            let mut out = [0xAA; 1400];
            let len = said.write(&mut out).expect("it fits");
            assert_eq!((len, len % 4), (said.field_len(), 0));
            assert_eq!(out[len], 0xAA, "no octet too many");
            let field_type = u16::from_be_bytes([out[0], out[1]]);
            assert_eq!(usize::from(out[2]) << 8 | usize::from(out[3]), len);
            assert_eq!(message(field_type, &out[4..len]), Ok(said));
            assert_eq!(said.write(&mut out[..len - 1]), None);
        }
    }

    #[test]
    fn short_forms() {
        let asked = message(0x0205, &[0, 0, 0, 7]).expect("well formed");
        assert_eq!((asked.code, asked.body), (AutokeyCode::LeapSeconds, None));
        let failed = message(0xC206, &[0, 0, 0, 7]).expect("well formed");
        assert!(failed.is_response && failed.is_error);
    }

    #[test]
    fn hostile_lengths() {
        let mut octets = vec![0; 24];
        for (at, len, expected) in [
            (15, 5, AutokeyMalformed::Signature),
            (12, 0xFF, AutokeyMalformed::Value),
            (15, 9, AutokeyMalformed::Value),
            (19, 5, AutokeyMalformed::Signature),
        ] {
            octets.fill(0);
            octets[at] = len;
            assert_eq!(message(0x0202, &octets).err(), Some(expected), "{at} {len}");
        }
        for len in 0..20 {
            assert_eq!(message(0x0202, &octets[..len]).is_ok(), len == 4, "{len}");
        }
        assert_eq!(
            message(0x0104, &octets).err(),
            Some(AutokeyMalformed::NotAutokey)
        );
    }
}
